//! Which copies a rollout waits for: those that its manifests ask for, less those that were made for it already.

use super::{Host, aim::Aim, converge::Course, entry};
use crate::{
    backup::{AnyPlace, Copy, Of, place::named},
    desired::{Backup, Desired, resolve},
    observed::{Container, Observed, Owed},
    plan::{Cause, copy_first},
    record::{Entry, HoldUntil, Target, target},
    value::ItemName,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// An attempt that is made again takes no further copy so soon, though nothing of its rollout has begun.
const YOUNG: SignedDuration = SignedDuration::from_hours(1);

/// The copies that are still to be made before what is gone for is rolled out; none where it is not rolled out.
pub async fn see<E>(host: &Host<E>, aim: &Aim) -> Option<Owed> {
    let is_rollout = aim.course == Course::Desired && entry::is_wanted(aim) && !is_way_back(aim);
    let asks = aim.desired.backup.is_some() && aim.observed.applied.number.is_some();
    if !is_rollout || !asks {
        return None;
    }
    let owed = copy_first::owed(&aim.desired, &aim.observed, &in_force(aim), &aim.plan())?;
    let Some(again) = tried_before(aim) else { return Some(owed) };
    let made = made(host, &aim.desired, &owed.backup, Counts::of(again, &aim.observed)).await;
    owed.without(&made)
}

/// Going back by itself is the end of a rollout that failed: what there was before it has been copied, and an app that is
/// down waits for nothing more.
fn is_way_back(aim: &Aim) -> bool {
    let by_hand = target::active_hold(&aim.head_key, &aim.ledger).is_some_and(|hold| match hold.until {
        HoldUntil::Resume | HoldUntil::Commit { .. } => true,
        HoldUntil::Revision { .. } => false,
    });
    match aim.target {
        Target::Revision(_) => !by_hand,
        Target::Head | Target::Nothing | Target::Stay => false,
    }
}

/// What runs, by the manifest in force; where that is lost, by what the branch says.
fn in_force(aim: &Aim) -> Desired {
    let Desired { environment, app, .. } = &aim.desired;
    let read = aim.observed.applied.manifest.as_ref().and_then(|manifest| {
        let read = resolve::resolve_stored(environment, app, manifest, &Default::default());
        read.inspect_err(|error| tracing::warn!(%environment, %app, %error, "the manifest in force cannot be read"))
            .ok()
    });
    read.unwrap_or_else(|| aim.desired.clone())
}

/// The newest entry, where it is another attempt at it that is made.
fn tried_before(aim: &Aim) -> Option<&Entry> {
    let newest = aim.ledger.entries.last()?;
    let is_same = match aim.target {
        Target::Revision(number) => newest.origin.cause == Cause::Rollback && newest.original() == number,
        Target::Head | Target::Nothing | Target::Stay => newest.origin.cause != Cause::Rollback,
    };
    (is_same && newest.is_unfinished() && newest.key.agrees_with(&aim.key)).then_some(newest)
}

/// Which copies count for an attempt.
#[derive(Clone, Copy)]
struct Counts {
    number: u32,
    /// Numbers begin anew where the history is lost: what is older belongs to another life.
    since: Timestamp,
    /// The app has written on since an older one was taken, and nothing of the rollout has begun.
    young: Timestamp,
}

impl Counts {
    fn of(entry: &Entry, observed: &Observed) -> Self {
        let (number, since) = (entry.number, entry.origin.at);
        let begun = |container: &Container| container.stopped || container.started_at.is_some_and(|at| at >= since);
        let young = observed.now.checked_sub(YOUNG).unwrap_or(since);
        let is_begun = observed.containers.values().any(begun);
        Self { number, since, young: if is_begun { since } else { young } }
    }

    fn has(self, copy: &Copy) -> bool {
        copy.is_good() && copy.before_revision == Some(self.number) && copy.taken_at >= self.since.max(self.young)
    }
}

/// The items of which there is a copy that counts, in any place.
async fn made<E>(host: &Host<E>, desired: &Desired, backup: &Backup, counts: Counts) -> BTreeSet<ItemName> {
    // A place that is not there has no copies.
    let places = named(&host.settings.depot.places, &backup.repositories).unwrap_or_default();
    let of =
        |item: &ItemName| Of { environment: desired.environment.clone(), app: desired.app.clone(), item: item.clone() };
    let items: Vec<Of> = backup.items.iter().map(|item| of(&item.name)).collect();
    let is_made = move |of: &Of| places.iter().any(|place| is_in(place, of, counts));
    let read = move || items.into_iter().filter(is_made).map(|of| of.item).collect();
    tokio::task::spawn_blocking(read).await.unwrap_or_default()
}

fn is_in(place: &AnyPlace, of: &Of, counts: Counts) -> bool {
    let found = place.newest(of, &|copy| counts.has(copy));
    found
        .inspect_err(|error| tracing::warn!(%error, item = %of.item, "copies cannot be read"))
        .is_ok_and(|it| it.is_some())
}
