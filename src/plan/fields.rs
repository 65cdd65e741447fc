//! The fields in which two manifests differ, by path.

use super::change::FieldChange;
use serde_json::Value;
use std::collections::BTreeSet;

/// The fields below `path` that differ; objects are walked, anything else is compared whole.
#[must_use]
pub fn between(path: &str, before: Option<&Value>, after: Option<&Value>) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    walk(path, before, after, &mut changes);
    changes
}

fn walk(path: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<FieldChange>) {
    if before == after {
        return;
    }
    let (one, two) = (before.and_then(Value::as_object), after.and_then(Value::as_object));
    if one.is_some() || two.is_some() {
        let keys: BTreeSet<&String> = one.iter().chain(&two).flat_map(|object| object.keys()).collect();
        for key in keys {
            let child =
                |object: Option<&'_ serde_json::Map<String, Value>>| object.and_then(|object| object.get(key)).cloned();
            walk(&format!("{path}.{key}"), child(one).as_ref(), child(two).as_ref(), changes);
        }
        if one.is_some() && two.is_some() {
            return;
        }
    }
    let scalar = |value: Option<&Value>| value.filter(|value| !value.is_object()).map(text);
    let (before, after) = (scalar(before), scalar(after));
    if before != after {
        changes.push(FieldChange { path: path.to_owned(), before, after });
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
