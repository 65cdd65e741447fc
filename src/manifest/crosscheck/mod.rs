//! What no shape can say: names that must be declared, circles, things that exclude one another.

pub(super) mod compose;
pub(super) mod paste;
mod reference;

use super::Manifest;
use crate::yaml::{Diagnostic, Node};

/// Everything that is wrong within one app, in the order of the places.
pub(super) fn app(manifest: &Manifest, tree: &Node) -> Vec<Diagnostic> {
    let mut problems = reference::undeclared(manifest, tree);
    problems.sort_by(|a, b| a.place.cmp(&b.place));
    problems
}
