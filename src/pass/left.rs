//! Why an app is left as it is although nothing is wrong with it.

use super::{Asker, aim::Aim, converge::Course};
use crate::{
    desired::{Opening, Window, WindowKind, opening},
    plan::Step,
    record::Outcome,
};
use jiff::Timestamp;

/// Why what is due is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nobody but a person changes it: `sync.automated: false`.
    Unautomated,
    /// Its windows are closed.
    Closed { until: Option<Timestamp>, manual: bool, by: Vec<Window> },
}

/// Why this aim is not gone for now, if so: an app that is as it should be is never left.
#[must_use]
pub fn left(aim: &Aim, by: Asker) -> Option<Left> {
    if !changes_something(aim) || is_begun(aim) {
        return None;
    }
    let (sync, now) = (&aim.desired.sync, aim.observed.now);
    match (by, opening(&sync.windows, now)) {
        (Asker::Daemon, _) if !sync.automated => Some(Left::Unautomated),
        (_, Opening::Open { .. }) => None,
        (Asker::Person, Opening::Closed { manual: true, .. }) => None,
        (Asker::Person | Asker::Daemon, Opening::Closed { until, manual, by }) => {
            Some(Left::Closed { until, manual, by })
        }
    }
}

/// True when the plan does more than to see how things go, or to tidy.
#[must_use]
pub fn changes_something(aim: &Aim) -> bool {
    let changes = |step: &Step| step.matters() && !step.waits();
    aim.plan().steps.iter().any(|planned| changes(&planned.step))
}

/// True when what is gone for was begun before: half of a rollout is no state to keep an app in.
fn is_begun(aim: &Aim) -> bool {
    let begun = aim.ledger.entries.last().is_some_and(|newest| {
        let open = match newest.outcome {
            None | Some(Outcome::Blocked) => true,
            Some(
                Outcome::Succeeded | Outcome::Failed | Outcome::RolledBack | Outcome::Held | Outcome::NonConvergent,
            ) => false,
        };
        open && newest.key == aim.key
    });
    begun && aim.course == Course::Desired
}

/// When an app is to be looked at again although nothing happens: the end of its suspension, or the opening of its
/// windows.
#[must_use]
pub fn wakes_at(aim: &Aim, now: Timestamp) -> Option<Timestamp> {
    if let Some(suspension) = aim.ledger.suspended_at(now) {
        return suspension.until;
    }
    match opening(&aim.desired.sync.windows, now) {
        Opening::Closed { until, .. } => until,
        Opening::Open { .. } => None,
    }
}

impl Left {
    /// Told to people.
    #[must_use]
    pub fn note(&self) -> String {
        match self {
            Self::Unautomated => "left as it is: `sync.automated` is false, a manual run applies it".to_owned(),
            Self::Closed { until, manual, by } => {
                let until = until
                    .map_or_else(|| "for good, as far as can be foreseen".to_owned(), |at| format!("until {at:.0}"));
                let passes = if *manual { "; a manual run passes" } else { "; nor does a manual run pass" };
                format!("left as it is: its windows are closed {until} ({}){passes}", why(by))
            }
        }
    }
}

/// The windows that keep it closed: those that deny by name, those that allow in one word.
fn why(by: &[Window]) -> String {
    let denying = by.iter().filter(|window| window.kind == WindowKind::Deny);
    let mut why: Vec<String> = denying
        .map(|window| format!("`{}` for {} in {} denies", window.schedule, window.duration, window.timezone))
        .collect();
    if by.iter().any(|window| window.kind == WindowKind::Allow) {
        why.push("no window that allows is active".to_owned());
    }
    why.join(", ")
}
