//! A service and a job as they should be: the container's body and how to get there.

use super::{
    delivery::UsedSecrets,
    route::Route,
    spec::{ContainerSpec, SpecHash},
};
use crate::value::{JobName, PullPolicy, ServiceName};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// A service as it should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DesiredService {
    /// Its name.
    pub name: ServiceName,
    /// The container's name once it is the only one: pinned, or made of environment, app, service and spec hash.
    pub container_name: String,
    /// The container's body.
    pub spec: ContainerSpec,
    /// Digest of the body, less what can be adjusted in place.
    pub spec_hash: SpecHash,
    /// When the image is pulled.
    pub pull: PullPolicy,
    /// A rollback's image id: used instead of what the reference means today.
    pub pinned_image: Option<String>,
    /// What is pulled for a pinned image that is not here any more: its repository with the digest of then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_source: Option<String>,
    /// False when `scale` is 0: the container is kept stopped.
    pub running: bool,
    /// How readiness is judged, beyond the container's being up.
    pub probe: Option<Probe>,
    /// Which comes first when a container is replaced.
    pub order: Order,
    /// What must hold before the container starts.
    pub depends_on: BTreeMap<ServiceName, Dependency>,
    /// How a change is rolled out.
    pub rollout: Rollout,
    /// Never reachable from outside its networks, says the manifest.
    pub internal_only: bool,
    /// The manifest or the host says so: what exposes it is put right whatever else is told of drift. No part of what is
    /// stored: today's host file decides.
    #[serde(skip)]
    pub closed: bool,
    /// The secrets it uses, as far as they are known.
    #[serde(default, skip_serializing_if = "UsedSecrets::is_empty")]
    pub secrets: UsedSecrets,
    /// How it is reached through the host's proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    /// The manifest says by name that the next container comes first. No part of what is stored, as is what follows.
    #[serde(skip)]
    pub insists: bool,
    /// What its container itself says of its way, where this host's proxy listens to containers.
    #[serde(skip)]
    pub said: Option<Said>,
}

/// What a container says of the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The network that it joins when it is routed to, and not before; none where it is there from its start.
    pub joins: Option<String>,
    /// The variables or labels that say it; they are in the body too.
    pub words: BTreeMap<String, String>,
}

impl DesiredService {
    /// True for a network that it is on by its route, and not by its body.
    #[must_use]
    pub fn joins(&self, network: &str) -> bool {
        self.said.as_ref().is_some_and(|said| said.joins.as_deref() == Some(network))
    }

    /// Keyed digest of the users that its route asks for; none where nobody is asked for, or they are not known.
    #[must_use]
    pub fn users(&self) -> Option<&String> {
        self.secrets.routed.get(self.route.as_ref()?.basic_auth.as_ref()?)
    }

    /// True when exit code 0 is the end of its work and no drift (`restart: no` or `on-failure`).
    #[must_use]
    pub fn completes(&self) -> bool {
        use super::spec::Restart;
        match self.spec.adjustable.restart {
            Restart::No | Restart::OnFailure(_) => true,
            Restart::Always | Restart::UnlessStopped => false,
        }
    }
}

/// A one-shot container beside a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DesiredJob {
    /// Its name.
    pub name: JobName,
    /// The service whose image, environment, networks and volumes it has.
    pub service: ServiceName,
    /// The container's body.
    pub spec: ContainerSpec,
    /// Digest of the service's body and the job's own fields. With the image's id it says whether the job has run.
    pub spec_hash: SpecHash,
    /// Name of its container, without the image's part.
    pub container_name: String,
    /// Before or after the service changes.
    pub phase: JobPhase,
    /// How long it may run.
    pub timeout: Duration,
}

/// When a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobPhase {
    /// After the service's dependencies hold, before it changes.
    PreSync,
    /// After the service is ready.
    PostSync,
}

/// How readiness is judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// What is asked.
    pub kind: ProbeKind,
    /// Between two asks once the service is ready.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How many failures in a row make a ready service unhealthy.
    pub retries: u32,
    /// After the start, failures do not count for so long.
    pub start_period: Duration,
    /// Between two asks until the service is ready.
    pub start_interval: Duration,
}

/// What a probe asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeKind {
    /// A GET whose status must lie in the range.
    Http { path: String, port: u16, scheme: Scheme, host: Option<String>, status: (u16, u16) },
    /// A connection that is accepted.
    Tcp { port: u16 },
    /// The engine's own check (Compose's `test`); on Podman it is run by us, its timers need systemd.
    Engine,
}

/// How an http probe speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    #[default]
    Http,
    /// The certificate is not verified: the probe asks whether it answers, not who it is.
    Https,
}

/// Which container comes first when one replaces another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The new one is ready before the old one stops.
    StartFirst,
    /// The old one stops before the new one starts.
    StopFirst,
}

/// What one service asks of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// What must hold.
    pub condition: Condition,
    /// False: its failure is only a warning.
    pub required: bool,
    /// The dependent is restarted after the other was replaced.
    pub restart: bool,
}

/// What must hold of a dependency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    #[default]
    ServiceStarted,
    ServiceHealthy,
    ServiceCompletedSuccessfully,
}

/// How a change is rolled out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// How long a new container may take to be ready, from its start.
    pub healthy_deadline: Duration,
    /// How long it must have been up before it counts as ready.
    pub min_healthy_time: Duration,
    /// What happens to a revision that fails.
    pub on_failure: FailureAction,
}

/// What happens to a revision that fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureAction {
    /// The app goes back to its newest stable revision.
    #[default]
    Rollback,
    /// The app stays as it is until someone acts.
    Halt,
}
