//! What no shape can say: names that must be declared, circles, things that exclude one another.

mod across;
mod asleep;
mod backup;
mod body;
mod circle;
pub(super) mod compose;
mod delivered;
mod findings;
mod health;
mod network;
mod order;
pub(super) mod paste;
mod reference;
mod route;
mod sync;
mod tls;

pub use across::cross_check;
pub use order::{Surroundings, order};

use super::Manifest;
use crate::yaml::{Diagnostic, Node};
use findings::Findings;

/// Everything that is wrong within one app, in the order of the places.
pub(super) fn app(manifest: &Manifest, tree: &Node) -> Vec<Diagnostic> {
    let mut findings = Findings::new(tree);
    reference::undeclared(manifest, &mut findings);
    circle::circles(manifest, &mut findings);
    network::external(manifest, &mut findings);
    body::rest(manifest, &mut findings);
    delivered::declared(manifest, &mut findings);
    sync::windows(manifest, &mut findings);
    backup::section(manifest, &mut findings);
    for (name, service) in &manifest.services {
        network::service(manifest, name, service, &mut findings);
        asleep::service(manifest, name, service, &mut findings);
        health::service(manifest, name, service, &mut findings);
        body::service(name, service, &mut findings);
        delivered::service(manifest, name, service, &mut findings);
        route::service(manifest, name, service, &mut findings);
    }
    let mut problems = findings.problems;
    problems.sort_by(|a, b| a.place.cmp(&b.place));
    problems
}
