//! Takes values out of what others said: an app's last words, an engine's refusal.

use super::SecretValue;
use std::{collections::BTreeMap, fmt};

/// Shorter values would take ordinary words out of every line.
const SHORTEST: usize = 4;
/// The same for one line of a value that has several: what others say is told line by line.
const SHORTEST_LINE: usize = 8;

/// The text without the values, by the names of whose they were.
#[must_use]
pub fn masked<N: fmt::Display>(text: &str, values: &BTreeMap<N, SecretValue>) -> String {
    let mut known: Vec<(&N, &str)> =
        values.iter().flat_map(|(name, value)| shown(value).into_iter().map(move |shown| (name, shown))).collect();
    // A longer one may hold a shorter one.
    known.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    let mut text = text.to_owned();
    for (name, value) in known {
        let encoded = super::template::url_encoded(value);
        for shown in [value, encoded.as_str()] {
            if text.contains(shown) {
                text = text.replace(shown, &format!("[secret {name}]"));
            }
        }
    }
    text
}

/// The end of a text whose beginning is lost, without the values; so many bytes of it at most. A value that was cut there is
/// not known for one, so no more is told than what stands behind the longest.
#[must_use]
pub fn masked_end<N: fmt::Display>(text: &str, values: &BTreeMap<N, SecretValue>, most: usize) -> String {
    let longest = |value: &str| value.len().max(super::template::url_encoded(value).len());
    let longest = values.values().flat_map(shown).map(longest).max().unwrap_or_default();
    let text = masked(text, values);
    end(&text, most.min(text.len().saturating_sub(longest))).to_owned()
}

/// The end of a text, so many bytes at most.
#[must_use]
pub fn end(text: &str, most: usize) -> &str {
    let from = text.ceil_char_boundary(text.len().saturating_sub(most));
    text.get(from..).unwrap_or_default()
}

/// How a value may be shown: as a whole, and each of its lines.
fn shown(value: &SecretValue) -> Vec<&str> {
    let Some(whole) = value.line().map(str::trim).filter(|whole| whole.len() >= SHORTEST) else { return Vec::new() };
    let lines = whole.lines().map(str::trim).filter(|line| *line != whole && line.len() >= SHORTEST_LINE);
    std::iter::once(whole).chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_a_value_is_taken_out_as_well_as_the_whole() {
        let key = "-----BEGIN KEY-----\nMC4CAQAwBQYDK2Vw\nend\n-----END KEY-----\n";
        let values = BTreeMap::from([("tls_key", SecretValue::new(key.as_bytes().to_vec()))]);
        assert_eq!(masked("read MC4CAQAwBQYDK2Vw, the end", &values), "read [secret tls_key], the end");
        assert_eq!(masked(&format!("read {key}"), &values), "read [secret tls_key]\n");
    }

    #[test]
    fn a_value_that_was_cut_at_the_beginning_of_a_text_is_not_told() {
        let values = BTreeMap::from([("_TOKEN", SecretValue::new(b"correct horse/battery".to_vec()))]);
        let told = |text: &str, most| masked_end(text, &values, most);
        let encoded = "t%20horse%2Fbattery is wrong, and there is more to say of it";
        for cut in ["rrect horse/battery is wrong, and there is more to say of it", encoded] {
            let told = told(cut, 4096);
            assert!(cut.ends_with(&told) && told.ends_with("there is more to say of it"), "{told}");
            assert!(!told.contains("battery"), "{told}");
        }
        let whole = format!("{}correct horse/battery{}", "ö".repeat(50), "ä".repeat(10));
        assert_eq!(told(&whole, 35), format!("[secret _TOKEN]{}", "ä".repeat(10)));
        assert_eq!((told("short", 40), end("äöü", 3)), (String::new(), "ü"));
    }
}
