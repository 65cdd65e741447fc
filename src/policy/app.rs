//! All containers of an app, one after the other, before the judge.

use super::{Denial, Subject};
use crate::{
    desired::{ContainerSpec, Desired},
    observed::Role,
};

/// What `judge` denies of each service and each job of an app.
pub fn of_app(
    desired: &Desired,
    protected_paths: &[String],
    mut judge: impl FnMut(&Subject<'_>, &ContainerSpec) -> Vec<Denial>,
) -> Vec<(Role, Denial)> {
    bodies(desired)
        .flat_map(|(role, spec)| {
            let denials = judge(&Subject { app: desired, role: &role, protected_paths }, spec);
            denials.into_iter().map(|denial| (role.clone(), denial)).collect::<Vec<_>>()
        })
        .collect()
}

/// Every container's body of an app, and what it is for.
pub(super) fn bodies(desired: &Desired) -> impl Iterator<Item = (Role, &ContainerSpec)> {
    let services = desired.services.values().map(|service| (Role::Service(service.name.clone()), &service.spec));
    let jobs = desired.jobs.values().map(|job| (Role::Job(job.name.clone()), &job.spec));
    services.chain(jobs)
}
