//! Tells which copy is under way and how much of it is there, for whoever looks on. What is told has no effect on the run.

use super::{BackupError, Copy};
use crate::value::{AppName, EnvironmentName, ItemName, Size};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// The target of what is told: as that of a pass.
const TARGET: &str = "reconcile::progress";
/// Between two words about how much is there.
const AGAIN: Duration = Duration::from_millis(250);

/// A copy under way.
pub(super) struct Telling {
    /// Tells it from others.
    step: String,
    what: String,
    since: Instant,
    bytes: AtomicU64,
    told: Mutex<Instant>,
}

impl Telling {
    /// Tells that it begins.
    pub(super) fn begin(environment: &EnvironmentName, app: &AppName, item: &ItemName) -> Self {
        let now = Instant::now();
        let (step, what) = (format!("{environment}/{app}: copy {item}"), format!("`{item}`"));
        tracing::info!(target: TARGET, stage = "begins", step, long = false, "{app}: copying {what}");
        let what = format!("{app}: copying {what}");
        Self { step, what, since: now, bytes: AtomicU64::new(0), told: Mutex::new(now) }
    }

    /// So many bytes more came from the source.
    pub(super) fn passed(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let all = self.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() >= AGAIN {
            *told = Instant::now();
            tracing::trace!(target: TARGET, stage = "goes", step = self.step, "{}, {}", self.what, Size::from_bytes(all).rounded());
        }
    }

    /// Tells how it ended.
    pub(super) fn end(&self, outcome: &Result<Copy, BackupError>) {
        let (what, step) = (&self.what, &self.step);
        let took = match self.since.elapsed() {
            short if short < Duration::from_secs(1) => String::new(),
            took => format!(", {} s", took.as_secs()),
        };
        match outcome {
            Ok(copy) => {
                let size = Size::from_bytes(copy.content.bytes).rounded();
                tracing::info!(target: TARGET, stage = "ends", step, "{what} is done ({size}{took})");
            }
            Err(_) => tracing::info!(target: TARGET, stage = "ends", step, "{what} failed"),
        }
    }
}
