//! Things about networks that exclude one another.

use super::findings::{Findings, place_of_name};
use crate::{
    manifest::{Manifest, Network, Service},
    value::{NetworkMode, ServiceName},
    yaml::Diagnostic,
};

pub(super) fn service(manifest: &Manifest, name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    let at = |field| ["services", name.as_str(), field];
    if service.internal_only {
        internal_only(manifest, name, service, findings);
    }
    let Some(mode) = &service.network_mode else { return };
    if service.networks.is_some() {
        let message = format!("`networks` and `network_mode: {mode}` exclude one another");
        findings.advise(&at("network_mode"), message, "keep one of the two");
    }
    if !service.ports.is_empty() {
        let hint = match mode {
            NetworkMode::Host => "remove `ports`: on the host's own network the container's ports are the host's",
            NetworkMode::None => "remove `ports`, or `network_mode`",
            NetworkMode::Service(_) => "publish the port at the service whose network this one shares",
        };
        findings.advise(&at("ports"), format!("nothing can be published with `network_mode: {mode}`"), hint);
    }
    if let NetworkMode::Service(other) = mode {
        let shared = [
            ("hostname", service.hostname.is_some()),
            ("dns", !service.dns.is_empty()),
            ("extra_hosts", !service.extra_hosts.is_empty()),
        ];
        for (field, _) in shared.into_iter().filter(|(_, set)| *set) {
            let message = format!("`{field}` belongs to the service whose network this one shares");
            findings.advise(&at(field), message, format!("move it to `{other}`"));
        }
    }
}

/// The rule that must never break.
fn internal_only(manifest: &Manifest, name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    let at = |field| ["services", name.as_str(), field];
    let rule = format!("`{name}` is `internal_only`");
    if !service.ports.is_empty() {
        let hint = "remove `ports`: others on its networks reach it by name";
        findings.advise(&at("ports"), format!("{rule}: no port of it may be published"), hint);
    }
    match &service.network_mode {
        Some(NetworkMode::Host) => {
            findings.add(&at("network_mode"), format!("{rule}: it may not be on the host's own network"));
        }
        Some(NetworkMode::Service(other)) => {
            let open = manifest.services.get(other).is_some_and(|other| !other.internal_only);
            if open {
                let message = format!("{rule}: it may not share the network of `{other}`, which is not");
                findings.advise(&at("network_mode"), message, format!("write `internal_only: true` at `{other}` too"));
            }
        }
        Some(NetworkMode::None) | None => {}
    }
    for key in service.networks.iter().flat_map(|networks| networks.0.keys()) {
        if manifest.networks.get(key).is_some_and(|network| network.external) {
            let place = place_of_name(findings.tree, &at("networks"), key.as_str());
            let message = format!("{rule}: it may not be on the external network `{key}`, where others are");
            findings.problems.push(Diagnostic::new(&place, message).with_hint("use a network of the app"));
        }
    }
}

/// What is written of things that others made has no effect, so nobody should believe it has.
pub(super) fn external(manifest: &Manifest, findings: &mut Findings<'_>) {
    let refuse = |findings: &mut Findings<'_>, section, key: &str, field| {
        let message = format!("`{key}` is `external`, made by others: `{field}` has no effect");
        findings.advise(&[section, key, field], message, format!("remove `{field}`, or `external`"));
    };
    for (key, network) in manifest.networks.iter().filter(|(_, network)| network.external) {
        let Network { external: _, name: _, internal, driver, labels } = network;
        let set = [("internal", *internal), ("driver", driver.is_some()), ("labels", !labels.is_empty())];
        for (field, _) in set.into_iter().filter(|(_, set)| *set) {
            refuse(findings, "networks", key.as_str(), field);
        }
    }
    for (key, _) in manifest.volumes.iter().filter(|(_, volume)| volume.external && !volume.labels.is_empty()) {
        refuse(findings, "volumes", key.as_str(), "labels");
    }
}
