//! What the daemon tells of its work: its log, and whoever else listens.

use super::branch::{Away, Halt};
use crate::{
    engine::EngineError,
    pass::Head,
    record::Outcome,
    show::report::AppReport,
    value::{AppName, EnvironmentName},
};
use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// All who are told.
#[derive(Debug, Default)]
pub struct Told {
    halted: Mutex<BTreeMap<EnvironmentName, String>>,
}

impl Told {
    /// An app's pass is over.
    pub fn pass(
        &self,
        environment: &EnvironmentName,
        before: Option<&AppReport>,
        report: &AppReport,
        took: Duration,
        passed: bool,
    ) {
        let is_news = before.is_none_or(|before| before.outcome != report.outcome || before.error != report.error);
        if !is_news && report.changes.is_empty() && !report.failed() {
            return;
        }
        let app = &report.app;
        let outcome = report.outcome.map_or("Unknown", word);
        let changes = report
            .changes
            .iter()
            .map(|change| format!("{} {:?} ({:?})", change.resource, change.action, change.cause).to_lowercase());
        let changes = changes.collect::<Vec<_>>().join(", ");
        let cause = report.changes.first().map(|change| format!("{:?}", change.cause).to_lowercase());
        let (cause, milliseconds) = (cause.as_deref().unwrap_or("none"), took.as_millis() as u64);
        match &report.error {
            Some(error) if report.failed() => tracing::warn!(
                %environment, %app, outcome, cause, changes, milliseconds,
                hint = error.hint.as_deref().unwrap_or_default(),
                "{}", error.summary
            ),
            Some(_) | None if passed && !changes.is_empty() => {
                tracing::info!(%environment, %app, outcome, cause, changes, milliseconds, "converged");
            }
            Some(_) | None => tracing::info!(%environment, %app, outcome, health = ?report.health, "at rest"),
        }
    }

    /// An app is gone.
    pub fn forget(&self, environment: &EnvironmentName, app: &AppName) {
        tracing::info!(%environment, %app, "gone from the branch and from the host");
    }

    /// The branch says something new.
    pub fn head(&self, environment: &EnvironmentName, head: &Head) {
        let commit = &head.commit;
        tracing::info!(%environment, revision = commit.revision, author = commit.author, "following {}", commit.subject);
        for problem in &head.other {
            tracing::warn!(%environment, revision = commit.revision, "{problem}");
        }
    }

    /// An environment does not follow the branch, or does again.
    pub fn halted(&self, environment: &EnvironmentName, halt: Option<&Halt>) {
        let mut halted = self.halted.lock().unwrap_or_else(PoisonError::into_inner);
        match halt {
            None => drop(halted.remove(environment)),
            Some(halt) => {
                let before = halted.insert(environment.clone(), halt.reason.clone());
                if before.as_ref() != Some(&halt.reason) {
                    tracing::error!(%environment, hint = halt.hint.as_deref().unwrap_or_default(), "{}", halt.reason);
                }
            }
        }
    }

    /// The engine answers, or its events are lost.
    pub fn engine(&self, _answers: bool) {}

    /// The engine does not answer.
    pub fn engine_away(&self, environment: &EnvironmentName, error: &EngineError, first: bool) {
        if first {
            tracing::warn!(%environment, error = error as &dyn Error, "the engine cannot be looked at; trying again");
        } else {
            tracing::debug!(%environment, error = error as &dyn Error, "the engine is still away");
        }
    }

    /// The source was asked.
    pub fn source(&self, moved: bool) {
        tracing::debug!(moved, "the source was asked");
    }

    /// The source cannot be asked.
    pub fn source_away(&self, away: &Away, first: bool) {
        let (reason, hint) = (&away.reason, away.hint.as_deref().unwrap_or_default());
        if first {
            tracing::warn!(reason, hint, "the source cannot be read: what it said last stays in force");
        } else {
            tracing::debug!(reason, hint, "the source is still away");
        }
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "Succeeded",
        Outcome::Failed => "Failed",
        Outcome::RolledBack => "RolledBack",
        Outcome::Held => "Held",
        Outcome::Blocked => "Blocked",
        Outcome::NonConvergent => "NonConvergent",
    }
}
