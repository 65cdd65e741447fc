//! What the host's policy says of an app that is about to be made or kept, with the places a person needs.

use super::{Settings, aim::Aim};
use crate::{
    apply::preflight,
    blame::Blame,
    desired::Desired,
    host::Host,
    observed::Role,
    plan::Obstacle,
    policy::{self, Denial},
    record::Target,
    secret::SecretError,
    yaml::Node,
};

/// Every denial, as an obstacle. Asked before anything is made, and so also at rollback: today's policy holds.
#[must_use]
pub fn denials(settings: &Settings, tree: Option<&Node>, aim: &Aim) -> Vec<Obstacle> {
    // The places of the branch say nothing of an earlier revision.
    let tree = tree.filter(|_| aim.target == Target::Head);
    let policy = &settings.policy.settings.policy;
    let denials = policy::of_app(&aim.desired, &settings.protected_paths, |subject, spec| {
        let mut denials = policy::judge(policy, subject, spec);
        // The engine is on this host, and follows links as this look does.
        denials.extend(policy::follow(policy, subject, spec, preflight::path_behind_links));
        denials
    });
    denials.iter().map(|(role, denial)| obstacle(&settings.policy, tree, &aim.desired, role, denial)).collect()
}

/// A denial with its place in the manifest, and with the line of the host file that would allow it.
#[must_use]
pub fn obstacle(host: &Host, tree: Option<&Node>, desired: &Desired, role: &Role, denial: &Denial) -> Obstacle {
    let path: Vec<&str> = denial.field.split('.').collect();
    let place = tree.map(|tree| format!("{}: ", tree.place_of(&path))).unwrap_or_default();
    let service = match role {
        Role::Service(name) => Some(name.clone()),
        Role::Job(name) => desired.jobs.get(name).map(|job| job.service.clone()),
    };
    Obstacle { blame: Blame::World, service, summary: format!("{place}{denial}"), hint: denial.remedy(host) }
}

/// The secrets that are not known: the world's fault, and this app's alone to wait for.
#[must_use]
pub fn missing_secrets(aim: &Aim) -> Vec<Obstacle> {
    let obstacle = |error: &SecretError| {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
        Obstacle { blame: Blame::World, service: None, summary: format!("{error}{cause}"), hint: error.hint() }
    };
    aim.secrets.missing.iter().map(obstacle).collect()
}
