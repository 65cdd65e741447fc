//! Probes: whether a service answers. (The seam; the room is being furnished.)

use std::net::IpAddr;

/// Where a container is asked.
pub struct Target {
    pub addresses: Vec<IpAddr>,
    pub pid: Option<u32>,
    pub host_network: bool,
}
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ProbeFailure(pub String);
pub async fn ask(_probe: &crate::desired::Probe, _target: &Target) -> Result<(), ProbeFailure> {
    Err(ProbeFailure("probes are not built yet".to_owned()))
}
