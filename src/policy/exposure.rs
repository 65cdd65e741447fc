//! Who can reach a container: published ports, the host's network, networks of others, routes of a proxy.

use super::{
    Denial, Subject, closed,
    closed::By,
    route::{self, ROUTING_LABELS, ROUTING_VARIABLES},
};
use crate::{
    desired::{ContainerSpec, DesiredNetwork, spec::Network, spec::PublishedPort},
    host::Policy,
    observed::Role,
    value::ServiceName,
};
use std::net::IpAddr;

/// Networks that both engines take for the host's own when a container is made on one of that name.
const HOST: &str = "host";
/// Of an app's own networks, the kind that is behind the host: any other puts containers beside it.
const BEHIND_THE_HOST: &str = "bridge";

pub(super) fn judge(policy: &Policy, subject: &Subject<'_>, spec: &ContainerSpec) -> Vec<Denial> {
    let mut denials = Vec::new();
    for by in closed::by(policy, subject.app, subject.role) {
        denials.extend(reached(policy, subject, spec, by).into_iter().map(|(field, message)| Denial {
            field: subject.field(field),
            rule: by.rule(),
            message,
            allow: None,
        }));
    }
    denials.extend(spec.ports.iter().filter(|port| !is_published(policy, port)).map(|port| {
        let at = written(port);
        Denial {
            field: subject.field("ports"),
            rule: "policy.publish",
            message: format!("port {} of the host may not be published on {}", port.host, port.address),
            allow: Some(format!("publish: [\"{at}\"]")),
        }
    }));
    if !subject.is_named_by(&policy.network_mode_host) {
        let beside = beside_the_host(subject, spec);
        let denied = beside.map(|(field, message)| subject.denied(field, "policy.network_mode_host", message));
        denials.extend(denied);
    }
    denials
}

/// Every way by which something beyond the app's own networks reaches the container.
fn reached(policy: &Policy, subject: &Subject<'_>, spec: &ContainerSpec, by: By) -> Vec<(&'static str, String)> {
    let why = by.why();
    let mut ways = Vec::new();
    ways.extend(spec.ports.iter().map(|port| ("ports", format!("port {} is published, but {why}", written(port)))));
    match &spec.network {
        Network::Host => ways.push(("network_mode", format!("the host's own network is used, but {why}"))),
        // The other service's ports lead here as well.
        Network::Service(other) if closed::by(policy, subject.app, &Role::Service(other.clone())).is_empty() => {
            let message = format!("the network of service `{other}`, which may be reached, is shared, but {why}");
            ways.push(("network_mode", message));
        }
        Network::Networks(networks) => ways.extend(networks.keys().filter_map(|name| {
            let network = subject.app.networks.get(name);
            if network.is_none_or(|network| network.external) {
                return Some(("networks", format!("the external network `{name}` is joined, but {why}")));
            }
            let driver = network.and_then(foreign_driver)?;
            Some(("networks", format!("the network `{name}` of driver `{driver}` is joined, but {why}")))
        })),
        Network::Service(_) | Network::None => {}
    }
    ways.extend(route::of(subject).map(|route| {
        let hosts = route.hosts.iter().map(|host| format!("`{host}`")).collect::<Vec<_>>().join(", ");
        ("proxy", format!("{hosts} would lead to it, but {why}"))
    }));
    let variables = spec.env.keys().filter(|name| ROUTING_VARIABLES.contains(&name.as_str()));
    ways.extend(variables.map(|name| ("env", format!("`{name}` lets a proxy route to it, but {why}"))));
    let labels = spec.labels.keys().filter(|label| ROUTING_LABELS.iter().any(|prefix| label.starts_with(prefix)));
    ways.extend(labels.map(|label| ("labels", format!("label `{label}` lets a proxy route to it, but {why}"))));
    ways
}

/// Every way by which the container is where the host itself is.
fn beside_the_host<'a>(
    subject: &'a Subject<'_>,
    spec: &'a ContainerSpec,
) -> impl Iterator<Item = (&'static str, String)> {
    let mode =
        (spec.network == Network::Host).then(|| ("network_mode", "the host's own network may not be used".to_owned()));
    let networks = match &spec.network {
        Network::Networks(networks) => Some(networks),
        Network::Host | Network::None | Network::Service(_) => None,
    };
    let names = networks.into_iter().flat_map(|networks| networks.keys());
    let joined = names.filter_map(|name| {
        if name == HOST {
            return Some(("networks", "the network `host` is the host's own and may not be used".to_owned()));
        }
        let driver = subject.app.networks.get(name).and_then(foreign_driver)?;
        let message = format!("the network `{name}` of driver `{driver}` is beside the host's own, not behind it");
        Some(("networks", message))
    });
    let shared = shared_with_host(subject, spec).map(|other| {
        ("network_mode", format!("the network of service `{other}` is the host's own, which may not be used"))
    });
    mode.into_iter().chain(joined).chain(shared)
}

/// The service with the host's own network that shares it with this one, by way of others or not.
fn shared_with_host<'a>(subject: &'a Subject<'_>, spec: &'a ContainerSpec) -> Option<&'a ServiceName> {
    let mut network = &spec.network;
    // No further than round once: circles are refused elsewhere.
    for _ in &subject.app.services {
        let Network::Service(other) = network else { return None };
        network = &subject.app.services.get(other)?.spec.network;
        if *network == Network::Host {
            return Some(other);
        }
    }
    None
}

/// The driver of a network of the app's own that is not behind the host.
fn foreign_driver(network: &DesiredNetwork) -> Option<&str> {
    network.driver.as_deref().filter(|driver| *driver != BEHIND_THE_HOST)
}

fn is_published(policy: &Policy, port: &PublishedPort) -> bool {
    port.address.to_canonical().is_loopback() || policy.publish.iter().any(|rule| rule.covers(port.address, port.host))
}

fn written(port: &PublishedPort) -> String {
    match port.address.to_canonical() {
        IpAddr::V4(address) => format!("{address}:{}", port.host),
        IpAddr::V6(address) => format!("[{address}]:{}", port.host),
    }
}
