//! Decides what to do, and never does it: no clock, no disk, no engine, no async.

pub mod change;
pub mod step;

pub use change::{Action, Cause, Change, FieldChange, Interruption, Resource};
pub use step::Step;

use crate::{blame::Blame, value::ServiceName};
use serde::{Deserialize, Serialize};

/// What is to be done for one app.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What differs, for people.
    pub changes: Vec<Change>,
    /// What to do, in an order that is allowed; each step names those it waits for.
    pub steps: Vec<Planned>,
    /// What stands in the way.
    pub obstacles: Vec<Obstacle>,
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The effect.
    pub step: Step,
    /// Steps that must be done before, by their place in the plan.
    pub after: Vec<usize>,
}

/// Something that keeps an app from what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obstacle {
    /// Who is at fault.
    pub blame: Blame,
    /// The service that cannot be made, where it is one.
    pub service: Option<ServiceName>,
    /// One line: what is wrong.
    pub summary: String,
    /// What to do about it.
    pub hint: Option<String>,
}
