//! Whose data is meant, of all that the branch tells of.

use super::is_meant;
use crate::{
    cli::{
        Complaint,
        session::{Session, unknown},
    },
    desired::{Backup, Desired},
    value::{AppName, ItemName},
};
use std::collections::BTreeSet;

/// The apps that are meant, all that have a `backup` where none is named, with what is said of each.
///
/// # Errors
/// The source cannot be read, or a manifest is wrong; an app or item is not known; there is nothing to copy.
pub fn wanted(
    session: &Session,
    only: Option<&AppName>,
    only_items: &[ItemName],
) -> Result<Vec<(Desired, Backup)>, Complaint> {
    let (repository, commit) = session.known_head()?;
    let manifests = session.manifests(&repository, &commit)?;
    let environments = session.environments_of(&manifests)?;
    let mut rendered = manifests.render();
    let (mut wanted, mut apps) = (Vec::new(), BTreeSet::new());
    for environment in environments {
        for (app, desired) in rendered.remove(&environment).unwrap_or_default().apps {
            apps.insert(app.clone());
            if only.is_some_and(|only| *only != app) {
                continue;
            }
            match desired {
                Ok(desired) => wanted.extend(desired.backup.clone().map(|section| (desired, section))),
                Err(problems) => {
                    let invalid = format!("{environment}/{app} is invalid");
                    return Err(Complaint::of_diagnostics(&invalid, &problems));
                }
            }
        }
    }
    if let Some(app) = only.filter(|app| !apps.contains(*app)) {
        return Err(unknown("app", app.as_str(), &apps));
    }
    if wanted.is_empty() {
        let what = only.map_or("no app".to_owned(), |app| format!("`{app}`"));
        let none = if only.is_some() { "has no `backup`" } else { "has a `backup`" };
        return Err(Complaint::says(format!("{what} {none}"))
            .with_hint("write `backup: {items: […]}` into a manifest".to_owned()));
    }
    let items: BTreeSet<ItemName> =
        wanted.iter().flat_map(|(_, section)| section.items.iter().map(|item| item.name.clone())).collect();
    if let Some(item) = only_items.iter().find(|item| !items.contains(*item)) {
        return Err(unknown("item", item.as_str(), &items));
    }
    wanted.retain(|(_, section)| section.items.iter().any(|item| is_meant(only_items, &item.name)));
    Ok(wanted)
}
