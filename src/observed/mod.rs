//! What is there: plain data about one app on one engine, the time of looking included.
//!
//! `observe` makes it, `apply` folds each verified effect into it, `plan` reads it.

pub mod container;
pub mod copies;
pub mod effect;
pub mod fold;
mod fold_front;
pub mod front;
pub mod projection;
pub mod surprise;

pub use container::{Container, Endpoint, Evidence, Failure, Life, Readiness, Role};
pub use copies::{Drill, NewestCopy, Owed};
pub use effect::Effect;
pub use fold::fold;
pub use front::{Certificate, Front, Leading, Sight};
pub use surprise::surprises;

use crate::{
    desired::{DeliveryName, FileFacts, SpecHash},
    value::{ItemName, JobName},
};
use jiff::Timestamp;
use projection::Projection;
use std::collections::{BTreeMap, BTreeSet};

/// One app as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// When it was looked at.
    pub now: Timestamp,
    /// What this engine can do.
    pub abilities: Abilities,
    /// The app's containers, jobs included, by their name on the engine.
    pub containers: BTreeMap<String, Container>,
    /// Names that containers of others hold.
    pub foreign_names: BTreeSet<String>,
    /// What image references mean here; a reference that is not here is absent.
    pub images: BTreeMap<String, Image>,
    /// Networks that are ours or that the app names, by name.
    pub networks: BTreeMap<String, Network>,
    /// Volumes that are ours or that the app names, by name.
    pub volumes: BTreeMap<String, Volume>,
    /// Files that were delivered for the app's containers.
    pub deliveries: BTreeMap<DeliveryName, Delivered>,
    /// What the host's proxy does for the app; none where the tool drives no proxy here.
    pub front: Option<Front>,
    /// The newest copies to rely on of the app's data, where their age is looked at.
    pub copies: BTreeMap<ItemName, NewestCopy>,
    /// Items of which not all copies can be seen now: why, in a line. Whether there is a newer one nobody can tell.
    pub unread: BTreeMap<ItemName, String>,
    /// Items whose last run made no copy: why, in a line.
    pub uncopied: BTreeMap<ItemName, String>,
    /// What came of the last drills.
    pub drills: BTreeMap<ItemName, Drill>,
    /// What the ledger says of this app.
    pub applied: Applied,
}

impl Observed {
    /// An app of which nothing is there, and of which the ledger knows nothing.
    #[must_use]
    pub fn nothing(now: Timestamp, abilities: Abilities) -> Self {
        Self {
            now,
            abilities,
            containers: BTreeMap::new(),
            foreign_names: BTreeSet::new(),
            images: BTreeMap::new(),
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            front: None,
            copies: BTreeMap::new(),
            unread: BTreeMap::new(),
            uncopied: BTreeMap::new(),
            drills: BTreeMap::new(),
            applied: Applied::default(),
        }
    }
}

/// A delivery that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// By their paths in its folder.
    pub files: BTreeMap<String, FileFacts>,
    /// A file was replaced whose process is to be told, and was not.
    pub signal_due: bool,
}

/// What an engine can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// Limits and restart policy of a running container can be changed (Docker; Podman from 5.1).
    pub adjusts: bool,
}

/// An image that is on the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Its id, `sha256:…`.
    pub id: String,
    /// Paths the image declares as `VOLUME`.
    pub volumes: BTreeSet<String>,
    /// The image brings a health check of its own.
    pub has_healthcheck: bool,
    /// The repository digest, where it came from a registry.
    pub digest: Option<String>,
}

/// Whose a network or volume is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Labelled as this app's.
    App,
    /// Anyone else's.
    Other,
}

/// A network that is on the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its id; Podman uses the name in endpoints.
    pub id: String,
    /// Whose it is.
    pub owner: Owner,
    /// The digest it was made from; none on networks of others.
    pub spec_hash: Option<SpecHash>,
    /// Removal was tried in this pass and refused (foreign containers are on it): it is left for later.
    pub kept: bool,
    /// More networks of this name, by id: Docker allows duplicates, and a container cannot start on such a name.
    pub duplicates: Vec<String>,
    /// Label `reconcile.prune=false`.
    pub unprunable: bool,
}

/// A volume that is on the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Whose it is.
    pub owner: Owner,
}

/// What the ledger says of an app.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applied {
    /// The entry in force.
    pub number: Option<u32>,
    /// The merged manifest of the entry in force.
    pub manifest: Option<serde_json::Value>,
    /// What containers looked like when they were accepted, by container id.
    pub baselines: BTreeMap<String, Baseline>,
    /// Jobs that have run: name and key.
    pub jobs_done: BTreeSet<(JobName, JobKey)>,
    /// When a reference was last pulled.
    pub pulls: BTreeMap<String, Timestamp>,
    /// References that were pulled for the target already (`pull_policy: always` pulls once for each revision).
    pub pulled: BTreeSet<String>,
    /// The tags that keep images of kept revisions: tag to image id. None: the ledger is not there to tell.
    pub kept_images: Option<BTreeMap<String, String>>,
    /// Tags of ours that are on the engine: tag to image id.
    pub present_tags: BTreeMap<String, String>,
    /// Containers to be replaced because somebody said so, by id.
    pub replace: BTreeSet<String>,
    /// The runs of containers that the tool set out to end, by id: that one of them is over is no drift, and its exit
    /// code 0 no work well done.
    pub stopped: BTreeMap<String, Option<Timestamp>>,
    /// The newest attempt has come to no end: what was begun in it is the tool's to finish.
    pub unfinished: bool,
    /// The target is an earlier revision, not the head.
    pub rollback: bool,
    /// Since when there has been something to copy: the oldest entry's time; none before the first.
    pub known_since: Option<Timestamp>,
    /// The copies that are to be there before the target is rolled out, and are not; none where nothing is rolled out.
    pub owed: Option<Owed>,
}

/// The digest that says whether a job has run: its spec with the image's id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobKey(pub String);

/// What a container looked like when it was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// The run that was accepted; a container that was started again is to be proved again.
    pub started_at: Option<Timestamp>,
    /// The engine's answer then, normalised; none where another engine or projector version gave it.
    pub projection: Option<Projection>,
}
