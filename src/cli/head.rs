//! What a tree of manifests says of an environment.

use crate::{
    desired::{Desired, resolve},
    manifest::{self, App, Loaded, Surroundings},
    value::{AppName, EnvironmentName},
    yaml::{Diagnostic, Node},
};
use std::collections::{BTreeMap, BTreeSet};

/// The files of one tree.
#[derive(Clone, Debug, Default)]
pub struct Manifests {
    /// Texts by their path below the repository's root.
    pub files: BTreeMap<String, String>,
    /// The folder of environments.
    pub folder: String,
    /// The environments that live on one host; empty: all of them, where no host file says otherwise.
    pub together: BTreeSet<EnvironmentName>,
    /// There may be more files than these.
    pub partial: bool,
}

/// An environment as a tree says it should be.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// Apps by name; one that is wrong with everything that is wrong with it.
    pub apps: BTreeMap<AppName, Result<Desired, Vec<Diagnostic>>>,
    /// The trees of valid apps, for the places of what is found later.
    pub trees: BTreeMap<AppName, Node>,
    /// What is wrong with files that are no app.
    pub other: Vec<Diagnostic>,
}

impl Manifests {
    /// The environments that have files.
    #[must_use]
    pub fn environments(&self) -> BTreeSet<EnvironmentName> {
        manifest::environments(&self.folder, self.files.keys().map(String::as_str))
    }

    /// The apps of an environment, by the names of their files alone.
    #[must_use]
    pub fn apps(&self, environment: &EnvironmentName) -> BTreeSet<AppName> {
        let placed = self.files.keys().map(|path| manifest::placement(&self.folder, path));
        placed
            .filter_map(|placement| match placement {
                manifest::Placement::App { environment: of, name } if of == *environment => Some(name),
                manifest::Placement::App { .. }
                | manifest::Placement::Base
                | manifest::Placement::Ignored
                | manifest::Placement::Misplaced { .. } => None,
            })
            .collect()
    }

    /// What is wrong with files that are no app, also where no environment is.
    #[must_use]
    pub fn other(&self) -> Vec<Diagnostic> {
        manifest::other(&self.files, &self.folder)
    }

    /// All environments of the tree: apps are judged beside each other, also across the environments of one host.
    #[must_use]
    pub fn render(&self) -> BTreeMap<EnvironmentName, Rendered> {
        let mut loaded: BTreeMap<EnvironmentName, Loaded> = self
            .environments()
            .into_iter()
            .map(|name| (name.clone(), manifest::load(&self.files, &name, &self.folder)))
            .collect();
        let valid = loaded.iter().map(|(name, loaded)| {
            let apps = loaded.apps.iter().filter_map(|(app, read)| Some((app.clone(), read.as_ref().ok()?)));
            (name.clone(), apps.collect())
        });
        let valid: BTreeMap<EnvironmentName, BTreeMap<AppName, &App>> = valid.collect();
        let surroundings = Surroundings {
            apps: loaded.iter().map(|(name, loaded)| (name.clone(), loaded.apps.keys().cloned().collect())).collect(),
            together: self.together.clone(),
            partial: self.partial,
        };
        let disorder = manifest::order(&valid, &surroundings);
        let (here, elsewhere): (BTreeMap<_, _>, BTreeMap<_, _>) =
            valid.into_iter().partition(|(name, _)| self.together.is_empty() || self.together.contains(name));
        let hosts = std::iter::once(here).chain(elsewhere.into_iter().map(|one| BTreeMap::from([one])));
        let found: Vec<_> = hosts.flat_map(|host| manifest::cross_check(&host)).chain(disorder).collect();
        for (environment, app, diagnostic) in found {
            let Some(read) = loaded.get_mut(&environment).and_then(|loaded| loaded.apps.get_mut(&app)) else {
                continue;
            };
            match read {
                Err(diagnostics) => diagnostics.push(diagnostic),
                Ok(_) => *read = Err(vec![diagnostic]),
            }
        }
        loaded.into_iter().map(|(environment, loaded)| (environment, Rendered::of(loaded))).collect()
    }
}

impl Rendered {
    fn of(loaded: Loaded) -> Self {
        let trees = loaded
            .apps
            .iter()
            .filter_map(|(name, app)| Some((name.clone(), app.as_ref().ok()?.tree.clone())))
            .collect();
        let resolved = |app: App| resolve::resolve(&app, &resolve::Context::default());
        let apps = loaded.apps.into_iter().map(|(name, app)| (name, app.map(resolved))).collect();
        Self { apps, trees, other: loaded.other }
    }
}
