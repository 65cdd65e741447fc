//! Copies of an app's data: whether this host has the places that the manifest names.

use super::{Denial, Subject, app};
use crate::host::Backup;

/// The places that this host does not have, told once for an app.
#[must_use]
pub fn stored(places: &Backup, subject: &Subject<'_>) -> Vec<Denial> {
    let is_first = app::bodies(subject.app).next().is_some_and(|(role, _)| role == *subject.role);
    let Some(backup) = subject.app.backup.as_ref().filter(|_| is_first) else { return Vec::new() };
    let known: Vec<String> = places.names().iter().map(|name| format!("`{name}`")).collect();
    let unknown = backup.repositories.iter().enumerate().filter(|(_, name)| !places.has(name));
    unknown
        .map(|(index, name)| Denial {
            field: format!("backup.repositories.{index}"),
            rule: "backup.repositories",
            message: format!("this host has no place `{name}` for copies; it has {}", known.join(", ")),
            allow: Some(format!("repositories: {{{name}: {{type: local, path: /srv/backups}}}}")),
        })
        .collect()
}
