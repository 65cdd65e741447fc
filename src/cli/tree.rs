//! Which environments and apps a tree has, by the names of its files alone.

use crate::value::{AppName, EnvironmentName};
use std::collections::BTreeSet;

/// The environments below `folder`: its sub-folders, less those that begin with `_` or `.`.
///
/// A name that is none is left out: whoever reads its manifests tells where it stands.
pub fn environments<'a>(paths: impl IntoIterator<Item = &'a str>, folder: &str) -> BTreeSet<EnvironmentName> {
    paths
        .into_iter()
        .filter_map(|path| below(path, folder)?.split_once('/'))
        .filter_map(|(environment, _)| environment.parse().ok())
        .collect()
}

/// The apps of an environment.
pub fn apps<'a>(
    paths: impl IntoIterator<Item = &'a str>,
    folder: &str,
    environment: &EnvironmentName,
) -> BTreeSet<AppName> {
    paths
        .into_iter()
        .filter_map(|path| below(path, folder)?.split_once('/'))
        .filter(|(found, _)| *found == environment.as_str())
        .filter_map(|(_, file)| file.strip_suffix(".yaml")?.parse().ok())
        .collect()
}

fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    match folder.trim_matches('/') {
        "" | "." => Some(path),
        folder => path.strip_prefix(folder)?.strip_prefix('/'),
    }
}

#[cfg(test)]
mod tests {
    use super::{apps, environments};

    const PATHS: [&str; 6] = [
        "environments/_base/web.yaml",
        "environments/production/web.yaml",
        "environments/production/db.yaml",
        "environments/production/README.md",
        "environments/staging/web.yaml",
        "environments/README.md",
    ];

    fn texts<T: ToString>(names: impl IntoIterator<Item = T>) -> Vec<String> {
        names.into_iter().map(|name| name.to_string()).collect()
    }

    #[test]
    fn a_folder_that_begins_with_an_underscore_is_no_environment() {
        assert_eq!(texts(environments(PATHS, "environments")), ["production", "staging"]);
    }

    #[test]
    fn apps_are_the_yaml_files_of_an_environment() {
        assert_eq!(texts(apps(PATHS, "environments/", &"production".parse().unwrap())), ["db", "web"]);
    }
}
