//! Laws over any file: what was sealed opens to the same; what was changed is refused, or changes no value.

use super::{
    sealing::{Plain, Sealing},
    value,
};
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeMap;

fn leaf() -> impl Strategy<Value = Plain> {
    prop_oneof![
        4 => "[^\\p{C}\\p{Zl}\\p{Zp}]{1,20}".prop_map(Plain::Text),
        1 => any::<i64>().prop_map(Plain::Int),
        1 => (-1e9..1e9).prop_map(Plain::Float),
        1 => any::<bool>().prop_map(Plain::Bool),
        1 => Just(Plain::Null),
        1 => Just(Plain::Text(String::new())),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z]{1,8}", 1 => "[a-z]{1,4}_unencrypted", 1 => "[a-zA-Z0-9 .äß#'-]{1,8}"]
}

fn document() -> impl Strategy<Value = Plain> {
    let item = leaf().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Plain::List),
            vec((key(), inner), 0..4).prop_map(|entries| Plain::Map(unique(entries))),
        ]
    });
    vec((key(), item), 1..5).prop_map(|entries| Plain::Map(unique(entries)))
}

fn unique(entries: Vec<(String, Plain)>) -> Vec<(String, Plain)> {
    let mut seen = std::collections::HashSet::from(["sops".to_owned()]);
    entries.into_iter().filter(|(key, _)| seen.insert(key.clone())).collect()
}

/// What the sealed values are, by their address; none for an address that is not one value's.
fn values(document: &Plain) -> BTreeMap<String, Option<String>> {
    fn collect(item: &Plain, path: &[&str], in_list: bool, into: &mut BTreeMap<String, Option<String>>) {
        let is_clear = path.iter().any(|key| key.ends_with("_unencrypted"));
        let text = match item {
            Plain::Map(entries) => {
                return entries.iter().for_each(|(key, item)| collect(item, &[path, &[key]].concat(), in_list, into));
            }
            Plain::List(items) => return items.iter().for_each(|item| collect(item, path, true, into)),
            Plain::Null => String::new(),
            Plain::Text(text) => text.clone(),
            Plain::Int(number) => number.to_string(),
            Plain::Float(number) => number.to_string(),
            Plain::Bool(truth) => truth.to_string(),
        };
        let value = (!in_list && !is_clear && !text.is_empty()).then_some(text);
        into.entry(path.join(".")).and_modify(|known| *known = None).or_insert(value);
    }
    let mut into = BTreeMap::new();
    collect(document, &[], false, &mut into);
    into
}

proptest! {
    #[test]
    fn what_was_sealed_opens_to_the_same(document in document(), json in any::<bool>()) {
        let sealing = Sealing::default();
        // Whole numbers of JSON are exact up to 2^53.
        let file = if json && !has_large_clear_number(&document) { sealing.json(&document) } else { sealing.yaml(&document) };
        for (address, expected) in values(&document) {
            prop_assert_eq!(value(&file, &address).ok(), expected, "{} of\n{}", address, file);
        }
    }

    #[test]
    fn a_changed_byte_is_refused_or_changes_no_value(
        document in document(), json in any::<bool>(), at in any::<prop::sample::Index>(), byte in any::<u8>()
    ) {
        let sealing = Sealing::default();
        let file = if json { sealing.json(&document) } else { sealing.yaml(&document) };
        let mut bytes = file.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(changed) = String::from_utf8(bytes) {
            for (address, expected) in values(&document) {
                if let Ok(given) = value(&changed, &address) {
                    prop_assert_eq!(Some(given), expected, "{}", address);
                }
            }
        }
    }
}

fn has_large_clear_number(item: &Plain) -> bool {
    match item {
        Plain::Int(number) => number.unsigned_abs() > 1 << 53,
        Plain::List(items) => items.iter().any(has_large_clear_number),
        Plain::Map(entries) => entries.iter().any(|(_, item)| has_large_clear_number(item)),
        Plain::Text(_) | Plain::Float(_) | Plain::Bool(_) | Plain::Null => false,
    }
}
