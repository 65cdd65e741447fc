//! The tree: scalars keep the text they were written with, so `1.10` stays `1.10`.

use std::{fmt, sync::Arc};

/// Where something stands: line and column count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub file: Arc<str>,
    pub line: u32,
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub place: Place,
    pub value: Value,
}

/// A value of YAML's core schema, unresolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`, `~` or nothing, written plain.
    Null,
    /// Any other scalar; `plain` when it was written without quotes and is no block.
    Scalar {
        text: String,
        plain: bool,
    },
    Sequence(Vec<Node>),
    /// In the order of the file; keys are unique.
    Mapping(Vec<(Key, Node)>),
}

/// A key of a mapping with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub place: Place,
    pub text: String,
}

impl Node {
    /// The value under a key, where this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Mapping(entries) => entries.iter().find(|(k, _)| k.text == key).map(|(_, node)| node),
            Value::Null | Value::Scalar { .. } | Value::Sequence(_) => None,
        }
    }

    /// The place of what `path` leads to (keys and indexes), or of the nearest parent that is there.
    #[must_use]
    pub fn place_of(&self, path: &[&str]) -> &Place {
        let Some((first, rest)) = path.split_first() else { return &self.place };
        let child = match &self.value {
            Value::Mapping(entries) => entries.iter().find(|(key, _)| key.text == *first).map(|(_, node)| node),
            Value::Sequence(items) => first.parse::<usize>().ok().and_then(|index| items.get(index)),
            Value::Null | Value::Scalar { .. } => None,
        };
        child.map_or(&self.place, |node| node.place_of(rest))
    }
}
