//! Who can reach a container: published ports, the host's network, networks of others.

use super::{Denial, Subject};
use crate::{
    desired::{ContainerSpec, spec::Network, spec::PublishedPort},
    host::Policy,
};
use std::net::IpAddr;

pub(super) fn judge(policy: &Policy, subject: &Subject<'_>, spec: &ContainerSpec) -> Vec<Denial> {
    let mut denials = Vec::new();
    if subject.internal_only {
        let why = "the manifest says it is `internal_only`";
        denials.extend(reached(subject, spec, why).map(|(field, message)| Denial {
            field: subject.field(field),
            rule: "internal_only",
            message,
            allow: None,
        }));
    }
    if subject.is_named_by(&policy.never_expose) {
        let why = "the host says it is never exposed";
        denials.extend(reached(subject, spec, why).map(|(field, message)| Denial {
            field: subject.field(field),
            rule: "policy.never_expose",
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
    if spec.network == Network::Host && !subject.is_named_by(&policy.network_mode_host) {
        let message = "the host's own network may not be used".to_owned();
        denials.push(subject.denied("network_mode", "policy.network_mode_host", message));
    }
    denials
}

/// Every way by which something beyond the app's own networks reaches the container.
fn reached<'a>(
    subject: &'a Subject<'_>,
    spec: &'a ContainerSpec,
    why: &'a str,
) -> impl Iterator<Item = (&'static str, String)> {
    let ports = spec.ports.iter().map(move |port| ("ports", format!("port {} is published, but {why}", written(port))));
    let networks: Vec<_> = match &spec.network {
        Network::Host => vec![("network_mode", format!("the host's own network is used, but {why}"))],
        // The other service's ports would lead here as well, and its body is not in sight.
        Network::Service(other) => {
            vec![("network_mode", format!("the network of service `{other}` is shared, but {why}"))]
        }
        Network::Networks(networks) => {
            let external = networks.keys().filter(|name| subject.external_networks.contains(*name));
            external.map(|name| ("networks", format!("the external network `{name}` is joined, but {why}"))).collect()
        }
        Network::None => Vec::new(),
    };
    ports.chain(networks)
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
