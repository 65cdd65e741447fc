//! What the host's policy says of an app that is about to be made or kept, with the places a person needs.

use super::{Settings, aim::Aim, report};
use crate::{
    apply::{StepError, memory, preflight},
    blame::Blame,
    desired::{ContainerSpec, Desired},
    host::Host,
    observed::{Role, fold},
    plan::Obstacle,
    policy::{self, Denial, Subject},
    record::Target,
    secret::SecretError,
    yaml::Node,
};
use std::path::Path;

/// Every denial, as an obstacle. Asked before anything is made, and so also at rollback: today's policy holds.
#[must_use]
pub fn denials(settings: &Settings, tree: Option<&Node>, aim: &Aim) -> Vec<Obstacle> {
    // The places of the branch say nothing of an earlier revision.
    let tree = tree.filter(|_| aim.target == Target::Head);
    let denials =
        policy::of_app(&aim.desired, &settings.protected_paths, |subject, spec| judge(settings, subject, spec));
    denials.iter().map(|(role, denial)| obstacle(&settings.policy, tree, &aim.desired, role, denial)).collect()
}

/// Why a container may not be made or started after all. Asked at the last moment: what a path leads to can change
/// between the plan and the engine's own look.
///
/// # Errors
/// Every denial, with what would allow it.
pub fn last_look(settings: &Settings, desired: &Desired, role: &Role) -> Result<(), StepError> {
    let Some(spec) = fold::body(desired, role) else { return Ok(()) };
    let subject = Subject { app: desired, role, protected_paths: &settings.protected_paths };
    let denials = judge(settings, &subject, spec);
    let found: Vec<Obstacle> =
        denials.iter().map(|denial| obstacle(&settings.policy, None, desired, role, denial)).collect();
    match report::obstacles(&found) {
        None => Ok(()),
        Some(error) => Err(StepError::Denied { what: error.summary, hint: error.hint }),
    }
}

/// The engine is on this host, and follows links as this look does.
fn judge(settings: &Settings, subject: &Subject<'_>, spec: &ContainerSpec) -> Vec<Denial> {
    let policy = &settings.policy.settings.policy;
    let real =
        |path: &str| preflight::path_behind_links(Path::new(path)).map(|path| path.to_string_lossy().into_owned());
    let mut denials = policy::judge(policy, subject, spec);
    denials.extend(policy::follow(policy, subject, spec, real));
    denials.extend(policy::routed(policy, &settings.policy.settings.proxy, subject));
    denials.extend(policy::stored(&settings.policy.settings.backup, subject));
    denials
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

/// Why the app's secrets would be delivered nowhere, before anything is stopped for them.
#[must_use]
pub fn undeliverable(settings: &Settings, aim: &Aim) -> Option<Obstacle> {
    let roots = &settings.secrets.roots;
    let delivers = aim.desired.services.values().any(|service| !service.spec.secrets.is_empty());
    // The host's word for a disk is none for a place that is not there.
    if !delivers || roots.on_disk && roots.secrets.is_absolute() {
        return None;
    }
    let error = memory::foresee(&roots.secrets).err()?;
    Some(Obstacle { blame: Blame::World, service: None, summary: error.to_string(), hint: Some(error.hint()) })
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
