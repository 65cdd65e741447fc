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
    let apps = files.keys().filter_map(|path| match placement(root, path) {
        Placement::App { environment: of, name } if of == *environment => {
            let layers = extend::layers(files, root, path);
            Some((name.clone(), app(of, name, layers)))
        }
        Placement::App { .. } | Placement::Base | Placement::Ignored | Placement::Misplaced { .. } => None,
    });
    let of_it = |of: Option<&EnvironmentName>| of.is_none_or(|of| of == environment);
    Loaded { apps: apps.collect(), other: misplaced(files, root, of_it).chain(lonely(files, root)).collect() }
}

/// What is wrong with files that are no app, of all environments.
#[must_use]
pub fn other(files: &BTreeMap<String, String>, root: &str) -> Vec<Diagnostic> {
    misplaced(files, root, |_| true).chain(lonely(files, root)).collect()
}

/// Files in a place that the layout does not know.
fn misplaced<'a>(
    files: &'a BTreeMap<String, String>,
    root: &'a str,
    wanted: impl Fn(Option<&EnvironmentName>) -> bool + 'a,
) -> impl Iterator<Item = Diagnostic> + 'a {
    files.keys().filter_map(move |path| match placement(root, path) {
        Placement::Misplaced { environment, problem } if wanted(environment.as_ref()) => {
            Some(Diagnostic::new(&first_line(path), problem))
        }
        Placement::App { .. } | Placement::Base | Placement::Ignored | Placement::Misplaced { .. } => None,
    })
}

/// Bases that no file extends: what is wrong with the others is told by the apps above them.
fn lonely<'a>(files: &'a BTreeMap<String, String>, root: &'a str) -> impl Iterator<Item = Diagnostic> + 'a {
    let extended = extend::named(files);
    let lonely = move |path: &&String| placement(root, path) == Placement::Base && !extended.contains(*path);
    files.keys().filter(lonely).flat_map(move |path| extend::layers(files, root, path).problems)
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
