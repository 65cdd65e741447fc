//! The files on disk, for `--worktree`: what a commit would hold if it were made now.

use super::{
    Refusal, Repository, SourceError,
    intake::{Intake, LARGEST_FILE, plain_name},
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    os::unix::ffi::OsStrExt,
    path::Path,
};

impl Repository {
    /// The text files below a folder of the working tree, by their path from its root; without what git ignores.
    ///
    /// # Errors
    /// As for `files`; `Bare` when there is no working tree.
    pub fn worktree_files(&self, below: &str) -> Result<BTreeMap<String, String>, SourceError> {
        let root = self.git.workdir().ok_or_else(|| SourceError::Bare { location: self.location().to_owned() })?;
        let below = below.trim_matches('/').trim_start_matches("./");
        let below = if below == "." { "" } else { below };
        let place = format!("the working tree of `{}`", self.location());
        let index = self
            .git
            .index()
            .map_err(|source| SourceError::Git { doing: format!("read the index of `{}`", self.location()), source })?;

        let mut intake = Intake::new(below, &place);
        // A link anywhere on the way to the folder leads out of the repository as well as one in it.
        let mut reached = String::new();
        for part in below.split('/').filter(|part| !part.is_empty()) {
            reached = joined(&reached, part);
            match fs::symlink_metadata(root.join(&reached)) {
                Ok(what) if what.is_dir() => {}
                Ok(what) if what.is_symlink() => {
                    intake.refuse(&reached, Refusal::Symlink);
                    return intake.finish();
                }
                Ok(_) => return Err(SourceError::NoFolder { folder: below.to_owned(), place }),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Err(SourceError::NoFolder { folder: below.to_owned(), place });
                }
                Err(source) => return Err(SourceError::Disk { path: reached, source }),
            }
        }
        let mut walk = Walk { repository: self, root, index, intake };
        walk.folder(below)?;
        walk.intake.finish()
    }
}

struct Walk<'a> {
    repository: &'a Repository,
    root: &'a Path,
    index: git2::Index,
    intake: Intake,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &str) -> Result<(), SourceError> {
        let disk = |source| SourceError::Disk { path: folder.to_owned(), source };
        for entry in fs::read_dir(self.root.join(folder)).map_err(disk)? {
            let entry = entry.map_err(disk)?;
            let name = entry.file_name();
            let path = joined(folder, &name.to_string_lossy());
            if name == ".git" {
                // A repository in the repository; its own is no file of it.
                if !folder.is_empty() {
                    self.intake.refuse(folder, Refusal::Submodule);
                }
                continue;
            }
            let kind = entry.file_type().map_err(|source| SourceError::Disk { path: path.clone(), source })?;
            if self.ignored(&path, kind.is_dir())? {
                continue;
            }
            self.intake.count()?;
            if plain_name(name.as_bytes()).is_none() {
                self.intake.refuse(&path, Refusal::OddName);
            } else if kind.is_symlink() {
                self.intake.refuse(&path, Refusal::Symlink);
            } else if kind.is_dir() {
                if self.intake.enters(&path) {
                    self.folder(&path)?;
                }
            } else if kind.is_file() {
                self.file(&path)?;
            } else {
                self.intake.refuse(&path, Refusal::NotRegular);
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &str) -> Result<(), SourceError> {
        let disk = |source| SourceError::Disk { path: path.to_owned(), source };
        let file = File::open(self.root.join(path)).map_err(disk)?;
        if self.intake.admits(path, file.metadata().map_err(disk)?.len())? {
            let mut content = Vec::new();
            // It may grow while it is read.
            file.take(LARGEST_FILE + 1).read_to_end(&mut content).map_err(disk)?;
            self.intake.take(path, &content);
        }
        Ok(())
    }

    /// What git ignores; a file that is tracked all the same is not ignored.
    fn ignored(&self, path: &str, folder: bool) -> Result<bool, SourceError> {
        let tracked = if folder {
            self.index.find_prefix(format!("{path}/")).is_ok()
        } else {
            self.index.get_path(Path::new(path), 0).is_some()
        };
        if tracked {
            return Ok(false);
        }
        // The slash tells libgit2 that patterns for folders apply.
        let asked = if folder { format!("{path}/") } else { path.to_owned() };
        self.repository
            .git
            .is_path_ignored(asked)
            .map_err(|source| SourceError::Git { doing: format!("see whether git ignores `{path}`"), source })
    }
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
