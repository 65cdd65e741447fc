//! Limits and graphics processors of a container.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use std::borrow::Cow;

/// A limit of the kernel: one number for both, or `soft` and `hard`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub soft: i64,
    pub hard: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Both {
    soft: i64,
    hard: i64,
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if let Some(both) = value.as_i64() {
            return Ok(Self { soft: both, hard: both });
        }
        Both::deserialize(value).map(|Both { soft, hard }| Self { soft, hard }).map_err(de::Error::custom)
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.soft == self.hard {
            return serializer.serialize_i64(self.soft);
        }
        Both { soft: self.soft, hard: self.hard }.serialize(serializer)
    }
}

impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = |title: &str, description: &str, example: i64| {
            json_schema!({
                "title": title, "description": description, "type": "integer", "minimum": -1, "examples": [example],
            })
        };
        json_schema!({
            "title": "Limit",
            "examples": [65536, {"soft": 1024, "hard": 4096}],
            "anyOf": [
                number("Soft and hard limit", "One number for both; -1 is without limit.", 65536),
                {
                    "title": "Soft and hard limit apart",
                    "type": "object",
                    "properties": {
                        "soft": number("Soft limit", "What processes have; -1 is without limit.", 1024),
                        "hard": number("Hard limit", "How far they may raise it; -1 is without limit.", 4096),
                    },
                    "required": ["soft", "hard"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

/// Graphics processors: `all`, so many, or certain ones by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gpus {
    All,
    Count(u32),
    Ids(Vec<String>),
}

impl<'de> Deserialize<'de> for Gpus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(word) if word == "all" => Ok(Self::All),
            list @ Value::Array(_) => Vec::deserialize(list).map(Self::Ids).map_err(de::Error::custom),
            count => u32::deserialize(count).map(Self::Count).map_err(de::Error::custom),
        }
    }
}

impl Serialize for Gpus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Count(count) => serializer.serialize_u32(*count),
            Self::Ids(ids) => ids.serialize(serializer),
        }
    }
}

impl JsonSchema for Gpus {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Gpus".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "Graphics processors",
            "examples": ["all", 1, ["GPU-3a23c669"]],
            "anyOf": [
                {"title": "All of them", "type": "string", "enum": ["all"]},
                {"title": "So many", "type": "integer", "minimum": 1, "maximum": 1024},
                {"title": "Certain ones by id", "type": "array", "minItems": 1, "items": {"type": "string"}},
            ],
        })
    }
}
