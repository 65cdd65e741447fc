//! The laws: what must hold before each step, and at the end.

use crate::draw::may_publish;
use reconcile::{
    desired::{Condition, DeliveryName, Desired, DesiredJob, JobPhase, Order, delivery::Kind, spec::Network},
    observed::{Container, Life, Observed, Readiness, Role},
    plan::{Cause, Plan, Planned, Resource, Step, cast::Cast, delivery::is_over},
    value::ServiceName,
};

/// What is broken when a plan is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// After any beginning, planning again gives exactly what is left.
    Tail,
    /// At the end nothing is left, and what should run runs.
    Arrives,
    /// Start-first never stops the last container that serves.
    KeepsServing,
    /// Two generations never write one volume at once, nor a job beside the writer.
    OneWriter,
    /// Only what is ours is named, and only names that are free are given.
    OnlyOurs,
    /// Nobody starts on a port that another of the app still holds.
    OnePort,
    /// Nothing is published that is not declared.
    PublishesNoMore,
    /// All that can be prepared is, before the first stop.
    PreparesFirst,
    /// What a service needs holds before it starts.
    NeedsFirst,
    /// Jobs run at their time, and never on the way back.
    JobsInTime,
    /// Who starts finds its secrets and configs as they should be, and nobody loses what it is shown.
    FindsItsFiles,
    /// With `self_heal: false` drift is left.
    LeavesDrift,
    /// With `prune: false` nothing that is gone from the manifest is touched.
    LeavesGone,
    /// Nothing is done to what changes before there is a copy, and nothing keeps the copy but a pull.
    CopiesFirst,
}

/// A law that is broken, and how.
#[derive(Clone, Debug)]
pub struct Broken {
    pub law: Law,
    pub how: String,
}

pub fn broken<T>(law: Law, how: impl Into<String>) -> Result<T, Broken> {
    Err(Broken { law, how: how.into() })
}

pub fn serves(container: &Container) -> bool {
    container.life == Life::Running && container.readiness == Readiness::Ready
}

/// What a whole plan must not say.
pub fn of_plan(desired: &Desired, observed: &Observed, plan: &Plan) -> Result<(), Broken> {
    if !desired.sync.self_heal {
        // What we stopped ourselves is ours to finish.
        let ours = |name: &ServiceName| {
            let service = desired.services.get(name);
            service.is_some_and(|it| Cast::of(it, desired, observed).current.is_some_and(|it| it.container.stopped))
        };
        let moves =
            plan.changes.iter().any(|it| matches!(it.resource, Resource::Service(_)) && it.cause != Cause::Drift);
        for change in plan.changes.iter().filter(|change| change.cause == Cause::Drift) {
            // Who changes for another reason needs something to stand on.
            if moves && !matches!(change.resource, Resource::Service(_)) {
                continue;
            }
            if matches!(&change.resource, Resource::Service(name) if ours(name)) {
                continue;
            }
            let new_ground =
                plan.changes.iter().any(|it| matches!(it.resource, Resource::Network(_)) && it.cause != Cause::Drift);
            let excused = |step: &Step| new_ground && matches!(step, Step::Disconnect { .. });
            if let Some(step) = plan.steps.iter().find(|it| is_about(&it.step, &change.resource) && !excused(&it.step))
            {
                return broken(Law::LeavesDrift, format!("{} of drifted {}", step.step, change.resource));
            }
        }
    }
    if !desired.sync.prune {
        for Planned { step, .. } in &plan.steps {
            let gone = match (step.about(), step) {
                (Some((_, Role::Service(name))), _) => !desired.services.contains_key(name),
                (Some((_, Role::Job(name))), _) => !desired.jobs.contains_key(name),
                (None, Step::RemoveNetwork { network, .. }) => !desired.networks.contains_key(network),
                (None, _) => false,
            };
            if gone {
                return broken(Law::LeavesGone, step.to_string());
            }
        }
    }
    Ok(())
}

fn is_about(step: &Step, resource: &Resource) -> bool {
    match resource {
        Resource::Service(name) => {
            step.about().is_some_and(|(_, role)| *role == Role::Service(name.clone())) && !only_looks(step)
        }
        Resource::Network(name) => match step {
            Step::CreateNetwork { network } | Step::RemoveNetwork { network, .. } => network == name,
            _ => false,
        },
        Resource::Volume(name) => matches!(step, Step::CreateVolume { volume } if volume == name),
        Resource::Route(name) => match step {
            Step::Route { role, .. } => *role == Role::Service(name.clone()),
            Step::Unroute { service } => service == name,
            _ => false,
        },
        Resource::Certificate(name) => {
            matches!(step, Step::StandIn { service } | Step::Certify { service } | Step::ShowCertificate { service } if service == name)
        }
        Resource::Job(_) | Resource::Backup(_) => false,
    }
}

/// True for steps that change nothing on the host.
pub fn only_looks(step: &Step) -> bool {
    matches!(step, Step::Await { .. } | Step::AwaitExit { .. } | Step::SeeRouted { .. } | Step::Drain { .. })
}

/// What must hold when a step begins. `plan` is what is left, the step included.
pub fn before(step: &Step, desired: &Desired, observed: &Observed, plan: &Plan) -> Result<(), Broken> {
    names_only_ours(step, observed)?;
    crate::copied::copies_first(step, observed, plan)?;
    let unknown = |it: &&Container| matches!(it.life, Life::Unknown(_)) && !only_looks(step);
    if let Some(it) = step.about().and_then(|(name, _)| observed.containers.get(name)).filter(unknown) {
        return broken(Law::OnlyOurs, format!("{step}, which is {:?}", it.life));
    }
    match step {
        Step::Start { container, role } | Step::Unpause { container, role } => {
            let Some(facts) = observed.containers.get(container) else { return Ok(()) };
            writes_alone(step, container, facts, role, desired, observed)?;
            publishes_no_more(step, facts, role, desired)?;
            has_its_ports(step, container, facts, observed)?;
            if let Step::Start { .. } = step {
                finds_its_files(step, facts, desired, observed)?;
                needs_hold(step, role, desired, observed, plan)?;
                job_is_in_time(step, role, desired, observed, plan)?;
            }
        }
        Step::Stop { container, .. } | Step::Remove { container, .. } => {
            if let (Step::Stop { .. }, Some(late)) = (step, plan.steps.iter().find(|left| prepares(&left.step))) {
                return broken(Law::PreparesFirst, format!("{step} before {}", late.step));
            }
            keeps_serving(step, container, desired, observed)?;
            crate::routed::keeps_its_route(step, container, desired, observed)?;
        }
        Step::Create { role, .. } if lacks_files(&desired.deliveries(role), desired, observed) => {
            return broken(Law::FindsItsFiles, format!("{step} before its files are there"));
        }
        Step::Signal { container, .. } => {
            let facts = observed.containers.get(container);
            let old = facts.is_some_and(|it| lacks_files(&it.deliveries, desired, observed));
            if old || facts.is_none_or(|it| it.life != Life::Running) {
                return broken(Law::FindsItsFiles, format!("{step}: it does not hear, or would read the old value"));
            }
        }
        Step::Withdraw { delivery } => {
            let reads = |it: &Container| it.deliveries.contains(delivery) && !is_over(it);
            if let Some((name, _)) = observed.containers.iter().find(|(_, it)| reads(it)) {
                return broken(Law::FindsItsFiles, format!("{step}, which {name} is shown"));
            }
        }
        Step::Create { role: Role::Job(_), .. } | Step::AwaitExit { role: Role::Job(_), .. }
            if observed.applied.rollback =>
        {
            return broken(Law::JobsInTime, format!("{step} on the way back"));
        }
        Step::Route { container, .. } => {
            // One that was ready and fails is still the one that there is.
            let was_ready = |it: &Container| matches!(it.readiness, Readiness::Ready | Readiness::Failing);
            if !observed.containers.get(container).is_some_and(was_ready) {
                return broken(Law::KeepsServing, format!("{step}, which was not seen ready"));
            }
        }
        Step::Pull { .. }
        | Step::CopyFirst { .. }
        | Step::SeeRouted { .. }
        | Step::Drain { .. }
        | Step::Unroute { .. }
        | Step::Certify { .. }
        | Step::StandIn { .. }
        | Step::ShowCertificate { .. }
        | Step::CreateNetwork { .. }
        | Step::RemoveNetwork { .. }
        | Step::CreateVolume { .. }
        | Step::Create { .. }
        | Step::Await { .. }
        | Step::AwaitExit { .. }
        | Step::Rename { .. }
        | Step::Adjust { .. }
        | Step::Connect { .. }
        | Step::Disconnect { .. }
        | Step::Tag { .. }
        | Step::Untag { .. }
        | Step::Deliver { .. } => {}
    }
    Ok(())
}

fn finds_its_files(step: &Step, facts: &Container, desired: &Desired, observed: &Observed) -> Result<(), Broken> {
    if lacks_files(&facts.deliveries, desired, observed) {
        return broken(Law::FindsItsFiles, format!("{step} without its files"));
    }
    Ok(())
}

/// True when a delivery is not there, or not as it should be.
fn lacks_files<'a>(
    deliveries: impl IntoIterator<Item = &'a DeliveryName>,
    desired: &Desired,
    observed: &Observed,
) -> bool {
    deliveries.into_iter().any(|delivery| {
        let wanted = desired.files(&delivery.role, delivery.kind);
        let there = observed.deliveries.get(delivery);
        wanted.iter().any(|(file, facts)| {
            there.and_then(|there| there.files.get(file)).is_none_or(|there| !there.agrees_with(facts))
        })
    })
}

fn prepares(step: &Step) -> bool {
    matches!(step, Step::Pull { .. } | Step::CreateNetwork { .. } | Step::CreateVolume { .. })
}

fn names_only_ours(step: &Step, observed: &Observed) -> Result<(), Broken> {
    let taken = |name: &str| observed.containers.contains_key(name) || observed.foreign_names.contains(name);
    match (step, step.about()) {
        (Step::Create { container, .. }, _) if taken(container) => {
            broken(Law::OnlyOurs, format!("{step}: it is taken"))
        }
        (Step::Create { .. }, _) | (_, None) => Ok(()),
        (Step::Rename { to, .. }, _) if taken(to) => broken(Law::OnlyOurs, format!("{step}: it is taken")),
        (_, Some((name, role))) => match observed.containers.get(name) {
            Some(facts) if facts.role == *role => Ok(()),
            Some(_) => broken(Law::OnlyOurs, format!("{step}: it is another one's")),
            None => broken(Law::OnlyOurs, format!("{step}: it is not there")),
        },
    }
}

fn keeps_serving(step: &Step, name: &str, desired: &Desired, observed: &Observed) -> Result<(), Broken> {
    let Some(container) = observed.containers.get(name).filter(|container| serves(container)) else { return Ok(()) };
    let Role::Service(service) = &container.role else { return Ok(()) };
    let Some(service) = desired.services.get(service) else { return Ok(()) };
    let mut secrets = container.deliveries.iter().filter(|delivery| delivery.kind == Kind::Secrets);
    let lost = secrets.any(|delivery| !observed.deliveries.contains_key(delivery));
    let must_restart = lost || service.depends_on.values().any(|dependency| dependency.restart);
    if service.order == Order::StopFirst || !service.running || must_restart {
        return Ok(());
    }
    let another =
        observed.containers.iter().any(|(other, facts)| other != name && facts.role == container.role && serves(facts));
    if another { Ok(()) } else { broken(Law::KeepsServing, step.to_string()) }
}

/// The service that a role's generations belong to.
fn family<'a>(role: &'a Role, desired: &'a Desired) -> Option<&'a ServiceName> {
    match role {
        Role::Service(name) => Some(name),
        Role::Job(name) => desired.jobs.get(name).map(|job: &DesiredJob| &job.service),
    }
}

fn writes_alone(
    step: &Step,
    name: &str,
    facts: &Container,
    role: &Role,
    desired: &Desired,
    observed: &Observed,
) -> Result<(), Broken> {
    // A post_sync job works on what its service has made, beside it.
    if let Role::Job(job) = role
        && desired.jobs.get(job).is_some_and(|job| job.phase == JobPhase::PostSync)
    {
        return Ok(());
    }
    // What is gone from the manifest and goes now has made room before.
    let goes = |there: &Container| {
        family(&there.role, desired).is_none_or(|name| !desired.services.contains_key(name))
            && desired.sync.prune
            && !there.unprunable
    };
    let beside = observed.containers.iter().find(|(other, there)| {
        *other != name
            && there.life.is_up()
            && (family(&there.role, desired) == family(role, desired) || goes(there))
            && !is_after(&there.role, desired)
            && !there.writes.is_disjoint(&facts.writes)
    });
    match beside {
        Some((other, _)) => broken(Law::OneWriter, format!("{step} beside {other}")),
        None => Ok(()),
    }
}

fn has_its_ports(step: &Step, name: &str, facts: &Container, observed: &Observed) -> Result<(), Broken> {
    let clash = |there: &Container| there.ports.iter().any(|held| facts.ports.iter().any(|port| port.clashes(held)));
    match observed.containers.iter().find(|(other, there)| *other != name && there.life.is_up() && clash(there)) {
        Some((other, _)) => broken(Law::OnePort, format!("{step} beside {other}")),
        None => Ok(()),
    }
}

fn is_after(role: &Role, desired: &Desired) -> bool {
    match role {
        Role::Service(_) => false,
        Role::Job(name) => desired.jobs.get(name).is_some_and(|job| job.phase == JobPhase::PostSync),
    }
}

fn publishes_no_more(step: &Step, facts: &Container, role: &Role, desired: &Desired) -> Result<(), Broken> {
    match may_publish(desired, role) {
        Some(declared) if facts.ports.is_subset(declared) => Ok(()),
        Some(_) | None => broken(Law::PublishesNoMore, format!("{step} with {:?}", facts.ports)),
    }
}

fn needs_hold(step: &Step, role: &Role, desired: &Desired, observed: &Observed, plan: &Plan) -> Result<(), Broken> {
    let endpoints = step.about().and_then(|(name, _)| observed.containers.get(name)).map(|facts| &facts.endpoints);
    if let Some(missing) = endpoints.into_iter().flatten().find(|(name, _)| !observed.networks.contains_key(*name)) {
        return broken(Law::NeedsFirst, format!("{step} without network {}", missing.0));
    }
    let Some(service) = family(role, desired).and_then(|name| desired.services.get(name)) else { return Ok(()) };
    for (other, dependency) in &service.depends_on {
        let Some(needed) = desired.services.get(other) else { continue };
        let current = Cast::of(needed, desired, observed).current.map(|member| member.container);
        let holds = match dependency.condition {
            Condition::ServiceStarted => {
                current.is_some_and(|it| it.life.is_up() || matches!(it.life, Life::Exited(0)) && needed.completes())
            }
            Condition::ServiceHealthy => current.is_some_and(|it| it.readiness == Readiness::Ready),
            Condition::ServiceCompletedSuccessfully => current.is_some_and(|it| it.life == Life::Exited(0)),
        };
        // Drift that is left, and what is not required and cannot be had, are not waited for.
        let comes = plan
            .steps
            .iter()
            .any(|left| matches!(&left.step, Step::Start { role: Role::Service(name), .. } if name == other));
        if !holds && (dependency.required && desired.sync.self_heal || comes) {
            return broken(Law::NeedsFirst, format!("{step} before {other} is {:?}", dependency.condition));
        }
    }
    Ok(())
}

fn job_is_in_time(step: &Step, role: &Role, desired: &Desired, observed: &Observed, plan: &Plan) -> Result<(), Broken> {
    let left = |wanted: &DesiredJob| {
        plan.steps
            .iter()
            .any(|left| matches!(&left.step, Step::AwaitExit { role: Role::Job(name), .. } if *name == wanted.name))
    };
    match role {
        Role::Service(service) => {
            let due = |job: &&DesiredJob| job.service == *service && job.phase == JobPhase::PreSync && left(job);
            match desired.jobs.values().find(due) {
                Some(job) => broken(Law::JobsInTime, format!("{step} before job {}", job.name)),
                None => Ok(()),
            }
        }
        Role::Job(name) => {
            let Some(job) = desired.jobs.get(name) else { return Ok(()) };
            let ready = desired.services.get(&job.service).is_some_and(|service| {
                let current = Cast::of(service, desired, observed).current;
                current.is_some_and(|member| member.container.readiness == Readiness::Ready)
            });
            if job.phase == JobPhase::PostSync && !ready {
                return broken(Law::JobsInTime, format!("{step} before {} is ready", job.service));
            }
            Ok(())
        }
    }
}

/// What must hold when nothing is left to do.
pub fn at_the_end(desired: &Desired, observed: &Observed, plan: &Plan) -> Result<(), Broken> {
    if let Some(left) = plan.steps.first() {
        return broken(Law::Arrives, format!("{} is left", left.step));
    }
    // What we stopped ourselves on the way is no drift, which some apps want left.
    for service in desired.services.values().filter(|service| service.running && plan.obstacles.is_empty()) {
        if let Some(member) = Cast::of(service, desired, observed).current.filter(|member| member.container.stopped)
            && service.depends_on.is_empty()
            && desired.networks.keys().all(|network| observed.networks.contains_key(network))
        {
            return broken(Law::Arrives, format!("{} was stopped by us, and is left so", member.name));
        }
    }
    let excused = !plan.obstacles.is_empty() || !desired.sync.self_heal;
    for (name, it) in observed.containers.iter().filter(|(_, it)| !excused && it.life.is_up()) {
        let known = matches!(&it.role, Role::Service(service) if desired.services.contains_key(service));
        if known && (it.old_configs || lacks_files(&it.deliveries, desired, observed)) {
            return broken(Law::FindsItsFiles, format!("{name} does not see the files of now"));
        }
    }
    for service in desired.services.values().filter(|_| !excused) {
        let cast = Cast::of(service, desired, observed);
        if let Some(other) = cast.others.first() {
            return broken(Law::Arrives, format!("{} is left over", other.name));
        }
        // What requires a service that is scaled to nothing waits with it.
        if service.depends_on.iter().any(|(other, it)| it.required && !desired.services[other].running) {
            continue;
        }
        let Some(current) = cast.current else {
            if service.running {
                return broken(Law::Arrives, format!("{} has no container", service.name));
            }
            continue;
        };
        if let (Network::Networks(wanted), true) = (&service.spec.network, service.running) {
            let whole = |name: &String| {
                let endpoint = current.container.endpoints.get(name);
                endpoint.is_some_and(|it| {
                    wanted[name].is_subset(&it.aliases)
                        && observed.networks.get(name).is_some_and(|network| network.id == it.network_id)
                })
            };
            let extra = current.container.endpoints.keys().find(|name| !wanted.contains_key(*name));
            if let Some(name) = wanted.keys().find(|name| !whole(name)).or(extra) {
                return broken(Law::Arrives, format!("{} and network {name}: {:?}", current.name, current.container));
            }
        }
        if let Network::Service(host) = &service.spec.network
            && let Some(host) = Cast::of(&desired.services[host], desired, observed).current
            && service.running
            && current.container.started_at < host.container.started_at
        {
            return broken(Law::Arrives, format!("{} is in a network that is gone", current.name));
        }
        let well = match (&current.container.life, &current.container.readiness, service.running) {
            (Life::Running, Readiness::Ready | Readiness::Failing, true) => current.name == service.container_name,
            (Life::Exited(0), _, true) => service.completes() && !current.container.stopped,
            (life, _, false) => !life.is_up(),
            (_, _, true) => false,
        };
        if !well {
            return broken(Law::Arrives, format!("{}: {:?}", current.name, current.container));
        }
    }
    for delivery in observed.deliveries.keys().filter(|_| !excused) {
        let mut users = observed.containers.values().filter(|it| it.deliveries.contains(delivery)).peekable();
        let is_of_today =
            desired.deliveries(&delivery.role).contains(delivery) && !lacks_files([delivery], desired, observed);
        let is_read = users.peek().is_some() && (is_of_today || users.any(|it| !is_over(it)));
        if !(is_read || matches!(delivery.role, Role::Service(_)) && is_of_today) {
            return broken(Law::Arrives, format!("{delivery} is left over"));
        }
    }
    for job in desired.jobs.values().filter(|_| !excused && !observed.applied.rollback) {
        let ran = observed.applied.jobs_done.iter().any(|(name, _)| *name == job.name)
            || observed.containers.get(&job.container_name).is_some_and(|facts| facts.life == Life::Exited(0));
        let runs = desired.services.get(&job.service).is_some_and(|service| service.running);
        if runs && !ran {
            return broken(Law::Arrives, format!("job {} has not run", job.name));
        }
    }
    for (name, container) in observed.containers.iter().filter(|_| !excused) {
        let known = match &container.role {
            Role::Service(service) => desired.services.contains_key(service),
            // Kept for a look on the way back.
            Role::Job(_) if observed.applied.rollback => true,
            Role::Job(job) => desired.jobs.get(job).is_some_and(|job| {
                let asleep = !desired.services[&job.service].running;
                job.container_name == *name || asleep
            }),
        };
        if !known && desired.sync.prune && !container.unprunable {
            return broken(Law::Arrives, format!("{name} is left over"));
        }
    }
    Ok(())
}
