//! Manifests on disk, for `validate`: the tree around the paths that were asked about, so that `extends` leads somewhere.

use super::Complaint;
use crate::{
    manifest::{Placement, placement},
    yaml::{Diagnostic, Place},
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    path::{Component, Path, PathBuf},
};

/// The folder that environments stand in.
const FOLDER: &str = "environments";

/// Bytes of a file; what is longer is refused from a commit as well.
const LARGEST: u64 = 256 * 1024;

/// One repository's manifests.
#[derive(Debug, Default)]
pub struct Tree {
    /// The folder that holds `environments`, as it was named.
    root: PathBuf,
    /// Texts by their path below it.
    pub files: BTreeMap<String, String>,
    pub asked: Asked,
}

/// What was asked about, by paths below the root.
#[derive(Debug, Default)]
pub struct Asked(Vec<String>);

impl Asked {
    /// True when a file lies below what was asked about.
    pub fn covers(&self, file: &str) -> bool {
        self.0
            .iter()
            .any(|path| file == path || file.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('/')))
    }
}

impl Tree {
    /// The problem with its file named from where the command runs.
    pub fn seen_from_here(&self, problem: Diagnostic) -> Diagnostic {
        let file = self.root.join(&*problem.place.file).display().to_string();
        let hint = problem.hint.clone();
        let moved = Diagnostic::new(&Place { file: file.into(), ..problem.place }, problem.message);
        match hint {
            Some(hint) => moved.with_hint(hint),
            None => moved,
        }
    }
}

/// The trees around some paths, one for each repository.
///
/// # Errors
/// A path is not there, lies below no folder of environments, or cannot be read.
pub fn trees(paths: &[PathBuf]) -> Result<Vec<Tree>, Complaint> {
    let mut trees: BTreeMap<PathBuf, Tree> = BTreeMap::new();
    for path in paths {
        let (root, below) = split(path)?;
        let tree = match trees.remove(&root) {
            Some(tree) => tree,
            None => read(&root)?,
        };
        let mut asked = tree.asked;
        asked.0.push(below);
        trees.insert(root, Tree { asked, ..tree });
    }
    Ok(trees.into_values().collect())
}

/// The folder that holds `environments`, and the rest of the path from there.
fn split(path: &Path) -> Result<(PathBuf, String), Complaint> {
    fs::metadata(path).map_err(|error| {
        Complaint::about(format!("cannot read `{}`", path.display()), error)
            .with_hint("name files or folders of manifests, or go to the folder that holds `environments`".to_owned())
    })?;
    // A repository's own folder stands for the environments in it.
    if path.join(FOLDER).is_dir() {
        return Ok((path.to_owned(), FOLDER.to_owned()));
    }
    let found = |path: &Path| {
        let parts: Vec<Component<'_>> = path.components().collect();
        let place = parts.iter().rposition(|part| part.as_os_str() == FOLDER)?;
        let root: PathBuf = parts.iter().take(place).collect();
        let below: PathBuf = parts.iter().skip(place).collect();
        Some((root, below.to_string_lossy().into_owned()))
    };
    found(path).or_else(|| found(&path.canonicalize().ok()?)).ok_or_else(|| {
        Complaint::says(format!("`{}` is below no folder `{FOLDER}`", path.display()))
            .with_hint("manifests are files `environments/<environment>/<app>.yaml`".to_owned())
    })
}

fn read(root: &Path) -> Result<Tree, Complaint> {
    let mut tree = Tree { root: root.to_owned(), ..Tree::default() };
    folder(&mut tree, FOLDER)?;
    Ok(tree)
}

fn folder(tree: &mut Tree, below: &str) -> Result<(), Complaint> {
    let path = tree.root.join(below);
    let failed = |error| Complaint::about(format!("cannot read `{}`", path.display()), error);
    for entry in fs::read_dir(&path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = format!("{below}/{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            folder(tree, &name)?;
        } else if placement(FOLDER, &name) == Placement::Ignored {
            continue;
        } else if kind.is_file() {
            let text = text(&entry.path())?;
            tree.files.insert(name, text);
        } else {
            return Err(Complaint::says(format!("`{}` is no regular file", tree.root.join(&name).display()))
                .with_hint("put the file itself there: links are not followed".to_owned()));
        }
    }
    Ok(())
}

fn text(path: &Path) -> Result<String, Complaint> {
    let failed = |error| Complaint::about(format!("cannot read `{}`", path.display()), error);
    let mut text = String::new();
    File::open(path).map_err(failed)?.take(LARGEST + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > LARGEST {
        return Err(Complaint::says(format!("`{}` is longer than {LARGEST} bytes", path.display())));
    }
    Ok(text)
}
