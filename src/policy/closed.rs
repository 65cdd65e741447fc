//! Services that nobody beyond their app's own networks may reach, because the manifest or the host says so.

use crate::{
    desired::Desired,
    host::Policy,
    observed::Role,
    value::{ServiceName, ServicePath},
};

/// Who closed a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The manifest: `internal_only`.
    Manifest,
    /// The host file: `policy.never_expose`.
    Host,
}

impl By {
    /// The rule, as denials name it.
    pub(super) const fn rule(self) -> &'static str {
        match self {
            Self::Manifest => "internal_only",
            Self::Host => "policy.never_expose",
        }
    }

    pub(super) const fn why(self) -> &'static str {
        match self {
            Self::Manifest => "the manifest says it is `internal_only`",
            Self::Host => "the host says it is never exposed",
        }
    }
}

/// Who closed what the container is for. A job is as closed as the service whose body it has.
pub(super) fn by(policy: &Policy, desired: &Desired, role: &Role) -> Vec<By> {
    let (name, service) = match role {
        Role::Service(name) => (name.as_str(), Some(name)),
        Role::Job(name) => (name.as_str(), desired.jobs.get(name).map(|job| &job.service)),
    };
    let internal = service.and_then(|name| desired.services.get(name)).is_some_and(|service| service.internal_only);
    let named = |name: &str| never_exposed(&policy.never_expose, desired, name);
    let manifest = internal.then_some(By::Manifest);
    let host = (named(name) || service.is_some_and(|service| named(service.as_str()))).then_some(By::Host);
    manifest.into_iter().chain(host).collect()
}

/// The services of an app that the manifest or the host closed: their exposure is put right whatever else is told of
/// drift.
pub fn services<'a>(policy: &'a Policy, desired: &'a Desired) -> impl Iterator<Item = &'a ServiceName> {
    desired.services.keys().filter(|name| !by(policy, desired, &Role::Service((*name).clone())).is_empty())
}

fn never_exposed(never_expose: &[ServicePath], desired: &Desired, name: &str) -> bool {
    never_expose.iter().any(|path| path.names(&desired.environment, &desired.app, name))
}
