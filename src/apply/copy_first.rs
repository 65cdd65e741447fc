//! Makes the copies that come before a rollout. Whoever calls has the app's lock.

use super::{StepError, back_up::BackUp};
use crate::{
    backup::{AnyPlace, BackupError, Copy, Depot, Of, place::named, run::Account},
    cause::whole,
    desired::Backup,
    engine::Engine,
    observed::Effect,
    value::{AppName, EnvironmentName, ItemName},
};
use std::sync::Arc;
use tokio::sync::watch;

/// Which copies are made, and before what.
#[derive(Clone, Debug, PartialEq)]
pub struct CopyFirst {
    pub installation: String,
    pub environment: EnvironmentName,
    pub app: AppName,
    pub backup: Backup,
    /// The ledger's number of what is rolled out after them.
    pub before_revision: Option<u32>,
}

impl CopyFirst {
    /// Makes them, until somebody gives it up.
    ///
    /// # Errors
    /// One of them is not there, or not to be relied on.
    pub async fn run<E: Engine>(
        &self,
        engine: &Arc<E>,
        depot: &Depot,
        given_up: Option<watch::Receiver<bool>>,
    ) -> Result<Effect, StepError> {
        let back_up = BackUp {
            installation: &self.installation,
            environment: &self.environment,
            app: &self.app,
            backup: &self.backup,
            depot,
            only: &[],
            before_revision: self.before_revision,
        };
        let account = back_up.run(engine, given_up).await.map_err(|error| self.none(&self.items(), error))?;
        for copy in account.items.iter().filter_map(|made| made.outcome.as_ref().ok()).filter(|copy| !copy.is_good()) {
            self.keep_only(copy, &depot.places).await;
        }
        self.judge(account)
    }

    /// Of several that are suspect for one rollout, which is tried again and again, the newest is enough.
    async fn keep_only(&self, newest: &Copy, places: &[AnyPlace]) {
        let of = Of { environment: self.environment.clone(), app: self.app.clone(), item: newest.item.clone() };
        for place in named(places, &self.backup.repositories).unwrap_or_default() {
            let (of, id, before) = (of.clone(), newest.id.clone(), newest.before_revision);
            let is_older =
                move |copy: &&Copy| copy.id != id && copy.before_revision == before && !copy.is_good() && !copy.pinned;
            let remove = move || {
                let found = place.copies(&of)?;
                found.copies.iter().filter(is_older).try_for_each(|copy| place.remove(copy))
            };
            match tokio::task::spawn_blocking(remove).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(app = %self.app, error = whole(&error), "a suspect copy is not removed")
                }
                Err(error) => tracing::warn!(app = %self.app, %error, "a suspect copy is not removed"),
            }
        }
    }

    fn items(&self) -> Vec<ItemName> {
        self.backup.items.iter().map(|item| item.name.clone()).collect()
    }

    fn judge(&self, account: Account) -> Result<Effect, StepError> {
        let (mut lacking, mut first, mut hooks) = (self.items(), None, account.hooks.into_iter());
        for made in account.items {
            for error in made.troubles().filter(|error| !matches!(error, BackupError::AfterRollout)) {
                let (app, item) = (&self.app, &made.item);
                tracing::warn!(%app, %item, error = whole(error), "copied, and something else went wrong");
            }
            match made.outcome {
                Ok(copy) if copy.is_good() => lacking.retain(|item| *item != made.item),
                outcome => first = first.or(Some(why(outcome))),
            }
        }
        if !lacking.is_empty() {
            let broke_off = || BackupError::Source { why: "it broke off".to_owned() };
            return Err(self.none(&lacking, first.or_else(|| hooks.next()).unwrap_or_else(broke_off)));
        }
        for error in hooks {
            tracing::warn!(app = %self.app, error = whole(&error), "copied, and a hook failed");
        }
        Ok(Effect::Done)
    }

    fn none(&self, items: &[ItemName], source: BackupError) -> StepError {
        let names: Vec<String> = items.iter().map(|item| format!("`{item}`")).collect();
        StepError::NoCopy { items: names.join(", "), source }
    }
}

/// Why there is nothing to rely on.
fn why(outcome: Result<Copy, BackupError>) -> BackupError {
    match outcome {
        Err(error) => error,
        Ok(Copy { id, suspect, .. }) => BackupError::Suspect { id, why: suspect.unwrap_or_default() },
    }
}
