//! Steps with what they wait for, brought into one order that is allowed and always the same.

use super::{Planned, step::Step};
use std::collections::BTreeSet;

/// A step's place while the plan is being drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepId(usize);

/// The steps of a plan while it is being drawn.
#[derive(Debug, Default)]
pub struct Graph {
    steps: Vec<Step>,
    after: Vec<Vec<usize>>,
}

impl Graph {
    /// Adds a step.
    pub fn add(&mut self, step: Step) -> StepId {
        self.steps.push(step);
        self.after.push(Vec::new());
        StepId(self.steps.len() - 1)
    }

    /// Lets a step wait for others.
    pub fn after(&mut self, step: StepId, earlier: impl IntoIterator<Item = StepId>) {
        self.after[step.0].extend(earlier.into_iter().map(|id| id.0).filter(|id| *id != step.0));
    }

    /// The step itself.
    #[must_use]
    pub fn step(&self, id: StepId) -> &Step {
        &self.steps[id.0]
    }

    /// The steps that a step waits for itself.
    #[must_use]
    pub fn awaited_by(&self, step: StepId) -> Vec<StepId> {
        self.after[step.0].iter().copied().map(StepId).collect()
    }

    /// True when a step cannot begin before another is done.
    #[must_use]
    pub fn waits_for(&self, step: StepId, earlier: StepId) -> bool {
        let (mut open, mut seen) = (vec![step.0], BTreeSet::new());
        while let Some(next) = open.pop() {
            if next == earlier.0 {
                return true;
            }
            if seen.insert(next) {
                open.extend(&self.after[next]);
            }
        }
        false
    }

    /// All steps so far.
    pub fn ids(&self) -> impl Iterator<Item = StepId> + use<> {
        (0..self.steps.len()).map(StepId)
    }

    /// True when there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The steps in an allowed order; among those that may come next, the one that was added first.
    #[must_use]
    pub fn sorted(self) -> Vec<Planned> {
        let mut followers = vec![Vec::new(); self.steps.len()];
        let mut waiting: Vec<usize> = Vec::with_capacity(self.steps.len());
        for (step, after) in self.after.iter().enumerate() {
            let earlier: BTreeSet<_> = after.iter().copied().collect();
            waiting.push(earlier.len());
            earlier.into_iter().for_each(|before| followers[before].push(step));
        }
        let mut free: BTreeSet<usize> = (0..waiting.len()).filter(|step| waiting[*step] == 0).collect();
        let mut place = vec![usize::MAX; self.steps.len()];
        let mut order = Vec::with_capacity(self.steps.len());
        while let Some(next) = free.pop_first() {
            place[next] = order.len();
            order.push(next);
            for follower in &followers[next] {
                waiting[*follower] -= 1;
                if waiting[*follower] == 0 {
                    free.insert(*follower);
                }
            }
        }
        debug_assert_eq!(order.len(), self.steps.len(), "steps wait for each other in a circle: {:?}", self.steps);
        let mut steps: Vec<Option<Step>> = self.steps.into_iter().map(Some).collect();
        order
            .into_iter()
            .filter_map(|old| {
                let after: BTreeSet<_> = self.after[old].iter().map(|before| place[*before]).collect();
                steps[old].take().map(|step| Planned { step, after: after.into_iter().collect() })
            })
            .collect()
    }
}
