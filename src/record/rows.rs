//! The rows of apps and entries.

use super::{AppLedger, Entry, Hold, Suspension, folder::Digests, json::Json};
use crate::value::{AppName, EnvironmentName, ServiceName};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;

/// The row of an app.
pub(super) type AppId = i64;

/// Service to image reference, as an entry's manifest names them.
pub(super) type Services = BTreeMap<ServiceName, String>;

pub(super) fn find_app(
    connection: &Connection,
    environment: &EnvironmentName,
    app: &AppName,
) -> rusqlite::Result<Option<AppId>> {
    connection
        .prepare_cached("SELECT id FROM app WHERE environment = ?1 AND name = ?2")?
        .query_row(params![environment.as_str(), app.as_str()], |row| row.get(0))
        .optional()
}

pub(super) fn find_or_add_app(
    connection: &Connection,
    environment: &EnvironmentName,
    app: &AppName,
) -> rusqlite::Result<AppId> {
    if let Some(id) = find_app(connection, environment, app)? {
        return Ok(id);
    }
    connection
        .execute("INSERT INTO app (environment, name) VALUES (?1, ?2)", params![environment.as_str(), app.as_str()])?;
    Ok(connection.last_insert_rowid())
}

/// What people asked of an app.
pub(super) fn read_wishes(connection: &Connection, id: AppId) -> rusqlite::Result<(Option<Hold>, Option<Suspension>)> {
    connection.prepare_cached("SELECT hold, suspension FROM app WHERE id = ?1")?.query_row([id], |row| {
        let hold = row.get::<_, Option<Json<Hold>>>(0)?;
        let suspension = row.get::<_, Option<Json<Suspension>>>(1)?;
        Ok((hold.map(|json| json.0), suspension.map(|json| json.0)))
    })
}

/// What people asked of each app of an environment.
pub(super) fn read_all_wishes(
    connection: &Connection,
    environment: &EnvironmentName,
) -> rusqlite::Result<BTreeMap<AppName, super::Wishes>> {
    let mut apps = connection.prepare_cached("SELECT id, name FROM app WHERE environment = ?1")?;
    let apps = apps.query_map([environment.as_str()], |row| Ok((row.get::<_, AppId>(0)?, row.get::<_, String>(1)?)))?;
    let apps = apps.collect::<Result<Vec<_>, _>>()?;
    // A name that is none could only be put there by hand; it belongs to no app.
    let apps = apps.into_iter().filter_map(|(id, name)| Some((id, name.parse().ok()?)));
    apps.map(|(id, app)| Ok((app, read_wishes(connection, id)?))).collect()
}

pub(super) fn read_app(connection: &Connection, id: AppId) -> rusqlite::Result<AppLedger> {
    let (hold, suspended) = read_wishes(connection, id)?;
    let entries = connection
        .prepare_cached("SELECT entry FROM entry WHERE app = ?1 ORDER BY number")?
        .query_map([id], |row| Ok(row.get::<_, Json<Entry>>(0)?.0))?
        .collect::<Result<_, _>>()?;
    Ok(AppLedger { entries, hold, suspended })
}

pub(super) fn read_entry(connection: &Connection, id: AppId, number: u32) -> rusqlite::Result<Option<Entry>> {
    connection
        .prepare_cached("SELECT entry FROM entry WHERE app = ?1 AND number = ?2")?
        .query_row(params![id, number], |row| Ok(row.get::<_, Json<Entry>>(0)?.0))
        .optional()
}

pub(super) fn read_services(connection: &Connection, id: AppId, number: u32) -> rusqlite::Result<Option<Services>> {
    connection
        .prepare_cached("SELECT services FROM entry WHERE app = ?1 AND number = ?2")?
        .query_row(params![id, number], |row| Ok(row.get::<_, Json<Services>>(0)?.0))
        .optional()
}

pub(super) fn read_digests(connection: &Connection, id: AppId, number: u32) -> rusqlite::Result<Option<Digests>> {
    connection
        .prepare_cached("SELECT digests FROM entry WHERE app = ?1 AND number = ?2")?
        .query_row(params![id, number], |row| Ok(row.get::<_, Json<Digests>>(0)?.0))
        .optional()
}

pub(super) fn add_entry(
    connection: &Connection,
    id: AppId,
    entry: &Entry,
    services: &Services,
    digests: &Digests,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO entry (app, number, entry, services, digests) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![id, entry.number, Json(entry), Json(services), Json(digests)],
    )?;
    Ok(())
}

pub(super) fn write_entry(connection: &Connection, id: AppId, entry: &Entry) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE entry SET entry = ?3 WHERE app = ?1 AND number = ?2",
        params![id, entry.number, Json(entry)],
    )?;
    Ok(())
}

pub(super) fn write_hold(connection: &Connection, id: AppId, hold: Option<&Hold>) -> rusqlite::Result<()> {
    connection.execute("UPDATE app SET hold = ?2 WHERE id = ?1", params![id, hold.map(Json)])?;
    Ok(())
}

pub(super) fn write_suspension(
    connection: &Connection,
    id: AppId,
    suspension: Option<&Suspension>,
) -> rusqlite::Result<()> {
    connection.execute("UPDATE app SET suspension = ?2 WHERE id = ?1", params![id, suspension.map(Json)])?;
    Ok(())
}

/// Lets condemned entries be tried again: those that `which` names.
pub(super) fn lift(
    connection: &Connection,
    id: AppId,
    ledger: &AppLedger,
    which: impl Fn(&Entry) -> bool,
) -> rusqlite::Result<()> {
    for entry in ledger.entries.iter().filter(|entry| entry.condemned && which(entry)) {
        write_entry(connection, id, &Entry { condemned: false, ..entry.clone() })?;
    }
    Ok(())
}
