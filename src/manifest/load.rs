//! From the texts of a commit to apps, or to everything that is wrong with them.

use super::{
    Manifest, crosscheck,
    extend::{self, Layers},
    layout::{Placement, placement},
    salvage,
    schema::shape,
};
use crate::{
    value::{AppName, EnvironmentName},
    yaml::{self, Diagnostic, Node, Place, Required},
};
use std::collections::BTreeMap;

/// One app in one environment, whole and right by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct App {
    pub environment: EnvironmentName,
    pub name: AppName,
    pub manifest: Manifest,
    /// The merged tree, for places.
    pub tree: Node,
}

impl App {
    /// Where the field stands that `path` leads to (keys and indexes), or the nearest parent that is written.
    #[must_use]
    pub fn place(&self, path: &[&str]) -> &Place {
        self.tree.place_of(path)
    }
}

/// All apps of an environment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    pub apps: BTreeMap<AppName, Result<App, Vec<Diagnostic>>>,
    /// What is wrong with files that are no app: misplaced ones, and bases that no file extends.
    pub other: Vec<Diagnostic>,
}

/// Loads every app of `environment` from `files`, texts by their path below the repository's root.
///
/// `root` is the folder the environments stand in, `environments` unless the host file says otherwise.
#[must_use]
pub fn load(files: &BTreeMap<String, String>, environment: &EnvironmentName, root: &str) -> Loaded {
    let mut loaded = Loaded::default();
    for path in files.keys() {
        match placement(root, path) {
            Placement::App { environment: of, name } if of == *environment => {
                let layers = extend::layers(files, root, path);
                loaded.apps.insert(name.clone(), app(of, name, layers));
            }
            Placement::Misplaced { environment: of, problem } if of.as_ref().is_none_or(|of| of == environment) => {
                loaded.other.push(Diagnostic::new(&first_line(path), problem));
            }
            Placement::App { .. } | Placement::Base | Placement::Ignored | Placement::Misplaced { .. } => {}
        }
    }
    let extended = extend::named(files);
    for path in files.keys().filter(|path| placement(root, path) == Placement::Base && !extended.contains(*path)) {
        loaded.other.extend(extend::layers(files, root, path).problems);
    }
    loaded
}

fn first_line(path: &str) -> Place {
    Place { file: path.into(), line: 1, column: 1 }
}

fn app(environment: EnvironmentName, name: AppName, layers: Layers) -> Result<App, Vec<Diagnostic>> {
    let Layers { tree, mut problems, .. } = layers;
    let Some(tree) = tree else { return Err(sorted(problems)) };
    if !problems.is_empty() {
        problems.extend(salvage::crosschecked(tree, &problems));
        return Err(sorted(problems));
    }
    let value = match yaml::check(&tree, shape(), Required::Yes) {
        Ok(value) => value,
        Err(mut problems) => {
            problems.extend(salvage::crosschecked(tree, &problems));
            return Err(sorted(problems));
        }
    };
    // The shape check judges all that the types judge; should they ever disagree, the file's first line must do.
    let manifest: Manifest =
        serde_json::from_value(value).map_err(|error| vec![Diagnostic::new(&tree.place, error.to_string())])?;
    let problems = crosscheck::app(&manifest, &tree);
    if problems.is_empty() { Ok(App { environment, name, manifest, tree }) } else { Err(sorted(problems)) }
}

fn sorted(mut problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    problems.sort_by(|a, b| (&a.place, &a.message).cmp(&(&b.place, &b.message)));
    problems.dedup();
    problems
}
