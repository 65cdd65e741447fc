//! All containers of an app, one after the other, before the judge.

use super::{Denial, Subject};
use crate::{
    desired::{ContainerSpec, Desired},
    observed::Role,
};
use std::collections::BTreeSet;

/// What `judge` denies of each service and each job of an app.
pub fn of_app(
    desired: &Desired,
    protected_paths: &[String],
    mut judge: impl FnMut(&Subject<'_>, &ContainerSpec) -> Vec<Denial>,
) -> Vec<(Role, Denial)> {
    let external_networks: BTreeSet<String> =
        desired.networks.iter().filter(|(_, network)| network.external).map(|(name, _)| name.clone()).collect();
    let services = desired
        .services
        .values()
        .map(|service| (Role::Service(service.name.clone()), &service.spec, service.internal_only));
    let jobs = desired.jobs.values().map(|job| {
        let internal = desired.services.get(&job.service).is_some_and(|service| service.internal_only);
        (Role::Job(job.name.clone()), &job.spec, internal)
    });
    services
        .chain(jobs)
        .flat_map(|(role, spec, internal_only)| {
            let subject = Subject {
                environment: &desired.environment,
                app: &desired.app,
                role: &role,
                internal_only,
                external_networks: &external_networks,
                protected_paths,
            };
            let denials = judge(&subject, spec);
            denials.into_iter().map(|denial| (role.clone(), denial)).collect::<Vec<_>>()
        })
        .collect()
}
