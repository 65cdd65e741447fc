//! Where files of the manifests repository stand, and what that makes of them.

use crate::value::{AppName, EnvironmentName};
use std::collections::BTreeSet;

/// What a file is by its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// One app in one environment.
    App { environment: EnvironmentName, name: AppName },
    /// For others to extend: its folder begins with `_`.
    Base,
    /// None of ours: another folder, `README*`, a dotfile.
    Ignored,
    /// In one of our folders, and not as it should be; of this environment, where it belongs to one.
    Misplaced { environment: Option<EnvironmentName>, problem: String },
}

/// What the file at `path` is, where manifests stand below the folder `root`.
#[must_use]
pub fn placement(root: &str, path: &str) -> Placement {
    let below =
        if root.is_empty() { Some(path) } else { path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/')) };
    let Some(below) = below else { return Placement::Ignored };
    let parts: Vec<&str> = below.split('/').collect();
    let ignored = |name: &&str| name.starts_with('.') || name.to_ascii_uppercase().starts_with("README");
    if parts.iter().any(ignored) {
        return Placement::Ignored;
    }
    match *parts.as_slice() {
        [file] => Placement::Misplaced { environment: None, problem: stray(root, file) },
        [folder, file] if folder.starts_with('_') => match file.strip_suffix(".yaml") {
            Some(_) => Placement::Base,
            None => Placement::Misplaced { environment: None, problem: wrong_ending(root, folder, file) },
        },
        [folder, .., file] if folder.starts_with('_') => {
            Placement::Misplaced { environment: None, problem: nested(root, folder, file) }
        }
        [folder, .., file] => match folder.parse::<EnvironmentName>() {
            Err(error) => Placement::Misplaced { environment: None, problem: format!("{error}; rename the folder") },
            Ok(environment) if parts.len() > 2 => {
                Placement::Misplaced { environment: Some(environment), problem: nested(root, folder, file) }
            }
            Ok(environment) => app(root, environment, file),
        },
        [] => Placement::Ignored,
    }
}

fn app(root: &str, environment: EnvironmentName, file: &str) -> Placement {
    let Some(stem) = file.strip_suffix(".yaml") else {
        let problem = wrong_ending(root, environment.as_str(), file);
        return Placement::Misplaced { environment: Some(environment), problem };
    };
    match stem.parse() {
        Ok(name) => Placement::App { environment, name },
        Err(error) => {
            Placement::Misplaced { environment: Some(environment), problem: format!("{error}; rename the file") }
        }
    }
}

fn joined(root: &str, rest: &str) -> String {
    if root.is_empty() { rest.to_owned() } else { format!("{root}/{rest}") }
}

fn stray(root: &str, file: &str) -> String {
    let to = joined(root, &format!("<environment>/{file}"));
    format!("`{file}` stands in no environment: move it to `{to}`, or to another folder if it is no manifest")
}

fn wrong_ending(root: &str, folder: &str, file: &str) -> String {
    match file.strip_suffix(".yml") {
        Some(stem) => format!("manifests end in `.yaml`: rename it to `{stem}.yaml`"),
        None => format!("`{file}` is no manifest: move it out of `{}`", joined(root, folder)),
    }
}

fn nested(root: &str, folder: &str, file: &str) -> String {
    let to = joined(root, &format!("{folder}/{file}"));
    format!("an environment has no sub-folders: move it to `{to}`")
}

/// The environments that have at least one file of their own.
#[must_use]
pub fn environments<'a>(root: &str, paths: impl IntoIterator<Item = &'a str>) -> BTreeSet<EnvironmentName> {
    let environment = |path| match placement(root, path) {
        Placement::App { environment, .. } | Placement::Misplaced { environment: Some(environment), .. } => {
            Some(environment)
        }
        Placement::Base | Placement::Ignored | Placement::Misplaced { environment: None, .. } => None,
    };
    paths.into_iter().filter_map(environment).collect()
}
