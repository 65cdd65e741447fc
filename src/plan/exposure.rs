//! Whether a service that nobody may reach is reached all the same, by a hand that was on the engine.

use super::{
    Plan,
    cast::{Cast, Member},
    graph::Graph,
    naming::next_name,
    step::Step,
};
use crate::{
    desired::{Desired, DesiredService, spec::Network},
    observed::{Container, Evidence, Observed},
};

/// True when a container of a closed service has a way in that its body does not have. That rule must never break, so it
/// is put right, to the end, where other drift is only told of.
#[must_use]
pub fn is_exposed(cast: &Cast<'_>) -> bool {
    let service = cast.service;
    let mut containers = cast.current.iter().chain(&cast.others);
    // The name is the last that is given to who took an exposed one's place.
    let unnamed = cast.current.is_some_and(|member| member.name == next_name(&service.container_name));
    service.closed && (unnamed || containers.any(|member| has_a_way_in(service, member.container)))
}

/// Closes what is reached, by no more than taking it off networks and stopping it: for an app whose own plan may not be
/// carried out, so that nothing can be made in its place.
#[must_use]
pub fn close(desired: &Desired, observed: &Observed) -> Plan {
    let mut graph = Graph::default();
    for service in desired.services.values().filter(|service| service.closed) {
        let cast = Cast::of(service, desired, observed);
        let up = cast.current.iter().chain(&cast.others).filter(|member| member.container.life.can_be_stopped());
        for Member { name, container } in up {
            let (container_name, role) = ((*name).to_owned(), container.role.clone());
            if is_reached_itself(service, container) {
                graph.add(Step::Stop { container: container_name, role });
                continue;
            }
            for network in strange_networks(service, container) {
                let network = network.to_owned();
                graph.add(Step::Disconnect { container: container_name.clone(), network, role: role.clone() });
            }
        }
    }
    Plan { changes: Vec::new(), steps: graph.sorted(), obstacles: Vec::new() }
}

fn has_a_way_in(service: &DesiredService, container: &Container) -> bool {
    is_reached_itself(service, container) || strange_networks(service, container).next().is_some()
}

/// The networks that it is on and its body is not.
fn strange_networks<'a>(service: &'a DesiredService, container: &'a Container) -> impl Iterator<Item = &'a str> {
    let names = container.endpoints.keys().map(String::as_str);
    names.filter(|name| match &service.spec.network {
        Network::Networks(wanted) => !wanted.contains_key(*name),
        Network::None => *name != "none",
        Network::Host | Network::Service(_) => false,
    })
}

/// By a port of the host, or because it is where the host is: it was made so.
fn is_reached_itself(service: &DesiredService, container: &Container) -> bool {
    let published = !container.ports.is_subset(&service.spec.ports);
    let strange_mode = match &container.evidence {
        Evidence::Baseline(differences) => differences.iter().any(|field| field.path == "HostConfig.NetworkMode"),
        Evidence::Declared(body) => body.network == Network::Host,
        Evidence::Ours => false,
    };
    published || strange_mode
}
