//! Takes values out of what others said: an app's last words, an engine's refusal.

use super::SecretValue;
use crate::value::SecretName;
use std::collections::BTreeMap;

/// Shorter values would take ordinary words out of every line.
const SHORTEST: usize = 4;

/// The text without the values, by the names of whose they were.
#[must_use]
pub fn masked(text: &str, values: &BTreeMap<SecretName, SecretValue>) -> String {
    let mut known: Vec<(&SecretName, &str)> =
        values.iter().filter_map(|(name, value)| Some((name, value.line()?.trim()))).collect();
    // A longer one may hold a shorter one.
    known.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    let mut text = text.to_owned();
    for (name, value) in known.iter().filter(|(_, value)| value.len() >= SHORTEST) {
        let encoded = super::template::url_encoded(value);
        for shown in [*value, encoded.as_str()] {
            if text.contains(shown) {
                text = text.replace(shown, &format!("[secret {name}]"));
            }
        }
    }
    text
}
