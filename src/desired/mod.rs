//! What one app should be on the host: a pure function of its merged manifest.
//!
//! Image ids are not here: what a tag means today is observed, not desired.

pub mod backup;
pub mod delivery;
mod dependants;
pub mod label;
pub mod names;
pub mod resolve;
pub mod route;
pub mod said;
pub mod service;
pub mod spec;
pub mod windows;

use crate::value::{AppId, AppName, EnvironmentName, JobName, SecretName, ServiceName};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub use crate::value::PullPolicy;
pub use backup::Backup;
pub use delivery::{DeliveryName, FileFacts, SecretSource, UsedSecrets};
pub use resolve::{Context, KnownSecrets, StoredError, manifest_digest, resolve, resolve_again, resolve_stored};
pub use route::Route;
pub use service::{
    Condition, Dependency, DesiredJob, DesiredService, FailureAction, JobPhase, Order, Probe, ProbeKind, Rollout, Said,
    Scheme,
};
pub use spec::{ContainerSpec, SpecHash};
pub use windows::{Opening, Window, WindowKind, opening};

/// One app as it should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Desired {
    /// The environment the app lives in.
    pub environment: EnvironmentName,
    /// The app.
    pub app: AppName,
    /// Networks by their name on the engine.
    pub networks: BTreeMap<String, DesiredNetwork>,
    /// Volumes by their name on the engine.
    pub volumes: BTreeMap<String, DesiredVolume>,
    /// Services by name.
    pub services: BTreeMap<ServiceName, DesiredService>,
    /// Jobs by name.
    pub jobs: BTreeMap<JobName, DesiredJob>,
    /// Where the secrets that it uses come from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<SecretName, SecretSource>,
    /// What tells the host key of the digests from another; none where no digest is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_key: Option<String>,
    /// What is allowed to happen without being asked.
    pub sync: Sync,
    /// What of it is copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Backup>,
    /// The merged manifest with defaults filled in, as the fields of a plan are named after it.
    pub manifest: serde_json::Value,
}

/// Which changes the manifest allows. A revision of an earlier release says nothing of what came later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sync {
    /// It is changed without being asked.
    pub automated: bool,
    /// Drift is repaired.
    pub self_heal: bool,
    /// What is gone from the manifest is removed.
    pub prune: bool,
    /// The app is left as it is.
    pub suspend: bool,
    /// Apps that must be in sync and well before this one is changed.
    pub depends_on: BTreeSet<AppId>,
    /// When it may be changed.
    pub windows: Vec<Window>,
}

impl Default for Sync {
    fn default() -> Self {
        Self {
            automated: true,
            self_heal: true,
            prune: true,
            suspend: false,
            depends_on: BTreeSet::new(),
            windows: Vec::new(),
        }
    }
}

/// A network the app uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredNetwork {
    /// Its key in the manifest; `default` for the app's own bridge.
    pub key: String,
    /// Made by others: it must be there, and is never changed.
    pub external: bool,
    /// No way out of the host.
    pub internal: bool,
    /// Labels of the manifest.
    pub labels: BTreeMap<String, String>,
    /// Driver of the engine; none is the engine's default, a bridge.
    pub driver: Option<String>,
    /// Digest of the fields above that would need the network made anew.
    pub spec_hash: SpecHash,
}

/// A volume the app uses. No plan ever removes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredVolume {
    /// Its key in the manifest.
    pub key: String,
    /// Made by others: it must be there.
    pub external: bool,
    /// Labels of the manifest.
    pub labels: BTreeMap<String, String>,
}

impl Desired {
    /// An app that should not be here at all: its plan removes what is left of it.
    #[must_use]
    pub fn gone(environment: EnvironmentName, app: AppName) -> Self {
        Self {
            environment,
            app,
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            services: BTreeMap::new(),
            jobs: BTreeMap::new(),
            secrets: BTreeMap::new(),
            host_key: None,
            sync: Sync::default(),
            backup: None,
            manifest: serde_json::Value::Null,
        }
    }
}
