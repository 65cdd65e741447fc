//! What people should know of an app although nothing is wrong with it.

use crate::{
    desired::{ContainerSpec, Desired, spec::MountSource},
    plan::{Change, Resource},
    policy::bind::shows_engine_socket,
};

/// Ports that only this host can reach, for the services that change; the engine's socket, in every plan.
#[must_use]
pub fn notes(desired: &Desired, changes: &[Change], engine: &str) -> Vec<String> {
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
    }
    notes.extend(engine_socket(desired, engine).into_iter().map(|who| {
        let (kind, name) = who.split_once('/').unwrap_or(("service", &who));
        format!("{kind} `{name}` has the engine's socket: whoever controls it controls this host")
    }));
    notes
}

/// The services and jobs that have the socket of an engine, of this one (`engine` is its address) or of another.
#[must_use]
pub fn engine_socket(desired: &Desired, engine: &str) -> Vec<String> {
    let this: Vec<String> = engine.strip_prefix("unix://").map(str::to_owned).into_iter().collect();
    let has_it = |spec: &ContainerSpec| {
        spec.mounts.iter().any(|mount| match &mount.source {
            MountSource::Bind(path) => shows_engine_socket(path, &this),
            MountSource::Volume(_) => false,
        })
    };
    let services = desired.services.values().filter(|service| has_it(&service.spec));
    let jobs = desired.jobs.values().filter(|job| has_it(&job.spec));
    services
        .map(|service| format!("service/{}", service.name))
        .chain(jobs.map(|job| format!("job/{}", job.name)))
        .collect()
}
