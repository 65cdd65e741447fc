//! Networks and volumes: what must be there before a container can be made.

use super::{
    Obstacle,
    cast::Cast,
    change::{Action, Cause, Change, FieldChange, Interruption, Resource},
    describe,
    graph::{Graph, StepId},
    step::Step,
};
use crate::{
    blame::Blame,
    desired::{Desired, DesiredNetwork},
    observed::{Endpoint, Network, Observed, Owner},
};
use std::collections::{BTreeMap, BTreeSet};

/// What containers stand on: the steps that make it, and what cannot be made.
#[derive(Debug, Default)]
pub struct Ground {
    /// The step that makes a network, for those that are not there or are made anew.
    pub networks: BTreeMap<String, StepId>,
    /// Networks that are made anew: whoever is on one is taken off first.
    pub renewed: BTreeSet<String>,
    /// The step that makes a volume.
    pub volumes: BTreeMap<String, StepId>,
    /// Networks and volumes that cannot be had, so that who needs them is not begun.
    pub missing: BTreeSet<String>,
    /// Drift is put right: the manifest allows it, or a service that changes has to stand on something.
    repairs: bool,
    /// What differs.
    pub changes: Vec<Change>,
    /// Why something cannot be had.
    pub obstacles: Vec<Obstacle>,
}

/// True when the container is on a network that had this name before and is gone, or another one now.
#[must_use]
pub fn is_stale(name: &str, endpoint: &Endpoint, observed: &Observed) -> bool {
    // Podman tells the name where Docker tells the id, and Docker tells nothing before the first start.
    let known = |id: &str| id.is_empty() || id == name;
    !known(&endpoint.network_id) && observed.networks.get(name).is_none_or(|network| network.id != endpoint.network_id)
}

/// Lays the steps for networks and volumes.
#[must_use]
pub fn lay(desired: &Desired, observed: &Observed, graph: &mut Graph) -> Ground {
    let mut ground =
        Ground { repairs: desired.sync.self_heal || somebody_moves(desired, observed), ..Ground::default() };
    for (name, network) in &desired.networks {
        lay_network(name, network, desired, observed, graph, &mut ground);
    }
    for (name, volume) in &desired.volumes {
        match (observed.volumes.get(name).map(|volume| volume.owner), volume.external) {
            (Some(_), true) | (Some(Owner::App), false) => {}
            (None, true) => ground.refuse(
                "volume",
                name,
                "is not there",
                format!("make it (`docker volume create {name}`), or drop `external: true`"),
            ),
            (Some(Owner::Other), false) => {
                ground.refuse(
                    "volume",
                    name,
                    "is there and not this app's",
                    "say `external: true` to use it as it is, or give `name` another value".to_owned(),
                );
            }
            (None, false) => {
                let cause = cause("volumes", &volume.key, observed);
                if ground.may(cause) {
                    let step = graph.add(Step::CreateVolume { volume: name.clone() });
                    ground.volumes.insert(name.clone(), step);
                }
                ground.changes.push(made(Resource::Volume(name.clone()), cause));
            }
        }
    }
    ground
}

fn lay_network(
    name: &str,
    wanted: &DesiredNetwork,
    desired: &Desired,
    observed: &Observed,
    graph: &mut Graph,
    ground: &mut Ground,
) {
    let Some(there) = observed.networks.get(name) else {
        if wanted.external {
            ground.refuse(
                "network",
                name,
                "is not there",
                format!("make it (`docker network create {name}`), or drop `external: true`"),
            );
        } else {
            let cause =
                if wanted.key == "default" { used_before(observed) } else { cause("networks", &wanted.key, observed) };
            // Taken away to be made anew, in this pass or in one that was killed.
            let cause = if declared_anew(wanted, desired, observed).is_empty() { cause } else { Cause::Commit };
            if ground.may(cause) {
                let step = graph.add(Step::CreateNetwork { network: name.to_owned() });
                ground.networks.insert(name.to_owned(), step);
            }
            ground.changes.push(made(Resource::Network(name.to_owned()), cause));
        }
        return;
    };
    if wanted.external {
        return;
    }
    match there.owner {
        Owner::Other => ground.refuse(
            "network",
            name,
            "is there and not this app's",
            "say `external: true` to use it as it is, or give `name` another value".to_owned(),
        ),
        Owner::App if there.spec_hash.as_ref() == Some(&wanted.spec_hash) => {
            for id in there.duplicates.iter().filter(|_| desired.sync.self_heal) {
                graph.add(Step::RemoveNetwork { network: name.to_owned(), id: id.clone() });
            }
        }
        Owner::App => renew(name, wanted, there, desired, observed, graph, ground),
    }
}

/// A network's body cannot be changed: everybody is taken off, it is made anew, and they are put back.
fn renew(
    name: &str,
    wanted: &DesiredNetwork,
    there: &Network,
    desired: &Desired,
    observed: &Observed,
    graph: &mut Graph,
    ground: &mut Ground,
) {
    let fields = declared_anew(wanted, desired, observed);
    let cause = if fields.is_empty() { used_before(observed) } else { Cause::Commit };
    ground.changes.push(Change {
        resource: Resource::Network(name.to_owned()),
        action: Action::Replace,
        cause,
        order: None,
        interruption: Interruption::Brief,
        fields,
    });
    if !ground.may(cause) {
        return;
    }
    let mut taken_off = Vec::new();
    for (container, facts) in &observed.containers {
        if facts.endpoints.contains_key(name) {
            taken_off.push(graph.add(Step::Disconnect {
                container: container.clone(),
                network: name.to_owned(),
                role: facts.role.clone(),
            }));
        }
    }
    let remove = graph.add(Step::RemoveNetwork { network: name.to_owned(), id: there.id.clone() });
    graph.after(remove, taken_off);
    let create = graph.add(Step::CreateNetwork { network: name.to_owned() });
    graph.after(create, [remove]);
    ground.networks.insert(name.to_owned(), create);
    ground.renewed.insert(name.to_owned());
}

/// The fields of a network in which the manifest differs from the one in force.
#[must_use]
pub fn declared_anew(network: &DesiredNetwork, desired: &Desired, observed: &Observed) -> Vec<FieldChange> {
    let of = |manifest: &serde_json::Value| manifest.get("networks").and_then(|all| all.get(&network.key)).cloned();
    let before = observed.applied.manifest.as_ref().and_then(of);
    super::fields::between(&format!("networks.{}", network.key), before.as_ref(), of(&desired.manifest).as_ref())
}

/// True when a service changes for another reason than drift.
fn somebody_moves(desired: &Desired, observed: &Observed) -> bool {
    desired.services.values().any(|service| {
        describe::service(&Cast::of(service, desired, observed), desired, observed)
            .is_some_and(|change| change.cause != Cause::Drift)
    })
}

impl Ground {
    fn may(&self, cause: Cause) -> bool {
        self.repairs || cause != Cause::Drift
    }

    fn refuse(&mut self, kind: &str, name: &str, why: &str, hint: String) {
        self.missing.insert(name.to_owned());
        self.obstacles.push(Obstacle {
            blame: Blame::World,
            service: None,
            summary: format!("{kind} `{name}` {why}"),
            hint: Some(hint),
        });
    }
}

fn made(resource: Resource, cause: Cause) -> Change {
    Change {
        resource,
        action: Action::Create,
        cause,
        order: None,
        interruption: Interruption::None,
        fields: Vec::<FieldChange>::new(),
    }
}

/// Drift when the manifest in force had it already.
fn cause(section: &str, key: &str, observed: &Observed) -> Cause {
    let before =
        observed.applied.manifest.as_ref().and_then(|manifest| manifest.get(section)).and_then(|all| all.get(key));
    if before.is_some() { Cause::Drift } else { Cause::Commit }
}

fn used_before(observed: &Observed) -> Cause {
    if observed.applied.manifest.is_some() { Cause::Drift } else { Cause::Commit }
}
