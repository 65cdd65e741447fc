//! The ledger of revisions: what was applied, how it ended, what is held. `target` is pure.
//!
//! Losing the database loses history, holds and what was learned; it never deletes and never recreates anything.

mod accepted;
pub mod bell;
mod database;
pub mod entry;
pub mod error;
mod folder;
pub mod intent;
mod json;
pub mod ledger;
pub mod lock;
mod memory;
pub mod opening;
pub mod place;
mod private;
mod retention;
mod retry;
mod rows;
mod schema;
mod stops;
pub mod store;
pub mod target;
mod wish;

pub use accepted::{Accepted, Followed};
pub use bell::Bell;
pub use entry::{
    AppLedger, Close, Delivered, Documents, Entry, Event, Hold, HoldUntil, Learned, NewEntry, NonConvergence, Outcome,
    Provenance, RevisionKey, Suspension,
};
pub use error::RecordError;
pub use intent::{IntentWatch, Wishes};
pub use ledger::Ledger;
pub use lock::AppLock;
pub use store::StateDir;
pub use target::{Target, target};
