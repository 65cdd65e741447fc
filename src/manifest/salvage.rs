//! A tree without what is wrong in it, so that the rest can be judged in the same go.

use super::{Manifest, crosscheck, schema::shape};
use crate::yaml::{self, Diagnostic, Key, Node, Place, Required, Value};
use std::collections::BTreeSet;

/// What the cross-checks say of the parts of `tree` that no problem is about.
pub(super) fn crosschecked(mut tree: Node, problems: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut wrong: BTreeSet<Place> = problems.iter().map(|problem| problem.place.clone()).collect();
    let mut removed = Removed::default();
    let mut found = Vec::new();
    // What is left may lack something: that part is judged once more, and removed as well.
    for _ in 0..3 {
        remove(&mut tree, &wrong, &mut removed);
        match yaml::check(&tree, shape(), Required::Yes) {
            // Nothing is left to say anything about.
            Ok(value) if value["services"].as_object().is_some_and(serde_json::Map::is_empty) => break,
            Ok(value) => {
                let manifest = serde_json::from_value::<Manifest>(value);
                let more = manifest.iter().flat_map(|manifest| crosscheck::app(manifest, &tree));
                found.extend(more.filter(|problem| !removed.explains(problem)));
                break;
            }
            Err(more) => {
                let filled = give_images(&mut tree);
                // What was wrong before is gone, and a mapping now begins with another key.
                wrong.clear();
                wrong.extend(more.iter().map(|problem| problem.place.clone()).filter(|place| !filled.contains(place)));
                found.extend(more.into_iter().filter(|problem| !removed.from.contains(&problem.place)));
            }
        }
    }
    found
}

/// What was removed: whatever misses it afterwards is no error of its own.
#[derive(Default)]
struct Removed {
    names: BTreeSet<String>,
    /// Places of the mappings it was removed from, and of their keys.
    from: BTreeSet<Place>,
}

impl Removed {
    /// Whether something may be wrong only because of what was removed.
    fn explains(&self, problem: &Diagnostic) -> bool {
        let names = |name: &String| problem.message.contains(&format!("`{name}`"));
        self.from.contains(&problem.place) || self.names.iter().any(names)
    }
}

/// Gives services without an image some image, for what else they say to be judged; the places of their keys.
fn give_images(tree: &mut Node) -> BTreeSet<Place> {
    let services = match &mut tree.value {
        Value::Mapping(entries) => entries.iter_mut().find(|(key, _)| key.text == "services").map(|(_, node)| node),
        Value::Null | Value::Scalar { .. } | Value::Sequence(_) => None,
    };
    let Some(Node { value: Value::Mapping(services), .. }) = services else { return BTreeSet::new() };
    let mut filled = BTreeSet::new();
    for (key, service) in services.iter_mut().filter(|(_, service)| service.get("image").is_none()) {
        if let Value::Mapping(fields) = &mut service.value {
            let value = Value::Scalar { text: "unknown".to_owned(), plain: true };
            fields.push((Key { text: "image".to_owned(), ..key.clone() }, Node { place: key.place.clone(), value }));
            filled.insert(key.place.clone());
        }
    }
    filled
}

/// Removes each entry whose key or value stands at one of the places.
fn remove(node: &mut Node, wrong: &BTreeSet<Place>, removed: &mut Removed) {
    match &mut node.value {
        Value::Null | Value::Scalar { .. } => {}
        Value::Sequence(items) => {
            if items.iter().any(|item| wrong.contains(&item.place)) {
                removed.from.insert(node.place.clone());
            }
            items.retain(|item| !wrong.contains(&item.place));
            items.iter_mut().for_each(|item| remove(item, wrong, removed));
        }
        Value::Mapping(entries) => {
            let is_wrong = |(key, node): &(Key, Node)| {
                wrong.contains(&key.place) || (wrong.contains(&node.place) && !begins_with_key(node))
            };
            for (key, _) in entries.iter().filter(|entry| is_wrong(entry)) {
                removed.names.insert(key.text.clone());
                removed.from.insert(node.place.clone());
            }
            entries.retain(|entry| !is_wrong(entry));
            for (key, node) in entries {
                let before = removed.from.len();
                remove(node, wrong, removed);
                if removed.from.len() > before {
                    removed.from.insert(key.place.clone());
                }
            }
        }
    }
}

/// A block mapping stands where its first key stands, and it is the key that is wrong.
fn begins_with_key(node: &Node) -> bool {
    match &node.value {
        Value::Mapping(entries) => entries.first().is_some_and(|(key, _)| key.place == node.place),
        Value::Null | Value::Scalar { .. } | Value::Sequence(_) => false,
    }
}
