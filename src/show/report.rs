//! The output contract: what a dry run and an apply say of each environment.

use super::copy_before::CopyBefore;
use crate::{
    backup::CopyId,
    blame::Blame,
    observed::Failure,
    plan::{Action, Change},
    record::Outcome,
    value::{AppName, EnvironmentName, ItemName, ServiceName},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
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
    /// What was compared with what; text and markdown only.
    #[serde(skip)]
    pub origin: Origin,
}

/// Where an environment's two sides come from: the first line of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The repository, as it was named.
    pub source: String,
    pub compared: Compared,
}

/// What the manifests were compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// A host: its engine (`docker 20.10.24 at unix:///var/run/docker.sock`) and its name.
    Host { engine: String, host: String },
    /// Another revision of the same repository (`--against`); `judged` tells whether a host's policy was asked too.
    Revision { revision: String, judged: bool },
}

impl Default for Compared {
    fn default() -> Self {
        Self::Host { engine: String::new(), host: String::new() }
    }
}

impl EnvironmentReport {
    /// True when any app failed in this run; holding as told is none.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.apps.iter().any(AppReport::failed)
    }

    /// True when something is to be done.
    #[must_use]
    pub fn pending(&self) -> bool {
        self.apps.iter().any(|app| !app.changes.is_empty())
    }

    /// True when this tells of an apply, not of a dry run.
    #[must_use]
    pub fn applied(&self) -> bool {
        self.apps.iter().any(|app| app.outcome.is_some())
    }
}

impl AppReport {
    /// True when the app failed, was rolled back or blocked in this run.
    #[must_use]
    pub fn failed(&self) -> bool {
        match self.outcome {
            Some(Outcome::Failed | Outcome::RolledBack | Outcome::Blocked | Outcome::NonConvergent) => true,
            Some(Outcome::Succeeded | Outcome::Held) => false,
            None => self.error.is_some(),
        }
    }
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
    /// Services and jobs that can command an engine (`service/agent`); left out where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub engine_socket: Vec<String>,
    /// Image references with digest or id, as far as they are known here.
    pub images: BTreeMap<String, String>,
    /// How its routes are, as far as they were asked; for `status`, the daemon and its figures.
    #[serde(skip)]
    pub routes: Vec<RouteReport>,
    /// How its copies are; for `status`, the daemon and its figures.
    #[serde(skip)]
    pub copies: CopiesReport,
    /// Copies of the data as the revision left it that is gone back to; left out where there are none.
    #[serde(rename = "copies", skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<CopyBefore>,
    /// Somebody suspended it; for the daemon, and for those that depend on it.
    #[serde(skip)]
    pub suspended: bool,
    /// When it is to be looked at again although nothing happens; for the daemon.
    #[serde(skip)]
    pub wakes_at: Option<Timestamp>,
}

/// How the copies of an app's data are, where its manifest says how old they may become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopiesReport {
    pub items: Vec<CopyReport>,
    /// The app counts as degraded by them alone: all else of it is well.
    pub degrade: bool,
}

/// The newest verified copy of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CopyReport {
    pub item: ItemName,
    /// None: there is none.
    pub newest: Option<CopyId>,
    pub taken_at: Option<Timestamp>,
    pub age_seconds: Option<i64>,
    /// It is older than it may be.
    pub overdue: bool,
    /// When one was last restored in a drill; none: nobody remembers one.
    pub drilled_at: Option<Timestamp>,
    /// That drill went wrong.
    pub drill_failed: bool,
    /// What is wrong, in a line.
    pub trouble: Option<String>,
}

impl CopiesReport {
    /// What is wrong with them, in a line; none where nothing is.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let all: Vec<&str> = self.items.iter().filter_map(|copy| copy.trouble.as_deref()).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Whether they tell something else than those did: that time passed is no news.
    #[must_use]
    pub fn is_news_after(&self, before: &Self) -> bool {
        let facts = |it: &Self| -> Vec<(ItemName, Option<CopyId>, [bool; 2])> {
            let fact = |copy: &CopyReport| (copy.item.clone(), copy.newest.clone(), [copy.overdue, copy.drill_failed]);
            it.items.iter().map(fact).collect()
        };
        facts(self) != facts(before)
    }
}

/// How a route is, as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteReport {
    #[serde(skip)]
    pub service: ServiceName,
    pub hosts: Vec<String>,
    /// The service answers through the proxy.
    pub answers: bool,
    /// When the certificate that is shown is over, whoever issued it; none where none is shown.
    pub certificate_until: Option<Timestamp>,
    /// What is wrong, in a line.
    pub trouble: Option<String>,
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

/// What went wrong with an app. It is read back from where the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
