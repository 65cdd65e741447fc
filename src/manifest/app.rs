//! The whole of a manifest.

use super::{
    Job, Network, Service, Volume,
    form::{is_default, is_yes, yes},
    refused,
    schema::map,
};
use crate::value::{JobName, ResourceKey, ServiceName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One app in one environment, after everything it extends was laid below it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "App", extend("x-refused" = refused::app(), "x-unsupported" = ["secrets", "configs", "backup"]))]
pub struct Manifest {
    /// Networks of the app. One without `external` is made as `<environment>-<app>_<key>`. Services that name none
    /// share the app's own bridge `<environment>-<app>`. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(schema_with = "map::<ResourceKey, Network>", title = "Networks", example = serde_json::json!({"backend": {"internal": true}}))]
    pub networks: BTreeMap<ResourceKey, Network>,
    /// Volumes of the app. One without `external` or `name` is made as `<environment>-<app>_<key>`. No plan ever
    /// removes a volume. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(schema_with = "map::<ResourceKey, Volume>", title = "Volumes", example = serde_json::json!({"pgdata": {}}))]
    pub volumes: BTreeMap<ResourceKey, Volume>,
    /// Services: containers that are kept running.
    #[schemars(schema_with = "map::<ServiceName, Service>", title = "Services", example = serde_json::json!({"web": {"image": "nginx:1.27"}}))]
    pub services: BTreeMap<ServiceName, Service>,
    /// Jobs: one-shot containers beside a service, such as a database migration. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(schema_with = "map::<JobName, Job>", 
        title = "Jobs",
        example = serde_json::json!({"migrate": {"service": "web", "command": ["alembic", "upgrade", "head"]}})
    )]
    pub jobs: BTreeMap<JobName, Job>,
    /// What may happen to the app without being asked. Default: all of it.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Sync", example = serde_json::json!({"prune": false}))]
    pub sync: Sync,
}

/// What may happen to the app without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Sync", extend("x-unsupported" = ["automated", "depends_on", "windows"]))]
pub struct Sync {
    /// Drift, which is what somebody changed on the host by hand, is repaired. Default: true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    #[schemars(title = "Self-heal", example = false)]
    pub self_heal: bool,
    /// Services and networks that are gone from the manifest are removed; volumes never are. Default: true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    #[schemars(title = "Prune", example = false)]
    pub prune: bool,
    /// The app is left exactly as it is. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Suspend", example = true)]
    pub suspend: bool,
}

impl Default for Sync {
    fn default() -> Self {
        Self { self_heal: true, prune: true, suspend: false }
    }
}
