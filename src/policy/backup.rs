//! Copies of an app's data: whether this host has the places that the manifest names, and whether they are good for what is copied.

use super::{Denial, Subject, app};
use crate::{
    desired::backup::{Consistency, Item},
    host::{Backup, Repository},
};

/// The field of the manifest that names them.
const FIELD: &str = "backup.repositories";

/// What is wrong with the places, told once for an app.
#[must_use]
pub fn stored(places: &Backup, subject: &Subject<'_>) -> Vec<Denial> {
    let is_first = app::bodies(subject.app).next().is_some_and(|(role, _)| role == *subject.role);
    let Some(backup) = subject.app.backup.as_ref().filter(|_| is_first) else { return Vec::new() };
    let known: Vec<String> = places.names().iter().map(|name| format!("`{name}`")).collect();
    let unknown = backup.repositories.iter().enumerate().filter(|(_, name)| !places.has(name));
    let unknown = unknown.map(|(index, name)| Denial {
        field: format!("{FIELD}.{index}"),
        rule: FIELD,
        message: format!("this host has no place `{name}` for copies; it has {}", known.join(", ")),
        allow: Some(format!("repositories: {{{name}: {{type: local, path: /srv/backups}}}}")),
    });
    let first = backup.repositories.first();
    let far = first.filter(|name| places.repositories.get(*name).is_some_and(|place| !Repository::is_near(place)));
    let held = far.and_then(|name| {
        let item = backup.items.iter().find(|item| holds(item))?;
        Some(Denial {
            field: format!("{FIELD}.0"),
            rule: FIELD,
            message: format!(
                "whoever uses the data of `{}` is held still for it, and would be for as long as it takes to bring it to \
                 `{name}`: name a place on this host before it",
                item.name
            ),
            allow: None,
        })
    });
    unknown.chain(held).collect()
}

fn holds(item: &Item) -> bool {
    match item.data.consistency() {
        Consistency::None => false,
        Consistency::Pause | Consistency::Stop => true,
    }
}
