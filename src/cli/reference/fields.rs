//! A schema as a page: a table for each object.

use super::GENERATED;
use serde_json::{Map, Value};
use std::fmt::Write;

/// The root object's fields, then those of the objects in it, deeper ones later.
pub fn page(title: &str, introduction: &str, schema: &Value) -> String {
    let mut page = format!("{GENERATED}\n# {title}\n\n{introduction}\n");
    let mut book = Book { root: schema, waiting: vec![(Vec::new(), schema)] };
    while !book.waiting.is_empty() {
        let (path, object) = book.waiting.remove(0);
        section(&mut page, &mut book, &path, object);
    }
    page
}

/// What is still to be written.
struct Book<'a> {
    root: &'a Value,
    waiting: Vec<(Vec<String>, &'a Value)>,
}

impl<'a> Book<'a> {
    /// What a schema that only points elsewhere points at.
    fn followed(&self, schema: &'a Value) -> &'a Value {
        let pointer = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")).and_then(Value::as_str);
        match pointer.and_then(|pointer| self.root.pointer(pointer.trim_start_matches('#'))) {
            Some(target) => self.followed(target),
            None => schema,
        }
    }

    /// The objects in a field: its own, those of its alternatives, items and values. Each with what leads to it.
    fn objects(&self, name: &str, schema: &'a Value) -> Vec<(String, &'a Value)> {
        let schema = self.followed(schema);
        let mut found = Vec::new();
        if schema.get("properties").is_some() {
            found.push((name.to_owned(), schema));
        }
        if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
            found.extend(self.objects(&format!("{name}.<name>"), values));
        }
        if let Some(items) = schema.get("items") {
            found.extend(self.objects(&format!("{name}[]"), items));
        }
        for branch in alternatives(schema) {
            found.extend(self.objects(name, branch));
        }
        found
    }
}

fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf"].into_iter().filter_map(|keyword| schema.get(keyword)?.as_array()).flatten()
}

fn section<'a>(page: &mut String, book: &mut Book<'a>, path: &[String], object: &'a Value) {
    let Some(properties) = object.get("properties").and_then(Value::as_object) else { return };
    if !path.is_empty() {
        let _ = write!(page, "\n## `{}`\n\n", path.join("."));
        if let Some(text) = text(object, "description") {
            let _ = write!(page, "{}\n\n", line(text));
        }
    } else {
        page.push('\n');
    }
    page.push_str("| Field | Type | Default | Description | Example |\n|---|---|---|---|---|\n");
    for (name, field) in properties {
        row(page, book, object, name, field);
        for (name, object) in book.objects(name, field) {
            let mut path = path.to_vec();
            path.push(name);
            book.waiting.push((path, object));
        }
    }
}

fn row(page: &mut String, book: &Book<'_>, object: &Value, name: &str, field: &Value) {
    let target = book.followed(field);
    let required =
        object.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|found| found == name));
    let description = text(field, "description").or_else(|| text(target, "description")).map(line).unwrap_or_default();
    let (description, said) = match description.rsplit_once("Default: ") {
        Some((before, said)) => (before.trim_end().to_owned(), said.trim_end_matches('.').to_owned()),
        None => (description, String::new()),
    };
    let default = match field.get("default").or_else(|| target.get("default")) {
        // An object's fields tell their defaults in a table of their own.
        Some(value) if !is_empty(value) && !value.is_object() => code(value),
        Some(_) | None if required => "required".to_owned(),
        Some(_) | None => said,
    };
    let example = examples(field).or_else(|| examples(target)).map(code).unwrap_or_default();
    let kinds = kinds(book, target).join(" or ");
    let _ = writeln!(page, "| `{name}` | {kinds} | {default} | {description} | {example} |");
}

/// The types in words.
fn kinds(book: &Book<'_>, schema: &Value) -> Vec<String> {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().map(code).collect();
    }
    if let Some(word) = schema.get("const") {
        return vec![code(word)];
    }
    let mut found: Vec<String> = Vec::new();
    for kind in alternatives(schema).flat_map(|branch| kinds(book, book.followed(branch))) {
        if !found.contains(&kind) {
            found.push(kind);
        }
    }
    if !found.is_empty() {
        return found;
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(word)) => vec![word],
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        Some(_) | None => Vec::new(),
    };
    types.into_iter().filter(|word| *word != "null").map(|word| kind(book, schema, word)).collect()
}

fn kind(book: &Book<'_>, schema: &Value, word: &str) -> String {
    let of = |schema: &Value| kinds(book, book.followed_here(schema)).join(" or ");
    match word {
        "array" => schema.get("items").map_or("list".to_owned(), |items| format!("list of {}", of(items))),
        "object" => match schema.get("additionalProperties").filter(|values| values.is_object()) {
            Some(values) => format!("mapping of {}", of(values)),
            None => "mapping".to_owned(),
        },
        "string" => text(schema, "format").map_or("string".to_owned(), |format| format.replace('-', " ")),
        other => other.to_owned(),
    }
}

impl Book<'_> {
    fn followed_here<'b>(&'b self, schema: &'b Value) -> &'b Value {
        let pointer = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")).and_then(Value::as_str);
        pointer.and_then(|pointer| self.root.pointer(pointer.trim_start_matches('#'))).unwrap_or(schema)
    }
}

fn examples(schema: &Value) -> Option<&Value> {
    schema.get("examples")?.as_array()?.first()
}

fn text<'a>(schema: &'a Value, key: &str) -> Option<&'a str> {
    schema.get(key)?.as_str()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A value as it is written in YAML's flow style, in backticks.
fn code(value: &Value) -> String {
    format!("`{}`", flow(value).replace('|', "\\|"))
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(quoted).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => format!("{{{}}}", pairs(fields)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn pairs(fields: &Map<String, Value>) -> String {
    fields.iter().map(|(key, value)| format!("{key}: {}", quoted(value))).collect::<Vec<_>>().join(", ")
}

/// Inside a list or mapping, a text with marks of the flow style wants quotes.
fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() || text.contains([',', ':', '{', '[', '#']) => value.to_string(),
        Value::String(_) | Value::Array(_) | Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
            flow(value)
        }
    }
}

fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
