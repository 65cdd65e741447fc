//! Decides what to do, and never does it: no clock, no disk, no engine, no async.

pub mod cast;
pub mod change;
pub mod copy_first;
pub mod delivery;
pub mod describe;
mod draft;
mod drift;
mod exposure;
pub mod fields;
pub mod graph;
pub mod job;
pub mod naming;
pub mod network;
pub mod paper;
mod retire;
pub mod rollout;
mod room;
pub mod route;
pub mod step;

pub use change::{Action, Cause, Change, FieldChange, Interruption, Resource};
pub use exposure::close;
pub use step::Step;

use crate::{
    blame::Blame,
    desired::Desired,
    observed::{Observed, Readiness},
    value::ServiceName,
};
use draft::Draft;
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

/// The way from what is there to what should be.
///
/// The order of steps is partial: `Planned::after` says what each waits for. After any allowed beginning of it has been
/// done, planning again gives exactly what is left (the tail law).
#[must_use]
pub fn plan(desired: &Desired, observed: &Observed) -> Plan {
    let mut draft = Draft::new(desired, observed);
    for name in desired.services.keys() {
        draft.service(name);
    }
    draft.retire();
    draft.take_routes_away();
    draft.make_room();
    draft.give_names();
    draft.withdraw();
    draft.keep_images();
    draft.finish()
}

/// What is done where nothing was ever stable: what failed is stopped, and kept for a look.
#[must_use]
pub fn halt(observed: &Observed) -> Plan {
    let mut graph = graph::Graph::default();
    for (name, container) in &observed.containers {
        let proved = match container.readiness {
            Readiness::Ready | Readiness::Failing => true,
            // One that was ready in an earlier run is not what failed, though the engine started it again since.
            Readiness::Unproven => observed.applied.baselines.contains_key(&container.id),
            Readiness::Failed(_) => false,
        };
        if container.life.can_be_stopped() && !proved {
            graph.add(Step::Stop { container: name.clone(), role: container.role.clone() });
        }
    }
    Plan { changes: Vec::new(), steps: graph.sorted(), obstacles: Vec::new() }
}

impl Plan {
    /// The steps that wait for nothing, less those that are under way. Names of images come when all else is done: an
    /// app of many services has many, and nobody waits for them.
    pub fn ready<'a>(&'a self, under_way: &'a std::collections::BTreeSet<Step>) -> impl Iterator<Item = &'a Step> {
        let only_names = self.steps.iter().all(|planned| planned.step.names_an_image());
        self.steps
            .iter()
            .filter(move |planned| only_names || !planned.step.names_an_image())
            .filter(|planned| planned.after.is_empty() && !under_way.contains(&planned.step))
            .map(|planned| &planned.step)
    }
}
