//! What is remembered of an app beside its history: baselines of containers, jobs done, pulls, events, and what did
//! not settle. Each is bounded.

use super::{
    Event, Learned, Ledger, NonConvergence,
    json::Json,
    ledger::Answer,
    rows::{self, AppId},
    stops,
    target::in_force,
};
use crate::{
    observed::{Applied, Baseline, JobKey, projection},
    value::{AppName, EnvironmentName, JobName},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, BTreeSet};

/// Events kept of each app.
const EVENTS: u32 = 200;
/// Jobs done and pulls kept of each app. A forgotten job runs again when its spec of long ago comes back (jobs run at
/// least once); a forgotten pull is made again.
const NEWEST: u32 = 100;

impl Ledger {
    /// What the ledger knows of `Applied`: number and merged manifest of the entry in force, baselines (with their
    /// projection only where `engine_version` and this release's projector gave it), jobs done, pulls, stops. The rest is at
    /// its default. A stored manifest that was altered is left out, with a warning: it only names what changed.
    pub async fn applied(&self, environment: &EnvironmentName, app: &AppName, engine_version: &str) -> Answer<Applied> {
        let folders = self.folders(environment, app);
        let (environment, app, engine) = (environment.clone(), app.clone(), engine_version.to_owned());
        self.database
            .read("read what was applied", move |connection| {
                let Some(id) = rows::find_app(connection, &environment, &app)? else { return Ok(Applied::default()) };
                let number = in_force(&rows::read_app(connection, id)?).map(|entry| entry.number);
                let digests = number.map(|number| rows::read_digests(connection, id, number)).transpose()?.flatten();
                let manifest = number.zip(digests).and_then(|(number, digests)| {
                    folders
                        .manifest(number, &digests)
                        .inspect_err(
                            |error| tracing::warn!(%environment, %app, %error, "the manifest in force is lost"),
                        )
                        .ok()
                });
                Ok(Applied {
                    number,
                    manifest,
                    baselines: baselines(connection, id, &engine)?,
                    jobs_done: jobs_done(connection, id)?,
                    pulls: pulls(connection, id)?,
                    stopped: stops::all(connection, id)?,
                    ..Applied::default()
                })
            })
            .await
    }

    /// Remembers what a container looked like when it was accepted.
    pub async fn learn(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        container_id: &str,
        learned: Learned,
    ) -> Answer<()> {
        let container = container_id.to_owned();
        self.wish("remember a container", environment, app, move |connection, id| {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO baseline (app, container, service, started_at, engine, projector, projection)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![
                    id,
                    container,
                    learned.service.as_str(),
                    learned.started_at.map(Json),
                    learned.engine_version,
                    projection::VERSION,
                    Json(&learned.projection)
                ])
                .map(drop)
        })
        .await
    }

    /// Forgets all containers of the app but these.
    pub async fn forget_others(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        container_ids: &BTreeSet<String>,
    ) -> Answer<()> {
        let kept = container_ids.clone();
        self.wish("forget containers", environment, app, move |connection, id| {
            connection
                .execute(
                    "DELETE FROM baseline WHERE app = ?1 AND container NOT IN (SELECT value FROM json_each(?2))",
                    params![id, Json(&kept)],
                )
                .map(drop)?;
            stops::keep_only(connection, id, &kept)
        })
        .await
    }

    /// Remembers that a job ran and exited 0.
    pub async fn job_done(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        job: &JobName,
        key: &JobKey,
        at: Timestamp,
    ) -> Answer<()> {
        let (job, key) = (job.clone(), key.clone());
        self.wish("remember a job", environment, app, move |connection, id| {
            connection.execute(
                "INSERT OR REPLACE INTO job_done (app, job, key, at) VALUES (?1, ?2, ?3, ?4)",
                params![id, job.as_str(), key.0, at.as_microsecond()],
            )?;
            connection
                .execute(
                    "DELETE FROM job_done WHERE app = ?1 AND (job, key) NOT IN
                     (SELECT job, key FROM job_done WHERE app = ?1 ORDER BY at DESC LIMIT ?2)",
                    params![id, NEWEST],
                )
                .map(drop)
        })
        .await
    }

    /// Remembers when a reference was last pulled for an app.
    pub async fn pulled(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        reference: &str,
        at: Timestamp,
    ) -> Answer<()> {
        let reference = reference.to_owned();
        self.wish("remember a pull", environment, app, move |connection, id| {
            connection.execute(
                "INSERT OR REPLACE INTO pull (app, reference, at) VALUES (?1, ?2, ?3)",
                params![id, reference, at.as_microsecond()],
            )?;
            connection
                .execute(
                    "DELETE FROM pull WHERE app = ?1 AND reference NOT IN
                     (SELECT reference FROM pull WHERE app = ?1 ORDER BY at DESC LIMIT ?2)",
                    params![id, NEWEST],
                )
                .map(drop)
        })
        .await
    }

    /// Notes something that happened without a new revision. The newest 200 of an app are kept.
    pub async fn event(&self, environment: &EnvironmentName, app: &AppName, event: Event) -> Answer<()> {
        self.wish("note an event", environment, app, move |connection, id| {
            connection.execute("INSERT INTO event (app, event) VALUES (?1, ?2)", params![id, Json(&event)])?;
            connection
                .execute(
                    "DELETE FROM event WHERE app = ?1 AND id <=
                     (SELECT id FROM event WHERE app = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                    params![id, EVENTS],
                )
                .map(drop)
        })
        .await
    }

    /// The newest events of an app, newest first.
    pub async fn events(&self, environment: &EnvironmentName, app: &AppName, newest: u32) -> Answer<Vec<Event>> {
        let (environment, app) = (environment.clone(), app.clone());
        self.database
            .read("read events", move |connection| {
                let Some(id) = rows::find_app(connection, &environment, &app)? else { return Ok(Vec::new()) };
                let mut events =
                    connection.prepare_cached("SELECT event FROM event WHERE app = ?1 ORDER BY id DESC LIMIT ?2")?;
                let events = events.query_map(params![id, newest], |row| Ok(row.get::<_, Json<Event>>(0)?.0))?;
                Ok(events.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Records that a revision does not settle; none forgets it.
    pub async fn set_nonconvergence(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        found: Option<NonConvergence>,
    ) -> Answer<()> {
        self.wish("record what does not settle", environment, app, move |connection, id| {
            connection
                .execute("UPDATE app SET nonconvergence = ?2 WHERE id = ?1", params![id, found.map(Json)])
                .map(drop)
        })
        .await
    }

    /// The revision of an app that did not settle, if any.
    pub async fn nonconvergence(&self, environment: &EnvironmentName, app: &AppName) -> Answer<Option<NonConvergence>> {
        let (environment, app) = (environment.clone(), app.clone());
        self.database
            .read("read what does not settle", move |connection| {
                let found = connection
                    .prepare_cached("SELECT nonconvergence FROM app WHERE environment = ?1 AND name = ?2")?
                    .query_row(params![environment.as_str(), app.as_str()], |row| {
                        row.get::<_, Option<Json<NonConvergence>>>(0)
                    })
                    .optional()?;
                Ok(found.flatten().map(|json| json.0))
            })
            .await
    }
}

fn baselines(connection: &Connection, id: AppId, engine: &str) -> rusqlite::Result<BTreeMap<String, Baseline>> {
    connection
        .prepare_cached("SELECT container, started_at, engine, projector, projection FROM baseline WHERE app = ?1")?
        .query_map([id], |row| {
            let comparable = row.get::<_, String>(2)? == engine && row.get::<_, u32>(3)? == projection::VERSION;
            // The text of another version is not even read: its form may be another.
            let projection = if comparable { Some(row.get::<_, Json<_>>(4)?.0) } else { None };
            let started_at = row.get::<_, Option<Json<Timestamp>>>(1)?.map(|json| json.0);
            Ok((row.get(0)?, Baseline { started_at, projection }))
        })?
        .collect()
}

fn jobs_done(connection: &Connection, id: AppId) -> rusqlite::Result<BTreeSet<(JobName, JobKey)>> {
    let rows: Vec<(String, String)> = connection
        .prepare_cached("SELECT job, key FROM job_done WHERE app = ?1")?
        .query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(rows.into_iter().filter_map(|(job, key)| Some((job.parse().ok()?, JobKey(key)))).collect())
}

fn pulls(connection: &Connection, id: AppId) -> rusqlite::Result<BTreeMap<String, Timestamp>> {
    let rows: Vec<(String, i64)> = connection
        .prepare_cached("SELECT reference, at FROM pull WHERE app = ?1")?
        .query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(rows
        .into_iter()
        .filter_map(|(reference, at)| Some((reference, Timestamp::from_microsecond(at).ok()?)))
        .collect())
}
