//! The manifests around a path that was named: the folder of environments, wherever it is.

use crate::value::EnvironmentName;
use std::{
    ffi::OsStr,
    fs, io,
    path::{Component, Path, PathBuf},
};

/// The manifests that a path belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// Tells one root of manifests from another.
    pub root: PathBuf,
    /// The folder of environments, by its path from the repository's root; empty where it is that root.
    pub folder: String,
    /// What is to be read: the path it has in the repository, and where it is.
    pub places: Vec<(String, PathBuf)>,
    /// It is no repository: there may be more of it elsewhere.
    pub partial: bool,
    /// What was named, by its path in the repository.
    pub asked: String,
}

/// Finds the manifests around `path`. `folders` are names that a folder of environments is known by; where none of them
/// stands on the way, what lies in the files' place tells. None where no manifest is.
#[must_use]
pub fn around(path: &Path, folders: &[String]) -> Option<Around> {
    let known = folders.iter().map(|folder| folder.trim_matches('/')).filter(|folder| !matches!(*folder, "" | "."));
    let real = path.canonicalize().ok();
    for folder in known {
        if path.join(folder).is_dir() {
            return Some(whole(path, folder, folder));
        }
        let found = on_the_way(path, folder).or_else(|| on_the_way(real.as_ref()?, folder));
        if let Some((root, asked)) = found {
            return Some(whole(&root, folder, &asked));
        }
    }
    if path.is_dir() { of_folder(path) } else { Some(of_file(path)) }
}

/// A repository whose folder of environments is known.
fn whole(root: &Path, folder: &str, asked: &str) -> Around {
    Around {
        root: root.to_owned(),
        folder: folder.to_owned(),
        places: vec![(folder.to_owned(), root.join(folder))],
        partial: false,
        asked: asked.to_owned(),
    }
}

/// The folder that holds `folder`, and the rest of the path from there.
fn on_the_way(path: &Path, folder: &str) -> Option<(PathBuf, String)> {
    let parts: Vec<Component<'_>> = path.components().collect();
    let wanted: Vec<Component<'_>> = Path::new(folder).components().collect();
    let place = parts.windows(wanted.len()).rposition(|window| window == wanted)?;
    let root: PathBuf = parts.iter().take(place).collect();
    let below: PathBuf = parts.iter().skip(place).collect();
    Some((root, below.to_string_lossy().into_owned()))
}

/// A folder of environments under another name, or one environment.
fn of_folder(path: &Path) -> Option<Around> {
    let environments = environments(path);
    let is_root = path.join(".git").exists() || environments.iter().any(|name| name.starts_with('_'));
    if holds_manifests(path) && (environments.is_empty() || !is_root) {
        return Some(of_environment(path, None));
    }
    let places: Vec<_> = environments.into_iter().map(|name| (name.clone(), path.join(name))).collect();
    (!places.is_empty()).then(|| Around {
        root: path.to_owned(),
        folder: String::new(),
        places,
        partial: false,
        asked: String::new(),
    })
}

fn of_file(path: &Path) -> Around {
    of_environment(&up(path), path.file_name())
}

/// One environment, or one file of it; beside it what it may extend, and in a repository all the other environments.
fn of_environment(folder: &Path, file: Option<&OsStr>) -> Around {
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = real.file_name().map(|name| name.to_string_lossy().into_owned());
    // A lone file may be anywhere: a folder that can be no environment stands for one.
    let is_name = |name: &String| name.starts_with('_') || name.parse::<EnvironmentName>().is_ok();
    let name = name.filter(is_name).unwrap_or_else(|| "environment".to_owned());
    let root = up(folder);
    let is_repository = real.ancestors().any(|path| path.join(".git").exists());
    let beside = environments(&root).into_iter().filter(|other| *other != name);
    let mut places: Vec<_> = beside
        .filter(|other| is_repository || other.starts_with('_'))
        .map(|other| (other.clone(), root.join(other)))
        .collect();
    let asked = match file {
        None => name.clone(),
        Some(file) => format!("{name}/{}", file.to_string_lossy()),
    };
    match file {
        Some(file) if !is_repository => places.push((asked.clone(), folder.join(file))),
        Some(_) | None => places.push((name, folder.to_owned())),
    }
    Around { root: folder.to_owned(), folder: String::new(), places, partial: !is_repository, asked }
}

/// The folders of environments and of bases in a folder: those with manifests.
fn environments(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let folders = entries.filter_map(Result::ok).filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders
        .filter(|entry| holds_manifests(&entry.path()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// A folder that may not be read counts as one: whoever reads it is told so.
fn holds_manifests(folder: &Path) -> bool {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return error.kind() == io::ErrorKind::PermissionDenied,
    };
    entries.filter_map(Result::ok).any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml"))
    })
}

/// The folder above, in the words of the path.
fn up(path: &Path) -> PathBuf {
    match (path.file_name(), path.parent()) {
        (Some(_), Some(parent)) if parent.as_os_str().is_empty() => PathBuf::from("."),
        (Some(_), Some(parent)) => parent.to_owned(),
        (Some(_) | None, _) => path.join(".."),
    }
}
