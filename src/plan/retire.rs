//! Removes what the manifest no longer has: containers and networks, never volumes.

use super::{
    change::{Action, Cause, Change, Interruption, Resource},
    draft::Draft,
    graph::StepId,
    room::Takers,
    step::Step,
};
use crate::observed::{Container, Life, Owner, Role};
use std::collections::BTreeSet;

impl Draft<'_> {
    /// Lays the removal of services, jobs and networks that are gone from the manifest.
    pub fn retire(&mut self) {
        let (desired, observed) = (self.desired, self.observed);
        let settled: Vec<StepId> = self.graph.ids().filter(|id| self.graph.step(*id).waits()).collect();
        let takers = self.takers();
        let mut gone = BTreeSet::new();
        let mut removals = Vec::new();
        for (name, container) in observed.containers.iter().filter(|(_, container)| !container.unprunable) {
            let kept = match &container.role {
                Role::Service(service) => desired.services.contains_key(service),
                Role::Job(job) => desired.jobs.contains_key(job),
            };
            if kept {
                continue;
            }
            if let Life::Unknown(_) = container.life {
                self.is_unknown(name, container, None);
                continue;
            }
            // What a revision's jobs left is kept for a look until a revision succeeds.
            if observed.applied.rollback && matches!(container.role, Role::Job(_)) {
                if desired.sync.prune {
                    self.end(name, container, &[], &takers);
                }
                continue;
            }
            gone.insert(resource(container));
            if desired.sync.prune {
                removals.push(self.take_away(name, container, &settled, &takers));
            }
        }
        for (name, network) in &observed.networks {
            if network.owner == Owner::App
                && !network.unprunable
                && !network.kept
                && !desired.networks.contains_key(name)
            {
                gone.insert(Resource::Network(name.clone()));
                if desired.sync.prune {
                    self.take_away_network(name, &network.id, &removals);
                }
            }
        }
        self.changes.extend(gone.into_iter().map(|resource| Change {
            interruption: match resource {
                Resource::Service(_) | Resource::Route(_) => Interruption::Stopped,
                Resource::Network(_)
                | Resource::Volume(_)
                | Resource::Job(_)
                | Resource::Certificate(_)
                | Resource::Backup(_) => Interruption::None,
            },
            resource,
            action: Action::Delete,
            cause: Cause::Commit,
            order: None,
            fields: Vec::new(),
        }));
    }

    fn take_away(&mut self, name: &str, container: &Container, settled: &[StepId], takers: &Takers) -> StepId {
        let stop = self.end(name, container, settled, takers);
        let remove = self.graph.add(Step::Remove { container: name.to_owned(), role: container.role.clone() });
        self.graph.after(remove, settled.iter().copied().chain(stop));
        remove
    }

    /// Stops what may be alive: when the rest is well, or at once where somebody needs what it holds.
    fn end(&mut self, name: &str, container: &Container, settled: &[StepId], takers: &Takers) -> Option<StepId> {
        if !container.life.is_up() {
            return None;
        }
        let stop = self.graph.add(Step::Stop { container: name.to_owned(), role: container.role.clone() });
        let waiting = self.waiting_for_room(container, takers);
        if waiting.is_empty() {
            self.graph.after(stop, settled.iter().copied());
        }
        let awaited: Vec<StepId> = waiting.iter().flat_map(|start| self.graph.awaited_by(*start)).collect();
        for start in waiting {
            self.graph.after(start, [stop]);
        }
        // No sooner than the other can start right after it.
        for step in awaited {
            if !self.graph.waits_for(step, stop) {
                self.graph.after(stop, [step]);
            }
        }
        Some(stop)
    }

    /// A network goes when none of ours is on it any more.
    fn take_away_network(&mut self, name: &str, id: &str, removals: &[StepId]) {
        let leaving: Vec<StepId> = self.graph.ids().filter(|step| self.graph.step(*step).leaves(name)).collect();
        let remove = self.graph.add(Step::RemoveNetwork { network: name.to_owned(), id: id.to_owned() });
        self.graph.after(remove, leaving.into_iter().chain(removals.iter().copied()));
    }

    /// Names the images of kept revisions, and gives back the names of those that are kept no longer.
    pub fn keep_images(&mut self) {
        let applied = &self.observed.applied;
        let Some(kept) = &applied.kept_images else { return };
        for (tag, image_id) in kept {
            if applied.present_tags.get(tag) != Some(image_id)
                && self.observed.images.values().any(|image| image.id == *image_id)
            {
                self.graph.add(Step::Tag { image_id: image_id.clone(), tag: tag.clone() });
            }
        }
        for tag in applied.present_tags.keys().filter(|tag| !kept.contains_key(*tag)) {
            self.graph.add(Step::Untag { tag: tag.clone() });
        }
    }
}

fn resource(container: &Container) -> Resource {
    match &container.role {
        Role::Service(name) => Resource::Service(name.clone()),
        Role::Job(name) => Resource::Job(name.clone()),
    }
}
