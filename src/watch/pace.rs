//! How often an app is worked on: failures and repairs that come again and again are made to wait.
//!
//! A clock of the process measures it, so that a step of the host's clock neither hurries nor delays anything.

use crate::{
    plan::{Action, Cause},
    record::Outcome,
    show::report::AppReport,
};
use std::time::Duration;
use tokio::time::Instant;

/// The first wait after a failure; each further one waits twice as long.
const FIRST: Duration = Duration::from_secs(1);

/// The longest wait after failures.
const LONGEST: Duration = Duration::from_secs(300);

/// The longest wait between repairs: what is changed by hand again and again is still put right within it.
const LONGEST_REPAIR: Duration = Duration::from_secs(60);

/// After so long without a repair, repairs begin anew.
const CALM: Duration = Duration::from_secs(600);

/// Repairs that wait for nothing, in units of one that was removed or changed. What dies by itself counts threefold.
const FREE: u32 = 12;

/// What a pass came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// To rest, with nothing to repair.
    Quiet,
    /// Something that had been removed or changed was put right.
    Repaired,
    /// Something that had died was started again.
    Revived,
    /// It failed, or it was blocked.
    Failed,
}

impl Came {
    /// What a turn came to by its report. What was left as it is, or only looked at, was not repaired.
    #[must_use]
    pub fn of(report: &AppReport, passed: bool) -> Self {
        let left = report.outcome == Some(Outcome::Held);
        let drift = || report.changes.iter().filter(|change| change.cause == Cause::Drift);
        if report.failed() {
            Self::Failed
        } else if !passed || left {
            Self::Quiet
        } else if drift().any(|change| change.action == Action::Repair) {
            Self::Revived
        } else if drift().next().is_some() {
            Self::Repaired
        } else {
            Self::Quiet
        }
    }
}

/// The pace of one app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    failures: u32,
    repairs: u32,
    repaired: Option<Instant>,
    not_before: Option<Instant>,
}

impl Pace {
    /// Takes in what a pass came to, and tells how long the next one waits at least.
    pub fn after(&mut self, came: Came, now: Instant) -> Duration {
        let wait = match came {
            Came::Quiet => {
                self.failures = 0;
                Duration::ZERO
            }
            Came::Failed => {
                self.failures = self.failures.saturating_add(1);
                doubled(FIRST, self.failures - 1, LONGEST)
            }
            Came::Repaired | Came::Revived => {
                self.failures = 0;
                if self.repaired.is_none_or(|last| now.saturating_duration_since(last) >= CALM) {
                    self.repairs = 0;
                }
                self.repaired = Some(now);
                self.repairs = self.repairs.saturating_add(if came == Came::Revived { 3 } else { 1 });
                match self.repairs.checked_sub(FREE) {
                    None | Some(0) => Duration::ZERO,
                    Some(over) => doubled(FIRST, over / 3, LONGEST_REPAIR),
                }
            }
        };
        self.not_before = (!wait.is_zero()).then(|| now + wait);
        wait
    }

    /// A commit, or a person, is a reason to begin anew.
    pub fn begin_anew(&mut self) {
        *self = Self::default();
    }

    /// When the next pass may begin; none: at once.
    #[must_use]
    pub fn not_before(&self) -> Option<Instant> {
        self.not_before
    }
}

/// Doubles a wait so many times.
#[must_use]
pub fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    first.saturating_mul(2u32.saturating_pow(times)).min(longest)
}

/// A wait that hosts which began together do not share: up to a tenth more or less.
#[must_use]
pub fn jittered(wait: Duration, random: f64) -> Duration {
    wait.mul_f64(0.9 + 0.2 * random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn failures_wait_twice_as_long_each_time_and_five_minutes_at_most() {
        let mut pace = Pace::default();
        let now = Instant::now();
        let waits: Vec<u64> = (0..11).map(|_| pace.after(Came::Failed, now).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(pace.not_before(), Some(now + seconds(300)));
        assert_eq!((pace.after(Came::Quiet, now), pace.not_before()), (Duration::ZERO, None));
        assert_eq!(pace.after(Came::Failed, now), seconds(1));
    }

    #[test]
    fn what_keeps_dying_is_backed_off_and_a_few_repairs_by_hand_are_not() {
        let now = Instant::now();
        let mut dying = Pace::default();
        let waits: Vec<u64> = (0..12).map(|_| dying.after(Came::Revived, now).as_secs()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 2, 4, 8, 16, 32, 60, 60, 60]);
        let mut meddled = Pace::default();
        assert!((0..12).all(|_| meddled.after(Came::Repaired, now).is_zero()));
        assert_eq!(meddled.after(Came::Repaired, now), seconds(1));
    }

    #[test]
    fn ten_calm_minutes_are_forgiven() {
        let now = Instant::now();
        let mut pace = Pace::default();
        for _ in 0..10 {
            pace.after(Came::Revived, now);
        }
        assert_eq!(pace.after(Came::Revived, now + seconds(599)), seconds(60));
        assert_eq!(pace.after(Came::Revived, now + seconds(1_199)), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_its_limit(came in proptest::collection::vec(0..4, 0..60)) {
            let mut pace = Pace::default();
            for came in came {
                let came = [Came::Quiet, Came::Repaired, Came::Revived, Came::Failed][came as usize];
                let limit = if came == Came::Failed { LONGEST } else { LONGEST_REPAIR };
                prop_assert!(pace.after(came, Instant::now()) <= limit);
            }
        }
    }
}
