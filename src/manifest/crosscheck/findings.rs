//! What is found, with its place in the merged tree.

use crate::yaml::{Diagnostic, Node, Place, Value};

/// Collects what is wrong with one app.
pub(super) struct Findings<'a> {
    pub tree: &'a Node,
    pub problems: Vec<Diagnostic>,
}

impl<'a> Findings<'a> {
    pub(super) const fn new(tree: &'a Node) -> Self {
        Self { tree, problems: Vec::new() }
    }

    /// Something is wrong with the value that `path` leads to.
    pub(super) fn add(&mut self, path: &[&str], message: impl Into<String>) {
        self.problems.push(Diagnostic::new(self.tree.place_of(path), message));
    }

    /// The same, with what to do about it.
    pub(super) fn advise(&mut self, path: &[&str], message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Diagnostic::new(self.tree.place_of(path), message).with_hint(hint));
    }
}

/// The place of a name that stands in a list, or is a key of a map.
pub(super) fn place_of_name(tree: &Node, path: &[&str], name: &str) -> Place {
    let list = path.iter().try_fold(tree, |node, key| node.get(key));
    let found = list.and_then(|list| match &list.value {
        Value::Sequence(items) => {
            let same = |item: &&Node| matches!(&item.value, Value::Scalar { text, .. } if text == name);
            items.iter().find(same).map(|item| &item.place)
        }
        Value::Mapping(entries) => entries.iter().find(|(key, _)| key.text == name).map(|(key, _)| &key.place),
        Value::Null | Value::Scalar { .. } => None,
    });
    found.unwrap_or_else(|| tree.place_of(path)).clone()
}
