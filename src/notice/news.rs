//! What there is to tell, as plain data.

use super::standing::Told;
use crate::{
    host::Event,
    show::report::{AppReport, ErrorReport},
    value::{AppId, AppName, EnvironmentName},
};
use jiff::Timestamp;

/// One thing to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// For people and programs.
    Tidings(Box<Tidings>),
    /// For the forge's page of a commit.
    Commit(CommitState),
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Tidings {
    pub event: Event,
    pub at: Timestamp,
    /// None: it is about all of them.
    pub environment: Option<EnvironmentName>,
    pub app: Option<AppName>,
    /// `main@sha1:<40 hex>`
    pub revision: Option<String>,
    /// What happened, in a line.
    pub summary: String,
    /// The app as it is.
    pub report: Option<AppReport>,
}

impl Tidings {
    /// What became of an app.
    #[must_use]
    pub fn of_app(
        environment: &EnvironmentName,
        revision: &str,
        told: Told,
        report: &AppReport,
        at: Timestamp,
    ) -> Self {
        Self {
            event: told.event,
            at,
            environment: Some(environment.clone()),
            app: Some(report.app.clone()),
            revision: Some(revision.to_owned()),
            summary: told.summary,
            report: Some(report.clone()),
        }
    }

    /// An environment is left as it is, and why.
    #[must_use]
    pub fn halted(environment: &EnvironmentName, revision: Option<String>, why: &str, at: Timestamp) -> Self {
        Self::of_environment(Event::Halted, environment, revision, format!("halted: {why}"), at)
    }

    /// An environment is followed again.
    #[must_use]
    pub fn resumed(environment: &EnvironmentName, revision: Option<String>, at: Timestamp) -> Self {
        Self::of_environment(Event::Resumed, environment, revision, "followed again".to_owned(), at)
    }

    fn of_environment(
        event: Event,
        environment: &EnvironmentName,
        revision: Option<String>,
        summary: String,
        at: Timestamp,
    ) -> Self {
        let environment = Some(environment.clone());
        Self { event, at, environment, app: None, revision, summary, report: None }
    }

    /// The repository does not answer, and why.
    #[must_use]
    pub fn source_lost(why: &str, at: Timestamp) -> Self {
        Self::of_source(Event::SourceLost, format!("the repository does not answer: {why}"), at)
    }

    /// The repository answers again.
    #[must_use]
    pub fn source_back(at: Timestamp) -> Self {
        Self::of_source(Event::SourceBack, "the repository answers again".to_owned(), at)
    }

    /// Copies of an app were not made, and why.
    #[must_use]
    pub fn not_copied(app: &AppId, why: &str, at: Timestamp) -> Self {
        Self::of_copies(Event::BackupFailed, app, format!("copies failed: {why}"), at)
    }

    /// Copies of an app were restored where they harm nobody, and what came of them was not well.
    #[must_use]
    pub fn not_restored(app: &AppId, why: &str, at: Timestamp) -> Self {
        Self::of_copies(Event::BackupFailed, app, format!("a drill failed: {why}"), at)
    }

    /// Copies of an app are made again.
    #[must_use]
    pub fn copied(app: &AppId, at: Timestamp) -> Self {
        Self::of_copies(Event::BackupRecovered, app, "copies are made again".to_owned(), at)
    }

    fn of_copies(event: Event, app: &AppId, summary: String, at: Timestamp) -> Self {
        let (environment, app) = (Some(app.environment.clone()), Some(app.app.clone()));
        Self { event, at, environment, app, revision: None, summary, report: None }
    }

    const fn of_source(event: Event, summary: String, at: Timestamp) -> Self {
        Self { event, at, environment: None, app: None, revision: None, summary, report: None }
    }

    /// What went wrong with the app, if anything did.
    #[must_use]
    pub fn error(&self) -> Option<&ErrorReport> {
        self.report.as_ref().and_then(|report| report.error.as_ref())
    }

    /// `production/web`, `production`, or `manifests` where it is about all of them.
    #[must_use]
    pub fn subject(&self) -> String {
        match (&self.environment, &self.app) {
            (Some(environment), Some(app)) => format!("{environment}/{app}"),
            (Some(environment), None) => environment.to_string(),
            (None, Some(app)) => app.to_string(),
            (None, None) => "manifests".to_owned(),
        }
    }
}

/// How far a commit is on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitState {
    pub environment: EnvironmentName,
    /// Its id in hex.
    pub commit: String,
    pub state: State,
    /// A line for people.
    pub description: String,
}

/// What forges know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Pending,
    Success,
    Failure,
}

impl CommitState {
    /// The environment begins to be brought to a commit.
    #[must_use]
    pub fn pending(environment: &EnvironmentName, commit: &str) -> Self {
        let description = "converging".to_owned();
        Self { environment: environment.clone(), commit: commit.to_owned(), state: State::Pending, description }
    }

    /// All apps of the environment had their pass; one that failed fails the commit.
    #[must_use]
    pub fn of_reports<'a>(
        environment: &EnvironmentName,
        commit: &str,
        reports: impl IntoIterator<Item = &'a AppReport>,
    ) -> Self {
        let (mut count, mut failed) = (0_usize, Vec::new());
        for report in reports {
            count += 1;
            if report.failed() {
                failed.push(report.app.as_str());
            }
        }
        let apps = if count == 1 { "1 app".to_owned() } else { format!("{count} apps") };
        let (state, description) = if failed.is_empty() {
            (State::Success, format!("{apps} in place"))
        } else {
            (State::Failure, format!("{} of {apps} not in place: {}", failed.len(), failed.join(", ")))
        };
        Self { environment: environment.clone(), commit: commit.to_owned(), state, description }
    }
}
