//! Copies that come before a rollout: nothing of a service that changes is touched until they are made and verified.

use super::{
    Plan,
    change::{Action, Cause, Change, Interruption, Resource},
    draft::Draft,
    graph::StepId,
    step::Step,
};
use crate::{
    desired::{
        ContainerSpec, Desired,
        backup::{Backup, BeforeDeploy, Consistency, Data, Hook, Item},
        spec::MountSource,
    },
    observed::{Life, Observed, Owed, Role},
    value::ServiceName,
};
use std::collections::BTreeSet;

/// The copies that are owed before a rollout, by what is there and what `drawn` changes; none where nothing is rolled out,
/// and where there is nothing to copy. It is decided once for a rollout: what the plan starts on its way asks for no more.
///
/// Where copies go is the branch's to say, and whether any is asked for. What is copied, and how, is told by the manifest
/// in force: the containers that run are its, and a command that comes with the commit is in none of them.
#[must_use]
pub fn owed(desired: &Desired, observed: &Observed, in_force: &Desired, drawn: &Plan) -> Option<Owed> {
    let (wanted, then) = (desired.backup.as_ref()?, in_force.backup.as_ref()?);
    let services = changing(desired, drawn);
    let sides = [desired, in_force];
    let is_asked_for = |item: &&Item| match wanted.before_deploy {
        BeforeDeploy::Never => false,
        BeforeDeploy::Changed => services.iter().any(|service| uses(service, &item.data, sides)),
        BeforeDeploy::Always => !services.is_empty(),
    };
    let stays = |item: &&Item| wanted.items.iter().any(|other| other.name == item.name);
    let is_there = |item: &&Item| can_be_copied(&item.data, observed);
    let items: Vec<Item> = then.items.iter().filter(stays).filter(is_asked_for).filter(is_there).cloned().collect();
    // Who is down has nobody to be told of it.
    let heard = |hooks: &[Hook]| hooks.iter().filter(|hook| runs(&hook.service, observed)).cloned().collect();
    let (before, after) = (heard(&then.before), heard(&then.after));
    (!items.is_empty()).then(|| Owed { backup: Backup { items, before, after, ..wanted.clone() }, services })
}

/// The services of which a container is stopped or started because somebody wanted something else of them.
fn changing(desired: &Desired, drawn: &Plan) -> BTreeSet<ServiceName> {
    let moves = |role: &Role| {
        let steps = drawn.steps.iter().filter(|it| matches!(it.step, Step::Start { .. } | Step::Stop { .. }));
        steps.filter_map(|it| it.step.about()).any(|(_, about)| about == role)
    };
    let wanted = drawn.changes.iter().filter(|change| match change.cause {
        Cause::Commit | Cause::Image | Cause::Secret | Cause::Rollback => true,
        // The same is made again.
        Cause::Drift | Cause::Manual => false,
    });
    let service = |change: &Change| match &change.resource {
        Resource::Service(name) => Some(name.clone()).filter(|name| moves(&Role::Service(name.clone()))),
        Resource::Job(name) => {
            desired.jobs.get(name).filter(|_| moves(&Role::Job(name.clone()))).map(|job| job.service.clone())
        }
        Resource::Network(_)
        | Resource::Volume(_)
        | Resource::Route(_)
        | Resource::Certificate(_)
        | Resource::Backup(_) => None,
    };
    wanted.filter_map(service).collect()
}

/// Where data is.
enum Place<'a> {
    /// In a volume, by its name on the engine.
    Volume(&'a str),
    /// With a service, which gives it out.
    Service(&'a ServiceName),
}

fn place(data: &Data) -> Place<'_> {
    match data {
        Data::Sqlite { volume, .. } | Data::Volume { volume, .. } => Place::Volume(volume),
        Data::Postgres(server) | Data::Mysql(server) => Place::Service(&server.service),
        Data::Redis { service, .. } | Data::Exec { service, .. } => Place::Service(service),
    }
}

/// Whether a copy can succeed at all: one that is asked of a container which is down never does, and the rollout that
/// would bring it up would wait for it for ever.
fn can_be_copied(data: &Data, observed: &Observed) -> bool {
    match place(data) {
        Place::Volume(volume) => observed.volumes.contains_key(volume),
        Place::Service(service) => runs(service, observed),
    }
}

fn runs(service: &ServiceName, observed: &Observed) -> bool {
    let role = Role::Service(service.clone());
    observed.containers.values().any(|container| container.role == role && container.life == Life::Running)
}

/// Whether a service uses data, by either manifest: it has the volume; it gives the data out, or says that it depends on who
/// does, be it through others. Where nobody says so, any may.
fn uses(service: &ServiceName, data: &Data, sides: [&Desired; 2]) -> bool {
    match place(data) {
        Place::Volume(volume) => sides.iter().any(|side| {
            let jobs = side.jobs.values().filter(|job| job.service == *service).map(|job| &job.spec);
            let bodies = side.services.get(service).map(|it| &it.spec).into_iter().chain(jobs);
            bodies.into_iter().any(|body| has(body, volume))
        }),
        Place::Service(giver) => {
            let is_needed = |side: &&Desired| side.services.values().any(|it| it.depends_on.contains_key(giver));
            service == giver
                || sides.iter().any(|side| side.all_before(service).contains(giver))
                || !sides.iter().any(is_needed)
        }
    }
}

fn has(body: &ContainerSpec, volume: &str) -> bool {
    body.mounts.iter().any(|mount| matches!(&mount.source, MountSource::Volume(name) if name == volume))
}

/// What is told of copies that are owed.
#[must_use]
pub fn changes(owed: &Owed, changes: &[Change]) -> Vec<Change> {
    let moves = |change: &&Change| matches!(&change.resource, Resource::Service(name) if owed.services.contains(name));
    let cause = changes.iter().find(moves).map_or(Cause::Commit, |change| change.cause);
    let change = |item: &Item| Change {
        resource: Resource::Backup(item.name.clone()),
        action: Action::Run,
        cause,
        order: None,
        interruption: interruption(&item.data),
        fields: Vec::new(),
    };
    owed.backup.items.iter().map(change).collect()
}

fn interruption(data: &Data) -> Interruption {
    match data {
        Data::Volume { consistency: Consistency::Pause | Consistency::Stop, .. } => Interruption::Brief,
        Data::Volume { consistency: Consistency::None, .. }
        | Data::Sqlite { .. }
        | Data::Postgres(_)
        | Data::Mysql(_)
        | Data::Redis { .. }
        | Data::Exec { .. } => Interruption::None,
    }
}

impl Draft<'_> {
    /// Lays the step that makes the copies which are owed. It waits for images alone: one that does not come costs no copy.
    pub fn copy_first(&mut self) {
        let Some(owed) = &self.observed.applied.owed else { return };
        let steps: Vec<StepId> = self.graph.ids().collect();
        let waiting: Vec<StepId> =
            steps.iter().copied().filter(|id| waits_for_copies(self.graph.step(*id), owed)).collect();
        let pulls: Vec<StepId> =
            steps.into_iter().filter(|id| matches!(self.graph.step(*id), Step::Pull { .. })).collect();
        let items = owed.backup.items.iter().map(|item| item.name.clone()).collect();
        let first = self.graph.add(Step::CopyFirst { items });
        self.graph.after(first, pulls);
        for id in waiting {
            self.graph.after(id, [first]);
        }
        let told = changes(owed, &self.changes);
        self.changes.splice(0..0, told);
    }
}

/// Nobody stops and no job starts before there is a copy, and nothing is done to a service that changes. What only puts
/// right what is there goes on.
fn waits_for_copies(step: &Step, owed: &Owed) -> bool {
    let changes = |role: &Role| match role {
        Role::Service(name) => owed.services.contains(name),
        Role::Job(_) => true,
    };
    match step {
        Step::Stop { .. } => true,
        Step::Deliver { delivery } => changes(&delivery.role),
        Step::Pull { .. }
        | Step::CopyFirst { .. }
        | Step::CreateNetwork { .. }
        | Step::RemoveNetwork { .. }
        | Step::CreateVolume { .. }
        | Step::Create { .. }
        | Step::Start { .. }
        | Step::Await { .. }
        | Step::AwaitExit { .. }
        | Step::Remove { .. }
        | Step::Rename { .. }
        | Step::Adjust { .. }
        | Step::Unpause { .. }
        | Step::Connect { .. }
        | Step::Disconnect { .. }
        | Step::Tag { .. }
        | Step::Untag { .. }
        | Step::Signal { .. }
        | Step::Withdraw { .. }
        | Step::Route { .. }
        | Step::SeeRouted { .. }
        | Step::Drain { .. }
        | Step::Unroute { .. }
        | Step::StandIn { .. }
        | Step::Certify { .. }
        | Step::ShowCertificate { .. } => step.about().is_some_and(|(_, role)| changes(role)),
    }
}
