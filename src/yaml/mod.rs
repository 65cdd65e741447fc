//! YAML as a tree whose every node knows its place, so that an error can always say where.
//!
//! `parse` makes the tree from text, `merge` lays one over another, `check` judges it by a schema and resolves it.

pub mod diagnostic;
pub mod letters;
pub mod merge;
pub mod parse;
pub mod shape;
pub mod tree;

pub use diagnostic::Diagnostic;
pub use merge::merge;
pub use parse::parse;
pub use shape::{Required, check};
pub use tree::{Key, Node, Place, Value};

#[cfg(test)]
mod tests;
