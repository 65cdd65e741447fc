//! How long a container has been up, by a clock that nobody sets.
//!
//! The engine tells when a run began by the host's clock, or by another host's. That clock may be set meanwhile, or be
//! hours from ours; a deadline that believed it would condemn a revision that had no time at all.

use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// When this process started which container.
#[derive(Clone, Debug, Default)]
pub struct Begun(Arc<Mutex<BTreeMap<String, Instant>>>);

impl Begun {
    /// A container is started now.
    pub fn note(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), Instant::now());
    }

    /// Nobody waits for it any more.
    pub fn forget(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Since when it has been up at most, as far as this process knows.
    fn since(&self, id: &str) -> Option<Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied()
    }
}

/// How long one run of a container has been watched, and had been up before.
#[derive(Debug, Default)]
pub struct Uptime {
    watched: Option<Watched>,
}

#[derive(Debug)]
struct Watched {
    run: Option<Timestamp>,
    /// How long it had been up when it was first looked at.
    before: Duration,
    since: Instant,
}

impl Uptime {
    /// How long this run has been up. The engine's word is taken once for each run, for what was before anybody
    /// watched, and never for more than can be where this process started it.
    pub fn of(&mut self, id: &str, run: Option<Timestamp>, begun: &Begun, now: Timestamp) -> Duration {
        let is_same = self.watched.as_ref().is_some_and(|watched| watched.run == run);
        if !is_same {
            let told = run.and_then(|started| Duration::try_from(now.duration_since(started)).ok()).unwrap_or_default();
            let before = begun.since(id).map_or(told, |since| told.min(since.elapsed()));
            self.watched = Some(Watched { run, before, since: Instant::now() });
        }
        self.watched.as_ref().map_or(Duration::ZERO, |watched| watched.before + watched.since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: i64) -> jiff::SignedDuration {
        jiff::SignedDuration::from_secs(count)
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_hours_from_the_engines_uses_up_no_deadline() {
        let (begun, started) = (Begun::default(), Timestamp::now());
        begun.note("id");
        tokio::time::advance(Duration::from_secs(2)).await;
        for hours in [-5, 5] {
            let mut uptime = Uptime::default();
            let up = uptime.of("id", Some(started), &begun, started + seconds(hours * 3600));
            assert!(up <= Duration::from_secs(2), "{hours} h: {up:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_while_somebody_waits_changes_nothing() {
        let (begun, started) = (Begun::default(), Timestamp::now());
        let mut uptime = Uptime::default();
        uptime.of("id", Some(started), &begun, started + seconds(3));
        tokio::time::advance(Duration::from_secs(4)).await;
        for now in [started - seconds(7200), started + seconds(7200)] {
            assert_eq!(uptime.of("id", Some(started), &begun, now), Duration::from_secs(7));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn another_run_begins_anew_and_what_was_found_running_is_as_old_as_the_engine_says() {
        let (begun, started) = (Begun::default(), Timestamp::now());
        let mut uptime = Uptime::default();
        assert_eq!(uptime.of("id", Some(started), &begun, started + seconds(90)), Duration::from_secs(90));
        let again = started + seconds(95);
        assert_eq!(uptime.of("id", Some(again), &begun, started + seconds(96)), Duration::from_secs(1));
    }
}
