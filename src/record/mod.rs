//! The ledger of revisions: what was applied, how it ended, what is held. `target` is pure.

pub mod entry;
pub mod error;
pub mod intent;
pub mod ledger;
pub mod lock;
pub mod place;
pub mod store;
pub mod target;

pub use entry::{
    AppLedger, Close, Documents, Entry, Event, Hold, HoldUntil, Learned, NewEntry, NonConvergence, Outcome,
    RevisionKey, Suspension,
};
pub use error::RecordError;
pub use intent::IntentWatch;
pub use ledger::Ledger;
pub use lock::AppLock;
pub use store::StateDir;
pub use target::{Target, target};
