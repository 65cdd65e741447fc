//! When the daemon tries an app again, for those who ask meanwhile.

use super::{Ledger, ledger::Answer, rows};
use crate::value::{AppName, EnvironmentName};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

impl Ledger {
    /// Notes when an app is tried again; none: it is not waiting.
    pub async fn will_retry(&self, environment: &EnvironmentName, app: &AppName, at: Option<Timestamp>) -> Answer<()> {
        self.wish("note when an app is tried again", environment, app, move |connection, id| {
            match at {
                None => connection.execute("DELETE FROM retry WHERE app = ?1", [id]),
                Some(at) => connection.execute(
                    "INSERT OR REPLACE INTO retry (app, at) VALUES (?1, ?2)",
                    params![id, at.as_microsecond()],
                ),
            }
            .map(drop)
        })
        .await
    }

    /// When the daemon tries an app again, as it said last; it may be gone since, so only a time to come counts.
    pub async fn retries_at(&self, environment: &EnvironmentName, app: &AppName) -> Answer<Option<Timestamp>> {
        let (environment, app) = (environment.clone(), app.clone());
        self.database
            .read("look when an app is tried again", move |connection| {
                // A look at the database of an earlier release finds it as that release left it.
                let id = rows::find_app(connection, &environment, &app)?;
                let (Some(id), true) = (id, connection.table_exists(None, "retry")?) else { return Ok(None) };
                let at: Option<i64> = connection
                    .prepare_cached("SELECT at FROM retry WHERE app = ?1")?
                    .query_row([id], |row| row.get(0))
                    .optional()?;
                Ok(at.and_then(|at| Timestamp::from_microsecond(at).ok()))
            })
            .await
    }
}
