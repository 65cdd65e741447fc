//! What a scalar means where the schema says what it may be.

use super::{
    schema::{Kind, Shape},
    words,
};
use crate::{
    value::check_format,
    yaml::{Diagnostic, Place, diagnostic::quoted},
};
use serde_json::{Number, Value as Json};

/// The value of a scalar, or what is wrong with it; the caller puts the place in.
///
/// A typed reading is taken where text is allowed too only when it gives back the very same letters.
pub(super) fn resolve(text: &str, plain: bool, shape: &Shape<'_>) -> Result<Json, Diagnostic> {
    if let Some(words) = shape.words() {
        let same = |word: &&&Json| written(word) == text && (plain || word.is_string());
        return words.iter().find(same).map(|word| (**word).clone()).ok_or_else(|| not_listed(text, &words));
    }
    let as_text = shape.allows(Kind::Text);
    let typed = if plain { typed(text, shape) } else { None };
    match typed {
        Some(value) if !as_text || written(&value) == text => {
            judge_format(text, shape)?;
            in_range(value, text, shape)
        }
        Some(_) | None if as_text => as_written(text, shape),
        Some(_) | None => Err(not_typed(text, plain, shape)),
    }
}

/// A value as YAML's plain scalars write it.
pub(super) fn written(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn problem(message: String) -> Diagnostic {
    Diagnostic::new(&Place { file: "".into(), line: 0, column: 0 }, message)
}

fn typed(text: &str, shape: &Shape<'_>) -> Option<Json> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let decimal = digits == "0" || (!digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()));
    match text {
        "true" | "false" if shape.allows(Kind::Boolean) => return Some(Json::Bool(text == "true")),
        _ => {}
    }
    if decimal && !digits.is_empty() && (shape.allows(Kind::Integer) || shape.allows(Kind::Number)) {
        let whole = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
        return whole.ok().map(Json::Number);
    }
    let begins = digits.bytes().next().is_some_and(|b| b.is_ascii_digit());
    let fraction = begins && !(digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0."));
    if fraction && shape.allows(Kind::Number) {
        return text.parse::<f64>().ok().and_then(Number::from_f64).map(Json::Number);
    }
    None
}

fn in_range(value: Json, text: &str, shape: &Shape<'_>) -> Result<Json, Diagnostic> {
    let Some(number) = value.as_f64() else { return Ok(value) };
    let limit = |keyword| shape.get(keyword).and_then(Json::as_f64);
    let (least, most) = (limit("minimum"), limit("maximum"));
    if least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most) {
        return Ok(value);
    }
    let bounds = match (least, most) {
        (Some(least), Some(most)) => format!("from {least} to {most}"),
        (Some(least), None) => format!("of at least {least}"),
        (None, Some(most)) => format!("of at most {most}"),
        (None, None) => String::new(),
    };
    let expected = shape.expected();
    Err(words::with_example(problem(format!("{} is out of range: expected {expected} {bounds}", quoted(text))), shape))
}

fn as_written(text: &str, shape: &Shape<'_>) -> Result<Json, Diagnostic> {
    let length = text.chars().count();
    let wrong = if shape.size("minLength").is_some_and(|least| length < least) {
        let expected = shape.expected();
        Some(if text.is_empty() {
            format!("the text is empty: expected {expected}")
        } else {
            format!("{} is too short: expected {expected}", quoted(text))
        })
    } else {
        let most = shape.size("maxLength").filter(|most| length > *most);
        most.map(|most| format!("{} has {length} characters, at most {most} are allowed", quoted(text)))
    };
    match wrong {
        Some(message) => Err(words::with_example(problem(message), shape)),
        None => judge_format(text, shape).map(|()| Json::String(text.to_owned())),
    }
}

fn judge_format(text: &str, shape: &Shape<'_>) -> Result<(), Diagnostic> {
    let Some(format) = shape.text("format") else { return Ok(()) };
    check_format(format, text).map_err(|message| {
        // The type's own words repeat the text as it is; an error stays on one line, however long the value.
        let message = message.replace(&format!("`{text}`"), &quoted(text)).replace('\n', "\\n");
        words::with_example(problem(message), shape)
    })
}

fn not_listed(text: &str, words: &[&Json]) -> Diagnostic {
    let listed: Vec<String> = words.iter().map(|word| written(word)).collect();
    let message = match listed.as_slice() {
        [only] => format!("{} is not `{only}`", quoted(text)),
        _ => format!("{} is none of {}", quoted(text), words::listed(&listed)),
    };
    words::with_nearest(problem(message), text, listed.iter().map(String::as_str))
}

fn not_typed(text: &str, plain: bool, shape: &Shape<'_>) -> Diagnostic {
    let wrong = problem(format!("expected {}, found {}", shape.expected(), quoted(text)));
    if !plain && typed(text, shape).is_some() {
        return wrong.with_hint(format!("remove the quotes: `{text}`"));
    }
    if shape.allows(Kind::Boolean) {
        match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "true" | "y" => return wrong.with_hint("write `true`"),
            "no" | "off" | "false" | "n" => return wrong.with_hint("write `false`"),
            _ => {}
        }
    }
    if shape.allows(Kind::Integer) {
        let bare = text.trim_start_matches('0');
        if bare != text && !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit()) {
            return wrong.with_hint(format!("write it without leading zeros: `{bare}`"));
        }
    }
    words::with_example(wrong, shape)
}
