//! The output contract: what a dry run and an apply say of each environment.

use crate::{
    blame::Blame,
    observed::Failure,
    plan::{Action, Change},
    record::Outcome,
    value::{AppName, EnvironmentName, ServiceName},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The version of this contract.
pub const FORMAT: u32 = 1;

/// One environment: one line of JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EnvironmentReport {
    pub format: u32,
    pub environment: EnvironmentName,
    /// `main@sha1:<40 hex>`
    pub revision: String,
    pub status: Status,
    pub summary: Summary,
    pub apps: Vec<AppReport>,
}

/// How many changes of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub create: usize,
    pub replace: usize,
    pub update: usize,
    pub repair: usize,
    pub delete: usize,
    pub run: usize,
}

impl Summary {
    /// Counts the changes of some apps.
    #[must_use]
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let mut summary = Self::default();
        for change in changes {
            *match change.action {
                Action::Create => &mut summary.create,
                Action::Replace => &mut summary.replace,
                Action::Update => &mut summary.update,
                Action::Repair => &mut summary.repair,
                Action::Delete => &mut summary.delete,
                Action::Run => &mut summary.run,
            } += 1;
        }
        summary
    }
}

/// One app of an environment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AppReport {
    pub app: AppName,
    pub status: Status,
    pub health: HealthWord,
    pub held: Option<HeldReport>,
    pub changes: Vec<Change>,
    /// None in a dry run.
    pub outcome: Option<Outcome>,
    pub error: Option<ErrorReport>,
    /// What people should know although nothing failed; text and markdown only.
    #[serde(skip)]
    pub notes: Vec<String>,
    /// Image references with digest or id, as far as they are known here.
    pub images: BTreeMap<String, String>,
}

/// Whether the host is what the branch says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Status {
    Synced,
    OutOfSync,
    Unknown,
}

/// Whether the app does its work. The worst of its services is the app's, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum HealthWord {
    Completed,
    Healthy,
    Suspended,
    Progressing,
    Missing,
    Degraded,
    Unknown,
}

/// Why an app is not on the head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldReport {
    /// Number of the original revision; none where nothing was stable.
    pub revision: Option<u32>,
    pub by: String,
    pub reason: String,
    /// `resume`, `commit` or `revision`: what ends it.
    pub until: String,
}

/// What went wrong with an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorReport {
    pub blame: Blame,
    pub summary: String,
    pub service: Option<ServiceName>,
    pub exit_code: Option<i64>,
    pub oom: bool,
    /// Last words of what died.
    pub log: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl ErrorReport {
    /// An error without a container's death behind it.
    #[must_use]
    pub fn new(blame: Blame, summary: impl Into<String>, hint: Option<String>) -> Self {
        Self { blame, summary: summary.into(), service: None, exit_code: None, oom: false, log: Vec::new(), hint }
    }

    /// A container that died or was never ready.
    #[must_use]
    pub fn of_failure(blame: Blame, service: Option<ServiceName>, failure: Failure, hint: Option<String>) -> Self {
        Self {
            blame,
            summary: failure.summary,
            service,
            exit_code: failure.exit_code,
            oom: failure.oom,
            log: failure.log,
            hint,
        }
    }
}
