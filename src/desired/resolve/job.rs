//! A job: the service's body without what makes it a service.

use super::Resolving;
use crate::{
    desired::{
        ContainerSpec, DesiredJob, DesiredService, JobPhase, SpecHash, names,
        spec::{Adjustable, EngineCheck, Network, Restart},
    },
    manifest::{Job, job::When},
    value::JobName,
};
use serde::Serialize;
use std::collections::BTreeSet;

/// What a job's having run is remembered by. Fields of later releases are left out at their default.
#[derive(Serialize)]
struct JobKey<'a> {
    service: &'a SpecHash,
    job: &'a Job,
}

impl Resolving<'_> {
    pub(super) fn job(&self, name: &JobName, job: &Job, service: &DesiredService) -> DesiredJob {
        // A job has run, whatever becomes of a password later.
        let spec_hash = SpecHash::of(&JobKey { service: &service.spec.without_digests().hash(), job });
        DesiredJob {
            name: name.clone(),
            service: job.service.clone(),
            spec: body(&service.spec, job),
            container_name: names::container(self.environment, self.app, name, &spec_hash),
            spec_hash,
            phase: match job.when {
                When::PreSync => JobPhase::PreSync,
                When::PostSync => JobPhase::PostSync,
            },
            timeout: job.timeout.into(),
        }
    }
}

/// Nobody reaches a job: no ports, no names on its networks; and nobody starts it again or asks after its health.
fn body(service: &ContainerSpec, job: &Job) -> ContainerSpec {
    let network = match &service.network {
        Network::Networks(networks) => {
            Network::Networks(networks.keys().map(|name| (name.clone(), BTreeSet::new())).collect())
        }
        other @ (Network::Host | Network::None | Network::Service(_)) => other.clone(),
    };
    ContainerSpec {
        command: Some(job.command.0.clone()),
        network,
        ports: BTreeSet::new(),
        healthcheck: EngineCheck::Disabled,
        adjustable: Adjustable { restart: Restart::No, ..service.adjustable.clone() },
        ..service.clone()
    }
}
