//! Who has to make room before another starts: two cannot have one port, and what is gone from the manifest does not
//! write beside the service that came in its place.

use super::{draft::Draft, graph::StepId, step::Step};
use crate::{
    desired::spec::PublishedPort,
    observed::{Container, Role, fold::body},
};
use std::collections::{BTreeMap, BTreeSet};

/// What the containers that this plan starts will hold.
#[derive(Debug, Default)]
pub struct Takers {
    /// By the host's port, as most have none in common.
    ports: BTreeMap<u16, Vec<(StepId, Role, PublishedPort)>>,
    writes: BTreeMap<String, Vec<StepId>>,
}

impl Takers {
    /// Who needs what a container of another role holds.
    fn of<'a>(&'a self, role: &'a Role, container: &'a Container) -> impl Iterator<Item = StepId> + 'a {
        let of_port = move |held: &'a PublishedPort| {
            self.ports
                .get(&held.host)
                .into_iter()
                .flatten()
                .filter(move |(_, taker, wanted)| taker != role && wanted.clashes(held))
                .map(|(step, _, _)| *step)
        };
        container.ports.iter().flat_map(of_port)
    }
}

impl Draft<'_> {
    /// What the starts laid so far will hold.
    pub fn takers(&self) -> Takers {
        let mut takers = Takers::default();
        for id in self.graph.ids() {
            let (Step::Start { role, .. } | Step::Unpause { role, .. }) = self.graph.step(id) else { continue };
            let Some(body) = body(self.desired, role) else { continue };
            for port in &body.ports {
                takers.ports.entry(port.host).or_default().push((id, role.clone(), port.clone()));
            }
            for source in body.writes() {
                takers.writes.entry(source).or_default().push(id);
            }
        }
        takers
    }

    /// The starts that wait for the end of a container that is gone from the manifest.
    pub fn waiting_for_room(&self, container: &Container, takers: &Takers) -> BTreeSet<StepId> {
        let writers = container.writes.iter().filter_map(|source| takers.writes.get(source)).flatten().copied();
        takers.of(&container.role, container).chain(writers).collect()
    }

    /// Lets who takes over a port wait for the stop of who had it, where both change at once.
    pub fn make_room(&mut self) {
        let (takers, observed) = (self.takers(), self.observed);
        if takers.ports.is_empty() {
            return;
        }
        for stop in self.graph.ids() {
            let Step::Stop { container, role } = self.graph.step(stop).clone() else { continue };
            let Some(container) = observed.containers.get(&container) else { continue };
            for start in takers.of(&role, container) {
                if !self.graph.waits_for(stop, start) {
                    self.graph.after(start, [stop]);
                }
            }
        }
    }
}
