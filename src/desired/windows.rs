//! When an app may be changed without being asked: the windows of its manifest at a point in time.

use crate::value::{Duration, Schedule, TimeZoneName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// How many times something may begin or end before nobody looks further ahead.
const FORESEEN: usize = 1_000;

/// A span of time that comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// What it does while it is active.
    pub kind: WindowKind,
    /// When it begins.
    pub schedule: Schedule,
    /// How long it is active, by the clock that never jumps.
    pub duration: Duration,
    /// Whose clock the schedule means.
    pub timezone: TimeZoneName,
    /// What somebody asks for passes although this keeps the app closed.
    pub manual: bool,
}

/// What a window does while it is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WindowKind {
    /// The app may be changed, and outside of all such windows it may not.
    Allow,
    /// The app may not be changed, whatever else allows it.
    Deny,
}

/// Whether an app may be changed without being asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It may.
    Open {
        /// When that ends; none where no end is foreseen.
        until: Option<Timestamp>,
    },
    /// It may not.
    Closed {
        /// When that ends; none where no end is foreseen.
        until: Option<Timestamp>,
        /// What somebody asks for passes.
        manual: bool,
        /// The windows that keep it closed: those that deny, and where none that allows is active, all that allow.
        by: Vec<Window>,
    },
}

impl Opening {
    /// True where the app may be changed without being asked.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        match self {
            Self::Open { .. } => true,
            Self::Closed { .. } => false,
        }
    }
}

impl Window {
    /// When it ends, if it is active now: a later beginning may prolong it.
    fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let end = self.after(self.schedule.last(&self.timezone, now)?)?;
        (now < end).then_some(end)
    }

    fn after(&self, begin: Timestamp) -> Option<Timestamp> {
        begin.checked_add(std::time::Duration::from(self.duration)).ok()
    }

    /// When it may begin or end next.
    fn turn(&self, now: Timestamp) -> Option<Timestamp> {
        self.end(now).or_else(|| self.schedule.next(&self.timezone, now))
    }
}

/// Whether an app with these windows may be changed now without being asked. One that denies beats all that allow; where
/// any allows, one of them must be active; without any the app is always open.
#[must_use]
pub fn opening(windows: &[Window], now: Timestamp) -> Opening {
    let closing = closing(windows, now);
    let until = end(windows, now, closing.is_empty());
    if closing.is_empty() {
        return Opening::Open { until };
    }
    let manual = closing.iter().all(|window| window.manual);
    Opening::Closed { until, manual, by: closing.into_iter().cloned().collect() }
}

/// What keeps the app closed.
fn closing(windows: &[Window], now: Timestamp) -> Vec<&Window> {
    let active = |window: &&Window| window.end(now).is_some();
    let (allowing, denying): (Vec<_>, Vec<_>) = windows.iter().partition(|window| match window.kind {
        WindowKind::Allow => true,
        WindowKind::Deny => false,
    });
    let outside = !allowing.iter().any(active);
    denying.into_iter().filter(active).chain(allowing.into_iter().filter(|_| outside)).collect()
}

/// When the answer turns: the answer of now is followed from turn to turn until it is another.
fn end(windows: &[Window], now: Timestamp, open: bool) -> Option<Timestamp> {
    let mut at = now;
    for _ in 0..FORESEEN {
        at = windows.iter().filter_map(|window| window.turn(at)).min()?;
        if closing(windows, at).is_empty() != open {
            return Some(at);
        }
    }
    None
}
