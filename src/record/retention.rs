//! What is kept of the past, and what may go.

use super::{
    AppLedger, Entry, Ledger,
    ledger::Answer,
    rows,
    target::{condemned, in_force, newest_stable},
};
use crate::{
    plan::Cause,
    value::{AppName, EnvironmentName, ServiceName},
};
use rusqlite::params;
use std::collections::{BTreeMap, BTreeSet};

impl Ledger {
    /// Removes entries and folders beyond the newest `revisions` (at least one), never those in force, held, the
    /// newest stable or the last head, nor the originals of what is kept.
    pub async fn retain(&self, environment: &EnvironmentName, app: &AppName, revisions: usize) -> Answer<()> {
        let folders = self.folders(environment, app);
        let (environment, app) = (environment.clone(), app.clone());
        self.database
            .write("remove old revisions", move |connection| {
                let Some(id) = rows::find_app(connection, &environment, &app)? else { return Ok(()) };
                let ledger = rows::read_app(connection, id)?;
                let kept = kept_entries(&ledger, revisions);
                for entry in ledger.entries.iter().filter(|entry| !kept.contains(&entry.number)) {
                    connection
                        .execute("DELETE FROM entry WHERE app = ?1 AND number = ?2", params![id, entry.number])?;
                }
                // Folders without a row (from a kill, or from before the database was lost) are as old as their number.
                let mut numbers = folders.numbers()?;
                numbers.sort_unstable();
                let old = numbers.len().saturating_sub(revisions.max(1));
                for number in numbers.into_iter().take(old).filter(|number| !kept.contains(number)) {
                    folders.remove(number)?;
                }
                Ok(())
            })
            .await
    }

    /// The images to keep: of the revision in force, the held one, and the newest stable ones up to `images` in all or
    /// as many as the first two are. Number of the original to service to image id.
    pub async fn kept_images(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        images: usize,
    ) -> Answer<BTreeMap<u32, BTreeMap<ServiceName, String>>> {
        let (environment, app) = (environment.clone(), app.clone());
        self.database
            .read("read which images to keep", move |connection| {
                let Some(id) = rows::find_app(connection, &environment, &app)? else { return Ok(BTreeMap::new()) };
                let ledger = rows::read_app(connection, id)?;
                let mut kept = BTreeMap::new();
                for entry in kept_originals(&ledger, images) {
                    let services = rows::read_services(connection, id, entry.number)?.unwrap_or_default();
                    let known = services
                        .into_iter()
                        .filter_map(|(service, reference)| Some((service, entry.key.images.get(&reference)?.clone())));
                    kept.insert(entry.original(), known.collect());
                }
                Ok(kept)
            })
            .await
    }
}

/// The numbers of the entries that stay.
fn kept_entries(ledger: &AppLedger, revisions: usize) -> BTreeSet<u32> {
    let newest = ledger.entries.iter().rev().take(revisions.max(1));
    let held = ledger.hold.as_ref().and_then(|hold| ledger.entry(hold.revision?));
    let last_head = ledger.entries.iter().rev().find(|entry| entry.origin.cause != Cause::Rollback);
    newest
        .chain(in_force(ledger))
        .chain(newest_stable(ledger))
        .chain(held)
        .chain(last_head)
        .flat_map(|entry| [entry.number, entry.original()])
        .collect()
}

/// One entry of each revision whose images are kept, the newest that was stable.
fn kept_originals(ledger: &AppLedger, images: usize) -> Vec<&Entry> {
    let held = ledger.hold.as_ref().and_then(|hold| ledger.entry(hold.revision?));
    let mut kept: Vec<&Entry> = Vec::new();
    let mut keep = |entry, unless_full: bool| {
        let is_new = !kept.iter().any(|other: &&Entry| other.original() == Entry::original(entry));
        if is_new && !(unless_full && kept.len() >= images) {
            kept.push(entry);
        }
    };
    in_force(ledger).into_iter().chain(held).for_each(|entry| keep(entry, false));
    let stable = ledger.entries.iter().rev().filter(|entry| entry.stable && !condemned(&entry.key, ledger));
    stable.for_each(|entry| keep(entry, true));
    kept
}
