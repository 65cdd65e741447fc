//! What becomes of copies once they are made: the places beside the first take over what they lack, and what the rules no
//! longer keep goes. A place that does not answer holds up itself alone.

use super::{
    AnyPlace, BackupError, Copy, CopyId, Fault, Kept, Limit, Of, Place, record, removable, take_over, verifying,
};
use crate::{
    cause::whole,
    desired::backup::Retention,
    value::{ItemName, RepositoryName},
};
use futures_util::future::join_all;
use jiff::{Timestamp, tz::TimeZone};
use std::collections::{BTreeMap, BTreeSet};

/// A place that did not get what it was to get, and why.
#[derive(Debug)]
pub struct Behind {
    pub place: RepositoryName,
    pub error: BackupError,
}

/// An item with a copy in the first place, and whether that is one for which older ones may go.
#[derive(Clone, Debug)]
pub(super) struct Copied {
    pub of: Of,
    pub retains: bool,
}

/// The rules of a manifest, at some time.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub retention: Retention,
    pub zone: TimeZone,
    pub now: Timestamp,
}

impl Rules {
    fn gone<'a>(&self, copies: impl IntoIterator<Item = &'a Copy>) -> BTreeSet<CopyId> {
        let kept: Vec<Kept> = copies.into_iter().map(Kept::from).collect();
        removable(&kept, &self.retention, &self.zone, self.now)
    }
}

/// What became of an item in a place: the copies that were removed.
pub(super) struct Became {
    pub place: RepositoryName,
    pub item: ItemName,
    pub removed: Result<Vec<CopyId>, BackupError>,
}

/// Has the other places take over what they lack of the first, side by side.
pub(super) async fn hand_on(
    first: &AnyPlace,
    others: &[AnyPlace],
    items: &[Copied],
    rules: &Rules,
    limit: &Limit,
) -> Vec<Became> {
    let became = others.iter().map(|other| catch_up(other, first, items, rules, limit));
    join_all(became).await.into_iter().flatten().collect()
}

/// Has a place take over what it lacks of each item. One that does not answer is not asked again for the next.
async fn catch_up(place: &AnyPlace, first: &AnyPlace, items: &[Copied], rules: &Rules, limit: &Limit) -> Vec<Became> {
    let (mut all, mut is_away) = (Vec::new(), false);
    for Copied { of, retains } in items.iter().cloned() {
        let item = of.item.clone();
        let removed = if is_away {
            Err(BackupError::Remote {
                doing: "write",
                path: place.path_of(&of, ""),
                fault: Fault::Away,
                source: "it did not answer for another item, and is not asked again in this run".into(),
            })
        } else {
            let (place, first, rules) = (AnyPlace::clone(place), AnyPlace::clone(first), rules.clone());
            let became = limit.apart(move || {
                take_over_missing(place.as_ref(), first.as_ref(), &of, &rules)?;
                // Where the newest is not, nothing goes.
                if retains { retain(place.as_ref(), &of, &rules) } else { Ok(Vec::new()) }
            });
            became.await
        };
        is_away = matches!(removed, Err(BackupError::Remote { fault: Fault::Away, .. }));
        all.push(Became { place: place.name().clone(), item, removed });
    }
    all
}

/// The newest comes first; also what the place missed before, unless the rules keep it no longer.
fn take_over_missing(place: &dyn Place, first: &dyn Place, of: &Of, rules: &Rules) -> Result<(), BackupError> {
    place.sweep(of)?;
    let there = place.files(of)?;
    // Records that cannot be read are told of by others.
    let (here, theirs) = (first.copies(of)?.copies, place.copies(of)?.copies);
    // By what the place will keep when it has them: what it has that is good, and is not here, counts there.
    let all: BTreeMap<&CopyId, &Copy> = here.iter().chain(&theirs).map(|copy| (&copy.id, copy)).collect();
    let gone = rules.gone(all.into_values());
    let is_missing =
        |copy: &&Copy| copy.verified.is_some() && !gone.contains(&copy.id) && !there.contains(&record::name(&copy.id));
    for (number, copy) in here.iter().enumerate().filter(|(_, copy)| is_missing(copy)) {
        match take_over(place, first, copy) {
            // An old copy that is no longer what it was is no copy: it keeps no other from its way, and is not tried again.
            Err(error @ BackupError::Altered { .. }) if number > 0 && is_altered(first, copy) => {
                tracing::warn!(error = whole(&error), copy = %copy.id, "a copy is not what was written, and not handed on");
                first.note(copy, &|noted| noted.verified = None)?;
            }
            taken => drop(taken?),
        }
    }
    Ok(())
}

/// Whether it is what it was no longer; or else it is the other place that gave back something else.
fn is_altered(first: &dyn Place, copy: &Copy) -> bool {
    matches!(verifying::file(first, copy, None), Err(BackupError::Altered { .. }))
}

/// Removes what the rules keep no longer.
pub(super) fn retain(place: &dyn Place, of: &Of, rules: &Rules) -> Result<Vec<CopyId>, BackupError> {
    let found = place.copies(of)?;
    // Something here is not understood, so nothing is removed.
    if let Some(fault) = found.faults.into_iter().next() {
        return Err(fault);
    }
    let gone = rules.gone(&found.copies);
    for copy in found.copies.iter().filter(|copy| gone.contains(&copy.id)) {
        place.remove(copy)?;
    }
    Ok(gone.into_iter().collect())
}
