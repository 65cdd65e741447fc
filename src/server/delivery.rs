//! What is remembered of webhooks: which came already, and how many may come now.

use super::signature::Marks;
use std::{
    collections::{HashSet, VecDeque},
    time::{Duration, Instant},
};

/// So many marks are remembered; the oldest is forgotten first.
const MOST_REMEMBERED: usize = 2048;

/// Marks of deliveries that were taken.
#[derive(Debug, Default)]
pub struct Seen {
    marks: HashSet<[u8; 32]>,
    order: VecDeque<[u8; 32]>,
}

impl Seen {
    /// Whether a delivery, or one that says the same, was taken already.
    pub fn knows(&self, marks: &Marks) -> bool {
        marks.0.iter().any(|mark| self.marks.contains(mark))
    }

    /// Remembers a delivery.
    pub fn remember(&mut self, marks: Marks) {
        for mark in marks.0 {
            if self.marks.insert(mark) {
                self.order.push_back(mark);
            }
        }
        while self.order.len() > MOST_REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.marks.remove(&oldest);
            }
        }
    }
}

/// So many deliveries at once.
const BURST: u32 = 20;
/// One more after each of these.
const REFILL: Duration = Duration::from_secs(1);

/// A bucket of tokens: each delivery takes one.
#[derive(Debug)]
pub struct Bucket {
    left: u32,
    /// Up to when it has been refilled.
    filled: Instant,
}

impl Bucket {
    pub const fn full(now: Instant) -> Self {
        Self { left: BURST, filled: now }
    }

    /// Takes a token, if there is one.
    pub fn take(&mut self, now: Instant) -> bool {
        let whole = now.saturating_duration_since(self.filled).as_secs() / REFILL.as_secs();
        let more = u32::try_from(whole).unwrap_or(BURST).min(BURST);
        if more >= BURST {
            self.filled = now;
        } else {
            self.filled += REFILL * more;
        }
        self.left = self.left.saturating_add(more).min(BURST);
        let is_there = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_there
    }
}
