//! Tables: text in, errors or JSON out.

mod laws;
mod parsing;
mod shapes;

use super::{Diagnostic, Key, Node, Value};
use serde_json::Value as Json;

/// The tree without its places, mappings in order, scalars as text.
fn plain(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Scalar { text, .. } => Json::String(text.clone()),
        Value::Sequence(items) => items.iter().map(plain).collect(),
        Value::Mapping(entries) => entries.iter().map(|(Key { text, .. }, node)| (text.clone(), plain(node))).collect(),
    }
}

fn told(problems: &[Diagnostic]) -> String {
    problems.iter().map(Diagnostic::block).collect::<Vec<_>>().join("\n")
}
