//! Services that wait for one another in a circle, named.

use super::findings::{Findings, place_of_name};
use crate::{
    manifest::{Manifest, Service},
    value::{NetworkMode, ServiceName},
    yaml::Diagnostic,
};
use std::collections::BTreeSet;

/// The services this one needs, with the field that says so.
fn needs(service: &Service) -> impl Iterator<Item = (&ServiceName, &'static str)> {
    let namespace = match &service.network_mode {
        Some(NetworkMode::Service(other)) => Some((other, "network_mode")),
        Some(NetworkMode::Host | NetworkMode::None) | None => None,
    };
    service.depends_on.0.keys().map(|other| (other, "depends_on")).chain(namespace)
}

/// Every circle, once.
pub(super) fn circles(manifest: &Manifest, findings: &mut Findings<'_>) {
    let mut done = BTreeSet::new();
    for name in manifest.services.keys() {
        walk(manifest, name, &mut Vec::new(), &mut done, findings);
    }
}

fn walk<'a>(
    manifest: &'a Manifest,
    name: &'a ServiceName,
    path: &mut Vec<&'a ServiceName>,
    done: &mut BTreeSet<&'a ServiceName>,
    findings: &mut Findings<'_>,
) {
    let Some(service) = manifest.services.get(name).filter(|_| !done.contains(name)) else { return };
    path.push(name);
    for (other, field) in needs(service) {
        if let Some(start) = path.iter().position(|seen| *seen == other) {
            let circle: Vec<&str> = path.iter().skip(start).chain([&other]).map(|name| name.as_str()).collect();
            let place = place_of_name(findings.tree, &["services", name.as_str(), field], other.as_str());
            let message = format!("services wait for one another in a circle: `{}`", circle.join(" → "));
            let hint = "remove one of them from `depends_on` or `network_mode`";
            findings.problems.push(Diagnostic::new(&place, message).with_hint(hint));
        } else {
            walk(manifest, other, path, done, findings);
        }
    }
    path.pop();
    done.insert(name);
}
