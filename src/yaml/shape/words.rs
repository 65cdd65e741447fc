//! How errors name what was found, what is meant, and what is near.

use super::{scalar::written, schema::Shape};
use crate::yaml::{Diagnostic, Node, Value, diagnostic::quoted};
use serde_json::Value as Json;

/// What stands in the file, in words.
pub(super) fn found(node: &Node) -> String {
    match &node.value {
        Value::Null => "nothing".to_owned(),
        Value::Scalar { text, .. } => quoted(text),
        Value::Sequence(_) => "a list".to_owned(),
        Value::Mapping(_) => "a mapping".to_owned(),
    }
}

/// Words in backticks, with commas.
pub(super) fn listed(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// The first example of the schema as the hint.
pub(super) fn with_example(problem: Diagnostic, shape: &Shape<'_>) -> Diagnostic {
    let example = shape.list("examples").and_then(<[Json]>::first);
    match example {
        Some(example) if problem.hint.is_none() => problem.with_hint(format!("for example `{}`", flow(example))),
        Some(_) | None => problem,
    }
}

/// An example on one line of YAML.
fn flow(example: &Json) -> String {
    match example {
        Json::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{key}: {}", flow(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Json::String(text) if wants_quotes(text) => example.to_string(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => written(example),
    }
}

/// Whether a text is safer in quotes; `8000:8000` too, which older YAML reads as a number.
fn wants_quotes(text: &str) -> bool {
    let indicator = |c: char| "-?:,[]{}#&*!|>'\"%@`".contains(c);
    text.is_empty()
        || text.starts_with(indicator)
        || text.contains([',', '[', ']', '{', '}', '"'])
        || text.contains(": ")
        || text.contains(" #")
        || (text.contains(':') && text.starts_with(|c: char| c.is_ascii_digit()))
}

/// The word a person may have meant as the hint, where one is near.
pub(super) fn with_nearest<'w>(problem: Diagnostic, text: &str, words: impl Iterator<Item = &'w str>) -> Diagnostic {
    match nearest(text, words) {
        Some(word) => problem.with_hint(format!("did you mean `{word}`?")),
        None => problem,
    }
}

/// The nearest of some words: the same in another spelling (`dependsOn`, `depends-on`), or a slip of the finger away.
pub(super) fn nearest<'w>(text: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let plain = snake_case(text);
    // One slip for each three letters, so that short words are not taken for one another.
    let slips = (plain.chars().count() / 3).clamp(1, 3);
    words
        .map(|word| (strsim::damerau_levenshtein(&plain, &snake_case(word)), word))
        .filter(|(distance, word)| *distance <= slips && *distance < word.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

fn snake_case(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    // A key of thousands of letters is near to nothing; comparing it would cost its square.
    for c in text.chars().take(64) {
        if c.is_ascii_uppercase() && !plain.is_empty() && !plain.ends_with('_') {
            plain.push('_');
        }
        plain.push(if c == '-' { '_' } else { c.to_ascii_lowercase() });
    }
    plain
}
