//! The engine's JSON in our language. Nothing here fails for a missing field or an unknown word.

pub mod body;
pub mod container;
pub mod image;
pub mod log;
pub mod network;
pub mod podman;

use serde_json::Value;
use std::collections::BTreeMap;

/// A text that is there and not empty.
fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn text_or_empty(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn texts(value: &Value) -> impl Iterator<Item = String> + '_ {
    list(value).iter().filter_map(Value::as_str).map(str::to_owned)
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn labels(value: &Value) -> BTreeMap<String, String> {
    entries(value).map(|(key, value)| (key.clone(), text_or_empty(value))).collect()
}

/// A number that is set: engines say 0 for a limit that is not there.
fn limit(value: &Value) -> Option<u64> {
    value.as_u64().filter(|number| *number > 0)
}

/// The one form of an image's id: `sha256:` and 64 hex digits.
fn image_id(value: &Value) -> String {
    let id = value.as_str().unwrap_or_default();
    if id.is_empty() || id.contains(':') { id.to_owned() } else { format!("sha256:{id}") }
}
