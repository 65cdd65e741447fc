//! The JSON Schema of a manifest: generated from the types, so that it cannot say anything else than they do.

use super::Manifest;
use crate::value::check_format;
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// A map whose keys have a form of their own.
pub(super) fn map<K: JsonSchema, V: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let (key, value) = (generator.subschema_for::<K>(), generator.subschema_for::<V>());
    json_schema!({"type": "object", "propertyNames": key, "additionalProperties": value})
}

/// The shape of a merged manifest: what the types take, and not more.
#[must_use]
pub fn shape() -> &'static Value {
    static SHAPE: LazyLock<Value> = LazyLock::new(|| {
        let mut settings = SchemaSettings::draft07();
        settings.inline_subschemas = true;
        let mut shape = settings.into_generator().into_root_schema_for::<Manifest>().to_value();
        spell_environment(&mut shape);
        spell_defaults(&mut shape);
        shape
    });
    &SHAPE
}

/// The shape of one file, which may stand above another: `extends`, and null for what is to be removed.
#[must_use]
pub(super) fn layer() -> &'static Value {
    static LAYER: LazyLock<Value> = LazyLock::new(|| {
        let mut layer = shape().clone();
        allow_extends(&mut layer);
        allow_null(&mut layer);
        layer
    });
    &LAYER
}

/// What editors and other validators read: the shape of one file, in plain draft-07.
///
/// Nothing is `required` in it, because what is missing may stand in the file that is extended; `validate` knows.
#[must_use]
pub fn schema() -> Value {
    let mut schema = layer().clone();
    publish(&mut schema);
    if let Value::Object(root) = &mut schema {
        root.insert("title".to_owned(), json!("reconcile manifest"));
    }
    schema
}

fn properties(schema: &mut Value) -> Option<&mut Map<String, Value>> {
    schema.get_mut("properties")?.as_object_mut()
}

fn service(schema: &mut Value) -> Option<&mut Value> {
    schema.pointer_mut("/properties/services/additionalProperties")
}

/// `environment` is Compose's word for `env`.
fn spell_environment(schema: &mut Value) {
    let Some(properties) = service(schema).and_then(properties) else { return };
    if let Some(env) = properties.get("env").cloned() {
        properties.insert("environment".to_owned(), env);
    }
}

/// Gives readers of the schema the defaults that descriptions end with: `Default: 5s.`
fn spell_defaults(schema: &mut Value) {
    let Value::Object(schema) = schema else { return };
    children(schema).for_each(spell_defaults);
    let description = schema.get("description").and_then(Value::as_str);
    let Some((_, default)) = description.and_then(|text| text.rsplit_once("Default: ")) else { return };
    let word = default.split([',', ' ', '\n']).next().unwrap_or_default();
    let word = word.strip_suffix('.').unwrap_or(word);
    if let Some(value) = default_value(schema, word) {
        schema.insert("default".to_owned(), value);
    }
}

/// The word as a value of this schema; none where it only tells people what happens.
fn default_value(schema: &Map<String, Value>, word: &str) -> Option<Value> {
    let text = json!(word);
    let words = schema.get("enum").and_then(Value::as_array);
    let format = schema.get("format").and_then(Value::as_str);
    // Where null is a value too, leaving the field out is one of its own.
    let kind = match schema.get("type")? {
        Value::Array(kinds) if !kinds.contains(&json!("null")) => kinds.first()?.as_str()?,
        kind => kind.as_str()?,
    };
    match kind {
        "boolean" | "integer" => serde_json::from_str(word).ok(),
        "string" => match (words, format) {
            (Some(words), _) => words.contains(&text).then_some(text),
            (None, Some(format)) => (word != "none" && check_format(format, word).is_ok()).then_some(text),
            (None, None) => None,
        },
        _ => None,
    }
}

fn allow_extends(schema: &mut Value) {
    if let Some(properties) = service(schema).and_then(properties) {
        let extends = json!({
            "title": "Extends",
            "description": "A service of this file that this one is laid over, as a JSON Merge Patch: null removes.",
            "examples": [{"service": "base"}],
            "type": "object",
            "properties": {"service": {
                "title": "Service", "description": "The service it is laid over.", "type": "string",
                "format": "service-name", "examples": ["base"],
            }},
            "required": ["service"],
            "additionalProperties": false,
            "x-refused": {"file": "`file` is not supported here: write `extends: ../_base/<app>.yaml` at the top of the file"},
        });
        properties.insert("extends".to_owned(), extends);
    }
    if let Some(properties) = properties(schema) {
        let extends = json!({
            "title": "Extends",
            "description": "The file this one is laid over, as a JSON Merge Patch (RFC 7386): mappings merge, lists and \
                            values replace, null removes. The path begins at this file's folder.",
            "examples": ["../_base/gateway.yaml"],
            "type": "string",
            "minLength": 1,
        });
        properties.insert("extends".to_owned(), extends);
    }
}

/// Each schema directly below this one.
fn children(schema: &mut Map<String, Value>) -> impl Iterator<Item = &mut Value> {
    schema.iter_mut().flat_map(|(keyword, value)| -> Vec<&mut Value> {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(properties)) => properties.values_mut().collect(),
            ("additionalProperties" | "items", schema @ Value::Object(_)) => vec![schema],
            ("anyOf", Value::Array(branches)) => branches.iter_mut().collect(),
            _ => Vec::new(),
        }
    })
}

/// Lets every value of a mapping be null.
fn allow_null(schema: &mut Value) {
    let Value::Object(schema) = schema else { return };
    children(schema).for_each(allow_null);
    let named = schema.get_mut("properties").and_then(Value::as_object_mut);
    let named = named.into_iter().flat_map(|properties| properties.values_mut()).collect::<Vec<_>>();
    named.into_iter().for_each(nullable);
    if let Some(others @ Value::Object(_)) = schema.get_mut("additionalProperties") {
        nullable(others);
    }
}

fn nullable(schema: &mut Value) {
    let Value::Object(schema) = schema else { return };
    let nothing = json!({"title": "Nothing", "type": "null"});
    // A word that is wrong should be answered with the words that are right, and null is none of them.
    if let Some(words) = schema.remove("enum") {
        let kind = schema.remove("type").unwrap_or_default();
        schema.insert("anyOf".to_owned(), json!([{"type": kind, "enum": words}, nothing]));
        return;
    }
    if let Some(Value::Array(branches)) = schema.get_mut("anyOf") {
        branches.push(nothing);
    }
    match schema.get_mut("type") {
        Some(Value::Array(types)) if !types.contains(&json!("null")) => types.push(json!("null")),
        Some(word @ Value::String(_)) => *word = json!([word.clone(), "null"]),
        Some(_) | None => {}
    }
}

/// Turns our own keywords into what draft-07 and editors know.
fn publish(schema: &mut Value) {
    let Value::Object(schema) = schema else { return };
    children(schema).for_each(publish);
    schema.remove("required");
    let refused = schema.remove("x-refused");
    let unsupported = schema.remove("x-unsupported");
    let refused = refused.as_ref().and_then(Value::as_object).into_iter().flatten();
    let refused = refused.map(|(key, text)| (key.clone(), text.clone()));
    let unsupported = unsupported.as_ref().and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let unsupported = unsupported.map(|key| (key.to_owned(), json!(format!("`{key}` is not supported yet"))));
    let words: Vec<(String, Value)> = refused.chain(unsupported).collect();
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    for (key, text) in words {
        // `errorMessage` and `doNotSuggest` are known to the server behind editors' YAML support; it shows the one for
        // a wrong type, though not for `not`.
        properties
            .insert(key, json!({"description": text, "type": "null", "errorMessage": text, "doNotSuggest": true}));
    }
}
