//! What a plan changes, in the words of the output contract.

use crate::{
    desired::Order,
    value::{ItemName, JobName, ServiceName},
};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// One resource that is not as it should be, and what is done about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What changes.
    pub resource: Resource,
    /// How.
    pub action: Action,
    /// Why.
    pub cause: Cause,
    /// Which container comes first, for a replaced service.
    pub order: Option<Order>,
    /// What users of the resource notice.
    pub interruption: Interruption,
    /// What differs.
    pub fields: Vec<FieldChange>,
}

/// A thing a plan can change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// By its name in the manifest.
    Service(ServiceName),
    /// By its name on the engine.
    Network(String),
    /// By its name on the engine.
    Volume(String),
    /// By its name in the manifest.
    Job(JobName),
    /// By the service it leads to.
    Route(ServiceName),
    /// By the service whose route it secures.
    Certificate(ServiceName),
    /// The copy that is made of an item before a rollout, by its name in the manifest.
    Backup(ItemName),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(name) => write!(f, "service/{name}"),
            Self::Network(name) => write!(f, "network/{name}"),
            Self::Volume(name) => write!(f, "volume/{name}"),
            Self::Job(name) => write!(f, "job/{name}"),
            Self::Route(name) => write!(f, "route/{name}"),
            Self::Certificate(name) => write!(f, "certificate/{name}"),
            Self::Backup(name) => write!(f, "backup/{name}"),
        }
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How a resource changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is made.
    Create,
    /// A new one takes its place.
    Replace,
    /// It changes in place.
    Update,
    /// Drift is put right in place.
    Repair,
    /// It is removed.
    Delete,
    /// A job runs, or a copy is made.
    Run,
}

/// Why a resource changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// The manifest changed.
    Commit,
    /// Somebody changed the host.
    Drift,
    /// The image's tag means another image now.
    Image,
    /// A secret changed.
    Secret,
    /// The app goes back to an earlier revision.
    Rollback,
    /// Somebody asked for it.
    Manual,
}

/// What users of a resource notice while it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Interruption {
    /// Nothing.
    None,
    /// The time of a stop and a start.
    Brief,
    /// It ends.
    Stopped,
}

/// A field with its value before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// `services.web.env.GREETING`
    pub path: String,
    /// None: it was not there.
    pub before: Option<String>,
    /// None: it will not be there.
    pub after: Option<String>,
}
