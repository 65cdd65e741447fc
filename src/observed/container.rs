//! A container of ours as it is.

use crate::{
    desired::{
        ContainerSpec, DeliveryName, SpecHash,
        delivery::Sealed,
        spec::{Adjustable, PublishedPort},
    },
    plan::change::FieldChange,
    value::{JobName, ServiceName},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A container that carries our labels for this app.
#[derive(Clone, Debug, PartialEq)]
pub struct Container {
    /// The engine's id.
    pub id: String,
    /// What it is for.
    pub role: Role,
    /// The digest it was made from, by its label.
    pub spec_hash: SpecHash,
    /// The image it runs.
    pub image_id: String,
    /// Where it stands in its life.
    pub life: Life,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last started.
    pub started_at: Option<Timestamp>,
    /// How often the engine started it again by itself.
    pub restarts: u32,
    /// Whether it does its work.
    pub readiness: Readiness,
    /// The networks it is on, by name.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// The container whose network it shares, by id.
    pub namespace_of: Option<String>,
    /// Limits as the engine has them; none where the engine does not tell.
    pub adjustable: Option<Adjustable>,
    /// What is known of the rest of its body.
    pub evidence: Evidence,
    /// Volumes and host paths it can write.
    pub writes: BTreeSet<String>,
    /// Host ports it holds or will hold when started.
    pub ports: BTreeSet<PublishedPort>,
    /// Label `reconcile.prune=false`.
    pub unprunable: bool,
    /// What it was delivered, by what it is shown.
    pub deliveries: BTreeSet<DeliveryName>,
    /// A config that it is shown was laid anew after this run of it began: it still has the file of before, to which
    /// its mount holds on.
    pub old_configs: bool,
    /// The digests of the secrets it was made with, by its label.
    pub sealed: Option<Sealed>,
    /// Variables whose values are not what its service's secrets give today: told only where both are known.
    pub other_values: BTreeSet<String>,
    /// This run of it was ended by ourselves: neither its own end nor a hand's doing.
    pub stopped: bool,
}

/// What a container is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It runs a service.
    Service(ServiceName),
    /// It ran or runs a job.
    Job(JobName),
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(name) => write!(f, "service/{name}"),
            Self::Job(name) => write!(f, "job/{name}"),
        }
    }
}

/// Where a container stands in its life, in both engines' words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Life {
    /// Made, never started (Podman: `configured`, `initialized`).
    Created,
    /// Its process runs.
    Running,
    /// Frozen.
    Paused,
    /// Dead, and the engine will start it again.
    Restarting,
    /// On its way out (Podman: `stopping`, `stopped`); wait and look again.
    Stopping,
    /// Over, with this exit code.
    Exited(i64),
    /// Being removed; wait and look again.
    Removing,
    /// The engine could not remove it (Docker's `dead`).
    Dead,
    /// A word neither engine had when this was written: left alone.
    Unknown(String),
}

impl Life {
    /// True when it may be alive and is known well enough to be stopped.
    #[must_use]
    pub fn can_be_stopped(&self) -> bool {
        match self {
            Self::Running | Self::Paused | Self::Restarting | Self::Stopping => true,
            Self::Created | Self::Exited(_) | Self::Removing | Self::Dead | Self::Unknown(_) => false,
        }
    }

    /// True when a process of the container may be alive.
    #[must_use]
    pub fn is_up(&self) -> bool {
        match self {
            Self::Running | Self::Paused | Self::Restarting | Self::Stopping | Self::Unknown(_) => true,
            Self::Created | Self::Exited(_) | Self::Removing | Self::Dead => false,
        }
    }
}

/// Whether a running container does its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// This run of it was not seen ready yet.
    Unproven,
    /// This run of it was seen ready.
    Ready,
    /// It was ready, and its probe fails now.
    Failing,
    /// It did not become ready: its revision is at fault.
    Failed(Failure),
}

/// What is known of a container that did not become ready, or a job that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// One line: what went wrong.
    pub summary: String,
    /// Its exit code, when it is over.
    pub exit_code: Option<i64>,
    /// The kernel killed it for want of memory.
    pub oom: bool,
    /// Its last words.
    pub log: Vec<String>,
}

/// A container's place on a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// The network's id (Podman: its name); empty before the first start.
    pub network_id: String,
    /// Names it answers to there.
    pub aliases: BTreeSet<String>,
    /// Its address there, where known.
    pub address: Option<std::net::IpAddr>,
}

/// What is known of a container's body, beyond the facts above.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// It is compared with what the same engine said when it was accepted; these fields differ.
    Baseline(Vec<FieldChange>),
    /// Nothing is remembered of it: this is its body as far as it can be read back, to be compared with what is declared.
    Declared(Box<ContainerSpec>),
    /// It was made in this pass by ourselves.
    Ours,
}
