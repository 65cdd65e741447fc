//! Drills an item of an app: its newest good copy, restored where it harms nobody, and what came of it noted with the copy.
//! Whoever calls has the lock of the app's drills.

use super::{copies::Copies, well::Looking};
use crate::{
    backup::{AnyPlace, BackupError, Copy, Drilled, LastDrill, Notes, Of, drill::Drill, run::apart},
    cause,
    desired::{
        Backup, Desired,
        backup::{Data, Item},
    },
    engine::Engine,
    secret::age::Identities,
};
use std::sync::Arc;
use tokio::time::{Instant, timeout};

/// What of an app is drilled.
pub struct Drills<'a> {
    pub installation: &'a str,
    pub desired: &'a Desired,
    /// What the manifest says of it: how long one may take, and whether services are to become healthy with what came of it.
    pub backup: &'a Backup,
    /// The places of the manifest.
    pub places: &'a [AnyPlace],
    pub identities: Option<Arc<Identities>>,
    pub runs_healthchecks: bool,
    /// Where it is remembered what came of them.
    pub remembered: &'a Notes<LastDrill>,
}

impl Drills<'_> {
    /// Drills the newest copy of an item that is good, and remembers what came of it.
    ///
    /// # Errors
    /// There is none; what came of it cannot be noted with it. What went wrong in it is told by the copy.
    pub async fn run<E: Engine>(&self, engine: &Arc<E>, item: &Item) -> Result<Copy, BackupError> {
        let (environment, app) = (&self.desired.environment, &self.desired.app);
        let of = Of { environment: environment.clone(), app: app.clone(), item: item.name.clone() };
        let drilled = self.drill(engine, item, &of).await?;
        if let Some(last) = LastDrill::of(&drilled) {
            let notes = self.remembered.clone();
            if let Err(error) = apart(move || notes.note(&of, Some(&last))).await {
                tracing::warn!(error = cause::whole(&error), %app, "what came of a drill is not remembered");
            }
        }
        Ok(drilled)
    }

    async fn drill<E: Engine>(&self, engine: &Arc<E>, item: &Item, of: &Of) -> Result<Copy, BackupError> {
        let (environment, app) = (&of.environment, &of.app);
        let (from, copy) = self.newest(of).await?;
        let arena =
            Copies::for_drills(Arc::clone(engine), self.installation.to_owned(), environment.clone(), app.clone());
        let health =
            Looking { engine: engine.as_ref(), runs_healthchecks: self.runs_healthchecks, desired: self.desired };
        let is_server = item.data.server().is_some();
        let starts = self.backup.drill.as_ref().is_none_or(|drill| drill.healthcheck);
        let services = if starts || is_server { self.desired.users_of(&item.data) } else { Vec::new() };
        let drill = Drill {
            item,
            copy: &copy,
            from: &from,
            identities: self.identities.clone(),
            services: &services,
            arena: &arena,
            health: &health,
        };
        let (at, begun) = (engine.now(), Instant::now());
        let ran = timeout(self.backup.timeout, drill.run()).await;
        let ran = ran.unwrap_or_else(|_| Err(BackupError::Late { seconds: self.backup.timeout.as_secs() }));
        let drilled =
            Drilled { at, seconds: begun.elapsed().as_secs(), trouble: ran.err().map(|error| cause::whole(&error)) };
        let drilled_now = Copy { drilled: Some(drilled.clone()), ..copy.clone() };
        match apart(move || from.note(&copy, &|noted| noted.drilled = Some(drilled.clone()))).await {
            // What came of it holds all the same, and what went wrong is no wonder.
            Err(BackupError::Removed { .. }) if drilled_now.drilled.as_ref().is_some_and(Drilled::went_well) => {
                Ok(drilled_now)
            }
            noted => noted,
        }
    }

    /// The newest that is good, and where it is. A place that cannot be read keeps nobody from the others.
    async fn newest(&self, of: &Of) -> Result<(AnyPlace, Copy), BackupError> {
        let (mut newest, mut fault) = (None, None);
        for place in self.places {
            let (asked, of) = (AnyPlace::clone(place), of.clone());
            match apart(move || asked.newest(&of, &|copy| copy.is_good() && !copy.pinned)).await {
                Ok(found) => {
                    let found = found.map(|copy| (AnyPlace::clone(place), copy));
                    newest = newest
                        .into_iter()
                        .chain(found)
                        .max_by_key(|(place, copy): &(AnyPlace, Copy)| (copy.taken_at, place.is_near()));
                }
                Err(error) => {
                    tracing::warn!(%error, place = %place.name(), "the copies there are not drilled");
                    fault = Some(error);
                }
            }
        }
        let what = || format!("verified copy of {}/{}/{}", of.environment, of.app, of.item);
        newest.ok_or_else(|| fault.unwrap_or_else(|| BackupError::Missing { what: what() }))
    }
}

/// Whether anybody but its own command knows what a copy of it is good for.
#[must_use]
pub fn can_be(data: &Data) -> bool {
    match data {
        Data::Exec { .. } => false,
        Data::Sqlite { .. } | Data::Volume { .. } | Data::Postgres(_) | Data::Mysql(_) | Data::Redis { .. } => true,
    }
}
