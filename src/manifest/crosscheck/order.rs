//! Apps that wait for other apps: for one that is nowhere, for themselves, for one another in a circle.

use super::across::Apps;
use crate::{
    manifest::App,
    value::{AppId, AppName, EnvironmentName},
    yaml::Diagnostic,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// All apps of a tree by their files, those with mistakes too, and which of them live together.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    pub apps: BTreeMap<EnvironmentName, BTreeSet<AppName>>,
    /// The environments of one host; empty: all of them.
    pub together: BTreeSet<EnvironmentName>,
    /// Not all of the tree is known: what is missing may be there.
    pub partial: bool,
}

/// Everything that is wrong with what apps wait for.
#[must_use]
pub fn order(all: &Apps<'_>, surroundings: &Surroundings) -> Vec<(EnvironmentName, AppName, Diagnostic)> {
    let edges: BTreeMap<AppId, BTreeSet<AppId>> =
        each(all).map(|app| (id(app), named(app).map(|(_, other)| other).collect())).collect();
    let mut problems = Vec::new();
    for app in each(all) {
        let this = id(app);
        for (index, other) in named(app) {
            let wrong = if other == this {
                Some((format!("`{}` waits for itself", app.name), "remove the line".to_owned()))
            } else {
                surroundings.absent(&this, &other).or_else(|| circle(&edges, &this, &other))
            };
            if let Some((message, hint)) = wrong {
                let place = app.place(&["sync", "depends_on", &index.to_string()]);
                let problem = Diagnostic::new(place, message).with_hint(hint);
                problems.push((app.environment.clone(), app.name.clone(), problem));
            }
        }
    }
    problems
}

fn each<'a>(all: &'a Apps<'a>) -> impl Iterator<Item = &'a App> {
    all.values().flat_map(BTreeMap::values).copied()
}

fn id(app: &App) -> AppId {
    AppId::new(&app.environment, &app.name)
}

fn named(app: &App) -> impl Iterator<Item = (usize, AppId)> {
    app.manifest.sync.depends_on.iter().map(|other| other.seen_from(&app.environment)).enumerate()
}

impl Surroundings {
    /// What is wrong with waiting for an app that is not there, and what to do.
    fn absent(&self, this: &AppId, other: &AppId) -> Option<(String, String)> {
        if self.partial {
            return None;
        }
        let AppId { environment, app } = other;
        let Some(apps) = self.apps.get(environment) else {
            let hint = match nearest(environment.as_str(), self.apps.keys().map(EnvironmentName::as_str)) {
                Some(near) => format!("did you mean `{near}/{app}`?"),
                None => format!("add `{environment}/{app}.yaml`, or remove the line"),
            };
            return Some((format!("there is no environment `{environment}`"), hint));
        };
        if !apps.contains(app) {
            return Some((format!("environment `{environment}` has no app `{app}`"), self.alike(this, other, apps)));
        }
        let here = |environment| self.together.is_empty() || self.together.contains(environment);
        (here(&this.environment) && !here(environment)).then(|| {
            let hint = "what another host does cannot be seen from here: remove the line, or add the environment to \
                        `environments` of the host file if it lives here";
            (format!("environment `{environment}` is not on this host"), hint.to_owned())
        })
    }

    /// What may have been meant.
    fn alike(&self, this: &AppId, other: &AppId, apps: &BTreeSet<AppName>) -> String {
        let namesake = self.apps.iter().find(|(_, apps)| apps.contains(&other.app)).map(|(environment, _)| environment);
        let names = apps.iter().map(AppName::as_str).filter(|name| *name != this.app.as_str());
        match (nearest(other.app.as_str(), names), namesake) {
            (Some(near), _) if other.environment == this.environment => format!("did you mean `{near}`?"),
            (Some(near), _) => format!("did you mean `{}/{near}`?", other.environment),
            (None, Some(environment)) => format!("did you mean `{environment}/{}`?", other.app),
            (None, None) => format!("add `{other}.yaml`, or remove the line"),
        }
    }
}

/// The name that was meant, where one is near enough.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |word: &&str| strsim::damerau_levenshtein(name, word);
    known.min_by_key(distance).filter(|word| distance(word) <= 2.min(name.len() / 2))
}

/// The shortest circle that begins with these two, told in order.
fn circle(edges: &BTreeMap<AppId, BTreeSet<AppId>>, this: &AppId, other: &AppId) -> Option<(String, String)> {
    let mut came_from: BTreeMap<&AppId, &AppId> = BTreeMap::new();
    let mut queue = VecDeque::from([other]);
    while let Some(app) = queue.pop_front() {
        for next in edges.get(app).into_iter().flatten() {
            if next != other && !came_from.contains_key(next) {
                came_from.insert(next, app);
                queue.push_back(next);
            }
        }
    }
    let mut way = vec![this];
    while let Some(before) = way.last().and_then(|app| came_from.get(app)) {
        way.push(before);
    }
    // From `this` back to where the search began, then turned round.
    if way.last() != Some(&other) {
        return None;
    }
    let circle: Vec<String> = std::iter::once(this)
        .chain(way.into_iter().rev())
        .map(|app| app.seen_from(&this.environment).to_string())
        .collect();
    Some((
        format!("apps wait for one another in a circle: `{}`", circle.join(" → ")),
        "take one of them out of `sync.depends_on`".to_owned(),
    ))
}
