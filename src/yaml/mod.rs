//! YAML as a tree whose every node knows its place, so that an error can always say where.

pub mod diagnostic;
pub mod tree;

pub use diagnostic::Diagnostic;
pub use tree::{Key, Node, Place, Value};
