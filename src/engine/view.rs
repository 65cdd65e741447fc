//! What an engine says of the things on it, in one language for both engines.

use crate::{
    desired::spec::{Adjustable, ContainerSpec, PublishedPort},
    observed::{Endpoint, Life, projection::Projection},
    secret::Fingerprint,
    value::ImageReference,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Which engine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    Docker,
    Podman,
    /// The model in memory.
    Model,
}

/// An engine's own account of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineInfo {
    pub kind: EngineKind,
    /// Its version, `20.10.24`.
    pub version: String,
    /// The API version spoken, `1.41`.
    pub api: String,
    /// The host's name.
    pub host: String,
    /// Limits of running containers can be changed.
    pub adjusts: bool,
    /// Health checks are run by the engine itself (Podman needs systemd timers for them).
    pub runs_healthchecks: bool,
}

/// A container as a list tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    pub id: String,
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub image_id: String,
    pub life: Life,
    /// Host ports as published now; lists tell them only while it runs.
    pub ports: BTreeSet<PublishedPort>,
    /// Names of the networks it is on.
    pub networks: BTreeSet<String>,
}

/// A container as an inspection tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    pub id: String,
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub image_id: String,
    pub life: Life,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    /// For a life of a moment it may lie before `started_at`: the engines note the two in different places.
    pub finished_at: Option<Timestamp>,
    pub restarts: u32,
    pub oom: bool,
    /// The exit code of its last run, where it has ended one.
    pub exit_code: Option<i64>,
    /// What the engine says went wrong at the start, where it says so.
    pub start_error: Option<String>,
    /// The engine's own health word (`starting`, `healthy`, `unhealthy`); none where the container has no check.
    pub health: Option<Health>,
    /// Its first process on the host, while it runs.
    pub pid: Option<u32>,
    pub endpoints: BTreeMap<String, Endpoint>,
    pub namespace_of: Option<String>,
    pub adjustable: Option<Adjustable>,
    /// Variables with secrets in them, by the container's own label. Their values are here alone, and nothing tells them.
    pub secret_env: BTreeMap<String, Fingerprint>,
    /// Its body as far as it can be read back. Fields an image brings are included where the engine mixes them in.
    pub body: ContainerSpec,
    /// The whole answer, normalised, to be compared with itself later.
    pub projection: Projection,
}

/// The engine's own health word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Starting,
    Healthy,
    Unhealthy,
}

/// An image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageView {
    pub id: String,
    /// Its names, as a manifest would write them (`bb:1`, not `docker.io/library/bb:1` or `localhost/bb:1`) and in full.
    pub references: BTreeSet<String>,
    /// Paths declared as `VOLUME`; only an inspection of one image tells.
    pub volumes: BTreeSet<String>,
    /// Ports declared as `EXPOSE`, `8080/tcp`; only an inspection of one image tells.
    pub exposed: BTreeSet<String>,
    pub has_healthcheck: bool,
    /// `repository@sha256:…`, of registries only.
    pub digests: Vec<String>,
}

impl ImageView {
    /// True when a manifest's reference means this image here. Of a reference with tag and digest only the digest
    /// counts, as for the engines themselves.
    #[must_use]
    pub fn answers_to(&self, reference: &str) -> bool {
        let Some((name, digest)) = reference.split_once('@') else {
            return self.references.contains(reference) || self.id == reference;
        };
        let repository = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => repository,
            Some(_) | None => name,
        };
        self.references.contains(&format!("{repository}@{digest}"))
    }

    /// By which digest the registry of a reference knows this image, `repository@sha256:…`; none where it was made here.
    #[must_use]
    pub fn digest_for(&self, reference: &str) -> Option<String> {
        let repository = |name: &str| name.parse::<ImageReference>().ok().map(|image| image.full_repository());
        let wanted = repository(reference)?;
        self.digests.iter().find(|digest| repository(digest).as_ref() == Some(&wanted)).cloned()
    }
}

/// A network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkView {
    pub id: String,
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub internal: bool,
}

/// A volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeView {
    pub name: String,
    pub labels: BTreeMap<String, String>,
}

/// Something happened. An event only says where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// To a container. `labels` are those of ours that it carries.
    Container { id: String, kind: EventKind, labels: BTreeMap<String, String> },
    /// A network was made or removed, or a container joined or left it; which one, where the engine tells.
    Network { container: Option<String> },
    /// An image got or lost a name.
    Image { name: String },
}

impl Event {
    /// The container it is about.
    #[must_use]
    pub fn container(&self) -> Option<&str> {
        match self {
            Self::Container { id, .. } => Some(id),
            Self::Network { container } => container.as_deref(),
            Self::Image { .. } => None,
        }
    }
}

/// What happened to a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Started,
    Died,
    Health,
    Removed,
    Other,
}

/// What is taken on the host, by anyone: for the checks before the first stop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Every container's name, with its id.
    pub names: BTreeMap<String, String>,
    /// Every published host port, with the container's name.
    pub ports: BTreeMap<PublishedPort, String>,
}
