//! What people ask of an app: hold, release, suspend, resume. Short transactions that take no lock, so that they are
//! written while a pass runs, which sees them through its `IntentWatch`.

use super::{
    Hold, HoldUntil, Ledger, Suspension,
    ledger::Answer,
    rows::{self, AppId},
};
use crate::value::{AppName, EnvironmentName};
use rusqlite::Connection;

impl Ledger {
    /// Holds an app; an earlier hold is replaced. The revision that a person names is worth one more try, so its
    /// condemnation is lifted; an automatic hold (`HoldUntil::Revision`) lifts none.
    pub async fn hold(&self, environment: &EnvironmentName, app: &AppName, hold: Hold) -> Answer<()> {
        self.wish("hold an app", environment, app, move |connection, id| {
            let named = match hold.until {
                HoldUntil::Resume | HoldUntil::Commit { .. } => hold.revision,
                HoldUntil::Revision { .. } => None,
            };
            if let Some(number) = named {
                let ledger = rows::read_app(connection, id)?;
                let key = ledger.entry(number).map(|original| original.key.clone());
                rows::lift(connection, id, &ledger, |entry| {
                    key.as_ref().is_some_and(|key| entry.key.agrees_with(key))
                })?;
            }
            rows::write_hold(connection, id, Some(&hold))
        })
        .await
    }

    /// Ends a hold; with `lift_condemnations` the app's condemned revisions may be tried again.
    pub async fn release(&self, environment: &EnvironmentName, app: &AppName, lift_condemnations: bool) -> Answer<()> {
        self.wish("release an app", environment, app, move |connection, id| release(connection, id, lift_condemnations))
            .await
    }

    /// Suspends an app; an earlier suspension is replaced.
    pub async fn suspend(&self, environment: &EnvironmentName, app: &AppName, suspension: Suspension) -> Answer<()> {
        self.wish("suspend an app", environment, app, move |connection, id| {
            rows::write_suspension(connection, id, Some(&suspension))
        })
        .await
    }

    /// What `reconcile resume` does: ends suspension and hold, lifts condemnations, forgets what did not settle.
    pub async fn resume(&self, environment: &EnvironmentName, app: &AppName) -> Answer<()> {
        self.wish("resume an app", environment, app, |connection, id| {
            rows::write_suspension(connection, id, None)?;
            connection.execute("UPDATE app SET nonconvergence = NULL WHERE id = ?1", [id])?;
            release(connection, id, true)
        })
        .await
    }

    /// Writes about an app, of which nothing may have been recorded yet.
    pub(super) async fn wish(
        &self,
        doing: &'static str,
        environment: &EnvironmentName,
        app: &AppName,
        wish: impl FnOnce(&Connection, AppId) -> rusqlite::Result<()> + Send + 'static,
    ) -> Answer<()> {
        let (environment, app) = (environment.clone(), app.clone());
        self.database
            .write(doing, move |connection| {
                let id = rows::find_or_add_app(connection, &environment, &app)?;
                Ok(wish(connection, id)?)
            })
            .await
    }
}

fn release(connection: &Connection, id: AppId, lift_condemnations: bool) -> rusqlite::Result<()> {
    if lift_condemnations {
        rows::lift(connection, id, &rows::read_app(connection, id)?, |_| true)?;
    }
    rows::write_hold(connection, id, None)
}
