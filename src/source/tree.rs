//! The text files of a commit's tree, from the object database.

use super::{
    Commit, Refusal, Repository, SourceError,
    intake::{Intake, plain_name},
};
use git2::{FileMode, ObjectType, Odb, Oid, Tree};
use std::{collections::BTreeMap, path::Path};

/// The most bytes of one folder's own object: 2,000 entries with the longest names stay below it.
const LARGEST_FOLDER: usize = 1024 * 1024;

impl Repository {
    /// The text files below a folder of a commit's tree, by their path from the repository's root.
    ///
    /// # Errors
    /// `NoFolder` when the tree has none; `Refused` with every file that is not read; too many or too large files.
    pub fn files(&self, commit: &Commit, below: &str) -> Result<BTreeMap<String, String>, SourceError> {
        let place = format!("commit {}", commit.id.get(..12).unwrap_or(&commit.id));
        let failed = |source| SourceError::Git { doing: format!("read the tree of {place}"), source };
        let below = below.trim_matches('/');
        let absent = || SourceError::NoFolder { folder: below.to_owned(), place: place.clone() };

        let id = Oid::from_str(&commit.id).map_err(failed)?;
        let root = self.git.find_commit(id).and_then(|commit| commit.tree()).map_err(failed)?;
        let folder = match below {
            "" | "." => root,
            below => match root.get_path(Path::new(below)) {
                Ok(entry) if entry.kind() == Some(ObjectType::Tree) => {
                    self.git.find_tree(entry.id()).map_err(failed)?
                }
                Ok(_) => return Err(absent()),
                Err(error) if error.code() == git2::ErrorCode::NotFound => return Err(absent()),
                Err(source) => return Err(failed(source)),
            },
        };
        let objects = self.git.odb().map_err(failed)?;
        let mut reading = Reading { repository: self, objects, intake: Intake::new(below, &place) };
        reading.folder(&folder, if below == "." { "" } else { below })?;
        reading.intake.finish()
    }
}

struct Reading<'a> {
    repository: &'a Repository,
    objects: Odb<'a>,
    intake: Intake,
}

impl Reading<'_> {
    fn folder(&mut self, folder: &Tree<'_>, path: &str) -> Result<(), SourceError> {
        for entry in folder {
            self.intake.count()?;
            let lossy = String::from_utf8_lossy(entry.name_bytes());
            let path = if path.is_empty() { lossy.into_owned() } else { format!("{path}/{lossy}") };
            if plain_name(entry.name_bytes()).is_none() {
                self.intake.refuse(&path, Refusal::OddName);
                continue;
            }
            // Every mode by its name: one that git invents later is not a file to us.
            let mode = entry.filemode();
            if mode == i32::from(FileMode::Blob) || mode == i32::from(FileMode::BlobExecutable) {
                self.file(entry.id(), &path)?;
            } else if mode == i32::from(FileMode::Tree) {
                self.sub_folder(entry.id(), &path)?;
            } else if mode == i32::from(FileMode::Link) {
                self.intake.refuse(&path, Refusal::Symlink);
            } else if mode == i32::from(FileMode::Commit) {
                self.intake.refuse(&path, Refusal::Submodule);
            } else {
                self.intake.refuse(&path, Refusal::NotRegular);
            }
        }
        Ok(())
    }

    fn sub_folder(&mut self, id: Oid, path: &str) -> Result<(), SourceError> {
        if !self.intake.enters(path) {
            return Ok(());
        }
        let (bytes, _) = self.objects.read_header(id).map_err(|source| unreadable(path, source))?;
        if bytes > LARGEST_FOLDER {
            self.intake.refuse(path, Refusal::TooLarge { bytes: bytes as u64 });
            return Ok(());
        }
        let folder = self.repository.git.find_tree(id).map_err(|source| unreadable(path, source))?;
        self.folder(&folder, path)
    }

    fn file(&mut self, id: Oid, path: &str) -> Result<(), SourceError> {
        // The header tells the size without the content.
        let (bytes, _) = self.objects.read_header(id).map_err(|source| unreadable(path, source))?;
        if self.intake.admits(path, bytes as u64)? {
            let blob = self.repository.git.find_blob(id).map_err(|source| unreadable(path, source))?;
            self.intake.take(path, blob.content());
        }
        Ok(())
    }
}

fn unreadable(path: &str, source: git2::Error) -> SourceError {
    SourceError::Git { doing: format!("read `{path}` from the object database"), source }
}
