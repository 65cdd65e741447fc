//! Notices: what became of apps, environments and the source, told to whom the host file names.
//!
//! `tell` never waits and never fails: each target has a bounded queue and a task of its own, and what cannot be
//! delivered is dropped with a warning.

mod commit_status;
mod email;
mod http;
pub mod news;
mod queue;
mod standing;
mod target;
mod text;
mod webhook;

#[cfg(test)]
mod tests;

pub use news::{CommitState, News, State, Tidings};
pub use queue::{Counts, Known, Notices, Pace, complaints};
pub use standing::{Standing, between};
