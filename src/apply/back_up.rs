//! Makes the copies of one app. Whoever calls has the app's lock.

use super::copies::Copies;
use crate::{
    backup::{
        BackupError, Depot, Failure, Holding, Of,
        driver::stillness,
        place::named,
        run::{Account, Run, apart},
    },
    cause::whole,
    desired::{Backup, backup::Item},
    engine::Engine,
    value::{AppName, EnvironmentName, ItemName},
};
use jiff::Timestamp;
use std::{path::Path, sync::Arc};
use tokio::sync::watch;

/// Whose copies are made, and of what.
#[derive(Clone, Copy, Debug)]
pub struct BackUp<'a> {
    pub installation: &'a str,
    pub environment: &'a EnvironmentName,
    pub app: &'a AppName,
    pub backup: &'a Backup,
    /// All places of this host, and its notes.
    pub depot: &'a Depot,
    /// These items alone; empty: all.
    pub only: &'a [ItemName],
    /// The revision before whose rollout they are made; none where somebody asked, or the schedule.
    pub before_revision: Option<u32>,
}

impl BackUp<'_> {
    /// Makes them, and remembers what became of each.
    ///
    /// # Errors
    /// A place of the manifest is none of this host's; what a killed run left cannot be put away. What becomes of each item
    /// is in the account.
    pub async fn run<E: Engine>(
        &self,
        engine: &Arc<E>,
        ending: Option<watch::Receiver<bool>>,
    ) -> Result<Account, BackupError> {
        let ran = self.make(engine, ending.clone()).await;
        self.remember(engine, ending.as_ref(), |of, at, _| Failure::of_run(&of.item, &ran, at)).await;
        ran
    }

    async fn make<E: Engine>(
        &self,
        engine: &Arc<E>,
        ending: Option<watch::Receiver<bool>>,
    ) -> Result<Account, BackupError> {
        let holds = self.backup.items.iter().any(|item| stillness(&item.data).is_some());
        if holds {
            Holding::of(&self.depot.begun, self.environment, self.app).begin()?;
        }
        let ran = self.with(engine, ending, async |run| run.run().await).await;
        if !holds {
            return ran;
        }
        match (ran, bring_back(engine, self.installation, &self.depot.begun, (self.environment, self.app)).await) {
            // The copies are made all the same.
            (Ok(mut account), Err(error)) => {
                account.hooks.push(error);
                Ok(account)
            }
            (ran, _) => ran,
        }
    }

    /// Has the places beside the first take over what they lack; makes nothing.
    ///
    /// # Errors
    /// A place of the manifest is none of this host's; the first cannot be read.
    pub async fn catch_up<E: Engine>(
        &self,
        engine: &Arc<E>,
        ending: Option<watch::Receiver<bool>>,
    ) -> Result<Account, BackupError> {
        let ran = self.with(engine, ending.clone(), async |run| run.catch_up().await).await;
        let became = |of: &Of, at, before| Failure::of_catching_up(&of.item, &ran, at, before);
        self.remember(engine, ending.as_ref(), became).await;
        ran
    }

    /// For `backup list` and `status`. What cannot be remembered is told in the log alone; what was given up because the tool
    /// is to end is due again afterwards, and no news.
    async fn remember<E: Engine>(
        &self,
        engine: &Arc<E>,
        ending: Option<&watch::Receiver<bool>>,
        became: impl Fn(&Of, Timestamp, Option<Failure>) -> Option<Failure>,
    ) {
        if ending.is_some_and(|ending| *ending.borrow()) {
            return;
        }
        let (notes, now) = (self.depot.remembered.failures.clone(), engine.now());
        let items = self.backup.items.iter().filter(|item| self.only.is_empty() || self.only.contains(&item.name));
        let of =
            |item: &Item| Of { environment: self.environment.clone(), app: self.app.clone(), item: item.name.clone() };
        let with = |of: Of| (became(&of, now, notes.last(&of)), of);
        let all: Vec<(Option<Failure>, Of)> = items.map(of).map(with).collect();
        let noted = apart(move || all.iter().try_for_each(|(failure, of)| notes.note(of, failure.as_ref()))).await;
        if let Err(error) = noted {
            tracing::warn!(error = whole(&error), app = %self.app, "what became of copies is not remembered");
        }
    }

    async fn with<E: Engine>(
        &self,
        engine: &Arc<E>,
        ending: Option<watch::Receiver<bool>>,
        work: impl AsyncFnOnce(Run<'_, Copies<E>>) -> Result<Account, BackupError>,
    ) -> Result<Account, BackupError> {
        let places = named(&self.depot.places, &self.backup.repositories)?;
        let clock = || engine.now();
        let sources =
            Copies::of(Arc::clone(engine), self.installation.to_owned(), self.environment.clone(), self.app.clone());
        let run = Run {
            backup: self.backup,
            environment: self.environment,
            app: self.app,
            repositories: &places,
            sources: &sources,
            only: self.only,
            pinned: false,
            before_revision: self.before_revision,
            clock: &clock,
            ending,
        };
        work(run).await
    }
}

/// Lets containers of an app go on that a run held still and was killed. Whoever calls has the app's lock. Tells whether there may
/// have been any.
///
/// # Errors
/// The engine does not answer; one of them stays paused; the note of it cannot be removed.
pub async fn bring_back<E: Engine>(
    engine: &Arc<E>,
    installation: &str,
    begun: &Path,
    (environment, app): (&EnvironmentName, &AppName),
) -> Result<bool, BackupError> {
    let holding = Holding::of(begun, environment, app);
    if !holding.is_noted() {
        return Ok(false);
    }
    let copies = Copies::of(Arc::clone(engine), installation.to_owned(), environment.clone(), app.clone());
    copies.bring_back().await?;
    holding.end()?;
    Ok(true)
}
