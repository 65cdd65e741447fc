//! Values that may be written in more than one form, and what fields say of their defaults.

use crate::value::{Duration, text::Written};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;

/// True for a field that need not be written: leaving it out keeps merged manifests stable when fields are added.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub(super) const fn yes() -> bool {
    true
}

// Serde hands the field by reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(super) const fn is_yes(value: &bool) -> bool {
    *value
}

pub(super) const fn seconds<const N: u64>() -> Duration {
    Duration::from_secs(N)
}

pub(super) fn is_seconds<const N: u64>(value: &Duration) -> bool {
    *value == Duration::from_secs(N)
}

pub(super) const fn count<const N: u32>() -> u32 {
    N
}

// As above.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(super) const fn is_count<const N: u32>(value: &u32) -> bool {
    *value == N
}

/// Text that may be written without quotes although it looks like a number or a boolean: `8080` is `"8080"`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Written::deserialize(deserializer).map(|written| Self(written.0))
    }
}

impl JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"title": "Text", "type": ["string", "number", "boolean"], "examples": ["text", 8080, true]})
    }
}

/// The value of an environment variable.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnvironmentValue(pub String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Literal {
    literal: String,
}

impl<'de> Deserialize<'de> for EnvironmentValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        if value.is_object() {
            return Literal::deserialize(value).map(|written| Self(written.literal)).map_err(de::Error::custom);
        }
        Written::deserialize(value).map(|written| Self(written.0)).map_err(de::Error::custom)
    }
}

impl Serialize for EnvironmentValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        // So that the merged manifest can be read back as a manifest.
        if self.0.contains("${") {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry("literal", &self.0)?;
            return map.end();
        }
        serializer.serialize_str(&self.0)
    }
}

impl JsonSchema for EnvironmentValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "EnvironmentValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "Value",
            "description": "A text, a number or a boolean. Nothing is interpolated: `$` is a dollar.",
            "examples": ["json", 8080, false],
            "anyOf": [
                {"title": "Value", "type": ["string", "number", "boolean"]},
                {
                    "title": "Literal text",
                    "description": "A text that may hold `${`, which elsewhere is refused as pasted by mistake.",
                    "type": "object",
                    "properties": {"literal": {
                        "title": "Literal text", "description": "The text, taken as it is.", "type": "string",
                        "examples": ["${NOT_OURS}"],
                    }},
                    "required": ["literal"],
                    "additionalProperties": false,
                    "x-unsupported": ["secret", "template"],
                },
            ],
        })
    }
}

/// A program with its arguments: a list, or a string that is split as a shell would split it, without running one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Command(pub Vec<String>);

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match OneOrMany::<Text>::deserialize(deserializer)? {
            OneOrMany { single: true, items } => {
                let line: String = items.into_iter().map(|text| text.0).collect();
                shlex::split(&line)
                    .map(Self)
                    .ok_or_else(|| de::Error::custom(format!("a quote in `{line}` has no end")))
            }
            OneOrMany { single: false, items } => Ok(Self(items.into_iter().map(|text| text.0).collect())),
        }
    }
}

impl JsonSchema for Command {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Command".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let argument = generator.subschema_for::<Text>();
        json_schema!({
            "title": "Command",
            "examples": [["nginx", "-g", "daemon off;"], "nginx -g 'daemon off;'"],
            "anyOf": [
                {"title": "List of arguments", "type": "array", "items": argument},
                {"title": "Command line", "type": "string", "format": "command"},
            ],
        })
    }
}

/// A list, of which a single item may be written without the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOrMany<T> {
    /// It was written without the list.
    pub single: bool,
    pub items: Vec<T>,
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self { single: false, items: Vec::new() }
    }
}

impl<T> OneOrMany<T> {
    /// True when nothing is there.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl<T: Serialize> Serialize for OneOrMany<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.items.serialize(serializer)
    }
}

impl<'de, T: de::DeserializeOwned> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let single = !value.is_array();
        let items = if single { T::deserialize(value).map(|item| vec![item]) } else { Vec::<T>::deserialize(value) };
        items.map(|items| Self { single, items }).map_err(de::Error::custom)
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({"anyOf": [{"title": "List", "type": "array", "items": item}, item]})
    }
}
