//! What the daemon tells of its work: its log, its board, and those who asked for notices.

use super::{
    branch::{Away, Halt},
    told_copies::Uncopied,
};
use crate::{
    engine::EngineError,
    notice::{CommitState, Known, News, Notices, Tidings},
    pass::Head,
    server::Board,
    show::{self, report::AppReport},
    value::{AppName, EnvironmentName},
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinError;

/// How long notices that still wait may take at the end.
const AT_THE_END: Duration = Duration::from_secs(5);

/// All who are told.
#[derive(Debug)]
pub struct Told {
    board: Arc<Board>,
    notices: Notices,
    pub(super) uncopied: Uncopied,
    /// Why environments do not follow the branch.
    halted: Mutex<BTreeMap<EnvironmentName, String>>,
    /// Environments whose first passes are not over.
    awaited: Mutex<BTreeSet<EnvironmentName>>,
    source_is_away: AtomicBool,
}

impl Told {
    /// Tells of these environments.
    #[must_use]
    pub fn new(board: Arc<Board>, notices: Notices, environments: &[EnvironmentName]) -> Self {
        let awaited = Mutex::new(environments.iter().cloned().collect());
        Self {
            board,
            notices,
            uncopied: Uncopied::default(),
            halted: Mutex::default(),
            awaited,
            source_is_away: AtomicBool::new(false),
        }
    }

    /// An app has had its turn: `passed`, a pass was run; else a look was enough.
    pub fn pass(
        &self,
        environment: &EnvironmentName,
        revision: &str,
        before: Option<&AppReport>,
        report: &AppReport,
        took: Duration,
        passed: bool,
    ) {
        let is_news = before.is_none_or(|before| {
            (before.outcome, before.health, &before.error) != (report.outcome, report.health, &report.error)
                || before.changes != report.changes
                || report.copies.is_news_after(&before.copies)
        });
        if !is_news && !passed {
            return;
        }
        let now = Timestamp::now();
        self.board.metrics().pass(environment, report, took, now);
        self.notices.app(environment, revision, report, now);
        self.count();
        log(environment, revision, report, took, (is_news, passed));
    }

    /// A pass broke down, by a fault of the tool's own.
    pub fn broken(&self, environment: &EnvironmentName, app: &AppName, error: &JoinError) {
        tracing::error!(%environment, %app, %error, "its pass broke down; it is tried again");
    }

    /// An app is gone.
    pub fn forget(&self, environment: &EnvironmentName, app: &AppName) {
        self.board.metrics().forget(environment, app);
        self.notices.forget(environment, app);
        tracing::info!(%environment, %app, "gone from the branch and from the host");
    }

    /// The branch says something new.
    pub fn head(&self, environment: &EnvironmentName, head: &Head) {
        let commit = &head.commit;
        self.board.metrics().behind(environment, Some(Timestamp::now()));
        self.notices.tell(News::Commit(CommitState::pending(environment, &commit.id)));
        let subject = show::escape::plain(&commit.subject);
        tracing::info!(%environment, revision = commit.revision, author = commit.author, subject, "following");
        for problem in &head.other {
            tracing::warn!(%environment, revision = commit.revision, "{problem}");
        }
    }

    /// Every app of an environment has had its turn for a commit.
    pub fn settled<'a>(
        &self,
        environment: &EnvironmentName,
        head: &Head,
        reports: impl Iterator<Item = &'a AppReport> + Clone,
    ) {
        if !reports.clone().any(AppReport::failed) {
            self.board.metrics().behind(environment, None);
        }
        self.notices.tell(News::Commit(CommitState::of_reports(environment, &head.commit.id, reports)));
        let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        if awaited.remove(environment) && awaited.is_empty() {
            self.board.passed();
        }
    }

    /// An environment does not follow the branch, or does again.
    pub fn halted(&self, environment: &EnvironmentName, halt: Option<&Halt>) {
        let mut halted = self.halted.lock().unwrap_or_else(PoisonError::into_inner);
        self.board.metrics().halted(environment, halt.is_some());
        let before = match halt {
            None => halted.remove(environment),
            Some(halt) => halted.insert(environment.clone(), halt.reason.clone()),
        };
        match (before, halt) {
            // Another tip that is not followed either needs another word of a person.
            (before, Some(halt)) if before.as_ref() != Some(&halt.reason) => {
                let hint = halt.hint.as_deref().unwrap_or_default();
                tracing::error!(%environment, hint, "halted: {}", halt.reason);
                self.say(Tidings::halted(environment, None, &halt.reason, Timestamp::now()));
            }
            (Some(_), None) => {
                tracing::info!(%environment, "follows the branch again");
                self.say(Tidings::resumed(environment, None, Timestamp::now()));
            }
            (Some(_) | None, Some(_)) | (None, None) => {}
        }
    }

    /// The engine answers, or its events are lost.
    pub fn engine(&self, answers: bool) {
        self.board.engine(answers);
    }

    /// The engine does not answer.
    pub fn engine_away(&self, environment: &EnvironmentName, error: &EngineError, first: bool) {
        self.board.engine(false);
        if first {
            tracing::warn!(%environment, error = error as &dyn Error, "the engine cannot be looked at; trying again");
        } else {
            tracing::debug!(%environment, error = error as &dyn Error, "the engine is still away");
        }
    }

    /// It was away, and answers again.
    pub fn engine_back(&self, environment: &EnvironmentName) {
        tracing::info!(%environment, "the engine can be looked at again");
    }

    /// The source was asked.
    pub fn source(&self, moved: bool) {
        self.board.source_answered();
        self.count();
        tracing::debug!(moved, "the source was asked");
        if self.source_is_away.swap(false, Ordering::Relaxed) {
            tracing::info!("the source can be read again");
            self.say(Tidings::source_back(Timestamp::now()));
        }
    }

    /// The source cannot be asked.
    pub fn source_away(&self, away: &Away) {
        self.board.source_failed();
        let (reason, hint) = (&away.reason, away.hint.as_deref().unwrap_or_default());
        if self.source_is_away.swap(true, Ordering::Relaxed) {
            tracing::debug!(reason, hint, "the source is still away");
        } else {
            tracing::warn!(reason, hint, "the source cannot be read: what it said last stays in force");
            self.say(Tidings::source_lost(reason, Timestamp::now()));
        }
    }

    /// What people know by now.
    #[must_use]
    pub fn known(&self) -> Known {
        self.notices.known()
    }

    /// Nothing more will be told.
    pub async fn end(self) {
        self.notices.end(AT_THE_END).await;
    }

    /// The number of the revision in force.
    pub fn revision(&self, environment: &EnvironmentName, app: &AppName, number: u32) {
        self.board.metrics().revision(environment, app, number);
    }

    fn count(&self) {
        let counts = self.notices.counts();
        self.board.metrics().notices(counts.sent, counts.failed, counts.dropped);
    }

    pub(super) fn say(&self, tidings: Tidings) {
        self.notices.tell(News::Tidings(Box::new(tidings)));
    }
}

fn log(environment: &EnvironmentName, revision: &str, report: &AppReport, took: Duration, why: (bool, bool)) {
    let app = &report.app;
    let outcome = format!("{:?}", report.outcome.unwrap_or(crate::record::Outcome::Blocked));
    let word = |change: &crate::plan::Change| {
        format!("{} {:?} ({:?})", change.resource, change.action, change.cause).to_lowercase()
    };
    let changes = report.changes.iter().map(word).collect::<Vec<_>>().join(", ");
    let cause = report.changes.first().map(|change| format!("{:?}", change.cause).to_lowercase());
    let (cause, health) = (cause.unwrap_or_default(), format!("{:?}", report.health));
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let (is_news, passed) = why;
    let error = report.error.as_ref().filter(|_| report.failed());
    if let Some(error) = error {
        let hint = error.hint.as_deref().unwrap_or_default();
        let log = error.log.join("\n");
        let summary = &error.summary;
        tracing::warn!(%environment, %app, revision, outcome, cause, changes, milliseconds, hint, log, "{summary}");
    } else if passed && !changes.is_empty() && report.outcome == Some(crate::record::Outcome::Succeeded) {
        tracing::info!(%environment, %app, revision, outcome, health, cause, changes, milliseconds, "converged");
    } else if !changes.is_empty() {
        let notes = report.notes.join("; ");
        tracing::warn!(%environment, %app, revision, outcome, health, cause, changes, notes, "left as it is");
    } else if is_news {
        tracing::info!(%environment, %app, revision, outcome, health, "at rest");
    } else {
        tracing::debug!(%environment, %app, revision, outcome, health, "nothing to do");
    }
}
