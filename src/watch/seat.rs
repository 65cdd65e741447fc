//! What the daemon remembers of one app, and when it is its turn.

use super::pace::Pace;
use crate::{desired::Desired, show::report::AppReport};
use tokio::{sync::watch, time::Instant};

/// How thoroughly an app is gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// It is looked whether anything is to be done.
    Look,
    /// A pass is run, also where nothing seems to be to be done: something may be left to record.
    Pass,
}

/// One app's place.
#[derive(Debug, Default)]
pub struct Seat {
    pub due: Option<Due>,
    pub pace: Pace,
    pub running: Option<Running>,
    /// When it is due by itself: a retry.
    pub retry: Option<Instant>,
    /// The ledger says when it is due by itself.
    pub retry_is_noted: bool,
    /// When what keeps it from being changed is over: a suspension, a closed window.
    pub wakes: Option<Instant>,
    /// What is due as soon as something it depends on has had its own turn.
    pub held_back: Option<Due>,
    /// It is blocked because something it depends on is not well.
    pub waits: bool,
    /// What was told of it last.
    pub last: Option<AppReport>,
}

/// A pass under way.
#[derive(Debug)]
pub struct Running {
    /// Turns true when it is to end: the step in hand is finished, no other is begun.
    pub stop: watch::Sender<bool>,
    /// What it goes for; none where the app is gone or its manifest is wrong.
    pub aim: Option<Desired>,
    /// The branch has moved on meanwhile.
    pub superseded: bool,
}

impl Seat {
    /// Makes it due, or more thoroughly so.
    pub fn ask(&mut self, due: Due) {
        self.due = self.due.max(Some(due));
    }

    /// When it can begin; none while nothing is due or a pass is under way.
    #[must_use]
    pub fn begins_at(&self, now: Instant) -> Option<Instant> {
        if self.running.is_some() {
            return None;
        }
        let due = self.due.map(|_| self.pace.not_before().map_or(now, |at| at.max(now)));
        [due, self.retry, self.wakes].into_iter().flatten().min()
    }

    /// What is due now, which is then no longer due.
    pub fn take(&mut self, now: Instant) -> Option<Due> {
        if self.begins_at(now).is_none_or(|at| at > now) {
            return None;
        }
        let by_itself = self.retry.take().or(self.wakes.take()).map(|_| Due::Pass);
        self.due.take().max(by_itself)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::pace::Came;
    use std::time::Duration;

    #[test]
    fn a_pass_is_more_than_a_look_and_is_taken_once() {
        let (mut seat, now) = (Seat::default(), Instant::now());
        seat.ask(Due::Pass);
        seat.ask(Due::Look);
        assert_eq!((seat.take(now), seat.take(now)), (Some(Due::Pass), None));
    }

    #[test]
    fn what_is_made_to_wait_waits_and_nothing_begins_twice() {
        let (mut seat, now) = (Seat::default(), Instant::now());
        let wait = seat.pace.after(Came::Failed, now);
        seat.ask(Due::Look);
        assert_eq!((seat.begins_at(now), seat.take(now)), (Some(now + wait), None));
        assert_eq!(seat.take(now + wait), Some(Due::Look));
        seat.ask(Due::Look);
        seat.running = Some(Running { stop: watch::channel(false).0, aim: None, superseded: false });
        assert_eq!(seat.take(now + Duration::from_secs(9)), None);
    }
}
