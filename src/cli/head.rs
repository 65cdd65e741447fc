//! What a tree of manifests says of an environment.

use crate::{
    desired::{Desired, resolve},
    manifest::{self, App, Loaded, Surroundings, Text},
    secret::RepositoryFiles,
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
    /// The repository's other files; none where no repository is known around these.
    pub beside: Option<RepositoryFiles>,
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
    /// The repository's other files.
    pub files: RepositoryFiles,
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
        if let Some(beside) = &self.beside {
            let apps = loaded.values_mut().flat_map(|loaded| loaded.apps.values_mut());
            apps.for_each(|read| take_in(read, beside));
        }
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
        let files = self.beside.clone().unwrap_or_default();
        loaded.into_iter().map(|(environment, loaded)| (environment, Rendered::of(loaded, files.clone()))).collect()
    }
}

/// Puts the files into an app that its configs name: what they hold is a part of the revision.
fn take_in(read: &mut Result<App, Vec<Diagnostic>>, beside: &RepositoryFiles) {
    let Ok(app) = read else { return };
    let mut problems = Vec::new();
    for (name, config) in &mut app.manifest.configs {
        let Some(file) = &config.file else { continue };
        let text = beside
            .read(file.as_str())
            .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is no UTF-8 text, as a config is".to_owned()));
        match text {
            Ok(text) => config.content = Some(Text(text)),
            Err(why) => {
                let place = app.tree.place_of(&["configs", name.as_str(), "file"]);
                problems.push(Diagnostic::new(place, format!("`{file}` cannot be read: {why}")));
            }
        }
    }
    if !problems.is_empty() {
        *read = Err(problems);
    }
}

impl Rendered {
    fn of(loaded: Loaded, files: RepositoryFiles) -> Self {
        let trees = loaded
            .apps
            .iter()
            .filter_map(|(name, app)| Some((name.clone(), app.as_ref().ok()?.tree.clone())))
            .collect();
        let resolved = |app: App| resolve::resolve(&app, &resolve::Context::default());
        let apps = loaded.apps.into_iter().map(|(name, app)| (name, app.map(resolved))).collect();
        Self { apps, trees, other: loaded.other, files }
    }
}
