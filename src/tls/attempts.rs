//! What was asked of an authority, and when it may be asked again: written beside the certificate, so that neither a
//! restart nor a new container asks sooner.

use super::Window;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// After the first order that failed; then twice as long each time.
const FIRST: Duration = Duration::from_secs(3_600);
/// What the waits grow to.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// The same for what no authority heard of.
const FIRST_HERE: Duration = Duration::from_secs(60);
const LONGEST_HERE: Duration = Duration::from_secs(3_600);
/// The longest window of a known authority's limits: a longer `Retry-After` is a mistake.
const LONGEST_TOLD: Duration = Duration::from_secs(7 * 24 * 3_600);

/// What a failure cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// The authority was asked, and may count it.
    Counted,
    /// It was seen on this host that the order would fail.
    Free,
}

/// What was asked of an authority for one certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attempts {
    /// For which names: what was said of others holds nothing up.
    pub about: String,
    /// Orders that failed since the last that did not.
    pub failures: u32,
    /// Orders that were not begun, since the last that was.
    pub held_back: u32,
    /// When the last failed.
    pub at: Option<Timestamp>,
    /// Before this nothing is ordered.
    pub not_before: Option<Timestamp>,
    /// Why the last failed.
    pub why: Option<String>,
    /// When the authority wants a certificate renewed.
    pub window: Option<Window>,
    /// When it may be asked that again.
    pub ask_after: Option<Timestamp>,
}

impl Attempts {
    /// One more that failed; `told` is what the authority's `Retry-After` says.
    pub fn failed(&mut self, now: Timestamp, cost: Cost, told: Option<Duration>, why: String) {
        let (count, first, longest) = match cost {
            Cost::Counted => (&mut self.failures, FIRST, LONGEST),
            Cost::Free => (&mut self.held_back, FIRST_HERE, LONGEST_HERE),
        };
        let wait = first.saturating_mul(2u32.saturating_pow(*count)).min(longest);
        *count = count.saturating_add(1);
        if cost == Cost::Counted {
            self.held_back = 0;
        }
        self.at = Some(now);
        self.not_before = Some(later(now, wait.max(told.unwrap_or_default().min(LONGEST_TOLD))));
        self.why = Some(why);
    }

    /// A certificate came.
    pub fn succeeded(&mut self) {
        *self = Self { about: std::mem::take(&mut self.about), ..Self::default() };
    }

    /// The authority said when it wants a certificate renewed, or does not say such things.
    pub fn advised(&mut self, now: Timestamp, window: Option<Window>, again: Duration) {
        self.window = window;
        self.ask_after = Some(later(now, again));
    }

    /// Until when nothing may be ordered. What was noted by a clock that was put back since says nothing.
    #[must_use]
    pub fn waits(&self, now: Timestamp) -> Option<Timestamp> {
        let by_another_clock = self.at.is_some_and(|at| at > later(now, FIRST));
        self.not_before.filter(|until| *until > now && !by_another_clock)
    }
}

/// A time after another; at the end of all times, that.
pub(super) fn later(now: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
}
