//! Values that may be written in more than one form, and what fields say of their defaults.

use crate::value::{Duration, SecretName, Template, text::Written};
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EnvironmentValue {
    /// The text itself.
    Text(String),
    /// A secret, by host policy.
    Secret(SecretName),
    /// A text with secrets in it, by host policy.
    Template(Template),
}

impl Default for EnvironmentValue {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// The maps that a value can be, of which one key is written.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Spelt {
    Literal(Text),
    Secret(SecretName),
    Template(Template),
}

impl<'de> Deserialize<'de> for EnvironmentValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        if value.is_object() {
            return Spelt::deserialize(value).map_err(de::Error::custom).map(|spelt| match spelt {
                Spelt::Literal(text) => Self::Text(text.0),
                Spelt::Secret(name) => Self::Secret(name),
                Spelt::Template(template) => Self::Template(template),
            });
        }
        Written::deserialize(value).map(|written| Self::Text(written.0)).map_err(de::Error::custom)
    }
}

impl Serialize for EnvironmentValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let map = |key: &str, value: &dyn std::fmt::Display, serializer: S| {
            use serde::ser::SerializeMap;
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(key, &value.to_string())?;
            map.end()
        };
        match self {
            // So that the merged manifest can be read back as a manifest.
            Self::Text(text) if text.contains("${") => map("literal", text, serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Secret(name) => map("secret", name, serializer),
            Self::Template(template) => map("template", template, serializer),
        }
    }
}

impl JsonSchema for EnvironmentValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "EnvironmentValue".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let described = |schema: Schema, title: &str, about: &str| {
            let mut schema = schema.to_value();
            schema["title"] = title.into();
            schema["description"] = about.into();
            schema
        };
        let secret = described(
            generator.subschema_for::<SecretName>(),
            "Secret",
            "A secret's value, which `inspect` shows: host policy `secret_env` must allow it. Default: none.",
        );
        let template = described(
            generator.subschema_for::<Template>(),
            "Text with secrets",
            "A text with `${secret:<name>}` or `${secret:<name>|urlencode}` in it, by the same policy; `$${` is `${`. \
             Default: none.",
        );
        json_schema!({
            "title": "Value",
            "description": "A text, a number or a boolean. Nothing is interpolated: `$` is a dollar.",
            "examples": ["json", 8080, false],
            "anyOf": [
                {"title": "Value", "type": ["string", "number", "boolean"]},
                {
                    "title": "Literal text, secret or template",
                    "description": "One of the three.",
                    "type": "object",
                    "properties": {
                        "literal": {
                            "title": "Literal text",
                            "description": "A text that may hold `${`, which elsewhere is refused as pasted by mistake. \
                                            Default: none.",
                            "type": "string",
                            "examples": ["${NOT_OURS}"],
                        },
                        "secret": secret,
                        "template": template,
                    },
                    "additionalProperties": false,
                    "minProperties": 1,
                    "maxProperties": 1,
                },
            ],
        })
    }
}

/// An item of a list that is a name, or a map that says more of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedOr<T>(pub T);

/// What an item can be said by a name alone.
pub trait Named: Sized {
    /// The name's type.
    type Name: Serialize + de::DeserializeOwned + JsonSchema;

    /// All else at its default.
    fn named(name: Self::Name) -> Self;

    /// The name alone.
    fn name(&self) -> &Self::Name;
}

impl<'de, T: Named + de::DeserializeOwned> Deserialize<'de> for NamedOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let item = if value.is_object() { T::deserialize(value) } else { T::Name::deserialize(value).map(T::named) };
        item.map(Self).map_err(de::Error::custom)
    }
}

impl<T: Named + Serialize + PartialEq + Clone> Serialize for NamedOr<T>
where
    T::Name: Clone,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if T::named(self.0.name().clone()) == self.0 {
            return self.0.name().serialize(serializer);
        }
        self.0.serialize(serializer)
    }
}

impl<T: Named + JsonSchema> JsonSchema for NamedOr<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("NamedOr{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (name, map) = (generator.subschema_for::<T::Name>(), generator.subschema_for::<T>());
        json_schema!({"anyOf": [name, map]})
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
