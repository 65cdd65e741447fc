//! The ledger of revisions: what was applied, how it ended, what is held. `target` is pure.

pub mod entry;
pub mod target;

pub use entry::{AppLedger, Entry, Hold, HoldUntil, Outcome, RevisionKey};
pub use target::{Target, target};
