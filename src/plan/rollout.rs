//! Brings one service from the containers it has to the one it should have.

use super::{
    cast::{Cast, Member, limits},
    change::Cause,
    describe,
    draft::{Draft, Milestone},
    exposure::is_exposed,
    graph::StepId,
    job::JobSteps,
    naming::Claim,
    network::is_stale,
    step::Step,
};
use crate::{
    blame::Blame,
    desired::{DesiredService, JobPhase, Order, PullPolicy, spec::Network},
    observed::{Container, Life, Readiness, Role},
    value::ServiceName,
};
use std::collections::BTreeSet;

impl Draft<'_> {
    /// Lays the steps of a service, after those of the services it depends on. Laid once.
    pub fn service(&mut self, name: &ServiceName) {
        if self.milestones.contains_key(name) {
            return;
        }
        self.milestones.insert(name.clone(), Milestone::default());
        let (desired, observed) = (self.desired, self.observed);
        let Some(service) = desired.services.get(name) else { return };
        let cast = Cast::of(service, desired, observed);
        let change = describe::service(&cast, desired, observed);
        let drifted = change.as_ref().is_some_and(|change| change.cause == Cause::Drift);
        let ours = cast.is_unfinished(observed) && self.stands(&service.spec);
        let left_alone = drifted && !ours && !desired.sync.self_heal && !is_exposed(&cast);
        let wanted = change.is_some();
        self.changes.extend(change);
        let milestone = if left_alone {
            // Whoever requires it does not begin while it is down.
            let blocked = !cast.current.is_some_and(|member| answers(service, member.container));
            let container = cast.current.map(|member| member.name.to_owned());
            Milestone { container, blocked, ..Milestone::default() }
        } else if service.running {
            let told = self.obstacles.len() + self.ground.obstacles.len();
            let rolled = self.roll(&cast);
            if rolled.is_none() && wanted && told == 0 && self.obstacles.is_empty() {
                self.waits_in_vain(service);
            }
            rolled.unwrap_or(Milestone { blocked: true, ..Milestone::default() })
        } else {
            self.keep_stopped(&cast);
            Milestone { blocked: true, ..Milestone::default() }
        };
        self.milestones.insert(name.clone(), milestone);
    }

    /// Tells that what a service requires is not running, and nobody will start it.
    fn waits_in_vain(&mut self, service: &DesiredService) {
        let blocked = |other: &&ServiceName| self.milestones.get(*other).is_some_and(|milestone| milestone.blocked);
        let required = service.depends_on.iter().filter(|(_, dependency)| dependency.required).map(|(other, _)| other);
        let host = match &service.spec.network {
            Network::Service(host) => Some(host),
            Network::Networks(_) | Network::Host | Network::None => None,
        };
        let Some(other) = required.chain(host).find(blocked).cloned() else { return };
        self.obstruct(
            &service.name,
            Blame::World,
            format!("`{}` needs `{other}`, which is not running and is left so", service.name),
            Some(format!("start `{other}` by hand, or let it be started (`scale: 1`, `sync: {{self_heal: true}}`)")),
        );
    }

    /// `scale: 0`: what is there is stopped and kept, earlier generations go.
    fn keep_stopped(&mut self, cast: &Cast<'_>) {
        if self.know_everybody(cast).is_none() {
            return;
        }
        let role = Role::Service(cast.service.name.clone());
        if let Some(member) = cast.current.filter(|member| member.container.life.is_up()) {
            self.graph.add(Step::Stop { container: member.name.to_owned(), role: role.clone() });
        }
        self.claims.extend(cast.current.map(|member| Claim::of(cast.service, member.name)));
        for other in &cast.others {
            let stop = self.stop(*other, &role, &[]);
            self.remove(*other, &role, stop.into_iter().collect());
        }
    }

    /// The steps from what is there to what should be; none when something stands in the way.
    fn roll(&mut self, cast: &Cast<'_>) -> Option<Milestone> {
        let service = cast.service;
        let role = Role::Service(service.name.clone());
        self.look_for_obstacles(cast)?;
        let gates = self.gates(service)?;
        let jobs = self.jobs(service, cast, JobPhase::PreSync, &gates)?;

        let mut carried = self.carry(cast, &role, &gates, &jobs)?;
        let stop_first = cast.order == Order::StopFirst;
        let began: Vec<StepId> = carried.started.into_iter().chain(carried.ready).collect();
        let restarts = cast.current.is_some() && carried.started.is_some_and(|start| self.is_a_start(start));
        let routed = self.lead(cast, &carried.name, &role, &began, restarts);
        let mut stops = Vec::new();
        for other in cast.others.iter().filter(|other| !carried.removed.contains(other.name)) {
            let mut after = carried.made.clone();
            if stop_first {
                after.extend(&gates);
                after.extend(jobs.iter().filter(|job| !job.shares(other.container)).map(|job| job.done));
            } else {
                after.extend(carried.started);
                after.extend(carried.ready);
                after.extend(routed);
                after.extend(self.drain(service, other.name, other.container, routed));
            }
            if let Some(stop) = self.stop(*other, &role, &after) {
                for job in jobs.iter().filter(|job| job.shares(other.container)) {
                    self.graph.after(job.started, [stop]);
                }
                stops.push(stop);
            }
        }
        if stop_first {
            for begun in carried.started.into_iter().chain(carried.ready) {
                self.graph.after(begun, stops.iter().copied());
            }
        }
        let ready: Vec<StepId> = carried.ready.into_iter().chain(routed).collect();
        let jobs_after = self.jobs(service, cast, JobPhase::PostSync, &ready)?;
        let fails = cast.current.is_some_and(|member| member.container.readiness == Readiness::Failing);
        if fails && carried.ready.is_none() && !jobs_after.is_empty() {
            let ready = self.graph.add(Step::Await { container: carried.name.clone(), role: role.clone() });
            self.graph.after(ready, carried.made.iter().copied().chain(stops.iter().copied()));
            for job in &jobs_after {
                self.graph.after(job.started, [ready]);
            }
            carried.ready = Some(ready);
        }
        let mut settled: Vec<StepId> = carried.ready.into_iter().chain(routed).collect();
        settled.extend(&stops);
        settled.extend(jobs_after.iter().map(|job| job.done));
        for other in cast.others.iter().filter(|other| !carried.removed.contains(other.name)) {
            self.remove(*other, &role, settled.clone());
        }
        self.claims.push(Claim::of(service, &carried.name));
        Some(Milestone {
            container: Some(carried.name),
            started: carried.started,
            ready: carried.ready,
            over: None,
            blocked: false,
        })
    }

    fn is_a_start(&self, id: StepId) -> bool {
        matches!(self.graph.step(id), Step::Start { .. })
    }

    fn look_for_obstacles(&mut self, cast: &Cast<'_>) -> Option<()> {
        let service = cast.service;
        if self.lacks(&service.spec) {
            return None;
        }
        if let Some(Member { name, container: Container { readiness: Readiness::Failed(failure), .. } }) = cast.current
        {
            self.obstruct(
                &service.name,
                Blame::Revision,
                failure.summary.clone(),
                Some(format!("its last words are kept with the revision; container `{name}`")),
            );
            return None;
        }
        self.know_everybody(cast)?;
        self.reach_the_proxy(cast)?;
        self.speak_with_one_voice(cast)?;
        if !cast.has_image(self.observed) && !self.pulls.contains_key(&service.spec.image) {
            let (summary, hint) = without_image(service);
            self.obstruct(&service.name, Blame::World, summary, Some(hint));
            return None;
        }
        Some(())
    }

    /// None where a container is in a state that this release does not know: it is left alone, and so is its service.
    fn know_everybody(&mut self, cast: &Cast<'_>) -> Option<()> {
        let stranger = |member: &&Member<'_>| matches!(member.container.life, Life::Unknown(_));
        let Some(stranger) = cast.current.iter().chain(&cast.others).find(stranger).copied() else { return Some(()) };
        self.is_unknown(stranger.name, stranger.container, Some(&cast.service.name));
        None
    }

    /// Stops a container that may be alive.
    fn stop(&mut self, member: Member<'_>, role: &Role, after: &[StepId]) -> Option<StepId> {
        member.container.life.is_up().then(|| {
            let stop = self.graph.add(Step::Stop { container: member.name.to_owned(), role: role.clone() });
            self.graph.after(stop, after.iter().copied());
            stop
        })
    }

    fn remove(&mut self, member: Member<'_>, role: &Role, after: Vec<StepId>) -> StepId {
        let remove = self.graph.add(Step::Remove { container: member.name.to_owned(), role: role.clone() });
        self.graph.after(remove, after);
        remove
    }

    /// The container that carries on: made, or what is there put right.
    fn carry(&mut self, cast: &Cast<'_>, role: &Role, gates: &[StepId], jobs: &[JobSteps]) -> Option<Carried> {
        match cast.current {
            None => self.make(cast, role, gates, jobs),
            Some(member) => Some(self.mend(member, cast, role, gates, jobs)),
        }
    }

    fn make(&mut self, cast: &Cast<'_>, role: &Role, gates: &[StepId], jobs: &[JobSteps]) -> Option<Carried> {
        let service = cast.service;
        let (name, holder) = self.free_name(cast)?;
        let create = self.graph.add(Step::Create { container: name.clone(), role: role.clone() });
        self.graph.after(create, self.prerequisites(&service.spec));
        let delivered = self.deliver(role);
        self.graph.after(create, delivered);
        let waits_for_writers = jobs
            .iter()
            .any(|job| cast.others.iter().any(|other| other.container.life.is_up() && job.shares(other.container)));
        if !waits_for_writers {
            self.graph.after(create, jobs.iter().map(|job| job.done));
        }
        if let Network::Service(_) = service.spec.network {
            self.graph.after(create, gates.iter().copied());
        }
        let mut removed = BTreeSet::new();
        if let Some(holder) = holder {
            let stop = self.stop(holder, role, &[]);
            for job in jobs.iter().filter(|job| job.shares(holder.container)) {
                self.graph.after(job.started, stop);
            }
            let remove = self.remove(holder, role, stop.into_iter().collect());
            self.graph.after(create, [remove]);
            removed.insert(holder.name.to_owned());
        }
        let mut made = vec![create];
        if let Network::Networks(networks) = &service.spec.network {
            for network in networks.keys().skip(1) {
                let connect = self.graph.add(Step::Connect {
                    container: name.clone(),
                    network: network.clone(),
                    role: role.clone(),
                });
                self.graph.after(connect, [create]);
                made.push(connect);
            }
        }
        let (started, ready) = self.start(&name, role, gates, jobs, &made);
        Some(Carried { name, made, started: Some(started), ready: Some(ready), removed })
    }

    fn start(
        &mut self,
        name: &str,
        role: &Role,
        gates: &[StepId],
        jobs: &[JobSteps],
        made: &[StepId],
    ) -> (StepId, StepId) {
        let start = self.graph.add(Step::Start { container: name.to_owned(), role: role.clone() });
        self.graph.after(start, made.iter().chain(gates).copied().chain(jobs.iter().map(|job| job.done)));
        let ready = self.graph.add(Step::Await { container: name.to_owned(), role: role.clone() });
        self.graph.after(ready, [start]);
        (start, ready)
    }

    /// Puts right what can be put right in place.
    fn mend(
        &mut self,
        member: Member<'_>,
        cast: &Cast<'_>,
        role: &Role,
        gates: &[StepId],
        jobs: &[JobSteps],
    ) -> Carried {
        let (service, container, name) = (cast.service, member.container, member.name.to_owned());
        let mut carried =
            Carried { name: name.clone(), made: Vec::new(), started: None, ready: None, removed: BTreeSet::new() };
        carried.made.extend(self.reconnect(&name, container, service, role));
        if !limits(service, container).is_empty() {
            let adjust = self.graph.add(Step::Adjust { container: name.clone(), role: role.clone() });
            carried.made.push(adjust);
        }
        let redelivery = self.redeliver(container);
        let starts = match &container.life {
            Life::Created => Starts::Now,
            Life::Stopping => Starts::AfterStop,
            Life::Exited(0) if service.completes() && !container.stopped => Starts::Not,
            Life::Exited(_) => Starts::Now,
            Life::Running | Life::Paused | Life::Restarting if redelivery.lost || self.must_restart(cast, jobs) => {
                Starts::AfterStop
            }
            Life::Paused => {
                let unpause = self.graph.add(Step::Unpause { container: name.clone(), role: role.clone() });
                self.graph.after(unpause, jobs.iter().map(|job| job.done));
                carried.started = Some(unpause);
                Starts::Not
            }
            Life::Running | Life::Restarting | Life::Removing | Life::Dead | Life::Unknown(_) => Starts::Not,
        };
        match starts {
            Starts::Now | Starts::AfterStop => {
                let mut made = carried.made.clone();
                made.extend(self.prerequisites(&service.spec));
                made.extend(&redelivery.steps);
                let (start, ready) = self.start(&name, role, gates, jobs, &made);
                if starts == Starts::AfterStop {
                    let stop = self.graph.add(Step::Stop { container: name, role: role.clone() });
                    self.graph.after(stop, gates.iter().copied());
                    self.graph.after(start, [stop]);
                    // While it has a folder that is gone, the new one tells nobody whether it saw it.
                    for delivery in redelivery.steps.iter().filter(|_| redelivery.lost) {
                        self.graph.after(*delivery, [stop]);
                    }
                    for job in jobs {
                        if job.shares(container) {
                            self.graph.after(job.started, [stop]);
                        } else {
                            self.graph.after(stop, [job.done]);
                        }
                    }
                }
                (carried.started, carried.ready) = (Some(start), Some(ready));
            }
            Starts::Not if container.life.is_up() && cast.is_to_be_proved(container) => {
                let ready = self.graph.add(Step::Await { container: name, role: role.clone() });
                self.graph.after(ready, carried.started);
                self.graph.after(ready, carried.made.iter().copied());
                carried.ready = Some(ready);
            }
            Starts::Not => {}
        }
        if starts == Starts::Not && redelivery.signals {
            self.signal(member, role, &redelivery.steps, &carried);
        }
        carried
    }

    /// Tells a process that its secrets have changed, once it hears.
    fn signal(&mut self, member: Member<'_>, role: &Role, delivered: &[StepId], carried: &Carried) {
        let hears = match member.container.life {
            Life::Running => None,
            Life::Paused => carried.started,
            Life::Restarting if carried.ready.is_some() => carried.ready,
            Life::Restarting
            | Life::Created
            | Life::Stopping
            | Life::Exited(_)
            | Life::Removing
            | Life::Dead
            | Life::Unknown(_) => return,
        };
        let signal = self.graph.add(Step::Signal { container: member.name.to_owned(), role: role.clone() });
        self.graph.after(signal, delivered.iter().copied().chain(hears));
    }

    /// A running container starts anew when a dependency with `restart: true` was made after it started, when the one
    /// whose network it shares was started after it (the network of before is gone), and when a job needs a volume it
    /// writes.
    fn must_restart(&self, cast: &Cast<'_>, jobs: &[JobSteps]) -> bool {
        let Some(Member { container, .. }) = cast.current else { return false };
        let outlived = cast.service.depends_on.iter().filter(|(_, dependency)| dependency.restart).any(|(other, _)| {
            let Some(service) = self.desired.services.get(other) else { return false };
            match Cast::of(service, self.desired, self.observed).current {
                Some(member) => container.started_at.is_some_and(|at| at < member.container.created_at),
                None => self.milestones.get(other).is_some_and(|milestone| milestone.started.is_some()),
            }
        });
        outlived || self.network_is_lost(cast.service, container) || jobs.iter().any(|job| job.shares(container))
    }

    /// True for a guest in the network of a service that is started after it.
    fn network_is_lost(&self, service: &DesiredService, guest: &Container) -> bool {
        let Network::Service(host) = &service.spec.network else { return false };
        let Some(host_service) = self.desired.services.get(host) else { return false };
        let starts = self
            .milestones
            .get(host)
            .and_then(|milestone| milestone.started)
            .is_some_and(|step| matches!(self.graph.step(step), Step::Start { .. }));
        let started =
            Cast::of(host_service, self.desired, self.observed).current.and_then(|it| it.container.started_at);
        self.desired.sync.self_heal && (starts || guest.started_at < started)
    }

    /// Brings a container's networks and aliases to what they should be.
    fn reconnect(&mut self, name: &str, container: &Container, service: &DesiredService, role: &Role) -> Vec<StepId> {
        let Network::Networks(wanted) = &service.spec.network else { return Vec::new() };
        let mut steps = Vec::new();
        let step = |network: &str| (name.to_owned(), network.to_owned(), role.clone());
        for network in container.endpoints.keys().filter(|it| !wanted.contains_key(*it) && !service.joins(it)) {
            if !self.ground.renewed.contains(network) {
                let (container, network, role) = step(network);
                steps.push(self.graph.add(Step::Disconnect { container, network, role }));
            }
        }
        for (network, aliases) in wanted {
            let endpoint = container.endpoints.get(network);
            let renewed = self.ground.renewed.contains(network);
            let whole = endpoint.is_some_and(|endpoint| {
                aliases.is_subset(&endpoint.aliases) && !is_stale(network, endpoint, self.observed)
            });
            if whole && !renewed {
                continue;
            }
            // By name, so the network of now has to be there even to be taken off the one before.
            let off = (endpoint.is_some() && !renewed).then(|| {
                let (container, network_name, role) = step(network);
                let off = self.graph.add(Step::Disconnect { container, network: network_name, role });
                self.graph.after(off, self.ground.networks.get(network).copied());
                off
            });
            let (container, network_name, role) = step(network);
            let on = self.graph.add(Step::Connect { container, network: network_name, role });
            self.graph.after(on, off);
            self.graph.after(on, self.ground.networks.get(network).copied());
            steps.push(on);
        }
        steps
    }
}

/// True for one that runs, or has done its work.
fn answers(service: &DesiredService, container: &Container) -> bool {
    container.life.is_up() || container.life == Life::Exited(0) && service.completes() && !container.stopped
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Starts {
    Now,
    AfterStop,
    Not,
}

/// The container that carries on, and the steps it takes.
struct Carried {
    name: String,
    made: Vec<StepId>,
    started: Option<StepId>,
    ready: Option<StepId>,
    removed: BTreeSet<String>,
}

/// Why a service's image is not here and nobody fetches it, with what to do.
fn without_image(service: &DesiredService) -> (String, String) {
    let image = &service.spec.image;
    let Some(id) = service.pinned_image.as_ref().filter(|_| service.pull != PullPolicy::Never) else {
        let summary = format!("image `{image}` is not here, and `pull_policy: never` forbids to fetch it");
        return (summary, "load the image on this host, or change `pull_policy`".to_owned());
    };
    let short = id.get(..19).unwrap_or(id);
    match &service.pinned_source {
        Some(source) => (
            format!("image `{image}` of that revision (`{short}…`) is gone, and `{source}` is another one"),
            "load it on this host, or go back to another revision".to_owned(),
        ),
        None => (
            format!(
                "image `{image}` of that revision (`{short}…`) is gone from this host, and it came from no registry"
            ),
            "load it on this host, or go back to another revision".to_owned(),
        ),
    }
}
