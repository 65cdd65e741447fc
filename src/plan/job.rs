//! Jobs: one-shot containers that run once for each distinct (service body, image, own fields).

use super::{
    cast::Cast,
    change::{Action, Cause, Change, Interruption, Resource},
    draft::Draft,
    graph::StepId,
    network::is_stale,
    step::Step,
};
use crate::{
    blame::Blame,
    desired::{DesiredJob, DesiredService, JobPhase, SpecHash, spec::Network},
    observed::{Container, JobKey, Life, Readiness, Role},
};
use std::collections::BTreeSet;

/// The digest that says whether a job has run.
#[must_use]
pub fn key(job: &DesiredJob, image_id: &str) -> JobKey {
    JobKey(SpecHash::of(&(job.spec_hash.as_str(), image_id)).as_str().to_owned())
}

impl Draft<'_> {
    /// Lays the due jobs of a service in one phase; none where one has failed. Going back never runs a job, and ends
    /// those that still run.
    pub fn jobs(
        &mut self,
        service: &DesiredService,
        cast: &Cast<'_>,
        phase: JobPhase,
        gates: &[StepId],
    ) -> Option<Vec<JobSteps>> {
        let desired = self.desired;
        let due: Vec<&DesiredJob> =
            desired.jobs.values().filter(|job| job.service == service.name && job.phase == phase).collect();
        for job in &due {
            self.know_job(job)?;
        }
        let mut steps = Vec::new();
        if self.observed.applied.rollback {
            for job in due {
                let role = Role::Job(job.name.clone());
                steps.extend(self.end_jobs(&role, |_| true).into_iter().map(JobSteps::beside_nobody));
            }
            return Some(steps);
        }
        for job in due {
            if let Some(failure) = self.failed(job) {
                self.obstruct(&job.service, Blame::Revision, failure, None);
                return None;
            }
            let foreign = self.observed.foreign_names.contains(&job.container_name);
            if foreign && !self.is_done(job, cast) {
                self.is_taken(&job.service, &job.container_name);
                return None;
            }
            let stray = |name: &str| name != job.container_name;
            let strays: Vec<StepId> = self.end_jobs(&Role::Job(job.name.clone()), stray);
            let laid = self.job(job, cast, gates);
            if let Some(laid) = &laid {
                self.graph.after(laid.started, strays.iter().copied());
            }
            self.clear_jobs(job, &strays, laid.as_ref());
            steps.extend(strays.into_iter().map(JobSteps::beside_nobody));
            steps.extend(laid);
        }
        Some(steps)
    }

    /// Stops containers of a job that may be alive.
    fn end_jobs(&mut self, role: &Role, which: impl Fn(&str) -> bool) -> Vec<StepId> {
        let observed = self.observed;
        let alive = |(name, container): &(&String, &Container)| {
            container.role == *role && container.life.is_up() && which(name)
        };
        let names = observed.containers.iter().filter(alive).map(|(name, _)| name.clone());
        names.map(|container| self.graph.add(Step::Stop { container, role: role.clone() })).collect()
    }

    /// Removes what earlier bodies of a job left, once this one has run: the ledger remembers theirs.
    fn clear_jobs(&mut self, job: &DesiredJob, stops: &[StepId], laid: Option<&JobSteps>) {
        let (observed, role) = (self.observed, Role::Job(job.name.clone()));
        for (name, container) in observed.containers.iter().filter(|(_, container)| container.role == role) {
            if *name != job.container_name && !container.unprunable {
                let remove = self.graph.add(Step::Remove { container: name.clone(), role: role.clone() });
                self.graph.after(remove, stops.iter().copied().chain(laid.map(|job| job.done)));
            }
        }
    }

    /// None where a container of the job is in a state that this release does not know: nothing starts beside it.
    fn know_job(&mut self, job: &DesiredJob) -> Option<()> {
        let (observed, role) = (self.observed, Role::Job(job.name.clone()));
        let unknown = |it: &Container| it.role == role && matches!(it.life, Life::Unknown(_));
        let Some((name, container)) = observed.containers.iter().find(|(_, it)| unknown(it)) else { return Some(()) };
        self.is_unknown(name, container, Some(&job.service));
        None
    }

    /// True when it ran, by the ledger.
    fn is_done(&self, job: &DesiredJob, cast: &Cast<'_>) -> bool {
        let done = |id| self.observed.applied.jobs_done.contains(&(job.name.clone(), key(job, id)));
        cast.image_id.is_some_and(done)
    }

    /// What is known of a job that failed in this pass.
    fn failed(&self, job: &DesiredJob) -> Option<String> {
        let container = self.observed.containers.get(&job.container_name)?;
        match &container.readiness {
            Readiness::Failed(failure) if container.spec_hash == job.spec_hash => Some(failure.summary.clone()),
            Readiness::Failed(_) | Readiness::Unproven | Readiness::Ready | Readiness::Failing => None,
        }
    }

    fn job(&mut self, job: &DesiredJob, cast: &Cast<'_>, gates: &[StepId]) -> Option<JobSteps> {
        let role = Role::Job(job.name.clone());
        let holder = self.observed.containers.get(&job.container_name).filter(|container| container.role == role);
        if self.is_done(job, cast) {
            // Somebody runs it again by hand: that is waited for, and is none of ours.
            let again = holder.filter(|container| container.life.is_up())?;
            let wait = Step::AwaitExit { container: job.container_name.clone(), role: again.role.clone() };
            return Some(JobSteps::beside_nobody(self.graph.add(wait)));
        }
        let fits = |container: &&Container| {
            container.spec_hash == job.spec_hash
                && !(container.stopped && container.life.is_up())
                && cast.image_id.is_none_or(|id| id == container.image_id)
                && !(container.life == Life::Created && self.is_astray(container))
        };
        let begun = holder.filter(fits);
        if begun.is_some_and(|container| container.life == Life::Exited(0) && !container.stopped) {
            return None;
        }
        self.changes.push(Change {
            resource: Resource::Job(job.name.clone()),
            action: Action::Run,
            cause: Cause::Commit,
            order: None,
            interruption: Interruption::None,
            fields: Vec::new(),
        });
        let name = job.container_name.clone();
        let mut made = Vec::new();
        let begin = begun.map(|container| &container.life);
        let (create, start) = match begin {
            Some(Life::Created) => (false, true),
            Some(Life::Running | Life::Paused | Life::Restarting | Life::Stopping | Life::Unknown(_)) => (false, false),
            Some(Life::Exited(_) | Life::Removing | Life::Dead) | None => (true, true),
        };
        if create {
            let cleared = holder.map(|container| {
                let stop = container
                    .life
                    .is_up()
                    .then(|| self.graph.add(Step::Stop { container: name.clone(), role: role.clone() }));
                let remove = self.graph.add(Step::Remove { container: name.clone(), role: role.clone() });
                self.graph.after(remove, stop);
                remove
            });
            let step = self.graph.add(Step::Create { container: name.clone(), role: role.clone() });
            let prerequisites = self.prerequisites(&job.spec);
            self.graph.after(step, prerequisites.into_iter().chain(cleared));
            let delivered = self.deliver(&role);
            self.graph.after(step, delivered);
            made.push(step);
        } else if let Some(container) = begun.filter(|_| start) {
            made.extend(self.redeliver(container).steps);
        }
        if start && let Network::Networks(networks) = &job.spec.network {
            let prerequisites = self.prerequisites(&job.spec);
            let is_on = |at: usize, network: &String| match begun.filter(|_| !create) {
                Some(container) => container.endpoints.contains_key(network) && !self.ground.renewed.contains(network),
                None => at == 0,
            };
            for (_, network) in networks.keys().enumerate().filter(|(at, network)| !is_on(*at, network)) {
                let connect = self.graph.add(Step::Connect {
                    container: name.clone(),
                    network: network.clone(),
                    role: role.clone(),
                });
                self.graph.after(connect, made.first().copied().into_iter().chain(prerequisites.iter().copied()));
                made.push(connect);
            }
            made.extend(prerequisites);
        }
        let done = self.graph.add(Step::AwaitExit { container: name.clone(), role: role.clone() });
        let started = if start {
            let step = self.graph.add(Step::Start { container: name, role });
            self.graph.after(step, made.into_iter().chain(gates.iter().copied()));
            self.graph.after(done, [step]);
            step
        } else {
            done
        };
        self.graph.after(done, gates.iter().copied());
        Some(JobSteps::new(started, done, job))
    }

    /// True when a network it was made for is gone.
    fn is_astray(&self, container: &Container) -> bool {
        container.endpoints.iter().any(|(name, endpoint)| is_stale(name, endpoint, self.observed))
    }
}

/// The steps of a job that is due.
#[derive(Clone, Debug)]
pub struct JobSteps {
    /// The job's process begins.
    pub started: StepId,
    /// It has ended well.
    pub done: StepId,
    writes: BTreeSet<String>,
}

impl JobSteps {
    /// The steps of a job.
    #[must_use]
    pub fn new(started: StepId, done: StepId, job: &DesiredJob) -> Self {
        Self { started, done, writes: job.spec.writes() }
    }

    /// The end of a job's container that is none of this plan's, and asks nobody to give way.
    #[must_use]
    pub fn beside_nobody(end: StepId) -> Self {
        Self { started: end, done: end, writes: BTreeSet::new() }
    }

    /// True when a living container writes what the job writes.
    #[must_use]
    pub fn shares(&self, container: &Container) -> bool {
        container.life.is_up() && !self.writes.is_disjoint(&container.writes)
    }
}
