//! Podman's own lists. Its Docker-like ones inspect every container on the way, and one container that cannot be
//! inspected (connected to a network while it was paused, on 4.3) makes them fail for the whole host.

use super::{container, image_id, labels, list, text_or_empty, texts};
use crate::{
    desired::spec::PublishedPort,
    engine::{NetworkView, Summary},
    observed::Life,
};
use serde_json::Value;

/// A container of the list.
pub fn summary(said: &Value) -> Summary {
    let life = container::life(said["State"].as_str().unwrap_or_default(), said["ExitCode"].as_i64());
    let ports = list(&said["Ports"]).iter().flat_map(ports);
    Summary {
        id: text_or_empty(&said["Id"]),
        name: texts(&said["Names"]).next().unwrap_or_default(),
        labels: labels(&said["Labels"]),
        image_id: image_id(&said["ImageID"]),
        // Docker's list tells them while it runs, so both do.
        ports: if life == Life::Running { ports.collect() } else { Default::default() },
        networks: texts(&said["Networks"]).collect(),
        life,
    }
}

/// A mapping is of one port or of a range.
fn ports(said: &Value) -> impl Iterator<Item = PublishedPort> {
    let number = |key: &str| said[key].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
    let (host, container_port, range) = (number("host_port"), number("container_port"), number("range").max(1));
    let (address, protocol) =
        (container::address(&said["host_ip"]), container::protocol(said["protocol"].as_str().unwrap_or_default()));
    (0..range).filter(move |_| host > 0).map(move |step| PublishedPort {
        address,
        host: host.saturating_add(step),
        container: container_port.saturating_add(step),
        protocol,
    })
}

/// Networks of the list.
pub fn networks(said: &Value) -> Vec<NetworkView> {
    let network = |said: &Value| NetworkView {
        id: text_or_empty(&said["id"]),
        name: text_or_empty(&said["name"]),
        labels: labels(&said["labels"]),
        internal: said["internal"].as_bool().unwrap_or_default(),
    };
    list(said).iter().map(network).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_range_of_ports_is_each_of_them() {
        let said = json!({
            "State": "running",
            "Ports": [{ "host_ip": "127.0.0.1", "container_port": 90, "host_port": 18800, "range": 2, "protocol": "udp" }],
        });
        let ports: Vec<(u16, u16)> = summary(&said).ports.iter().map(|port| (port.host, port.container)).collect();
        assert_eq!(ports, [(18_800, 90), (18_801, 91)]);
    }
}
