//! What a change of manifests would do to a host that is as the old ones say: git against git, no engine.

use super::{Change, Resource, Step, copy_first, plan};
use crate::{
    desired::Desired,
    observed::{Abilities, Effect, Front, Image, Network, Observed, Owner, Role, Volume, fold},
    value::ServiceName,
};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// More rounds than any plan has steps in a row: a plan that does not end is a bug that must not hang a CI job.
const MOST_ROUNDS: usize = 10_000;

/// The changes between two renderings of an app. What its host could add (drift, moved tags) is not in it.
#[must_use]
pub fn changes(before: &Desired, after: &Desired) -> Vec<Change> {
    let mut observed = converged(before, after);
    observed.applied.manifest = Some(before.manifest.clone());
    observed.applied.number = (!before.services.is_empty()).then_some(1);
    let mut drawn = plan(after, &observed);
    drawn.changes.retain(|change| !is_echo(change, before, after));
    let copies = copy_first::owed(after, &observed, before, &drawn);
    let copies = copies.map(|owed| copy_first::changes(&owed, &drawn.changes)).unwrap_or_default();
    copies.into_iter().chain(drawn.changes).collect()
}

/// On paper every image is new, so a change whose only reason is an image's id says nothing.
fn is_echo(change: &Change, before: &Desired, after: &Desired) -> bool {
    match &change.resource {
        Resource::Service(name) => {
            let same = |desired: &Desired| desired.services.get(name).map(|service| service.spec_hash.clone());
            change.fields.is_empty() && same(before).is_some() && same(before) == same(after)
        }
        Resource::Network(_)
        | Resource::Volume(_)
        | Resource::Job(_)
        | Resource::Route(_)
        | Resource::Certificate(_)
        | Resource::Backup(_) => false,
    }
}

/// A host on which everything that `desired` says was done, and on which `next` will find its images.
fn converged(desired: &Desired, next: &Desired) -> Observed {
    let mut observed = blank(desired, next);
    for _ in 0..MOST_ROUNDS {
        let drawn = plan(desired, &observed);
        let Some(step) = drawn.ready(&BTreeSet::new()).next().cloned() else { break };
        let effect = effect(&step, desired);
        fold::fold(&mut observed, desired, &step, &effect);
    }
    observed
}

/// Whatever is external is there; an image's id is its reference, so equal references are equal images.
fn blank(desired: &Desired, next: &Desired) -> Observed {
    let services = || desired.services.values().chain(next.services.values());
    let image = |reference: &String| (reference.clone(), Image { id: reference.clone(), ..Image::default() });
    let networks = [desired, next].into_iter().flat_map(|side| &side.networks);
    let volumes = [desired, next].into_iter().flat_map(|side| &side.volumes);
    Observed {
        images: services().map(|service| image(&service.spec.image)).collect(),
        networks: networks
            .filter(|(_, network)| network.external)
            .map(|(name, _)| (name.clone(), foreign_network(name)))
            .collect(),
        volumes: volumes
            .filter(|(_, volume)| volume.external)
            .map(|(name, _)| (name.clone(), Volume { owner: Owner::Other }))
            .collect(),
        front: services().any(|service| service.route.is_some()).then(Front::default),
        ..Observed::nothing(Timestamp::UNIX_EPOCH, Abilities { adjusts: true })
    }
}

fn foreign_network(name: &str) -> Network {
    Network {
        id: name.to_owned(),
        owner: Owner::Other,
        spec_hash: None,
        kept: false,
        duplicates: Vec::new(),
        unprunable: false,
    }
}

/// What the step does where all goes well: what is made is called by its name, and an image by its reference.
fn effect(step: &Step, desired: &Desired) -> Effect {
    let ends = matches!(step, Step::Await { role, .. } if ends(role, desired));
    if ends { Effect::Ended } else { Effect::perfect(step, str::to_owned) }
}

/// A service that others wait for to complete is one that does.
fn ends(role: &Role, desired: &Desired) -> bool {
    let awaited = |name: &ServiceName| {
        desired.services.values().any(|service| {
            service.depends_on.get(name).is_some_and(|dependency| {
                dependency.condition == crate::desired::Condition::ServiceCompletedSuccessfully
            })
        })
    };
    match role {
        Role::Service(name) => awaited(name),
        Role::Job(_) => true,
    }
}
