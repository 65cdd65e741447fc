//! The labels by which objects on an engine are known as ours. No manifest may set one.

use super::{Desired, DesiredVolume};
use crate::observed::Role;
use std::collections::BTreeMap;

/// Labels that begin so belong to this tool.
pub const PREFIX: &str = "reconcile.";
/// Which installation made it: the host file's `installation`.
pub const INSTALLATION: &str = "reconcile.installation";
pub const ENVIRONMENT: &str = "reconcile.environment";
pub const APP: &str = "reconcile.app";
pub const SERVICE: &str = "reconcile.service";
pub const JOB: &str = "reconcile.job";
pub const NETWORK: &str = "reconcile.network";
pub const VOLUME: &str = "reconcile.volume";
/// The digest of the body it was made from.
pub const SPEC: &str = "reconcile.spec";
/// The id of the image it was made from.
pub const IMAGE: &str = "reconcile.image";
/// The ledger's number of the entry it was made for.
pub const REVISION: &str = "reconcile.revision";
/// The keyed digests of the secrets it was made with: see [`super::delivery::Sealed`].
pub const SECRETS: &str = "reconcile.secrets";
/// `false`: it is never removed.
pub const PRUNE: &str = "reconcile.prune";

/// Labels of the engines: by them they, and Compose, know what is theirs to change and to remove.
const OF_ENGINES: [(&str, &str); 5] = [
    ("com.docker.", "Docker"),
    ("io.docker.", "Docker"),
    ("org.dockerproject.", "Docker"),
    ("io.podman.", "Podman"),
    ("io.containers.", "Podman"),
];

/// Whose a label is, where a manifest may not set it.
#[must_use]
pub fn reserved(name: &str) -> Option<&'static str> {
    if name.starts_with(PREFIX) {
        return (name != PRUNE).then_some("what the tool itself sets");
    }
    OF_ENGINES.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, owner)| *owner)
}

/// The labels that every object of an app carries.
#[must_use]
pub fn of_app(installation: &str, desired: &Desired) -> BTreeMap<String, String> {
    [(INSTALLATION, installation), (ENVIRONMENT, desired.environment.as_str()), (APP, desired.app.as_str())]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// The labels of a volume of an app.
#[must_use]
pub fn of_volume(installation: &str, desired: &Desired, volume: &DesiredVolume) -> BTreeMap<String, String> {
    let mut labels = volume.labels.clone();
    labels.extend(of_app(installation, desired));
    labels.insert(VOLUME.to_owned(), volume.key.clone());
    labels
}

/// The label that says what a container is for.
#[must_use]
pub fn of_role(role: &Role) -> (String, String) {
    match role {
        Role::Service(name) => (SERVICE.to_owned(), name.to_string()),
        Role::Job(name) => (JOB.to_owned(), name.to_string()),
    }
}

/// What a container is for, by its labels.
#[must_use]
pub fn role(labels: &BTreeMap<String, String>) -> Option<Role> {
    match (labels.get(SERVICE), labels.get(JOB)) {
        (Some(name), None) => name.parse().ok().map(Role::Service),
        (None, Some(name)) => name.parse().ok().map(Role::Job),
        (Some(_), Some(_)) | (None, None) => None,
    }
}

/// True when the labels say that this app of this installation made the object.
#[must_use]
pub fn owned(labels: &BTreeMap<String, String>, installation: &str, desired: &Desired) -> bool {
    of_app(installation, desired).iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// True when the object says that it is not to be removed.
#[must_use]
pub fn unprunable(labels: &BTreeMap<String, String>) -> bool {
    labels.get(PRUNE).is_some_and(|value| value == "false")
}
