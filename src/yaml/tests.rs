//! Tables: text in, errors or JSON out.

mod laws;
mod parsing;
mod shapes;

use super::{Diagnostic, Key, Node, Value};
use serde_json::Value as Json;
use std::time::Duration;

/// The tree without its places, mappings in order, scalars as text.
fn plain(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Scalar { text, .. } => Json::String(text.clone()),
        Value::Sequence(items) => items.iter().map(plain).collect(),
        Value::Mapping(entries) => entries.iter().map(|(Key { text, .. }, node)| (text.clone(), plain(node))).collect(),
    }
}

/// How long this thread was on a processor so far: what others do on the machine does not count.
fn processor_time() -> Duration {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux says so");
    Duration::from_nanos(times.split(' ').next().and_then(|nanos| nanos.parse().ok()).expect("nanoseconds"))
}

fn told(problems: &[Diagnostic]) -> String {
    problems.iter().map(Diagnostic::block).collect::<Vec<_>>().join("\n")
}
