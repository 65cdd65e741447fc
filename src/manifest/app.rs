//! The whole of a manifest.

use super::{Backup, Config, Job, Network, Secret, Service, Sync, Volume, form::is_default, refused, schema::map};
use crate::value::{ConfigName, JobName, ResourceKey, SecretName, ServiceName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One app in one environment, after everything it extends was laid below it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "App", extend("x-refused" = refused::app()))]
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
    /// Secrets of the app: each is kept by the host, or encrypted in the repository. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(schema_with = "map::<SecretName, Secret>", title = "Secrets", example = serde_json::json!({"postgres_password": {}}))]
    pub secrets: BTreeMap<SecretName, Secret>,
    /// Files of the app that are no secrets: read-only in the container, and a part of the revision. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(schema_with = "map::<ConfigName, Config>", title = "Configs", example = serde_json::json!({"app_ini": {"content": "a=1\n"}}))]
    pub configs: BTreeMap<ConfigName, Config>,
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
    /// Copies of the app's data. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(
        title = "Backup",
        example = serde_json::json!({
            "schedule": "30 2 * * *",
            "items": [{"name": "db", "type": "sqlite", "volume": "data", "path": "app.db"}],
        })
    )]
    pub backup: Option<Backup>,
    /// What may happen to the app without being asked. Default: all of it.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Sync", example = serde_json::json!({"prune": false}))]
    pub sync: Sync,
}
