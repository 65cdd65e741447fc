//! What the daemon's loop writes and the server reads.

use super::Metrics;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Heartbeat, readiness and figures of one daemon.
#[derive(Debug)]
pub struct Board {
    metrics: Metrics,
    began: Instant,
    /// How long the loop may be silent.
    patience: Duration,
    /// Milliseconds after the beginning.
    beat: AtomicU64,
    passed: AtomicBool,
    engine: AtomicBool,
    source: AtomicBool,
}

impl Board {
    /// A board whose loop is alive until it is silent for longer than `patience`.
    #[must_use]
    pub fn new(patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            metrics: Metrics::new(),
            began: Instant::now(),
            patience,
            beat: AtomicU64::new(0),
            passed: AtomicBool::new(false),
            engine: AtomicBool::new(false),
            source: AtomicBool::new(false),
        })
    }

    /// The figures.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The loop is alive.
    pub fn beat(&self) {
        self.beat.store(milliseconds(self.began.elapsed()), Ordering::Relaxed);
    }

    /// Every environment had its first pass.
    pub fn passed(&self) {
        self.passed.store(true, Ordering::Relaxed);
    }

    /// The engine answered, or did not.
    pub fn engine(&self, up: bool) {
        self.engine.fetch_or(up, Ordering::Relaxed);
        self.metrics.engine(up);
    }

    /// The repository answered.
    pub fn source_answered(&self) {
        self.source.store(true, Ordering::Relaxed);
        self.metrics.fetched(jiff::Timestamp::now());
    }

    /// The repository did not answer.
    pub fn source_failed(&self) {
        self.metrics.source_failed();
    }

    /// How long the loop has been silent, where that is too long.
    pub(super) fn silence(&self) -> Option<Duration> {
        let beat = Duration::from_millis(self.beat.load(Ordering::Relaxed));
        let silence = self.began.elapsed().saturating_sub(beat);
        (silence > self.patience).then_some(silence)
    }

    /// What is still awaited before the daemon is ready.
    pub(super) fn awaited(&self) -> Vec<&'static str> {
        [
            (&self.source, "the repository has not answered yet"),
            (&self.engine, "the engine has not answered yet"),
            (&self.passed, "the first pass of every environment is not over"),
        ]
        .into_iter()
        .filter(|(done, _)| !done.load(Ordering::Relaxed))
        .map(|(_, reason)| reason)
        .collect()
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
