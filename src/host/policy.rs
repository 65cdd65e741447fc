//! What manifests may ask of the host.

use crate::value::{Addable, DataRoot, EnvironmentName, HostGlob, Publishable, RepositoryGlob, ServicePath};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The allowances; an empty policy denies all that gives the host away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Policy")]
pub struct Policy {
    /// Addresses and ports beyond loopback that may be published; `*` as port is every port.
    #[schemars(title = "Publish", example = ["0.0.0.0:443", "10.8.0.1:*"])]
    pub publish: Vec<Publishable>,
    /// Folders of the host below which binds may be; with `:ro` only read-only ones.
    #[schemars(title = "Data roots", example = ["/srv/data", "/srv/conf:ro"])]
    pub data_roots: Vec<DataRoot>,
    /// Services that are reachable from their app's own networks and from nowhere else, whatever a manifest says.
    #[schemars(title = "Never expose", example = ["gateway/ollama"])]
    pub never_expose: Vec<ServicePath>,
    /// Repositories images may come from; empty is any.
    #[schemars(title = "Registries", example = ["registry.example.com/team/*"])]
    pub registries: Vec<RepositoryGlob>,
    /// Whether every image must be named by its digest.
    #[schemars(title = "Require digest", example = true)]
    pub require_digest: bool,
    /// Whether variables may hold secrets, which everybody sees who may inspect a container.
    #[schemars(title = "Secrets in variables", example = true)]
    pub secret_env: bool,
    /// Capabilities that services may add beyond the engine's own, and services that may add any.
    #[schemars(title = "Capabilities", example = ["NET_ADMIN", "vpn/wireguard"])]
    pub cap_add: Vec<Addable>,
    /// Services that may be privileged, or weaken what keeps a container in.
    #[schemars(title = "Privileged", example = ["monitoring/agent"])]
    pub privileged: Vec<ServicePath>,
    /// Services that may have devices and GPUs of the host.
    #[schemars(title = "Devices", example = ["gateway/ollama"])]
    pub devices: Vec<ServicePath>,
    /// Services that may use the host's own network.
    #[schemars(title = "Host network", example = ["monitoring/agent"])]
    pub network_mode_host: Vec<ServicePath>,
    /// Services that may have the engine's socket: whoever has it is root of the host.
    #[schemars(title = "Engine's socket", example = ["proxy/companion"])]
    pub engine_socket: Vec<ServicePath>,
    /// Hosts that a proxy answers to, with the environments that may claim them; empty: every environment may claim any.
    /// Of several patterns the most precise one counts, and what none has nobody may claim.
    #[schemars(
        title = "Hosts",
        schema_with = "hosts",
        example = serde_json::json!({"*.example.com": ["production"], "*.staging.example.com": ["staging"]})
    )]
    pub hosts: BTreeMap<HostGlob, Vec<EnvironmentName>>,
}

/// A mapping whose keys are judged as patterns of hosts.
fn hosts(generator: &mut SchemaGenerator) -> Schema {
    let (glob, environments) =
        (generator.subschema_for::<HostGlob>(), generator.subschema_for::<Vec<EnvironmentName>>());
    json_schema!({"type": "object", "propertyNames": glob, "additionalProperties": environments})
}
