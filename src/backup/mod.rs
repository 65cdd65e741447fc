//! Copies of apps' data that are known to restore.
//!
//! What is kept, and when the next is due, is decided by pure functions; a copy's way from its source to a file with a
//! final name, and back, is here too. Who asks containers for data does it behind a seam: no engine is named here.

pub mod copy;
mod depot;
pub mod drill;
pub mod driver;
pub mod due;
mod error;
mod failures;
pub mod flow;
mod folder;
mod holding;
pub mod journal;
pub mod judge;
mod last_drill;
pub mod limit;
pub mod local;
mod notes;
pub mod others;
mod packing;
mod patience;
pub mod place;
pub mod porter;
mod record;
pub mod restore;
pub mod retention;
pub mod run;
mod s3;
pub mod sources;
mod storing;
mod targets;
mod telling;
mod verifying;

pub use copy::{BadCopyId, Copy, CopyId, Drilled, Level, Sum, Verified};
pub use depot::Depot;
pub use due::{Due, due};
pub use error::{BackupError, Fault};
pub use failures::Failure;
pub use flow::{Flow, Piece};
pub use holding::Holding;
pub use journal::Journal;
pub use judge::{Judge, judge};
pub use last_drill::LastDrill;
pub use limit::Limit;
pub use local::Local;
pub use notes::{Notes, Remembered};
pub use place::{AnyPlace, Draft, Found, Of, Place};
pub use retention::{Kept, removable};
pub use sources::{Released, Sources, Still, User, Verdict};
pub use storing::{Making, Reader, store, take_over};
pub use targets::Targets;
pub use verifying::verify;

#[cfg(test)]
mod tests;
