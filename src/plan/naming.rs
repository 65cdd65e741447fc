//! Names: under which a container is made, and how it comes to the one it should have while others still hold that.

use super::{
    cast::{Cast, Member},
    draft::Draft,
    graph::StepId,
    step::Step,
};
use crate::{
    blame::Blame,
    desired::DesiredService,
    observed::{Life, Readiness, Role},
    value::ServiceName,
};
use std::collections::BTreeMap;

/// The name of a container while an older one holds the name it should have.
#[must_use]
pub fn next_name(name: &str) -> String {
    format!("{name}-next")
}

/// A container that carries on, and the name it should have.
#[derive(Clone, Debug)]
pub struct Claim {
    service: ServiceName,
    name: String,
    wanted: String,
    /// Stopped by `scale: 0`: it makes room for others, and is left as it is otherwise.
    asleep: bool,
}

impl Claim {
    /// The container of that name should have its service's.
    #[must_use]
    pub fn of(service: &DesiredService, name: &str) -> Self {
        Self {
            service: service.name.clone(),
            name: name.to_owned(),
            wanted: service.container_name.clone(),
            asleep: !service.running,
        }
    }
}

/// What the plan says so far of names on the engine.
struct Names {
    /// The steps about a container of that name.
    about: BTreeMap<String, Vec<StepId>>,
    /// The step after which nobody has the name any more.
    freed: BTreeMap<String, StepId>,
    /// The step that makes a container which should have the name and is made under another, as long as it is held.
    awaited: BTreeMap<String, StepId>,
}

impl Draft<'_> {
    /// The name to make the container under, and the container of this service that has to make room for it.
    pub fn free_name<'c>(&mut self, cast: &Cast<'c>) -> Option<(String, Option<Member<'c>>)> {
        let service = cast.service;
        let (first, second) = (service.container_name.clone(), next_name(&service.container_name));
        for name in [&first, &second] {
            if self.observed.foreign_names.contains(name) {
                self.is_taken(&service.name, name);
                return None;
            }
        }
        if !self.observed.containers.contains_key(&first) {
            return Some((first, None));
        }
        if !self.observed.containers.contains_key(&second) {
            return Some((second, None));
        }
        // Both are taken, after a crash or two: the one that is worth less makes room.
        let holder = |name: &str| cast.others.iter().copied().find(|member| member.name == name);
        let worth = |member: &Member<'_>| {
            let (life, ready) = (&member.container.life, member.container.readiness == Readiness::Ready);
            (*life == Life::Running && ready, life.is_up(), ready)
        };
        match (holder(&first), holder(&second)) {
            (Some(one), Some(two)) if worth(&one) < worth(&two) => Some((first, Some(one))),
            (_, Some(two)) => Some((second, Some(two))),
            (Some(one), None) => Some((first, Some(one))),
            (None, None) => {
                self.obstruct(
                    &service.name,
                    Blame::World,
                    format!("the names `{first}` and `{second}` are held by other services of this app"),
                    None,
                );
                None
            }
        }
    }

    /// Gives every container that carries on the name it should have, once nobody else has it. Where names go round in
    /// a circle, one of them steps aside for a moment; nobody stops for that.
    pub fn give_names(&mut self) {
        let mut pending = self.open_claims();
        if pending.is_empty() {
            return;
        }
        let mut names = self.names(&pending);
        while !pending.is_empty() {
            let held = |claim: &Claim| {
                self.observed.containers.contains_key(&claim.wanted) && !names.freed.contains_key(&claim.wanted)
            };
            if let Some(place) = pending.iter().position(|claim| self.observed.foreign_names.contains(&claim.wanted)) {
                let claim = pending.remove(place);
                self.is_taken(&claim.service, &claim.wanted);
            } else if let Some(place) = pending.iter().position(|claim| !held(claim)) {
                let claim = pending.remove(place);
                self.rename(&claim.name, &claim.wanted, &claim.service, &mut names);
            } else if let Some(place) =
                pending.iter().position(|claim| pending.iter().all(|other| other.name != claim.wanted))
            {
                // Whoever has it stays, for reasons told elsewhere.
                pending.remove(place);
            } else {
                let claim = pending.remove(0);
                pending.extend(self.step_aside(claim, &mut names));
            }
        }
    }

    /// Those whose name is not the one they should have; of the sleeping ones, those that are in the way.
    fn open_claims(&self) -> Vec<Claim> {
        let (mut open, mut asleep): (Vec<Claim>, Vec<Claim>) =
            self.claims.iter().filter(|claim| claim.name != claim.wanted).cloned().partition(|claim| !claim.asleep);
        while let Some(place) = asleep.iter().position(|claim| open.iter().any(|other| other.wanted == claim.name)) {
            open.push(asleep.remove(place));
        }
        open
    }

    fn names(&mut self, claims: &[Claim]) -> Names {
        let mut names = Names { about: BTreeMap::new(), freed: BTreeMap::new(), awaited: BTreeMap::new() };
        let wanted_by: BTreeMap<&str, &str> = claims.iter().map(|it| (it.name.as_str(), it.wanted.as_str())).collect();
        for id in self.graph.ids() {
            let step = self.graph.step(id);
            if let Some((container, _)) = step.about() {
                names.about.entry(container.to_owned()).or_default().push(id);
            }
            match step {
                Step::Remove { container, .. } => drop(names.freed.insert(container.clone(), id)),
                Step::Create { container, .. } => {
                    if let Some(wanted) = wanted_by.get(container.as_str()) {
                        names.awaited.insert((*wanted).to_owned(), id);
                    }
                }
                Step::Pull { .. }
                | Step::CreateNetwork { .. }
                | Step::RemoveNetwork { .. }
                | Step::CreateVolume { .. }
                | Step::Start { .. }
                | Step::Await { .. }
                | Step::AwaitExit { .. }
                | Step::Stop { .. }
                | Step::Rename { .. }
                | Step::Adjust { .. }
                | Step::Unpause { .. }
                | Step::Connect { .. }
                | Step::Disconnect { .. }
                | Step::Tag { .. }
                | Step::Untag { .. }
                | Step::Deliver { .. }
                | Step::Signal { .. }
                | Step::Withdraw { .. }
                | Step::Route { .. }
                | Step::SeeRouted { .. }
                | Step::Drain { .. }
                | Step::Unroute { .. }
                | Step::Certify { .. }
                | Step::StandIn { .. }
                | Step::ShowCertificate { .. }
                | Step::CopyFirst { .. } => {}
            }
        }
        // Made while the name is held or after it is free, a container would have one name or the other.
        for (name, create) in &names.awaited {
            let Some(remove) = names.freed.get(name).copied() else { continue };
            if !self.graph.waits_for(remove, *create) && !self.graph.waits_for(*create, remove) {
                self.graph.after(remove, [*create]);
            }
        }
        names
    }

    /// Renames after all that is done under the name of before.
    fn rename(&mut self, name: &str, to: &str, service: &ServiceName, names: &mut Names) -> StepId {
        let role = Role::Service(service.clone());
        let step = self.graph.add(Step::Rename { container: name.to_owned(), to: to.to_owned(), role });
        self.graph.after(step, names.about.get(name).into_iter().flatten().copied());
        self.graph.after(step, names.freed.get(to).into_iter().chain(names.awaited.get(name)).copied());
        names.freed.insert(name.to_owned(), step);
        names.about.entry(to.to_owned()).or_default().push(step);
        step
    }

    /// Goes by another name, as short as can be: once the one whose name it should have needs its own no more.
    fn step_aside(&mut self, claim: Claim, names: &mut Names) -> Option<Claim> {
        let meanwhile = next_name(&claim.wanted);
        if self.observed.foreign_names.contains(&meanwhile) {
            self.is_taken(&claim.service, &meanwhile);
            return None;
        }
        if self.observed.containers.contains_key(&meanwhile) && !names.freed.contains_key(&meanwhile) {
            return None;
        }
        let aside = self.rename(&claim.name, &meanwhile, &claim.service, names);
        self.graph.after(aside, names.about.get(&claim.wanted).into_iter().flatten().copied());
        Some(Claim { name: meanwhile, ..claim })
    }

    /// Notes that somebody else's container has a name that one of this app needs.
    pub fn is_taken(&mut self, service: &ServiceName, name: &str) {
        self.obstruct(
            service,
            Blame::World,
            format!("the name `{name}` is taken by a container that is not this app's"),
            Some(format!("rename or remove the other container (`docker rename {name} …`)")),
        );
    }
}
