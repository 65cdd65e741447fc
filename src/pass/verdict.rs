//! What the host's policy says of an app that is about to be made or kept, with the places a person needs.

use super::{Settings, aim::Aim};
use crate::{
    apply::preflight,
    blame::Blame,
    observed::Role,
    plan::Obstacle,
    policy::{self, Denial, Subject},
    record::Target,
    yaml::Node,
};
use std::collections::BTreeSet;

/// Every denial, as an obstacle. Asked before anything is made, and so also at rollback: today's policy holds.
#[must_use]
pub fn denials(settings: &Settings, tree: Option<&Node>, aim: &Aim) -> Vec<Obstacle> {
    let desired = &aim.desired;
    let external_networks: BTreeSet<String> =
        desired.networks.iter().filter(|(_, network)| network.external).map(|(name, _)| name.clone()).collect();
    // The places of the branch say nothing of an earlier revision.
    let tree = tree.filter(|_| aim.target == Target::Head);
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
                protected_paths: &settings.protected_paths,
            };
            let policy = &settings.policy.settings.policy;
            let written = policy::judge(policy, &subject, spec);
            // The engine is on this host, and follows links as this look does.
            let followed = policy::follow(policy, &subject, spec, preflight::path_behind_links);
            written
                .into_iter()
                .chain(followed)
                .map(|denial| obstacle(settings, tree, aim, &role, &denial))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn obstacle(settings: &Settings, tree: Option<&Node>, aim: &Aim, role: &Role, denial: &Denial) -> Obstacle {
    let path: Vec<&str> = denial.field.split('.').collect();
    let place = tree.map(|tree| format!("{}: ", tree.place_of(&path))).unwrap_or_default();
    let service = match role {
        Role::Service(name) => Some(name.clone()),
        Role::Job(name) => aim.desired.jobs.get(name).map(|job| job.service.clone()),
    };
    Obstacle {
        blame: Blame::World,
        service,
        summary: format!("{place}{denial}"),
        hint: denial.remedy(&settings.policy),
    }
}
