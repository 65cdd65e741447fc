//! The ledger: every app's history of revisions.
//!
//! Files come before rows and rows are written in one transaction, so a kill at any moment leaves either nothing or a
//! whole entry, and at most a folder without a row, whose number is then skipped.

use super::{
    AppLedger, Close, Delivered, Documents, Entry, NewEntry, Provenance, RecordError,
    database::{Database, Failure},
    folder::{Folders, Texts},
    opening::{Opening, opening},
    rows::{self, AppId, Services},
};
use crate::{
    plan::Cause,
    value::{AppName, EnvironmentName},
};
use rusqlite::Connection;
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// What a question to the ledger comes back with.
pub type Answer<T> = Result<T, RecordError>;

/// The ledger of all apps; cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    pub(super) database: Database,
    revisions: Arc<PathBuf>,
}

impl Ledger {
    pub(super) fn new(database: Database, revisions: PathBuf) -> Self {
        Self { database, revisions: Arc::new(revisions) }
    }

    pub(super) fn folders(&self, environment: &EnvironmentName, app: &AppName) -> Folders {
        Folders::new(self.revisions.join(environment.as_str()).join(app.as_str()))
    }

    /// What decides an app's target: entries oldest first, hold, suspension. Empty when nothing was recorded.
    pub async fn app(&self, environment: &EnvironmentName, app: &AppName) -> Answer<AppLedger> {
        let (environment, app) = (environment.clone(), app.clone());
        self.database
            .read("read the history", move |connection| match rows::find_app(connection, &environment, &app)? {
                Some(id) => Ok(rows::read_app(connection, id)?),
                None => Ok(AppLedger::default()),
            })
            .await
    }

    /// The apps of an environment that have any record, by name.
    pub async fn apps(&self, environment: &EnvironmentName) -> Answer<Vec<AppName>> {
        let environment = environment.clone();
        self.database
            .read("read the apps", move |connection| {
                let mut names =
                    connection.prepare_cached("SELECT name FROM app WHERE environment = ?1 ORDER BY name")?;
                let names = names.query_map([environment.as_str()], |row| row.get::<_, String>(0))?;
                // A name that is none could only be put there by hand; it belongs to no app.
                Ok(names.collect::<Result<Vec<_>, _>>()?.iter().filter_map(|name| name.parse().ok()).collect())
            })
            .await
    }

    /// All apps that the ledger knows, in every environment.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn everyone(&self) -> Answer<Vec<(EnvironmentName, AppName)>> {
        self.database
            .read("read the apps", |connection| {
                let mut names =
                    connection.prepare_cached("SELECT environment, name FROM app ORDER BY environment, name")?;
                let names = names.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
                let names = names.collect::<Result<Vec<_>, _>>()?;
                Ok(names.iter().filter_map(|(of, name)| Some((of.parse().ok()?, name.parse().ok()?))).collect())
            })
            .await
    }

    /// Opens an entry before its first effect and tells its number. Another attempt at the newest entry takes that
    /// entry again and changes nothing of it but what became known of its images; numbers are never reused.
    ///
    /// Belongs under the app's lock.
    pub async fn open(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        new: NewEntry,
        documents: Documents<'_>,
    ) -> Answer<u32> {
        let texts = Texts::of(documents)?;
        let services = services(documents.manifest);
        let folders = self.folders(environment, app);
        let (environment, app) = (environment.clone(), app.clone());
        self.database
            .write("open a revision", move |connection| {
                let id = rows::find_or_add_app(connection, &environment, &app)?;
                let ledger = rows::read_app(connection, id)?;
                match opening(&new, &ledger) {
                    Opening::Again(entry) => {
                        let again = entry.clone().delivering(new.delivered.clone());
                        if again != *entry {
                            rows::write_entry(connection, id, &again)?;
                        }
                        learn_images(connection, id, again, &new.key.images, &new.digests)?;
                        Ok(entry.number)
                    }
                    Opening::New { restores } => {
                        // Folders count too: one may be left from a kill, or from before the database was lost.
                        let newest = ledger.entries.last().map_or(0, |entry| entry.number);
                        let number = folders.numbers()?.into_iter().fold(newest, u32::max) + 1;
                        let digests = folders.write(number, &texts)?;
                        rows::add_entry(connection, id, &begun(number, restores, new), &services, &digests)?;
                        Ok(number)
                    }
                }
            })
            .await
    }

    /// Adds image ids that became known after `open`, reference to id, so that the entry's images can be kept.
    pub async fn resolved(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        number: u32,
        images: &BTreeMap<String, String>,
    ) -> Answer<()> {
        let images = images.clone();
        self.change(environment, app, number, move |connection, id, entry| {
            learn_images(connection, id, entry, &images, &BTreeMap::new())
        })
        .await
    }

    /// Adds what containers of an entry are about to be delivered, before it is: until that has succeeded
    /// ([`Ledger::was_delivered`]), what they had before may still be shown.
    pub async fn will_deliver(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        number: u32,
        delivered: Delivered,
    ) -> Answer<()> {
        self.change(environment, app, number, move |connection, id, entry| {
            Ok(rows::write_entry(connection, id, &entry.delivering(Some(delivered)))?)
        })
        .await
    }

    /// Records that all containers of an entry were delivered this, and none has anything else any more.
    pub async fn was_delivered(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        number: u32,
        delivered: Delivered,
    ) -> Answer<()> {
        self.change(environment, app, number, move |connection, id, entry| {
            Ok(rows::write_entry(connection, id, &Entry { delivered: vec![delivered], ..entry })?)
        })
        .await
    }

    /// Records how an attempt at an entry ended. An entry that was stable stays so unless it is condemned now: a world
    /// that failed it says nothing about it.
    pub async fn close(&self, environment: &EnvironmentName, app: &AppName, number: u32, close: Close) -> Answer<()> {
        let folders = self.folders(environment, app);
        self.change(environment, app, number, move |connection, id, entry| {
            folders.write_outcome(number, &close.detail)?;
            let stable = close.stable || (entry.stable && !close.condemned);
            let closed = Entry { outcome: Some(close.outcome), stable, condemned: close.condemned, ..entry };
            rows::write_entry(connection, id, &closed)?;
            if let Some(hold) = &close.hold {
                rows::write_hold(connection, id, Some(hold))?;
            }
            Ok(())
        })
        .await
    }

    /// The merged manifest of an entry, as it was recorded.
    ///
    /// # Errors
    /// `NoRevision`; `Altered` when the file is not what was written.
    pub async fn stored_manifest(&self, environment: &EnvironmentName, app: &AppName, number: u32) -> Answer<Value> {
        let folders = self.folders(environment, app);
        let (environment, app) = (environment.clone(), app.clone());
        self.database
            .read("read a revision", move |connection| {
                let id = rows::find_app(connection, &environment, &app)?;
                let digests = id.map(|id| rows::read_digests(connection, id, number)).transpose()?.flatten();
                let digests = digests.ok_or_else(|| no_revision(&environment, &app, number))?;
                Ok(folders.manifest(number, &digests)?)
            })
            .await
    }

    /// How the newest attempt at an entry ended, as it was given to `close`; none where nothing tells it.
    pub async fn stored_outcome(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        number: u32,
    ) -> Answer<Option<Value>> {
        let folders = self.folders(environment, app);
        self.database.read("read an outcome", move |_| Ok(folders.newest_outcome(number)?)).await
    }

    /// Changes an entry that is there.
    async fn change(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        number: u32,
        change: impl FnOnce(&Connection, AppId, Entry) -> Result<(), Failure> + Send + 'static,
    ) -> Answer<()> {
        let (environment, app) = (environment.clone(), app.clone());
        self.database
            .write("record a revision", move |connection| {
                let id = rows::find_app(connection, &environment, &app)?;
                let entry = id.map(|id| rows::read_entry(connection, id, number)).transpose()?.flatten();
                match (id, entry) {
                    (Some(id), Some(entry)) => change(connection, id, entry),
                    (Some(_) | None, _) => Err(no_revision(&environment, &app, number).into()),
                }
            })
            .await
    }
}

fn begun(number: u32, restores: Option<u32>, new: NewEntry) -> Entry {
    // A rollback is told from a head by its cause, so whoever names what to bring back asks for a rollback.
    let cause = if new.restores.is_some() { Cause::Rollback } else { new.origin.cause };
    let origin = Provenance { cause, ..new.origin };
    let (key, digests, delivered) = (new.key, new.digests, new.delivered.into_iter().collect());
    Entry { number, restores, key, digests, delivered, origin, outcome: None, stable: false, condemned: false }
}

fn learn_images(
    connection: &Connection,
    id: AppId,
    mut entry: Entry,
    images: &BTreeMap<String, String>,
    digests: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let says = |known: &BTreeMap<String, String>, learned: &BTreeMap<String, String>| {
        learned.iter().all(|(reference, image)| known.get(reference) == Some(image))
    };
    if !says(&entry.key.images, images) || !says(&entry.digests, digests) {
        entry.key.images.extend(images.clone());
        entry.digests.extend(digests.clone());
        rows::write_entry(connection, id, &entry)?;
    }
    Ok(())
}

/// Which image reference each service of a merged manifest names.
fn services(manifest: &Value) -> Services {
    let services = manifest.get("services").and_then(Value::as_object);
    let image =
        |(name, service): (&String, &Value)| Some((name.parse().ok()?, service.get("image")?.as_str()?.to_owned()));
    services.into_iter().flatten().filter_map(image).collect()
}

fn no_revision(environment: &EnvironmentName, app: &AppName, number: u32) -> RecordError {
    RecordError::NoRevision { environment: environment.to_string(), app: app.to_string(), number }
}
