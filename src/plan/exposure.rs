//! Whether a service that nobody may reach is reached all the same, by a hand that was on the engine.

use super::{cast::Cast, naming::next_name};
use crate::{
    desired::{DesiredService, spec::Network},
    observed::{Container, Evidence},
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

fn has_a_way_in(service: &DesiredService, container: &Container) -> bool {
    let published = !container.ports.is_subset(&service.spec.ports);
    let strange_network = match &service.spec.network {
        Network::Networks(wanted) => container.endpoints.keys().any(|name| !wanted.contains_key(name)),
        Network::None => container.endpoints.keys().any(|name| name != "none"),
        Network::Host | Network::Service(_) => false,
    };
    let strange_mode = match &container.evidence {
        Evidence::Baseline(differences) => differences.iter().any(|field| field.path == "HostConfig.NetworkMode"),
        Evidence::Declared(body) => body.network == Network::Host,
        Evidence::Ours => false,
    };
    published || strange_network || strange_mode
}
