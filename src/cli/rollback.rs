//! `rollback`: another target for an app, then its pass.

use super::{Complaint, Verdict, converge::described, interruption, session::Session, settings, told::Told};
use crate::{
    desired::resolve::manifest_digest,
    pass::{Head, Mode, Wish, environment},
    record::{Entry, Hold, HoldUntil, Ledger, target},
    value::{AppName, EnvironmentName},
};
use clap::Args;
use jiff::Timestamp;

/// Brings an app back to an earlier revision and holds it there.
#[derive(Debug, Args)]
pub struct Rollback {
    pub app: AppName,
    /// Its number, as `history` tells it [default: the newest stable one before the one in force].
    pub revision: Option<u32>,
    /// Shows what would be done and does nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Holds only until the app's manifest changes, not until `resume`.
    #[arg(long)]
    pub until_commit: bool,
}

impl Rollback {
    /// Holds the app on an earlier revision and runs its pass.
    ///
    /// # Errors
    /// There is no such app or revision, or nothing to go back to.
    pub async fn run(&self, session: &Session) -> Result<Verdict, Complaint> {
        let mode = if self.dry_run { Mode::DryRun } else { Mode::Apply };
        let ending = interruption::listen()?;
        let (repository, commit) = session.head()?;
        let mut rendered = session.manifests(&repository, &commit)?.render();
        let ledger = if self.dry_run { session.reading().await? } else { session.writing().await? };
        let places = session.places(&ledger, &self.app).await?;
        let host = session.host(ledger).await?;
        let mut told = Told::new(session, false);
        for environment in places {
            let rendered = rendered.remove(&environment).unwrap_or_default();
            let head = Head { commit: described(&commit), apps: rendered.apps, trees: rendered.trees };
            let hold = self.hold(&host.ledger, &environment, &head).await?;
            if mode == Mode::Apply {
                host.ledger.hold(&environment, &self.app, hold.clone()).await?;
            }
            let wish = Wish {
                environment,
                mode,
                apps: [self.app.clone()].into(),
                replace: Vec::new(),
                allow_empty: false,
                max_deletes: None,
                hold: (mode == Mode::DryRun).then_some(hold),
            };
            told.report(environment::run(&host, &wish, &head, &ending).await?)?;
        }
        told.end(false)
    }

    async fn hold(&self, ledger: &Ledger, environment: &EnvironmentName, head: &Head) -> Result<Hold, Complaint> {
        let known = ledger.app(environment, &self.app).await?;
        let revision = match self.revision {
            Some(number) => known.entry(number).map(Entry::original).ok_or_else(|| {
                Complaint::says(format!("`{environment}/{}` has no revision {number}", self.app))
                    .with_hint(Some(format!("see `reconcile history {}`", self.app)))
            })?,
            None => target::previous(&known).ok_or_else(|| {
                Complaint::says(format!("`{environment}/{}` has no earlier stable revision to go back to", self.app))
                    .with_hint(Some(format!("see `reconcile history {}`", self.app)))
            })?,
        };
        let until = match (self.until_commit, head.apps.get(&self.app)) {
            (true, Some(Ok(desired))) => HoldUntil::Commit { manifest: manifest_digest(desired) },
            (true, Some(Err(_)) | None) | (false, _) => HoldUntil::Resume,
        };
        Ok(Hold {
            revision: Some(revision),
            by: settings::user(),
            reason: format!("rollback to revision {revision}"),
            until,
            at: Timestamp::now(),
        })
    }
}
