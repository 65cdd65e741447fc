//! Chooses the revision to converge on. Rollback lives here and nowhere else.

use super::entry::{AppLedger, Entry, Hold, HoldUntil, Outcome, RevisionKey};
use crate::plan::Cause;

/// Where an app should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// What the branch says.
    Head,
    /// An earlier revision, by the number of its original.
    Revision(u32),
    /// Nothing was ever stable and the head is condemned: what failed is stopped and kept for a look.
    Nothing,
    /// The revision it was to go to failed too, or is the same with the same values of secrets: nothing is tried until
    /// someone acts, and what runs is left running.
    Stay,
}

/// The head; unless the app is held or the head condemned, then the newest stable revision.
///
/// An automatic hold on the head itself is how `on_failure: halt` is said: the head is condemned, so the app stays.
#[must_use]
pub fn target(head: &RevisionKey, ledger: &AppLedger) -> Target {
    if let Some(hold) = active_hold(head, ledger) {
        return match hold.revision {
            None => Target::Nothing,
            Some(number) if revision_condemned(number, ledger) => Target::Stay,
            Some(number) => Target::Revision(number),
        };
    }
    if !condemned(head, ledger) {
        return Target::Head;
    }
    if fallback_failed(head, ledger) {
        return Target::Stay;
    }
    match newest_stable(ledger) {
        // A secret's new value was at fault, and every revision is given today's.
        Some(entry) if entry.key.differs_in_secrets_alone(head) => Target::Stay,
        Some(entry) => Target::Revision(entry.original()),
        None => Target::Nothing,
    }
}

/// The hold that still holds under this head.
#[must_use]
pub fn active_hold<'a>(head: &RevisionKey, ledger: &'a AppLedger) -> Option<&'a Hold> {
    ledger.hold.as_ref().filter(|hold| match &hold.until {
        HoldUntil::Resume => true,
        HoldUntil::Commit { manifest } => *manifest == head.manifest,
        HoldUntil::Revision { key } => key.agrees_with(head),
    })
}

/// True when this very revision failed by its own fault and nobody lifted it since. The newest attempt decides, so a
/// manifest that was put back by a revert shares the fate of what it repeats.
#[must_use]
pub fn condemned(key: &RevisionKey, ledger: &AppLedger) -> bool {
    ledger.entries.iter().rev().find(|entry| entry.key.agrees_with(key)).is_some_and(|entry| entry.condemned)
}

/// As `condemned`, for the original of that number.
#[must_use]
pub fn revision_condemned(number: u32, ledger: &AppLedger) -> bool {
    ledger
        .entries
        .iter()
        .find(|entry| entry.original() == number)
        .is_some_and(|original| condemned(&original.key, ledger))
}

/// The last thing that happened is that going back from this head failed: one more step back would be a chain through
/// the whole history.
fn fallback_failed(head: &RevisionKey, ledger: &AppLedger) -> bool {
    ledger.entries.last().is_some_and(|newest| {
        newest.origin.cause == Cause::Rollback && newest.condemned && !newest.key.agrees_with(head)
    })
}

/// The newest entry that was stable and whose revision did not fail since.
#[must_use]
pub fn newest_stable(ledger: &AppLedger) -> Option<&Entry> {
    ledger.entries.iter().rev().find(|entry| entry.stable && !condemned(&entry.key, ledger))
}

/// The entry in force: the newest that succeeded.
#[must_use]
pub fn in_force(ledger: &AppLedger) -> Option<&Entry> {
    newest_in_force(&ledger.entries)
}

fn newest_in_force(entries: &[Entry]) -> Option<&Entry> {
    entries.iter().rev().find(|entry| entry.stable || entry.outcome == Some(Outcome::Succeeded))
}

/// The entries that were to take the place of a revision while it was in force, newest first, whatever became of them.
pub fn successors(original: u32, ledger: &AppLedger) -> impl Iterator<Item = &Entry> {
    let entries = &ledger.entries;
    let gave_way = move |place: &usize| {
        let in_force = entries.get(..*place).and_then(newest_in_force);
        in_force.is_some_and(|entry| entry.original() == original)
    };
    let places = (0..entries.len()).rev().filter(gave_way).filter_map(|place| entries.get(place));
    places.filter(move |entry| entry.original() != original)
}

/// Where `rollback APP` goes: the newest stable revision older than the one in force. A rollback's entry stands where
/// its original stands, so two rollbacks go back twice.
#[must_use]
pub fn previous(ledger: &AppLedger) -> Option<u32> {
    let now = in_force(ledger)?.original();
    ledger
        .entries
        .iter()
        .filter(|entry| entry.stable && entry.original() < now && !condemned(&entry.key, ledger))
        .map(Entry::original)
        .max()
}
