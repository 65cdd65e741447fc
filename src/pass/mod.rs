//! The loop for one app: choose the target, observe, plan, apply, record. And the loop for the apps of an environment.

pub mod account;
pub mod aim;
pub mod app;
pub mod attempt;
pub mod converge;
pub mod copies;
mod copies_told;
pub mod entry;
pub mod environment;
pub mod fetch;
pub mod gate;
pub mod guard;
mod health;
pub mod held;
pub mod last_words;
pub mod learn;
pub mod left;
pub mod owed;
pub mod progress;
pub mod report;
pub mod rest;
pub mod said;
pub mod sealing;
pub mod settle;
pub mod turns;
pub mod verdict;
pub mod way_back;

use crate::{
    apply::Hands,
    backup::Depot,
    desired::Desired,
    engine::EngineError,
    record::{Ledger, RecordError},
    secret::{RepositoryFiles, Secrets},
    value::{AppId, AppName, EnvironmentName, ServiceName},
    yaml::Diagnostic,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};
use tokio::sync::watch;

pub use gate::{Standing, Waits, gate};

/// The host a pass works on.
pub struct Host<E> {
    pub hands: Hands<E>,
    pub ledger: Ledger,
    pub settings: Settings,
}

/// What the host file says, as far as a pass needs it.
#[derive(Clone, Debug)]
pub struct Settings {
    pub installation: String,
    /// Tells engines apart where locks are concerned.
    pub engine: String,
    pub lock_dir: PathBuf,
    /// Engine calls side by side.
    pub parallel: usize,
    /// Drift is repaired where the manifest allows it too.
    pub repair: bool,
    /// What is gone is removed where the manifest allows it too.
    pub prune: bool,
    /// The most containers a pass removes.
    pub max_deletes: usize,
    /// What the host file allows.
    pub policy: crate::host::Host,
    /// Paths that no container may see.
    pub protected_paths: Vec<String>,
    /// Revisions kept for each app.
    pub revisions: usize,
    /// Revisions whose images are kept, for each app.
    pub images: usize,
    /// Where copies of data lie, and what is noted of them.
    pub depot: Arc<Depot>,
    /// Where secrets are, and where they are delivered.
    pub secrets: Secrets,
}

/// What the branch says of an environment.
#[derive(Clone, Debug)]
pub struct Head {
    pub commit: Commit,
    /// Apps by name; one that is invalid is left as it is.
    pub apps: BTreeMap<AppName, Result<Desired, Vec<Diagnostic>>>,
    /// The trees of valid apps, so that a denial can say where.
    pub trees: BTreeMap<AppName, crate::yaml::Node>,
    /// What is wrong with files that are no app: each may be one that only seems to be gone.
    pub other: Vec<Diagnostic>,
    /// Files of the commit, for secrets that are encrypted in it.
    pub files: RepositoryFiles,
}

/// Where manifests come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// 40 hex digits.
    pub id: String,
    /// `main@sha1:<40 hex>`
    pub revision: String,
    pub author: String,
    /// First line of its message.
    pub subject: String,
}

/// What somebody wants of a pass.
#[derive(Clone, Debug)]
pub struct Wish {
    pub environment: EnvironmentName,
    pub mode: Mode,
    /// Only these apps; empty: all.
    pub apps: BTreeSet<AppName>,
    /// Made anew, cause `manual`: whole apps, or single services.
    pub replace: Vec<(AppName, Option<ServiceName>)>,
    /// An environment without apps is meant so.
    pub allow_empty: bool,
    /// Lifts the brake on removals for this run.
    pub max_deletes: Option<usize>,
    /// A hold as if it stood in the ledger: what a rollback would do.
    pub hold: Option<crate::record::Hold>,
    pub by: Asker,
    /// How apps stand that this pass does not run: what the caller knows of other environments. Apps of this one that are
    /// not in it are looked at.
    pub known: BTreeMap<AppId, Standing>,
}

/// Who wants a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Somebody at a command line: a manual run.
    Person,
    /// `watch`: nobody asked.
    Daemon,
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The plan is shown, nothing is pulled and nothing is written.
    DryRun,
    Apply,
}

/// Turns true when the tool is asked to end: the step in hand is finished, no other is begun.
pub type Ending = watch::Receiver<bool>;

/// Why an environment's pass could not begin.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// The engine does not answer.
    #[error("cannot look at the engine")]
    Engine(#[from] EngineError),
    /// The record cannot be read or written.
    #[error("cannot use the record")]
    Record(#[from] RecordError),
}
