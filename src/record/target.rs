//! Chooses the revision to converge on. Rollback lives here and nowhere else.

use super::entry::{AppLedger, Entry, HoldUntil, RevisionKey};

/// Where an app should go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// What the branch says.
    Head,
    /// An earlier revision, by the number of its original.
    Revision(u32),
    /// Nothing was ever stable and the head is condemned: what failed is stopped and kept for a look.
    Nothing,
    /// The revision it was to go to failed too: nothing is tried until someone acts, and what runs is left running.
    Stay,
}

/// The head; unless the app is held or the head condemned, then the newest stable revision.
#[must_use]
pub fn target(head: &RevisionKey, ledger: &AppLedger) -> Target {
    if let Some(hold) = &ledger.hold {
        let holds = match &hold.until {
            HoldUntil::Resume => true,
            HoldUntil::Commit { manifest } => *manifest == head.manifest,
            HoldUntil::Revision { key } => key == head,
        };
        if holds {
            return hold.revision.map_or(Target::Nothing, Target::Revision);
        }
    }
    if !condemned(head, ledger) {
        return Target::Head;
    }
    match newest_stable(ledger) {
        Some(entry) => Target::Revision(entry.original()),
        None => Target::Nothing,
    }
}

/// True when this very revision failed by its own fault and nobody lifted it since.
#[must_use]
pub fn condemned(head: &RevisionKey, ledger: &AppLedger) -> bool {
    ledger
        .entries
        .iter()
        .rev()
        .find(|entry| entry.key == *head && entry.restores.is_none())
        .is_some_and(|entry| entry.condemned)
}

/// The newest entry that was stable.
#[must_use]
pub fn newest_stable(ledger: &AppLedger) -> Option<&Entry> {
    ledger.entries.iter().rev().find(|entry| entry.stable && !entry.condemned)
}

/// The entry in force: the newest that succeeded.
#[must_use]
pub fn in_force(ledger: &AppLedger) -> Option<&Entry> {
    ledger.entries.iter().rev().find(|entry| entry.stable || entry.outcome == Some(super::Outcome::Succeeded))
}

/// Where `rollback APP` goes: the newest stable revision older than the one in force. A rollback's entry stands where
/// its original stands, so two rollbacks go back twice.
#[must_use]
pub fn previous(ledger: &AppLedger) -> Option<u32> {
    let now = in_force(ledger)?.original();
    ledger
        .entries
        .iter()
        .filter(|entry| entry.stable && !entry.condemned && entry.original() < now)
        .map(Entry::original)
        .max()
}
