//! What people should know of an app although nothing is wrong with it.

use crate::{
    desired::{ContainerSpec, Desired, spec::MountSource},
    plan::{Change, Resource},
};

/// Ports that only this host can reach, for the services that change; the engine's socket, in every plan.
#[must_use]
pub fn notes(desired: &Desired, changes: &[Change]) -> Vec<String> {
    let mut notes = Vec::new();
    for (name, service) in &desired.services {
        if changes.iter().any(|change| change.resource == Resource::Service(name.clone())) {
            notes.extend(service.spec.ports.iter().filter(|port| port.address.is_loopback()).map(|port| {
                format!(
                    "service `{name}`: port {} is bound to {}, only this host reaches it; `*:{}:{}` is every address",
                    port.host, port.address, port.host, port.container
                )
            }));
        }
        if mounts_engine_socket(&service.spec) {
            notes.push(format!("service `{name}` has the engine's socket: whoever controls it controls this host"));
        }
    }
    notes
}

fn mounts_engine_socket(spec: &ContainerSpec) -> bool {
    spec.mounts.iter().any(|mount| match &mount.source {
        MountSource::Bind(path) => path.ends_with("/docker.sock") || path.ends_with("/podman.sock"),
        MountSource::Volume(_) => false,
    })
}
