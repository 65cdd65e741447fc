//! `rollback`: another target for an app, then its pass.

use super::{
    Complaint, Verdict, converge, interruption, neighbours::Neighbours, session::Session, settings, told::Told,
};
use crate::{
    desired::resolve,
    pass::{self, Asker, Mode, Wish, environment},
    record::{AppLedger, Hold, HoldUntil, target},
    value::{AppName, EnvironmentName},
};
use clap::Args;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Brings an app back to an earlier revision and holds it there.
#[derive(Debug, Args)]
pub struct Rollback {
    /// The app.
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
    /// Records the hold, and runs the app's pass, which goes where it holds.
    ///
    /// # Errors
    /// There is nothing to go back to; the source, the record or the engine cannot be read.
    pub async fn run(&self, session: &Session) -> Result<Verdict, Complaint> {
        let ending = interruption::listen()?;
        // Nothing is made for an app that is not there.
        let ledger = session.reading().await?;
        let environment = session.place(&ledger, &self.app).await?;
        let of_app = ledger.app(&environment, &self.app).await?;
        let number = self.number(&environment, &of_app)?;

        let (repository, commit) = session.known_head()?;
        let tree = session.manifests(&repository, &commit)?.render();
        let mut head = converge::head(&commit, tree.get(&environment).cloned().unwrap_or_default());
        head.files = session.trusted_files(&ledger, &environment, &commit).await;
        let hold = Hold {
            revision: Some(number),
            by: settings::user(),
            reason: format!("rollback to revision {number}"),
            until: self.until(&head)?,
            at: Timestamp::now(),
        };
        let ledger = if self.dry_run { ledger } else { session.writing().await? };
        let host = session.host(ledger.clone()).await?;
        if !self.dry_run {
            ledger.hold(&environment, &self.app, hold.clone()).await?;
        }
        let known = Neighbours::default().of(&host, &tree, &commit, &environment, &ending).await?;
        let wish = Wish {
            environment,
            mode: if self.dry_run { Mode::DryRun } else { Mode::Apply },
            apps: BTreeSet::from([self.app.clone()]),
            replace: Vec::new(),
            hold: self.dry_run.then_some(hold),
            allow_empty: false,
            max_deletes: None,
            by: Asker::Person,
            known,
        };
        let mut told = Told::new(session, false);
        told.report(environment::run(&host, &wish, &head, &ending).await?)?;
        told.end(false)
    }

    /// The original that is meant.
    fn number(&self, environment: &EnvironmentName, ledger: &AppLedger) -> Result<u32, Complaint> {
        let list = format!("`reconcile history {}` lists them", self.app);
        let name = format!("{environment}/{}", self.app);
        let number = match self.revision {
            None => target::previous(ledger).ok_or_else(|| {
                Complaint::says(format!("{name} has no stable revision before the one in force"))
                    .with_hint(list.clone())
            })?,
            Some(number) => ledger
                .entry(number)
                .map(crate::record::Entry::original)
                .ok_or_else(|| Complaint::says(format!("{name} has no revision {number}")).with_hint(list.clone()))?,
        };
        if target::revision_condemned(number, ledger) {
            return Err(Complaint::says(format!(
                "revision {number} of {name} failed by its own fault, so it is not tried again"
            ))
            .with_hint(format!("`reconcile resume {}` lifts that; {list}", self.app)));
        }
        Ok(number)
    }

    fn until(&self, head: &pass::Head) -> Result<HoldUntil, Complaint> {
        if !self.until_commit {
            return Ok(HoldUntil::Resume);
        }
        match head.apps.get(&self.app) {
            Some(Ok(desired)) => Ok(HoldUntil::Commit { manifest: resolve::manifest_digest(desired) }),
            Some(Err(_)) => {
                Err(Complaint::says("the branch's manifest of the app is invalid, so no change of it can be seen")
                    .with_hint("leave `--until-commit` out".to_owned()))
            }
            None => Err(Complaint::says("the app is not on the branch, so no change of it can be seen")
                .with_hint("leave `--until-commit` out".to_owned())),
        }
    }
}
