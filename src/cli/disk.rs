//! Manifests on disk, for `validate`: the tree around the paths that were asked about, so that `extends` leads somewhere.

use super::{
    Complaint,
    around::{Around, around},
    head::Manifests,
    session::source,
};
use crate::{
    manifest::{Placement, placement},
    secret::RepositoryFiles,
    source::{Refusal, disk, file_below},
    value::EnvironmentName,
    yaml::{Diagnostic, Place},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, mem,
    path::{Path, PathBuf},
};

/// One repository's manifests.
#[derive(Debug, Default)]
pub struct Tree {
    root: PathBuf,
    folder: String,
    places: Vec<(String, PathBuf)>,
    files: BTreeMap<String, String>,
    /// What was named stands alone: there may be more beside it.
    partial: bool,
    pub asked: Asked,
}

/// What was asked about, by paths in the repository.
#[derive(Debug, Default)]
pub struct Asked(Vec<String>);

impl Asked {
    /// True when a file lies below what was asked about.
    pub fn covers(&self, file: &str) -> bool {
        self.0.iter().any(|path| {
            path.is_empty()
                || file == path
                || file.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('/'))
        })
    }
}

impl Tree {
    /// The path of an app's file in the repository.
    pub fn file_of(&self, environment: &str, app: &str) -> String {
        match self.folder.as_str() {
            "" => format!("{environment}/{app}.yaml"),
            folder => format!("{folder}/{environment}/{app}.yaml"),
        }
    }

    /// The files, for the judge.
    pub fn manifests(&mut self, together: BTreeSet<EnvironmentName>) -> Manifests {
        let (files, folder) = (mem::take(&mut self.files), self.folder.clone());
        Manifests { files, folder, together, partial: self.partial, beside: self.beside() }
    }

    /// The other files of the repository around these, where one is.
    fn beside(&self) -> Option<RepositoryFiles> {
        let root = match self.folder.as_str() {
            "" => repository_around(&self.root)?,
            _ => self.root.clone(),
        };
        Some(RepositoryFiles::new(move || {
            let root = root.clone();
            Ok(Box::new(move |path| file_below(&root, path).map_err(|error| error.to_string())))
        }))
    }

    /// Reads what is around, and tells what is not read of what was asked about.
    fn read(&mut self) -> Result<Vec<Diagnostic>, Complaint> {
        let places = self.places.iter().map(|(path, place)| (path.as_str(), place.as_path()));
        let wanted = |path: &str| placement(&self.folder, path) != Placement::Ignored;
        let found = disk::look(places, &wanted).map_err(source)?;
        self.files = found.files;
        let refused = found.refused.iter().filter(|(path, _)| self.asked.covers(path));
        Ok(refused.map(|(path, refusal)| self.seen_from_here(unread(Path::new(path), refusal))).collect())
    }

    /// The problem with its file named from where the command runs.
    pub fn seen_from_here(&self, problem: Diagnostic) -> Diagnostic {
        let file = &*problem.place.file;
        let real = self.places.iter().find_map(|(path, place)| {
            let rest = file.strip_prefix(path.as_str())?;
            match rest.strip_prefix('/') {
                Some(rest) => Some(place.join(rest)),
                None => rest.is_empty().then(|| place.clone()),
            }
        });
        let Some(real) = real else { return problem };
        let file = real.strip_prefix(".").unwrap_or(&real).display().to_string();
        Diagnostic { place: Place { file: file.into(), ..problem.place }, ..problem }
    }
}

/// The trees around some paths, one for each repository, and what of them is not read.
///
/// # Errors
/// More files than anyone writes.
pub fn trees(paths: &[PathBuf], folders: &[String]) -> Result<(Vec<Tree>, Vec<Diagnostic>), Complaint> {
    let mut trees: BTreeMap<PathBuf, Tree> = BTreeMap::new();
    let mut problems = Vec::new();
    for path in paths {
        if let Err(error) = fs::symlink_metadata(path) {
            problems.push(unread(path, &disk::unreadable(&error)));
            continue;
        }
        let Some(Around { root, folder, places, partial, asked }) = around(path, folders) else {
            let problem = Diagnostic::new(&start_of(path), "there are no manifests here");
            let hint =
                "manifests are files `environments/<environment>/<app>.yaml`: name their folder, or the repository";
            problems.push(problem.with_hint(hint));
            continue;
        };
        let tree = trees.entry(root.clone()).or_default();
        tree.root = root;
        tree.folder = folder;
        tree.partial |= partial;
        tree.places.extend(places);
        tree.places.sort();
        tree.places.dedup();
        tree.asked.0.push(asked);
    }
    for tree in trees.values_mut() {
        problems.extend(tree.read()?);
    }
    Ok((trees.into_values().collect(), problems))
}

/// The root of the repository that a folder is in.
fn repository_around(folder: &Path) -> Option<PathBuf> {
    let real = folder.canonicalize().ok()?;
    real.ancestors().find(|path| path.join(".git").exists()).map(Path::to_owned)
}

/// A file that is not read, as an error of its first line: the refusal says what it is, then what to do.
fn unread(path: &Path, refusal: &Refusal) -> Diagnostic {
    let text = refusal.to_string();
    let (what, next) = text.split_once("; ").map_or((text.as_str(), None), |(what, next)| (what, Some(next)));
    let problem = Diagnostic::new(&start_of(path), format!("this is {what}"));
    match next {
        Some(next) => problem.with_hint(next),
        None => problem,
    }
}

fn start_of(path: &Path) -> Place {
    Place { file: path.display().to_string().into(), line: 1, column: 1 }
}
