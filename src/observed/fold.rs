//! Carries a verified effect over into what was observed, so that a pass looks once and not after each step.

use super::{
    Baseline, Container, Effect, Endpoint, Evidence, Failure, Life, Network, Observed, Owner, Readiness, Role, Volume,
    fold_front,
};
use crate::{
    desired::{ContainerSpec, DeliveryName, Desired, SpecHash, delivery::Kind, spec},
    plan::{Step, job},
    value::OnChange,
};
use std::collections::{BTreeMap, BTreeSet};

/// Carries an effect over.
pub fn fold(observed: &mut Observed, desired: &Desired, step: &Step, effect: &Effect) {
    match step {
        Step::Pull { reference, .. } => {
            if let Effect::Pulled(image) = effect {
                observed.images.insert(reference.clone(), image.clone());
            }
            observed.applied.pulls.insert(reference.clone(), observed.now);
            observed.applied.pulled.insert(reference.clone());
        }
        Step::CopyFirst { .. } => observed.applied.owed = None,
        Step::CreateNetwork { network } => {
            if let (Effect::Made { id }, Some(wanted)) = (effect, desired.networks.get(network)) {
                observed.networks.insert(
                    network.clone(),
                    Network {
                        id: id.clone(),
                        owner: Owner::App,
                        spec_hash: Some(wanted.spec_hash.clone()),
                        kept: false,
                        duplicates: Vec::new(),
                        unprunable: false,
                    },
                );
            }
        }
        Step::RemoveNetwork { network, id } => remove_network(observed, network, id, effect),
        Step::CreateVolume { volume } => {
            observed.volumes.insert(volume.clone(), Volume { owner: Owner::App });
        }
        Step::Create { container, role } => {
            // Nothing was made where it failed: the pass holds the failure, and there is nothing to observe.
            if let Effect::Made { id } = effect {
                create(observed, desired, container, role, id);
            }
        }
        Step::Start { container, .. } => {
            if let Effect::Failed(failure) = effect {
                return fail(observed, container, failure);
            }
            let now = observed.now;
            change(observed, container, |facts| {
                facts.life = Life::Running;
                facts.started_at = Some(now);
                facts.readiness = Readiness::Unproven;
                facts.stopped = false;
                facts.old_configs = false;
            });
            fold_front::leads_nowhere(observed, container);
            told(observed, container);
        }
        Step::Await { container, .. } => match effect {
            Effect::Failed(failure) => fail(observed, container, failure),
            Effect::Ended => change(observed, container, |facts| {
                facts.life = Life::Exited(0);
                facts.readiness = Readiness::Ready;
            }),
            // Only one that runs is ever seen ready, also where it was waiting for its restart before.
            Effect::Done | Effect::Ready | Effect::Pulled(_) | Effect::Made { .. } => {
                change(observed, container, |facts| {
                    facts.life = Life::Running;
                    facts.readiness = Readiness::Ready;
                });
            }
        },
        Step::AwaitExit { container, role } => match effect {
            Effect::Failed(failure) => fail(observed, container, failure),
            Effect::Done | Effect::Ready | Effect::Ended | Effect::Pulled(_) | Effect::Made { .. } => {
                change(observed, container, |facts| {
                    facts.life = Life::Exited(0);
                    facts.readiness = Readiness::Ready;
                });
                job_done(observed, desired, container, role);
            }
        },
        // A signal ends a process with some code; which one decides nothing.
        Step::Stop { container, .. } => {
            change(observed, container, |facts| {
                facts.life = Life::Exited(143);
                facts.stopped = true;
            });
            fold_front::leads_nowhere(observed, container);
        }
        Step::Remove { container, .. } => {
            observed.containers.remove(container);
        }
        Step::Rename { container, to, .. } => {
            if let Some(facts) = observed.containers.remove(container) {
                observed.containers.insert(to.clone(), facts);
            }
        }
        Step::Adjust { container, role } => {
            let limits = body(desired, role).map(|body| body.adjustable.clone());
            change(observed, container, |facts| facts.adjustable = limits);
        }
        Step::Unpause { container, .. } => change(observed, container, |facts| facts.life = Life::Running),
        Step::Connect { container, network, role } => {
            let network_id = observed.networks.get(network).map(|there| there.id.clone()).unwrap_or_default();
            let aliases = body(desired, role).map(|body| aliases(body, network)).unwrap_or_default();
            change(observed, container, |facts| {
                facts.endpoints.insert(network.clone(), Endpoint { network_id, aliases, address: None });
            });
        }
        Step::Disconnect { container, network, .. } => change(observed, container, |facts| {
            facts.endpoints.remove(network);
        }),
        Step::Tag { image_id, tag } => {
            observed.applied.present_tags.insert(tag.clone(), image_id.clone());
        }
        Step::Untag { tag } => {
            observed.applied.present_tags.remove(tag);
        }
        Step::Deliver { delivery } => deliver(observed, desired, delivery),
        Step::Signal { container, .. } => told(observed, container),
        Step::Withdraw { delivery } => drop(observed.deliveries.remove(delivery)),
        Step::Route { container, role } => fold_front::route(observed, desired, (container, role), effect),
        Step::SeeRouted { container, role } => fold_front::seen(observed, (container, role), effect),
        Step::Drain { container, .. } => fold_front::drained(observed, container),
        Step::Unroute { service } => fold_front::unrouted(observed, service),
        Step::Certify { service } => fold_front::certified(observed, service, effect),
        Step::StandIn { service } => fold_front::stood_in(observed, service),
        Step::ShowCertificate { service } => fold_front::shown(observed, service),
    }
}

fn change(observed: &mut Observed, container: &str, with: impl FnOnce(&mut Container)) {
    if let Some(facts) = observed.containers.get_mut(container) {
        with(facts);
    }
}

/// The files are as they should be; a process that is to be told is not yet.
fn deliver(observed: &mut Observed, desired: &Desired, delivery: &DeliveryName) {
    let wanted = desired.files(&delivery.role, delivery.kind);
    let there = observed.deliveries.entry(delivery.clone()).or_default();
    let mut anew = false;
    for (file, mut facts) in wanted {
        let before = there.files.get(&file);
        let is_other = before.is_some_and(|before| !before.agrees_with(&facts));
        anew |= is_other || before.is_none();
        there.signal_due |= is_other && desired.on_change(&delivery.role, &file) == OnChange::Signal;
        facts.digest = facts.digest.or_else(|| before.and_then(|before| before.digest.clone()));
        there.files.insert(file, facts);
    }
    // The folder of secrets is shown as a whole, and each config by itself.
    if delivery.kind == Kind::Configs && anew {
        let shown = |it: &&mut Container| it.started_at.is_some() && it.deliveries.contains(delivery);
        observed.containers.values_mut().filter(shown).for_each(|it| it.old_configs = true);
    }
}

/// A process that begins now has read what there is.
fn told(observed: &mut Observed, container: &str) {
    let Some(facts) = observed.containers.get(container) else { return };
    for delivery in &facts.deliveries {
        if let Some(there) = observed.deliveries.get_mut(delivery) {
            there.signal_due = false;
        }
    }
}

pub(super) fn fail(observed: &mut Observed, container: &str, failure: &Failure) {
    change(observed, container, |facts| {
        if let Some(code) = failure.exit_code {
            facts.life = Life::Exited(code);
        }
        facts.readiness = Readiness::Failed(failure.clone());
    });
}

fn remove_network(observed: &mut Observed, name: &str, id: &str, effect: &Effect) {
    let Some(there) = observed.networks.get_mut(name) else { return };
    match effect {
        Effect::Failed(_) => there.kept = true,
        Effect::Done | Effect::Ready | Effect::Ended | Effect::Pulled(_) | Effect::Made { .. } => {
            if there.id == id {
                observed.networks.remove(name);
            } else {
                there.duplicates.retain(|duplicate| duplicate != id);
            }
        }
    }
}

/// The body a role should have.
#[must_use]
pub fn body<'a>(desired: &'a Desired, role: &Role) -> Option<&'a ContainerSpec> {
    desired.body_of(role)
}

fn spec_hash(desired: &Desired, role: &Role) -> Option<SpecHash> {
    match role {
        Role::Service(name) => desired.services.get(name).map(|service| service.spec_hash.clone()),
        Role::Job(name) => desired.jobs.get(name).map(|job| job.spec_hash.clone()),
    }
}

fn aliases(body: &ContainerSpec, network: &str) -> BTreeSet<String> {
    match &body.network {
        spec::Network::Networks(networks) => networks.get(network).cloned().unwrap_or_default(),
        spec::Network::Host | spec::Network::None | spec::Network::Service(_) => BTreeSet::new(),
    }
}

/// The id of the image a role's container is made from.
#[must_use]
pub fn image_id(observed: &Observed, desired: &Desired, role: &Role) -> Option<String> {
    let service = match role {
        Role::Service(name) => desired.services.get(name)?,
        Role::Job(name) => desired.services.get(&desired.jobs.get(name)?.service)?,
    };
    crate::plan::cast::Cast::of(service, desired, observed).image_id.map(str::to_owned)
}

/// The id of the container whose network a role's container shares.
#[must_use]
pub fn namespace_of(observed: &Observed, desired: &Desired, role: &Role) -> Option<String> {
    match &body(desired, role)?.network {
        spec::Network::Service(host) => {
            let service = desired.services.get(host)?;
            crate::plan::cast::Cast::of(service, desired, observed).current.map(|member| member.container.id.clone())
        }
        spec::Network::Networks(_) | spec::Network::Host | spec::Network::None => None,
    }
}

fn create(observed: &mut Observed, desired: &Desired, name: &str, role: &Role, id: &str) {
    let (Some(body), Some(spec_hash)) = (body(desired, role), spec_hash(desired, role)) else { return };
    let image_id = image_id(observed, desired, role).unwrap_or_default();
    let namespace_of = namespace_of(observed, desired, role);
    let mut endpoints = BTreeMap::new();
    if let spec::Network::Networks(networks) = &body.network
        && let Some((network, aliases)) = networks.iter().next()
    {
        let network_id = observed.networks.get(network).map(|there| there.id.clone()).unwrap_or_default();
        endpoints.insert(network.clone(), Endpoint { network_id, aliases: aliases.clone(), address: None });
    }
    observed.containers.insert(
        name.to_owned(),
        Container {
            id: id.to_owned(),
            role: role.clone(),
            spec_hash,
            image_id,
            life: Life::Created,
            created_at: observed.now,
            started_at: None,
            restarts: 0,
            readiness: Readiness::Unproven,
            endpoints,
            namespace_of,
            adjustable: Some(body.adjustable.clone()),
            evidence: Evidence::Ours,
            writes: body.writes(),
            ports: body.ports.clone(),
            unprunable: false,
            deliveries: desired.deliveries(role).into_iter().collect(),
            old_configs: false,
            other_values: BTreeSet::new(),
            sealed: desired.sealed(role),
            stopped: false,
        },
    );
}

fn job_done(observed: &mut Observed, desired: &Desired, container: &str, role: &Role) {
    let Role::Job(name) = role else { return };
    if let (Some(wanted), Some(facts)) = (desired.jobs.get(name), observed.containers.get(container)) {
        let key = job::key(wanted, &facts.image_id);
        observed.applied.jobs_done.insert((name.clone(), key));
    }
}

impl Baseline {
    /// A baseline that accepts one run of a container.
    #[must_use]
    pub fn accepting(container: &Container, projection: Option<super::projection::Projection>) -> Self {
        Self { started_at: container.started_at, projection }
    }
}
