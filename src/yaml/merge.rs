//! JSON Merge Patch (RFC 7386) on trees: how `extends` works.

use super::{Key, Node, Value};
use std::collections::HashMap;

/// Lays `patch` over `base`: mappings merge, null removes, the rest replaces.
///
/// Each node keeps the place it came from; a merged mapping stands where the patch has it.
#[must_use]
pub fn merge(base: Node, patch: Node) -> Node {
    let Value::Mapping(patches) = patch.value else { return patch };
    let entries = match base.value {
        Value::Mapping(entries) => entries,
        Value::Null | Value::Scalar { .. } | Value::Sequence(_) => Vec::new(),
    };
    Node { place: patch.place, value: Value::Mapping(merge_entries(entries, patches)) }
}

fn merge_entries(base: Vec<(Key, Node)>, patches: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
    let mut merged: Vec<Option<(Key, Node)>> = base.into_iter().map(Some).collect();
    let index: HashMap<String, usize> =
        (0..).zip(&merged).filter_map(|(i, entry)| entry.as_ref().map(|(key, _)| (key.text.clone(), i))).collect();
    for (key, patch) in patches {
        let found = index.get(&key.text).and_then(|i| merged.get_mut(*i));
        match found {
            Some(slot) => *slot = slot.take().and_then(|(_, base)| merge_value(Some(base), key, patch)),
            None => merged.push(merge_value(None, key, patch)),
        }
    }
    merged.into_iter().flatten().collect()
}

fn merge_value(base: Option<Node>, key: Key, patch: Node) -> Option<(Key, Node)> {
    if patch.value == Value::Null {
        return None;
    }
    // With nothing below it a patch still loses its nulls: there is nothing for them to remove.
    let base = base.unwrap_or_else(|| Node { place: patch.place.clone(), value: Value::Null });
    Some((key, merge(base, patch)))
}
