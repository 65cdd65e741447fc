//! Whom to tell, and why it did not work.

use super::{
    commit_status, email,
    http::Http,
    news::{CommitState, News, State},
    webhook,
};
use crate::{
    host::{self, secret_file::SecretFileError},
    value::EnvironmentName,
};
use std::{collections::BTreeMap, error::Error, time::Duration};

/// Why something was not delivered.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// It may work later, not before so long.
    Passing { why: String, after: Option<Duration> },
    /// It would fail again.
    Final { why: String },
}

impl Fault {
    pub fn passing(why: impl Into<String>) -> Self {
        Self::Passing { why: why.into(), after: None }
    }

    pub fn last(why: impl Into<String>) -> Self {
        Self::Final { why: why.into() }
    }

    /// Without its secret a target is mute; the file may be there the next time.
    pub fn of_secret(error: SecretFileError) -> Self {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        let hint = error.hint().map(|hint| format!(": {hint}")).unwrap_or_default();
        Self::last(format!("{error}{cause}{hint}"))
    }
}

/// One of those who are told.
#[derive(Debug)]
pub struct Target {
    settings: host::Target,
    host: String,
    http: Http,
    /// What forges were told last: some refuse to hear the same again.
    marked: BTreeMap<EnvironmentName, (String, State)>,
}

impl Target {
    pub fn new(settings: host::Target, host: String) -> Self {
        Self { settings, host, http: Http::default(), marked: BTreeMap::new() }
    }

    /// Fit to be told in a log: no more of a URL than its host.
    pub fn name(&self) -> String {
        match &self.settings {
            host::Target::Webhook(target) => match (&target.url, &target.url_file) {
                (Some(url), _) => format!("webhook {}", url.host()),
                (None, Some(path)) => format!("webhook of `{path}`"),
                (None, None) => "webhook".to_owned(),
            },
            host::Target::Email(target) => format!("e-mail by {}", target.server),
            host::Target::CommitStatus(target) => format!("commit status of {}", target.repository),
        }
    }

    /// Why it could tell nothing as things are: what of its files is missing.
    pub fn complaint(&self) -> Option<String> {
        let found = match &self.settings {
            host::Target::Webhook(target) => webhook::url(target).map(drop),
            host::Target::Email(target) => email::password(target).map(drop),
            host::Target::CommitStatus(target) => commit_status::token(target).map(drop),
        };
        found.err().map(|(Fault::Passing { why, .. } | Fault::Final { why })| format!("{}: {why}", self.name()))
    }

    /// Whether it wants to know.
    pub fn wants(settings: &host::Target, news: &News) -> bool {
        match (settings, news) {
            (host::Target::Webhook(target), News::Tidings(tidings)) => target.on.contains(&tidings.event),
            (host::Target::Email(target), News::Tidings(tidings)) => target.on.contains(&tidings.event),
            (host::Target::CommitStatus(_), News::Commit(_)) => true,
            (host::Target::CommitStatus(_), News::Tidings(_))
            | (host::Target::Webhook(_) | host::Target::Email(_), News::Commit(_)) => false,
        }
    }

    /// Tells it once.
    pub async fn send(&mut self, news: &News) -> Result<(), Fault> {
        match (&self.settings, news) {
            (host::Target::Webhook(target), News::Tidings(tidings)) => {
                webhook::send(target, &mut self.http, tidings, &self.host).await
            }
            (host::Target::Email(target), News::Tidings(tidings)) => email::send(target, tidings, &self.host).await,
            (host::Target::CommitStatus(target), News::Commit(state)) => {
                if self.marked.get(&state.environment).is_some_and(|marked| *marked == mark(state)) {
                    return Ok(());
                }
                commit_status::send(target, &mut self.http, state).await?;
                self.marked.insert(state.environment.clone(), mark(state));
                Ok(())
            }
            (host::Target::CommitStatus(_), News::Tidings(_))
            | (host::Target::Webhook(_) | host::Target::Email(_), News::Commit(_)) => Ok(()),
        }
    }

    /// Keeps nothing open.
    pub fn rest(&mut self) {
        self.http.rest();
    }
}

fn mark(state: &CommitState) -> (String, State) {
    (state.commit.clone(), state.state)
}
