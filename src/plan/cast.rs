//! Which of a service's containers is the one it should be, and which are the others.

use super::{change::FieldChange, delivery, drift};
use crate::{
    desired::{Desired, DesiredService, Order, spec::Adjustable, spec::Network},
    observed::{Container, Evidence, Life, Observed, Readiness, Role},
    value::ServiceName,
};
use std::cmp::Reverse;

/// The containers of one service, parted.
#[derive(Debug)]
pub struct Cast<'a> {
    pub service: &'a DesiredService,
    /// The id of the image it should run, where that is known.
    pub image_id: Option<&'a str>,
    /// The container that is made as it should be.
    pub current: Option<Member<'a>>,
    /// Earlier generations, and others that should not be.
    pub others: Vec<Member<'a>>,
    /// Which comes first where the one replaces the other.
    pub order: Order,
}

/// A container with its name.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    pub name: &'a str,
    pub container: &'a Container,
}

/// Why a container is not the one its service should have.
#[derive(Clone, Debug, PartialEq)]
pub enum Mismatch {
    /// It is on its way out.
    Dying,
    /// It was made from another body.
    Body,
    /// It runs another image.
    Image,
    /// It was made with other secrets, or under another host key.
    Secret(Vec<FieldChange>),
    /// Its body, or a config that it is shown, is not what it was made with.
    Drift(Vec<FieldChange>),
    /// Its limits are not as they should be, and cannot be changed in place.
    Limits(Vec<FieldChange>),
    /// The container whose network it shares is another one now.
    Namespace,
    /// Somebody asked for a new one.
    Asked,
}

impl<'a> Cast<'a> {
    /// Parts the containers of a service.
    #[must_use]
    pub fn of(service: &'a DesiredService, desired: &'a Desired, observed: &'a Observed) -> Self {
        let mut members: Vec<Member<'a>> = observed
            .containers
            .iter()
            .filter(|(_, container)| container.role == Role::Service(service.name.clone()))
            .map(|(name, container)| Member { name, container })
            .collect();
        members.sort_by_key(|member| {
            (standing(member.container), member.name != service.container_name, Reverse(member.container.created_at))
        });
        let image_id = wanted_image(service, &members, observed);
        let current = members
            .iter()
            .position(|member| mismatch(service, image_id, member.container, desired, observed).is_none());
        let current = current.map(|place| members.remove(place));
        let order = if contradicts(service, &members, observed) { Order::StopFirst } else { service.order };
        Self { service, image_id, current, others: members, order }
    }

    /// True where the manifest asks by name for an order that would have two containers say different things to the proxy.
    #[must_use]
    pub fn insists_in_vain(&self) -> bool {
        self.service.insists && self.order == Order::StopFirst
    }

    /// Why the newest of the others is not the current one.
    #[must_use]
    pub fn mismatch(&self, desired: &Desired, observed: &Observed) -> Option<Mismatch> {
        let newest =
            self.others.iter().max_by_key(|member| (member.container.life.is_up(), member.container.created_at))?;
        mismatch(self.service, self.image_id, newest.container, desired, observed)
    }

    /// True when the image it should run is on this host. A container's image is.
    #[must_use]
    pub fn has_image(&self, observed: &Observed) -> bool {
        let Some(wanted) = self.image_id else { return false };
        let held = self.current.iter().chain(&self.others).any(|member| member.container.image_id == wanted);
        held || observed.images.values().any(|image| image.id == wanted)
    }

    /// One that was never seen ready is; and one that fails its probe now, before anything gives way to it.
    #[must_use]
    pub fn is_to_be_proved(&self, container: &Container) -> bool {
        match container.readiness {
            Readiness::Unproven => true,
            Readiness::Failing => !self.others.is_empty(),
            Readiness::Ready | Readiness::Failed(_) => false,
        }
    }

    /// True for what the tool left on its way: it stopped this run, or made it for an attempt that has come to no end
    /// and never saw it ready.
    #[must_use]
    pub fn is_unfinished(&self, observed: &Observed) -> bool {
        let applied = &observed.applied;
        let unseen = |id: &String| applied.unfinished && !applied.baselines.contains_key(id);
        self.current.is_some_and(|member| member.container.stopped || unseen(&member.container.id))
    }

    /// True when another generation may be answering.
    #[must_use]
    pub fn others_are_up(&self) -> bool {
        self.others.iter().any(|member| member.container.life.is_up())
    }
}

/// Whether two of its containers would say different things to the proxy side by side: which of them counts is chance.
fn contradicts(service: &DesiredService, others: &[Member<'_>], observed: &Observed) -> bool {
    let (Some(said), Some(front)) = (&service.said, &observed.front) else { return false };
    let up = others.iter().filter(|member| member.container.life.is_up());
    up.filter_map(|member| front.said.get(&member.container.id)).any(|before| *before != said.words)
}

/// How much a container is worth keeping: the lower the better.
fn standing(container: &Container) -> u8 {
    match (&container.life, &container.readiness) {
        (Life::Running | Life::Paused, Readiness::Ready) => 0,
        (Life::Running | Life::Paused, Readiness::Failing) => 1,
        (Life::Running | Life::Paused, Readiness::Unproven) => 2,
        (Life::Running | Life::Paused, Readiness::Failed(_)) => 3,
        (Life::Restarting, _) => 4,
        (Life::Stopping | Life::Exited(_), _) => 5,
        (Life::Created, _) => 6,
        (Life::Unknown(_), _) => 7,
        (Life::Dead | Life::Removing, _) => 8,
    }
}

/// A pinned image, else what the reference means here, else what a container made from the same body runs: a tag that
/// somebody took away is no reason to replace what runs.
fn wanted_image<'a>(service: &'a DesiredService, members: &[Member<'a>], observed: &'a Observed) -> Option<&'a str> {
    service
        .pinned_image
        .as_deref()
        .or_else(|| observed.images.get(&service.spec.image).map(|image| image.id.as_str()))
        .or_else(|| {
            members
                .iter()
                .find(|member| member.container.spec_hash == service.spec_hash)
                .map(|member| member.container.image_id.as_str())
        })
}

/// Why this container is not the one, or nothing when it is.
fn mismatch(
    service: &DesiredService,
    image_id: Option<&str>,
    container: &Container,
    desired: &Desired,
    observed: &Observed,
) -> Option<Mismatch> {
    match &container.life {
        Life::Removing | Life::Dead => return Some(Mismatch::Dying),
        Life::Created
        | Life::Running
        | Life::Paused
        | Life::Restarting
        | Life::Stopping
        | Life::Exited(_)
        | Life::Unknown(_) => {}
    }
    if container.spec_hash != service.spec_hash {
        return Some(Mismatch::Body);
    }
    if !is_delivered(service, container, desired) {
        return Some(Mismatch::Body);
    }
    if image_id.is_some_and(|id| id != container.image_id) {
        return Some(Mismatch::Image);
    }
    let secrets = delivery::outdated(service, container, desired);
    if !secrets.is_empty() {
        return Some(Mismatch::Secret(secrets));
    }
    if observed.applied.replace.contains(&container.id) {
        return Some(Mismatch::Asked);
    }
    let mut drift = match &container.evidence {
        Evidence::Baseline(differences) => differences.clone(),
        Evidence::Declared(body) => drift::undeclared(service.name.as_str(), &service.spec, body),
        Evidence::Ours => Vec::new(),
    };
    drift.extend(drift::other_values(service.name.as_str(), container));
    if !drift.is_empty() {
        return Some(Mismatch::Drift(drift));
    }
    let configs = delivery::shown_otherwise(service, container, desired, observed);
    if !configs.is_empty() {
        return Some(Mismatch::Drift(configs));
    }
    let limits = limits(service, container);
    if !limits.is_empty() && !can_adjust(service, container, observed) {
        return Some(Mismatch::Limits(limits));
    }
    if let Network::Service(host) = &service.spec.network
        && container.namespace_of.as_deref() != current_id(host, desired, observed)
    {
        return Some(Mismatch::Namespace);
    }
    None
}

/// Whether it is shown a delivery of each kind that its service has.
fn is_delivered(service: &DesiredService, container: &Container, desired: &Desired) -> bool {
    let kinds = |kind| container.deliveries.iter().any(|delivery| delivery.kind == kind);
    desired.deliveries(&Role::Service(service.name.clone())).iter().all(|wanted| kinds(wanted.kind))
}

/// The id of a service's current container.
fn current_id<'a>(service: &ServiceName, desired: &'a Desired, observed: &'a Observed) -> Option<&'a str> {
    let service = desired.services.get(service)?;
    Cast::of(service, desired, observed).current.map(|member| member.container.id.as_str())
}

/// Limits that are not as declared.
#[must_use]
pub fn limits(service: &DesiredService, container: &Container) -> Vec<FieldChange> {
    let Some(there) = &container.adjustable else { return Vec::new() };
    let declared = &service.spec.adjustable;
    let mut differences = Vec::new();
    let mut compare = |field: &str, before: Option<String>, after: Option<String>| {
        if before != after {
            differences.push(FieldChange { path: format!("services.{}.{field}", service.name), before, after });
        }
    };
    let text = |number: Option<u64>| number.map(|n| n.to_string());
    compare("restart", Some(format!("{:?}", there.restart)), Some(format!("{:?}", declared.restart)));
    compare("mem_limit", text(there.memory), text(declared.memory));
    compare("mem_reservation", text(there.memory_reservation), text(declared.memory_reservation));
    compare("cpus", text(there.nano_cpus), text(declared.nano_cpus));
    compare("cpuset", there.cpuset.clone(), declared.cpuset.clone());
    compare("pids_limit", there.pids_limit.map(|n| n.to_string()), declared.pids_limit.map(|n| n.to_string()));
    differences
}

/// True when the engine can bring the limits of this container to what is declared. It takes no limit away: to an
/// engine, zero means "as it is" (research, engine §4).
fn can_adjust(service: &DesiredService, container: &Container, observed: &Observed) -> bool {
    let Some(there) = &container.adjustable else { return false };
    let Adjustable { restart: _, memory, memory_reservation, nano_cpus, cpuset, pids_limit } = &service.spec.adjustable;
    observed.abilities.adjusts
        && !(there.memory.is_some() && memory.is_none())
        && !(there.memory_reservation.is_some() && memory_reservation.is_none())
        && !(there.nano_cpus.is_some() && nano_cpus.is_none())
        && !(there.cpuset.is_some() && cpuset.is_none())
        && !(there.pids_limit.is_some() && pids_limit.is_none())
}
