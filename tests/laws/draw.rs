//! Apps and hosts, drawn in a few words.

use reconcile::{
    desired::{Desired, resolve_stored},
    observed::{
        Abilities, Effect, Evidence, Front, Image, Network, Observed, Owner, Role, Volume,
        fold::{self, fold},
    },
    plan::{Step, plan},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// An app and the host it meets.
#[derive(Clone)]
pub struct World {
    pub title: String,
    pub desired: Desired,
    pub observed: Observed,
}

/// The app `test/app` of a manifest.
pub fn app(manifest: &Value) -> Desired {
    resolve_stored(&"test".parse().unwrap(), &"app".parse().unwrap(), manifest, &BTreeMap::new())
        .unwrap_or_else(|error| panic!("{error:?}: {manifest}"))
}

/// A host with nothing on it, where every image's id is its reference.
pub fn blank(desired: &Desired) -> Observed {
    let image = |reference: &String| (reference.clone(), Image { id: id_of(reference), ..Image::default() });
    Observed {
        images: desired.services.values().map(|service| image(&service.spec.image)).collect(),
        networks: desired
            .networks
            .iter()
            .filter(|(_, network)| network.external)
            .map(|(name, _)| (name.clone(), external(name)))
            .collect(),
        volumes: desired
            .volumes
            .iter()
            .filter(|(_, volume)| volume.external)
            .map(|(name, _)| (name.clone(), Volume { owner: Owner::Other }))
            .collect(),
        front: desired.services.values().any(|service| service.route.is_some()).then(Front::default),
        ..Observed::nothing("2026-01-01T00:00:00Z".parse().unwrap(), Abilities { adjusts: true })
    }
}

/// A network of others.
fn external(name: &str) -> Network {
    Network {
        id: name.to_owned(),
        owner: Owner::Other,
        spec_hash: None,
        kept: false,
        duplicates: Vec::new(),
        unprunable: false,
    }
}

/// The id of the image that a reference means until somebody moves it.
pub fn id_of(reference: &str) -> String {
    format!("sha256:{reference}")
}

/// A host on which all that `desired` says was done in an earlier pass.
pub fn settled(desired: &Desired) -> Observed {
    let mut observed = blank(desired);
    for _ in 0..1_000 {
        let drawn = plan(desired, &observed);
        let Some(step) = drawn.ready(&BTreeSet::new()).next().cloned() else { break };
        perform(&mut observed, desired, &step);
    }
    accept(&mut observed, desired);
    observed
}

/// What the ledger says after a pass.
pub fn accept(observed: &mut Observed, desired: &Desired) {
    observed.applied.manifest = Some(desired.manifest.clone());
    observed.applied.number = Some(1);
    for container in observed.containers.values_mut() {
        container.evidence = Evidence::Baseline(Vec::new());
    }
}

/// Does a step as it should be done, a second later.
pub fn perform(observed: &mut Observed, desired: &Desired, step: &Step) {
    observed.now += jiff::SignedDuration::from_secs(1);
    let effect = perfect(step, observed);
    fold(observed, desired, step, &effect);
}

/// What a step does where all goes well.
fn perfect(step: &Step, observed: &Observed) -> Effect {
    Effect::perfect(step, |name| match step {
        Step::Pull { .. } => observed.images.get(name).map_or_else(|| id_of(name), |image| image.id.clone()),
        _ => format!("{name}@{}", observed.now),
    })
}

/// The host ports a role may hold.
pub fn may_publish<'a>(
    desired: &'a Desired,
    role: &Role,
) -> Option<&'a BTreeSet<reconcile::desired::spec::PublishedPort>> {
    fold::body(desired, role).map(|body| &body.ports)
}
