//! When what failed is tried again.

use super::pace::{doubled, jittered};
use std::time::Duration;
use tokio::time::Instant;

/// A wait that becomes longer each time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pause {
    /// How often it failed in a row.
    times: u32,
    /// No sooner is it tried again.
    until: Option<Instant>,
}

impl Pause {
    /// How long it lasts yet; none when it is over.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        left.filter(|left| !left.is_zero())
    }

    /// The next one, from the first wait to the longest.
    #[must_use]
    pub fn next(self, (first, longest): (Duration, Duration)) -> (Self, Duration) {
        let wait = jittered(doubled(first, self.times, longest), fastrand::f64());
        (Self { times: self.times.saturating_add(1), until: Some(Instant::now() + wait) }, wait)
    }

    /// There is a reason to try it now.
    pub const fn end(&mut self) {
        self.until = None;
    }
}
