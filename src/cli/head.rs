//! What a tree of manifests says of an environment.

use crate::{
    desired::{Desired, resolve},
    manifest,
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
}

/// An environment as a tree says it should be.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// Apps by name; one that is wrong with everything that is wrong with it.
    pub apps: BTreeMap<AppName, Result<Desired, Vec<Diagnostic>>>,
    /// The trees of the apps that are right, for places.
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

    /// All environments of the tree: apps are judged beside each other, also across environments.
    #[must_use]
    pub fn render(&self) -> BTreeMap<EnvironmentName, Rendered> {
        self.environments()
            .into_iter()
            .map(|environment| {
                let loaded = manifest::load(&self.files, &environment, &self.folder);
                let mut rendered = Rendered { other: loaded.other, ..Rendered::default() };
                for (name, app) in loaded.apps {
                    let desired = app.map(|app| {
                        let desired = resolve::resolve(&app, &resolve::Context::default());
                        rendered.trees.insert(name.clone(), app.tree);
                        desired
                    });
                    rendered.apps.insert(name, desired);
                }
                (environment, rendered)
            })
            .collect()
    }
}
