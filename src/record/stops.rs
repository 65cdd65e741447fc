//! Which runs of containers the tool set out to stop. To an engine, one that we ended, one that a hand ended and one that
//! ended by itself are the same; a pass that is killed between its stop and its start would leave the next one guessing.

use super::{Ledger, json::Json, ledger::Answer, rows::AppId};
use crate::value::{AppName, EnvironmentName};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet};

impl Ledger {
    /// Remembers, before it is done, that a run of a container is to be stopped.
    pub async fn will_stop(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        container_id: &str,
        started_at: Option<Timestamp>,
    ) -> Answer<()> {
        let container = container_id.to_owned();
        self.wish("remember a stop", environment, app, move |connection, id| {
            connection
                .prepare_cached("INSERT OR REPLACE INTO stopped (app, container, started_at) VALUES (?1, ?2, ?3)")?
                .execute(params![id, container, started_at.map(Json)])
                .map(drop)
        })
        .await
    }

    /// Forgets a stop that did not happen.
    pub async fn forget_stop(&self, environment: &EnvironmentName, app: &AppName, container_id: &str) -> Answer<()> {
        let container = container_id.to_owned();
        self.wish("forget a stop", environment, app, move |connection, id| {
            connection
                .execute("DELETE FROM stopped WHERE app = ?1 AND container = ?2", params![id, container])
                .map(drop)
        })
        .await
    }
}

/// All of an app: container id to the start of the run.
pub(super) fn all(connection: &Connection, id: AppId) -> rusqlite::Result<BTreeMap<String, Option<Timestamp>>> {
    // A look at the database of an earlier release finds it as that release left it.
    if !connection.table_exists(None, "stopped")? {
        return Ok(BTreeMap::new());
    }
    connection
        .prepare_cached("SELECT container, started_at FROM stopped WHERE app = ?1")?
        .query_map([id], |row| Ok((row.get(0)?, row.get::<_, Option<Json<Timestamp>>>(1)?.map(|json| json.0))))?
        .collect()
}

/// Forgets those of containers that are gone.
pub(super) fn keep_only(connection: &Connection, id: AppId, containers: &BTreeSet<String>) -> rusqlite::Result<()> {
    connection
        .execute(
            "DELETE FROM stopped WHERE app = ?1 AND container NOT IN (SELECT value FROM json_each(?2))",
            params![id, Json(containers)],
        )
        .map(drop)
}
