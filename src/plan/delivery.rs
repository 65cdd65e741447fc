//! Files that containers find: delivered before they are made, replaced where they may change in place, and withdrawn
//! when no container is shown them any more.

use super::{cast::Member, change::FieldChange, draft::Draft, graph::StepId, step::Step};
use crate::{
    desired::{DeliveryName, Desired, DesiredService, FileFacts, delivery::Kind},
    observed::{Container, Life, Observed, Role},
    value::OnChange,
};
use std::collections::{BTreeMap, BTreeSet};

/// A file that is not as it should be.
struct Differing {
    file: String,
    /// Nothing was there.
    absent: bool,
    before: Option<FileFacts>,
    after: FileFacts,
}

/// The files of a delivery that are not as they should be.
fn differing(desired: &Desired, observed: &Observed, delivery: &DeliveryName) -> Vec<Differing> {
    let there = observed.deliveries.get(delivery);
    let wanted = desired.files(&delivery.role, delivery.kind);
    let compared = wanted.into_iter().filter_map(|(file, after)| {
        let before = there.and_then(|there| there.files.get(&file)).cloned();
        let agrees = before.as_ref().is_some_and(|before| before.agrees_with(&after));
        (!agrees).then(|| Differing { file, absent: before.is_none(), before, after })
    });
    compared.collect()
}

/// The deliveries that a container is shown and that are not there at all: what it has is a folder that is gone.
fn lost<'a>(container: &'a Container, observed: &'a Observed) -> impl Iterator<Item = &'a DeliveryName> {
    container.deliveries.iter().filter(|delivery| !observed.deliveries.contains_key(*delivery))
}

/// What a running container needs of its deliveries.
#[derive(Debug, Default)]
pub struct Redelivery {
    /// Files are replaced.
    pub steps: Vec<StepId>,
    /// The process is to be told.
    pub signals: bool,
    /// A folder is gone under it, so it sees the new one only after another start.
    pub lost: bool,
}

impl Draft<'_> {
    /// Lays what a new container of a role is to find; the steps that it waits for.
    pub fn deliver(&mut self, role: &Role) -> Vec<StepId> {
        let (desired, observed) = (self.desired, self.observed);
        let mut steps = Vec::new();
        for delivery in desired.deliveries(role) {
            self.needed.insert(delivery.clone());
            if differing(desired, observed, &delivery).is_empty() {
                continue;
            }
            let known = self.deliveries.get(&delivery).copied();
            let step = known.unwrap_or_else(|| self.graph.add(Step::Deliver { delivery: delivery.clone() }));
            self.deliveries.insert(delivery, step);
            steps.push(step);
        }
        steps
    }

    /// Lays what is to be replaced of what a container was delivered.
    pub fn redeliver(&mut self, container: &Container) -> Redelivery {
        let (desired, observed) = (self.desired, self.observed);
        let mut redelivery = Redelivery { lost: lost(container, observed).next().is_some(), ..Redelivery::default() };
        for delivery in &container.deliveries {
            let found = differing(desired, observed, delivery);
            let signals =
                |it: &Differing| !it.absent && desired.on_change(&delivery.role, &it.file) == OnChange::Signal;
            redelivery.signals |= found.iter().any(signals);
            redelivery.signals |= observed.deliveries.get(delivery).is_some_and(|there| there.signal_due);
            if !found.is_empty() {
                redelivery.steps.push(self.graph.add(Step::Deliver { delivery: delivery.clone() }));
            }
        }
        redelivery
    }

    /// Lays the end of deliveries that nobody is shown and nobody will be, and of those whose job is over and that hold
    /// what it would not be given any more.
    pub fn withdraw(&mut self) {
        let (desired, observed) = (self.desired, self.observed);
        let services = desired.services.keys().flat_map(|name| desired.deliveries(&Role::Service(name.clone())));
        let wanted: BTreeSet<DeliveryName> = services.chain(self.needed.iter().cloned()).collect();
        let ends = self.readers_end();
        for delivery in observed.deliveries.keys().filter(|delivery| !wanted.contains(*delivery)) {
            let users = || observed.containers.iter().filter(|(_, container)| container.deliveries.contains(delivery));
            // Somebody may start a job again by hand.
            let is_of_today = desired.deliveries(&delivery.role).contains(delivery)
                && differing(desired, observed, delivery).is_empty();
            if is_of_today && users().next().is_some() {
                continue;
            }
            let read = users().filter(|(_, container)| !is_over(container));
            let gone: Option<Vec<StepId>> = read.map(|(name, container)| ends.of(name, container)).collect();
            if let Some(gone) = gone {
                let step = self.graph.add(Step::Withdraw { delivery: delivery.clone() });
                self.graph.after(step, gone);
            }
        }
    }

    /// The steps after which containers read nothing any more.
    fn readers_end(&self) -> Ends {
        let mut ends = Ends::default();
        for id in self.graph.ids() {
            if let Step::Remove { container, .. } = self.graph.step(id) {
                ends.removals.insert(container.clone(), id);
            } else if let Step::Stop { container, role: Role::Job(_) } = self.graph.step(id) {
                ends.stops.insert(container.clone(), id);
            } else if let Step::AwaitExit { container, role: Role::Job(_) } = self.graph.step(id) {
                ends.exits.insert(container.clone(), id);
            }
        }
        ends
    }
}

/// The steps of a plan that end containers, by their names; those of jobs also where the container is kept.
#[derive(Default)]
struct Ends {
    removals: BTreeMap<String, StepId>,
    stops: BTreeMap<String, StepId>,
    exits: BTreeMap<String, StepId>,
}

impl Ends {
    fn of(&self, name: &str, container: &Container) -> Option<StepId> {
        let by = match (&container.role, container.life.is_up()) {
            (Role::Job(_), true) => [&self.stops, &self.exits, &self.removals],
            (Role::Job(_), false) => [&self.removals, &self.exits, &self.stops],
            (Role::Service(_), _) => return self.removals.get(name).copied(),
        };
        by.into_iter().find_map(|ends| ends.get(name)).copied()
    }
}

/// True for the container of a job that has run: it is a record, and reads nothing any more.
#[must_use]
pub fn is_over(container: &Container) -> bool {
    match (&container.role, &container.life) {
        (Role::Job(_), Life::Exited(_) | Life::Dead | Life::Removing) => true,
        (
            Role::Job(_),
            Life::Created | Life::Running | Life::Paused | Life::Restarting | Life::Stopping | Life::Unknown(_),
        )
        | (Role::Service(_), _) => false,
    }
}

/// How the secrets a container was made with differ from those of today, where that needs a new one.
#[must_use]
pub fn outdated(service: &DesiredService, container: &Container, desired: &Desired) -> Vec<FieldChange> {
    changed(service, container, desired, |on_change| match on_change {
        // A variable's digest is in the body's hash.
        None | Some(OnChange::Signal | OnChange::None) => false,
        Some(OnChange::Restart) => true,
    })
}

/// How they differ at all, variables included.
#[must_use]
pub fn changed_at_all(service: &DesiredService, container: &Container, desired: &Desired) -> Vec<FieldChange> {
    changed(service, container, desired, |on_change| match on_change {
        None | Some(OnChange::Restart) => true,
        Some(OnChange::Signal | OnChange::None) => false,
    })
}

fn changed(
    service: &DesiredService,
    container: &Container,
    desired: &Desired,
    counts: impl Fn(Option<OnChange>) -> bool,
) -> Vec<FieldChange> {
    let Some(wanted) = desired.sealed(&Role::Service(service.name.clone())) else { return Vec::new() };
    let Some(made_with) = &container.sealed else { return Vec::new() };
    if desired.host_key.is_some() && wanted.host_key != made_with.host_key {
        let key = |id: &str| Some(format!("key {id}"));
        return vec![FieldChange {
            path: HOST_KEY.to_owned(),
            before: key(&made_with.host_key),
            after: key(&wanted.host_key),
        }];
    }
    let differing = wanted.digests.iter().filter(|(name, digest)| {
        counts(service.secrets.on_change.get(*name).copied()) && made_with.digests.get(*name) != Some(digest)
    });
    differing.map(|(name, digest)| field(name.as_str(), made_with.digests.get(name), Some(digest))).collect()
}

/// The path of what says that the host's key is another one, which makes all secrets count as changed.
pub const HOST_KEY: &str = "secrets";

/// `secrets.db_password`, with what is left of its digests for people to compare.
pub(super) fn field(name: &str, before: Option<&String>, after: Option<&String>) -> FieldChange {
    let short = |digest: &String| format!("digest {}", digest.get(..8).unwrap_or(digest));
    FieldChange { path: format!("{HOST_KEY}.{name}"), before: before.map(short), after: after.map(short) }
}

/// How the configs that a container is shown differ from those of its service. Each is a mount of its own, which holds on
/// to the file it was begun with: another in its place is seen by another container. One that has done its work reads none.
#[must_use]
pub fn shown_otherwise(
    service: &DesiredService,
    container: &Container,
    desired: &Desired,
    observed: &Observed,
) -> Vec<FieldChange> {
    let done = container.life == Life::Exited(0) && service.completes() && !container.stopped;
    if container.started_at.is_none() || done {
        return Vec::new();
    }
    let configs = container.deliveries.iter().filter(|delivery| delivery.kind == Kind::Configs);
    let differing = configs.flat_map(|delivery| differing(desired, observed, delivery));
    let mut found: Vec<FieldChange> = differing.map(|it| drifted(service, Kind::Configs, &it)).collect();
    if found.is_empty() && container.old_configs {
        let (before, after) = (Some("another file".to_owned()), Some(AS_DELIVERED.to_owned()));
        found.push(FieldChange { path: format!("services.{}.configs", service.name), before, after });
    }
    found
}

const AS_DELIVERED: &str = "as delivered";

fn drifted(service: &DesiredService, kind: Kind, differing: &Differing) -> FieldChange {
    let word = match kind {
        Kind::Secrets => "secrets",
        Kind::Configs => "configs",
    };
    let state = if differing.absent { "absent" } else { "changed" };
    FieldChange {
        path: format!("services.{}.{word}.{}", service.name, differing.file),
        before: Some(state.to_owned()),
        after: Some(AS_DELIVERED.to_owned()),
    }
}

/// What of a container's deliveries changes in place: secrets that changed, and what is not as it was delivered.
#[derive(Debug, Default)]
pub struct InPlace {
    pub rotated: Vec<FieldChange>,
    pub drifted: Vec<FieldChange>,
}

/// Looks at what a container was delivered.
#[must_use]
pub fn in_place(service: &DesiredService, member: Member<'_>, desired: &Desired, observed: &Observed) -> InPlace {
    let mut found = InPlace::default();
    for delivery in &member.container.deliveries {
        for it in differing(desired, observed, delivery) {
            let secret = service.spec.secrets.get(&it.file).filter(|_| delivery.kind == Kind::Secrets);
            let digest = |facts: Option<&FileFacts>| facts.and_then(|facts| facts.digest.clone());
            let (old, new) = (digest(it.before.as_ref()), digest(Some(&it.after)));
            match secret {
                Some(secret) if !it.absent && old != new => {
                    found.rotated.push(field(secret.secret.as_str(), old.as_ref(), new.as_ref()));
                }
                Some(_) | None => found.drifted.push(drifted(service, delivery.kind, &it)),
            }
        }
        if observed.deliveries.get(delivery).is_some_and(|there| there.signal_due) && member.container.life.is_up() {
            let path = format!("services.{}.secrets", service.name);
            let (before, after) = (Some("not told".to_owned()), Some("told by a signal".to_owned()));
            found.rotated.push(FieldChange { path, before, after });
        }
    }
    found
}
