//! What people should know of an app although nothing is wrong with it.

use crate::{
    desired::{ContainerSpec, Desired, spec::MountSource},
    observed::Front,
    plan::{Change, Resource},
    policy::bind::shows_engine_socket,
};

/// Ports that only this host can reach, for the services that change; what clients lose when routes do; the engine's
/// socket, in every plan.
#[must_use]
pub fn notes(desired: &Desired, changes: &[Change], (engine, front): (&str, Option<&Front>)) -> Vec<String> {
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
    notes.extend(front.and_then(|front| front.lapse.clone()).filter(|_| changes.iter().any(|it| is_told(desired, it))));
    notes
}

/// True where the proxy is told something for a change.
fn is_told(desired: &Desired, change: &Change) -> bool {
    match &change.resource {
        Resource::Route(_) | Resource::Certificate(_) => true,
        Resource::Service(name) => desired.services.get(name).is_some_and(|service| service.route.is_some()),
        Resource::Network(_) | Resource::Volume(_) | Resource::Job(_) | Resource::Backup(_) => false,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desired::resolve,
        plan::{Action, Cause, Interruption},
    };
    use std::collections::BTreeMap;

    #[test]
    fn what_clients_lose_is_told_where_the_proxy_is_told_something() {
        let text = r#"{"services": {"web": {"image": "a:1", "proxy": {"hosts": ["a.example.com"], "port": 80}},
            "inner": {"image": "a:1"}}}"#;
        let (environment, app) = ("test".parse().unwrap(), "shop".parse().unwrap());
        let manifest = serde_json::from_str(text).unwrap();
        let desired = resolve::resolve_stored(&environment, &app, &manifest, &BTreeMap::new()).unwrap();
        let told = |resource: Resource, lapse: Option<&str>| {
            let front = Front { lapse: lapse.map(str::to_owned), ..Front::default() };
            let change = Change {
                resource,
                action: Action::Update,
                cause: Cause::Commit,
                order: None,
                interruption: Interruption::None,
                fields: Vec::new(),
            };
            notes(&desired, &[change], ("", Some(&front)))
        };
        let service = |name: &str| Resource::Service(name.parse().unwrap());
        let route = Resource::Route("web".parse().unwrap());
        assert_eq!(told(route.clone(), Some("some")), ["some"]);
        assert_eq!(told(service("web"), Some("some")), ["some"]);
        assert!(told(service("inner"), Some("some")).is_empty(), "nobody is led to it");
        assert!(told(route, None).is_empty());
    }
}
