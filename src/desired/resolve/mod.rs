//! From a manifest to what one app should be: defaults, names, hashes.

mod backup;
mod body;
mod delivered;
mod job;
mod order;
mod route;
mod service;

pub use order::start_first_refusal;
pub use route::port as route_port;

use super::{Desired, DesiredNetwork, DesiredVolume, SpecHash, Sync, Window, names};
use crate::{
    manifest::{self, App, Manifest, Network, Service, Volume},
    value::{AppName, EnvironmentName, ResourceKey, SecretName, ServiceName},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a manifest does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Image ids that a rollback goes back to, by service.
    pub pins: BTreeMap<ServiceName, String>,
    /// What is known of the values of secrets.
    pub secrets: KnownSecrets,
}

/// What is known of the values of secrets: never the values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownSecrets {
    /// What tells the host key from another.
    pub host_key: Option<String>,
    /// Keyed digests, by who has the secret.
    pub digests: BTreeMap<(ServiceName, SecretName), String>,
}

/// The key of the app's own bridge.
pub const DEFAULT_NETWORK: &str = "default";

/// A stored manifest that this release cannot read.
#[derive(Debug, thiserror::Error)]
#[error("the stored manifest of `{app}` in `{environment}` cannot be read")]
pub struct StoredError {
    environment: EnvironmentName,
    app: AppName,
    source: serde_json::Error,
}

/// What `app` should be.
#[must_use]
pub fn resolve(app: &App, context: &Context) -> Desired {
    Resolving { environment: &app.environment, app: &app.name, manifest: &app.manifest, context }.desired()
}

/// What an app should be by the merged manifest of one of its revisions, with the images of then.
///
/// # Errors
/// A manifest that this release cannot read.
pub fn resolve_stored(
    environment: &EnvironmentName,
    app: &AppName,
    manifest: &serde_json::Value,
    pins: &BTreeMap<String, String>,
) -> Result<Desired, StoredError> {
    // A pin of a service that is not there pins nothing.
    let pins = pins.iter().filter_map(|(service, id)| Some((service.parse().ok()?, id.clone()))).collect();
    resolve_again(environment, app, manifest, &Context { pins, ..Context::default() })
}

/// What an app should be by a merged manifest, with all that the manifest does not say.
///
/// # Errors
/// A manifest that this release cannot read.
pub fn resolve_again(
    environment: &EnvironmentName,
    app: &AppName,
    manifest: &serde_json::Value,
    context: &Context,
) -> Result<Desired, StoredError> {
    let error = |source| StoredError { environment: environment.clone(), app: app.clone(), source };
    let manifest: Manifest = serde_json::from_value(manifest.clone()).map_err(error)?;
    Ok(Resolving { environment, app, manifest: &manifest, context }.desired())
}

/// SHA-256 of the merged manifest in its canonical form: what makes a revision a new one.
#[must_use]
pub fn manifest_digest(desired: &Desired) -> String {
    SpecHash::of(&desired.manifest).as_str().to_owned()
}

/// All that a name or a body is made of.
struct Resolving<'a> {
    environment: &'a EnvironmentName,
    app: &'a AppName,
    manifest: &'a Manifest,
    context: &'a Context,
}

impl Resolving<'_> {
    fn desired(&self) -> Desired {
        let manifest = self.manifest;
        let services: BTreeMap<_, _> =
            manifest.services.iter().map(|(name, service)| (name.clone(), self.service(name, service))).collect();
        let jobs = manifest.jobs.iter().filter_map(|(name, job)| {
            let service = services.get(&job.service)?;
            Some((name.clone(), self.job(name, job, service)))
        });
        Desired {
            environment: self.environment.clone(),
            app: self.app.clone(),
            networks: self.networks(),
            volumes: manifest.volumes.iter().map(|(key, volume)| self.volume(key, volume)).collect(),
            jobs: jobs.collect(),
            secrets: self.sources(),
            host_key: self.context.secrets.host_key.clone(),
            services,
            sync: self.sync(),
            backup: self.backup(),
            // Our own plain data has string keys only, so it is always JSON.
            manifest: serde_json::to_value(manifest).unwrap_or_default(),
        }
    }

    fn sync(&self) -> Sync {
        let manifest::Sync { automated, self_heal, prune, depends_on, suspend, windows } = &self.manifest.sync;
        Sync {
            automated: *automated,
            self_heal: *self_heal,
            prune: *prune,
            suspend: *suspend,
            depends_on: depends_on.iter().map(|other| other.seen_from(self.environment)).collect(),
            windows: windows.iter().map(Window::from).collect(),
        }
    }

    fn networks(&self) -> BTreeMap<String, DesiredNetwork> {
        let declared = self.manifest.networks.iter().map(|(key, network)| (key.to_string(), network.clone()));
        let mut networks: BTreeMap<String, Network> = declared.collect();
        let used = self.manifest.services.values().any(uses_default);
        if used {
            networks.entry(DEFAULT_NETWORK.to_owned()).or_default();
        }
        networks.into_iter().map(|(key, network)| (self.network_name(&key), desired_network(key, &network))).collect()
    }

    /// The name on the engine of the network with this key.
    fn network_name(&self, key: &str) -> String {
        let declared = self.manifest.networks.get(key);
        match declared {
            Some(Network { name: Some(name), .. }) => name.as_str().to_owned(),
            Some(Network { external: true, .. }) => key.to_owned(),
            Some(_) | None if key == DEFAULT_NETWORK => names::stem(self.environment, self.app),
            Some(_) | None => names::object(self.environment, self.app, &key),
        }
    }

    fn volume(&self, key: &ResourceKey, volume: &Volume) -> (String, DesiredVolume) {
        let labels = volume.labels.iter().map(|(label, text)| (label.clone(), text.0.clone())).collect();
        (self.volume_name(key), DesiredVolume { key: key.to_string(), external: volume.external, labels })
    }

    /// The name on the engine of the volume with this key.
    fn volume_name(&self, key: &ResourceKey) -> String {
        match self.manifest.volumes.get(key) {
            Some(Volume { name: Some(name), .. }) => name.as_str().to_owned(),
            Some(Volume { external: true, .. }) => key.to_string(),
            Some(_) | None => names::object(self.environment, self.app, key),
        }
    }
}

/// The app's own bridge, as it is where no manifest says otherwise.
#[must_use]
pub fn own_bridge() -> DesiredNetwork {
    desired_network(DEFAULT_NETWORK.to_owned(), &Network::default())
}

/// A network that others made.
pub fn external_network(name: &str) -> DesiredNetwork {
    DesiredNetwork { external: true, ..desired_network(name.to_owned(), &Network::default()) }
}

/// Whether a service is on the app's own bridge.
fn uses_default(service: &Service) -> bool {
    match &service.networks {
        Some(networks) => networks.0.keys().any(|key| key.as_str() == DEFAULT_NETWORK),
        None => service.network_mode.is_none(),
    }
}

/// What of a network needs it to be made anew when it changes.
#[derive(Serialize)]
struct NetworkBody<'a> {
    internal: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    driver: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
}

fn desired_network(key: String, network: &Network) -> DesiredNetwork {
    let labels = network.labels.iter().map(|(label, text)| (label.clone(), text.0.clone())).collect();
    let driver = network.driver.as_deref();
    let spec_hash = SpecHash::of(&NetworkBody { internal: network.internal, driver, labels: &labels });
    DesiredNetwork {
        key,
        external: network.external,
        internal: network.internal,
        labels,
        driver: network.driver.clone(),
        spec_hash,
    }
}
