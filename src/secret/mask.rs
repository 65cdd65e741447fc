//! Takes values out of what others said: an app's last words, an engine's refusal.

use super::SecretValue;
use crate::value::SecretName;
use std::collections::BTreeMap;

/// Shorter values would take ordinary words out of every line.
const SHORTEST: usize = 4;
/// The same for one line of a value that has several: what others say is told line by line.
const SHORTEST_LINE: usize = 8;

/// The text without the values, by the names of whose they were.
#[must_use]
pub fn masked(text: &str, values: &BTreeMap<SecretName, SecretValue>) -> String {
    let mut known: Vec<(&SecretName, &str)> =
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
        let values = BTreeMap::from([("tls_key".parse().unwrap(), SecretValue::new(key.as_bytes().to_vec()))]);
        assert_eq!(masked("read MC4CAQAwBQYDK2Vw, the end", &values), "read [secret tls_key], the end");
        assert_eq!(masked(&format!("read {key}"), &values), "read [secret tls_key]\n");
    }
}
