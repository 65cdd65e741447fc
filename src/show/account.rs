//! The output contract of `status` and `history`.

use super::copy_before::{CopyBefore, before};
use super::report::{CopyReport, ErrorReport, HealthWord, HeldReport, RouteReport, Status};
use crate::{
    observed::Life,
    plan::FieldChange,
    record::{Entry, Outcome, Provenance, entry::Suspension},
    value::{AppName, EnvironmentName, ServiceName},
};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// One app as `status` tells it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AppAccount {
    pub environment: EnvironmentName,
    pub app: AppName,
    pub status: Status,
    pub health: HealthWord,
    /// Number of the revision in force; none before the first.
    pub revision: Option<u32>,
    pub held: Option<HeldReport>,
    pub suspended: Option<SuspendedReport>,
    /// When what the world refused is tried again, or what the app's windows keep waiting is done.
    pub retry_at: Option<Timestamp>,
    /// What somebody changed on the host; none when nothing.
    pub drift: Option<Vec<FieldChange>>,
    pub error: Option<ErrorReport>,
    pub services: Vec<ServiceAccount>,
    /// Its copies, where the manifest says how old they may become (`backup.max_age`); left out where it does not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<CopyReport>,
    /// Why what is due is not done; text only.
    #[serde(skip)]
    pub left: Vec<String>,
}

/// Why an app is left as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SuspendedReport {
    pub by: String,
    pub reason: Option<String>,
    /// None: until `resume`.
    pub until: Option<Timestamp>,
}

impl From<&Suspension> for SuspendedReport {
    fn from(suspension: &Suspension) -> Self {
        Self { by: suspension.by.clone(), reason: suspension.reason.clone(), until: suspension.until }
    }
}

/// One service of an app.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServiceAccount {
    pub service: ServiceName,
    pub health: HealthWord,
    /// The reference of the manifest.
    pub image: String,
    pub containers: Vec<ContainerAccount>,
    /// How it is reached through the proxy; left out where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteReport>,
}

/// One container of a service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContainerAccount {
    pub id: String,
    pub name: String,
    #[serde(serialize_with = "life_word")]
    pub state: Life,
}

/// A life in the engine's word for it.
#[must_use]
pub fn word(life: &Life) -> &str {
    match life {
        Life::Created => "created",
        Life::Running => "running",
        Life::Paused => "paused",
        Life::Restarting => "restarting",
        Life::Stopping => "stopping",
        Life::Exited(_) => "exited",
        Life::Removing => "removing",
        Life::Dead => "dead",
        Life::Unknown(word) => word,
    }
}

fn life_word<S: Serializer>(life: &Life, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(word(life))
}

/// One entry of an app's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// Only where entries of several apps stand together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentName>,
    /// As `environment`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppName>,
    pub number: u32,
    #[serde(flatten)]
    pub origin: Provenance,
    /// None while it is being applied, or when the tool was killed meanwhile.
    pub outcome: Option<Outcome>,
    pub stable: bool,
    /// Image references with the ids or digests they meant.
    pub images: BTreeMap<String, String>,
    /// Copies that were taken before it was rolled out; left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<CopyBefore>,
}

impl From<&Entry> for HistoryEntry {
    fn from(entry: &Entry) -> Self {
        Self {
            environment: None,
            app: None,
            number: entry.number,
            origin: entry.origin.clone(),
            outcome: entry.outcome,
            stable: entry.stable,
            images: entry.key.images.clone().into_iter().chain(entry.digests.clone()).collect(),
            copies: Vec::new(),
        }
    }
}

impl HistoryEntry {
    /// An entry with those of the app's copies that were taken before it.
    #[must_use]
    pub fn with(entry: &Entry, copies: &[CopyBefore]) -> Self {
        Self { copies: before(copies, entry).into_iter().cloned().collect(), ..Self::from(entry) }
    }

    /// The same with the app it belongs to.
    #[must_use]
    pub fn of(self, environment: &EnvironmentName, app: &AppName) -> Self {
        Self { environment: Some(environment.clone()), app: Some(app.clone()), ..self }
    }
}

/// One revision with what it said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RevisionAccount {
    #[serde(flatten)]
    pub entry: HistoryEntry,
    /// What its newest attempt failed of.
    pub error: Option<ErrorReport>,
    /// The merged manifest.
    pub manifest: serde_json::Value,
}
