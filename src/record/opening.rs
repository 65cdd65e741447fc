//! Decides whether a pass goes on with an entry or begins a new one.

use super::entry::{AppLedger, Entry, NewEntry};
use crate::plan::Cause;

/// Which entry a pass writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening<'a> {
    /// Another attempt at the newest entry: the revision is the same, or the tool was killed meanwhile.
    Again(&'a Entry),
    /// The next entry.
    New { restores: Option<u32> },
}

/// The newest entry again where it is the same revision for the same end; else a new one.
///
/// Going forward to a head that was left by a rollback is an entry of its own that stands where that head stands, so
/// that the next rollback goes back from there and not to the same thing.
#[must_use]
pub fn opening<'a>(new: &NewEntry, ledger: &'a AppLedger) -> Opening<'a> {
    let restores = new.restores.map(|number| ledger.entry(number).map_or(number, Entry::original));
    if let Some(newest) = ledger.entries.last()
        && newest.key.agrees_with(&new.key)
        && match restores {
            Some(original) => newest.origin.cause == Cause::Rollback && newest.original() == original,
            None => newest.origin.cause != Cause::Rollback,
        }
    {
        return Opening::Again(newest);
    }
    if restores.is_some() {
        return Opening::New { restores };
    }
    let last_head = ledger.entries.iter().rev().find(|entry| entry.origin.cause != Cause::Rollback);
    let left = last_head.filter(|entry| entry.key.agrees_with(&new.key)).map(Entry::original);
    Opening::New { restores: left }
}
