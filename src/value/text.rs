//! What all values with a textual form share: one error, and serde and JSON Schema by way of that form.

/// Why a text is not the value it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is not {kind}: {reason}", quoted(text))]
pub struct BadValue {
    kind: &'static str,
    text: String,
    reason: String,
}

fn quoted(text: &str) -> String {
    if text.is_empty() { "an empty text".to_owned() } else { format!("`{text}`") }
}

impl BadValue {
    /// An error about `text`, which should have been `kind` (`a duration`); the reason says what to write instead.
    pub(crate) fn new(kind: &'static str, text: &str, reason: impl Into<String>) -> Self {
        Self { kind, text: text.to_owned(), reason: reason.into() }
    }
}

/// Judges a text by a type's own parser.
pub(super) fn judge<T: std::str::FromStr>(text: &str) -> Result<(), String>
where
    T::Err: ToString,
{
    text.parse::<T>().map(drop).map_err(|error| error.to_string())
}

/// Gives a type with `FromStr` and `Display` its serde form (a string) and its JSON Schema.
macro_rules! text_form {
    ($type:ty, $format:literal, $title:literal, $pattern:expr, [$($example:expr),+]) => {
        text_form!($type, $format, $title, $pattern, [$($example),+], "string");
    };
    // `$json` is the JSON type, or types where YAML people write the value without quotes and mean a text.
    ($type:ty, $format:literal, $title:literal, $pattern:expr, [$($example:expr),+], $json:tt) => {
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <$crate::value::text::Written as ::serde::Deserialize>::deserialize(deserializer)?;
                text.0.parse().map_err(::serde::de::Error::custom)
            }
        }

        impl ::schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed($title)
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!({
                    "title": $title,
                    "type": $json,
                    "format": $format,
                    "pattern": $pattern,
                    "examples": [$($example),+],
                })
            }
        }
    };
}
pub(crate) use text_form;

/// The text of a scalar, whether JSON knows it as a string, a number or a boolean.
pub(crate) struct Written(pub String);

impl<'de> serde::Deserialize<'de> for Written {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WrittenVisitor).map(Self)
    }
}

struct WrittenVisitor;

impl serde::de::Visitor<'_> for WrittenVisitor {
    type Value = String;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a string, a number or a boolean")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<String, E> {
        Ok(value.to_string())
    }
}
