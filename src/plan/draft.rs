//! The plan of one app while it is being drawn.

use super::{
    Obstacle, Plan,
    cast::Cast,
    change::Change,
    graph::{Graph, StepId},
    naming::Claim,
    network::{self, Ground},
    step::Step,
};
use crate::{
    blame::Blame,
    desired::{Condition, DeliveryName, Desired, DesiredService, PullPolicy, spec::Network},
    observed::{Container, Life, Observed, Role},
    value::ServiceName,
};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// All that the rooms of `plan` draw on together.
pub struct Draft<'a> {
    pub desired: &'a Desired,
    pub observed: &'a Observed,
    pub graph: Graph,
    pub ground: Ground,
    /// The step that fetches a reference.
    pub pulls: BTreeMap<String, StepId>,
    /// The steps that write what new containers find.
    pub deliveries: BTreeMap<DeliveryName, StepId>,
    /// What containers that this plan makes are to find.
    pub needed: BTreeSet<DeliveryName>,
    /// How far each service comes in this plan.
    pub milestones: BTreeMap<ServiceName, Milestone>,
    /// Which names the containers that carry on should have.
    pub claims: Vec<Claim>,
    pub changes: Vec<Change>,
    pub obstacles: Vec<Obstacle>,
}

/// How far a service comes in a plan; a step that is absent is done already.
#[derive(Clone, Debug, Default)]
pub struct Milestone {
    /// The container that carries on.
    pub container: Option<String>,
    pub started: Option<StepId>,
    pub ready: Option<StepId>,
    pub over: Option<StepId>,
    /// The service cannot be brought there, so neither can those that require it.
    pub blocked: bool,
}

impl<'a> Draft<'a> {
    /// An empty draft with its ground laid: pulls, networks, volumes.
    #[must_use]
    pub fn new(desired: &'a Desired, observed: &'a Observed) -> Self {
        let mut graph = Graph::default();
        let ground = network::lay(desired, observed, &mut graph);
        let mut draft = Self {
            desired,
            observed,
            graph,
            ground,
            pulls: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            needed: BTreeSet::new(),
            milestones: BTreeMap::new(),
            claims: Vec::new(),
            changes: Vec::new(),
            obstacles: Vec::new(),
        };
        for service in desired.services.values().filter(|service| service.running) {
            draft.pull(service);
        }
        draft
    }

    /// Adds the pull of a service's image where its policy asks for one.
    fn pull(&mut self, service: &DesiredService) {
        let reference = &service.spec.image;
        if self.pulls.contains_key(reference) {
            return;
        }
        if let Some(wanted) = self.wanted_of_registry(service) {
            let step = self.graph.add(Step::Pull { reference: wanted, platform: service.spec.platform.clone() });
            self.pulls.insert(reference.clone(), step);
        }
    }

    /// What is to be fetched for a service: what its reference means now where its policy says so, or a pinned image that
    /// is gone, by the digest of then.
    fn wanted_of_registry(&self, service: &DesiredService) -> Option<String> {
        let (reference, applied) = (&service.spec.image, &self.observed.applied);
        let cast = Cast::of(service, self.desired, self.observed);
        if service.pinned_image.is_some() {
            let gone = !cast.has_image(self.observed) && service.pull != PullPolicy::Never;
            // One that came and was another image is not fetched for ever.
            return service.pinned_source.clone().filter(|source| gone && !applied.pulled.contains(source));
        }
        let here = cast.image_id.is_some();
        let due = match service.pull {
            PullPolicy::Missing => !here,
            PullPolicy::Never => false,
            PullPolicy::Always => !applied.pulled.contains(reference),
            PullPolicy::Every(period) => {
                let period = SignedDuration::try_from(period).unwrap_or(SignedDuration::MAX);
                applied.pulls.get(reference).is_none_or(|at| self.observed.now.duration_since(*at) >= period)
            }
        };
        due.then(|| reference.clone())
    }

    /// Every check before the first stop: pulls, networks, volumes, files.
    pub fn preparations(&self) -> Vec<StepId> {
        self.pulls
            .values()
            .chain(self.ground.networks.values())
            .chain(self.ground.volumes.values())
            .chain(self.deliveries.values())
            .copied()
            .collect()
    }

    /// The steps a container of this body needs before it can be made. Renewed networks are waited for when it is connected.
    pub fn prerequisites(&self, spec: &crate::desired::ContainerSpec) -> Vec<StepId> {
        let mut steps: Vec<StepId> = self.pulls.get(&spec.image).copied().into_iter().collect();
        if let Network::Networks(networks) = &spec.network {
            steps.extend(networks.keys().filter_map(|name| self.ground.networks.get(name).copied()));
        }
        steps
            .extend(spec.mounts.iter().filter_map(|mount| self.ground.volumes.get(&mount.source.to_string()).copied()));
        steps
    }

    /// Networks and volumes a body needs and nobody can give.
    pub fn lacks(&self, spec: &crate::desired::ContainerSpec) -> bool {
        let networks = match &spec.network {
            Network::Networks(networks) => networks.keys().any(|name| self.ground.missing.contains(name)),
            Network::Host | Network::None | Network::Service(_) => false,
        };
        networks || spec.mounts.iter().any(|mount| self.ground.missing.contains(&mount.source.to_string()))
    }

    /// True unless a network is gone that nobody is allowed to make again.
    pub fn stands(&self, spec: &crate::desired::ContainerSpec) -> bool {
        match &spec.network {
            Network::Networks(networks) => networks
                .keys()
                .all(|name| self.observed.networks.contains_key(name) || self.ground.networks.contains_key(name)),
            Network::Host | Network::None | Network::Service(_) => true,
        }
    }

    /// The steps a service waits for before it may change; none where what it requires cannot be had.
    pub fn gates(&mut self, service: &DesiredService) -> Option<Vec<StepId>> {
        let mut gates = Vec::new();
        for (other, dependency) in &service.depends_on {
            self.service(other);
            let Some(milestone) = self.milestones.get(other).cloned() else { continue };
            if milestone.blocked {
                if dependency.required {
                    return None;
                }
                continue;
            }
            gates.extend(match dependency.condition {
                Condition::ServiceStarted => milestone.started,
                Condition::ServiceHealthy => self.readied(other, milestone),
                Condition::ServiceCompletedSuccessfully => self.finished(other, milestone),
            });
        }
        if let Network::Service(host) = &service.spec.network {
            self.service(host);
            let milestone = self.milestones.get(host)?;
            if milestone.blocked {
                return None;
            }
            gates.extend(milestone.ready.or(milestone.started));
        }
        Some(gates)
    }

    /// The step after which a service is ready. One that was ready before and fails its probe now is waited for.
    fn readied(&mut self, name: &ServiceName, milestone: Milestone) -> Option<StepId> {
        use crate::observed::Readiness;
        if milestone.ready.is_some() {
            return milestone.ready;
        }
        let container = milestone.container.as_ref()?;
        match self.observed.containers.get(container)?.readiness {
            Readiness::Ready | Readiness::Unproven | Readiness::Failed(_) => None,
            Readiness::Failing => {
                let step =
                    self.graph.add(Step::Await { container: container.clone(), role: Role::Service(name.clone()) });
                self.milestones.insert(name.clone(), Milestone { ready: Some(step), ..milestone });
                Some(step)
            }
        }
    }

    /// The step after which a service has done its work.
    fn finished(&mut self, name: &ServiceName, milestone: Milestone) -> Option<StepId> {
        if milestone.over.is_some() {
            return milestone.over;
        }
        let container = milestone.container.as_ref()?;
        if milestone.started.is_none()
            && self.observed.containers.get(container).is_some_and(|facts| facts.life == Life::Exited(0))
        {
            return None;
        }
        let step = self.graph.add(Step::AwaitExit { container: container.clone(), role: Role::Service(name.clone()) });
        self.graph.after(step, milestone.ready.or(milestone.started));
        self.milestones.insert(name.clone(), Milestone { over: Some(step), ..milestone });
        Some(step)
    }

    /// Whoever is taken off a network and removed is taken off while it is there.
    fn take_off_before_removing(&mut self) {
        let ids: Vec<StepId> = self.graph.ids().collect();
        for remove in &ids {
            let Step::Remove { container: gone, .. } = self.graph.step(*remove).clone() else { continue };
            let off =
                |id: &StepId| matches!(self.graph.step(*id), Step::Disconnect { container, .. } if *container == gone);
            let offs: Vec<StepId> = ids.iter().copied().filter(off).collect();
            self.graph.after(*remove, offs);
        }
    }

    /// Notes that a service cannot be brought to where it should be.
    pub fn obstruct(&mut self, service: &ServiceName, blame: Blame, summary: String, hint: Option<String>) {
        self.obstacles.push(Obstacle { blame, service: Some(service.clone()), summary, hint });
    }

    /// Notes that a container is in a state that this release does not know, where it stands in the way.
    pub fn is_unknown(&mut self, name: &str, container: &Container, service: Option<&ServiceName>) {
        if let Life::Unknown(word) = &container.life {
            self.obstacles.push(Obstacle {
                blame: Blame::World,
                service: service.cloned(),
                summary: format!("container `{name}` is in state `{word}`, which this release does not know"),
                hint: Some(format!("see what it is at (`docker inspect {name}`), and remove it if nobody needs it")),
            });
        }
    }

    /// The finished plan, in which nothing stops before all that can be prepared is.
    #[must_use]
    pub fn finish(mut self) -> Plan {
        let preparations = self.preparations();
        let stops: Vec<StepId> =
            self.graph.ids().filter(|id| matches!(self.graph.step(*id), Step::Stop { .. })).collect();
        for stop in stops {
            self.graph.after(stop, preparations.iter().copied());
        }
        self.take_off_before_removing();
        self.copy_first();
        let mut changes = std::mem::take(&mut self.ground.changes);
        changes.append(&mut self.changes);
        let mut obstacles = std::mem::take(&mut self.ground.obstacles);
        obstacles.append(&mut self.obstacles);
        Plan { changes, steps: self.graph.sorted(), obstacles }
    }
}
