//! Which container comes first when one replaces another.

use crate::{
    desired::Order,
    manifest::{OrderChoice, Service},
    value::NetworkMode,
};

/// What the manifest asks for, or what is safe.
pub(super) fn order(service: &Service) -> Order {
    match service.rollout.order {
        OrderChoice::StartFirst => Order::StartFirst,
        OrderChoice::StopFirst => Order::StopFirst,
        OrderChoice::Auto if start_first_refusal(service).is_none() => Order::StartFirst,
        OrderChoice::Auto => Order::StopFirst,
    }
}

/// Why two containers of this service cannot run side by side, as the end of a sentence; none where they can.
#[must_use]
pub fn start_first_refusal(service: &Service) -> Option<&'static str> {
    let probe = service.healthcheck.as_ref().is_some_and(|check| check.http.is_some() || check.tcp.is_some());
    let shares_network = match &service.network_mode {
        Some(NetworkMode::Host | NetworkMode::Service(_)) => true,
        Some(NetworkMode::None) | None => false,
    };
    if !probe {
        Some("without an http or tcp healthcheck nothing says when the new one can take over")
    } else if !service.ports.is_empty() {
        Some("both would need the same published port")
    } else if service.volumes.iter().any(|mount| !mount.read_only) {
        Some("both would write the same volume")
    } else if service.gpus.is_some() || !service.devices.is_empty() {
        Some("both would need the same device")
    } else if shares_network {
        Some("both would listen on the same network")
    } else {
        None
    }
}
