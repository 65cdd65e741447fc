//! Makes the copies of one app. Whoever calls has the app's lock.

use super::copies::Copies;
use crate::{
    backup::{
        AnyPlace, BackupError, Holding,
        driver::stillness,
        place::named,
        run::{Account, Run},
    },
    desired::Backup,
    engine::Engine,
    value::{AppName, EnvironmentName, ItemName},
};
use std::{path::Path, sync::Arc};
use tokio::sync::watch;

/// Whose copies are made, and of what.
#[derive(Clone, Copy, Debug)]
pub struct BackUp<'a> {
    pub installation: &'a str,
    pub environment: &'a EnvironmentName,
    pub app: &'a AppName,
    pub backup: &'a Backup,
    /// All places of this host.
    pub places: &'a [AnyPlace],
    /// Where what is begun on data is noted.
    pub begun: &'a Path,
    /// These items alone; empty: all.
    pub only: &'a [ItemName],
    /// The revision before whose rollout they are made; none where somebody asked, or the schedule.
    pub before_revision: Option<u32>,
}

impl BackUp<'_> {
    /// Makes them.
    ///
    /// # Errors
    /// A place of the manifest is none of this host's; what a killed run left cannot be put away. What becomes of each item
    /// is in the account.
    pub async fn run<E: Engine>(
        &self,
        engine: &Arc<E>,
        ending: Option<watch::Receiver<bool>>,
    ) -> Result<Account, BackupError> {
        let holds = self.backup.items.iter().any(|item| stillness(&item.data).is_some());
        if holds {
            Holding::of(self.begun, self.environment, self.app).begin()?;
        }
        let ran = self.with(engine, ending, async |run| run.run().await).await;
        if !holds {
            return ran;
        }
        match (ran, bring_back(engine, self.installation, self.begun, (self.environment, self.app)).await) {
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
        self.with(engine, ending, async |run| run.catch_up().await).await
    }

    async fn with<E: Engine>(
        &self,
        engine: &Arc<E>,
        ending: Option<watch::Receiver<bool>>,
        work: impl AsyncFnOnce(Run<'_, Copies<E>>) -> Result<Account, BackupError>,
    ) -> Result<Account, BackupError> {
        let places = named(self.places, &self.backup.repositories)?;
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
