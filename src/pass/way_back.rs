//! What there is of the data as the revision left it that is gone back to.

use super::{Host, aim::Aim, entry};
use crate::{
    backup::AnyPlace,
    cause,
    record::{Target, target},
    show::copy_before::{CopyBefore, before},
    value::{AppName, EnvironmentName},
};
use std::collections::BTreeSet;

/// The copies that were taken when the revision gave way to another, the newest time that any were; empty where nothing is
/// gone back to. A rollback brings no data back by itself.
pub async fn see<E>(host: &Host<E>, aim: &Aim) -> Vec<CopyBefore> {
    let Target::Revision(number) = aim.target else { return Vec::new() };
    if !entry::is_wanted(aim) {
        return Vec::new();
    }
    let (places, environment, app) =
        (host.settings.depot.places.clone(), aim.desired.environment.clone(), aim.desired.app.clone());
    let read = tokio::task::spawn_blocking(move || copies_before(&places, &environment, &app));
    let copies = read.await.unwrap_or_default();
    let of = |entry| -> Vec<CopyBefore> { before(&copies, entry).into_iter().cloned().collect() };
    target::successors(number, &aim.ledger).map(of).find(|found| !found.is_empty()).unwrap_or_default()
}

/// The copies of an app that were taken before its revisions, oldest first, each once in however many places it is. Blocks.
#[must_use]
pub fn copies_before(places: &[AnyPlace], environment: &EnvironmentName, app: &AppName) -> Vec<CopyBefore> {
    let mut seen = BTreeSet::new();
    let in_place = |place: &AnyPlace| {
        place.before_rollouts(environment, app).unwrap_or_else(|error| {
            tracing::warn!(%app, place = %place.name(), error = cause::whole(&error), "copies cannot be read: they count as none");
            Vec::new()
        })
    };
    let mut found: Vec<CopyBefore> =
        places.iter().flat_map(in_place).filter_map(|copy| CopyBefore::of(&copy)).collect();
    found.retain(|copy| seen.insert((copy.item.clone(), copy.id.clone())));
    found.sort_by(|a, b| (a.taken_at, &a.item).cmp(&(b.taken_at, &b.item)));
    found
}
