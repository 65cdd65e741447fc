//! Files on disk without git, for a check before the commit. Nothing stops it: what is not read is told by name.

use super::{
    Refusal, SourceError,
    intake::{Intake, LARGEST_FILE, plain_name},
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    os::unix::ffi::OsStrExt,
    path::Path,
};

/// What was found, by path below the root that the caller has in mind.
#[derive(Debug, Default)]
pub struct Found {
    pub files: BTreeMap<String, String>,
    pub refused: Vec<(String, Refusal)>,
}

/// Reads files and folders; each comes with the path it is to have below the root. `wanted` says which files count.
///
/// # Errors
/// More files or bytes than anyone writes.
pub fn look<'a>(
    places: impl IntoIterator<Item = (&'a str, &'a Path)>,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Found, SourceError> {
    let mut walk = Walk { wanted, intake: Intake::new("the manifests", "this folder") };
    for (path, place) in places {
        walk.entry(path, place)?;
    }
    let (files, refused) = walk.intake.divided();
    Ok(Found { files, refused })
}

struct Walk<'a> {
    wanted: &'a dyn Fn(&str) -> bool,
    intake: Intake,
}

impl Walk<'_> {
    fn entry(&mut self, path: &str, place: &Path) -> Result<(), SourceError> {
        self.intake.count()?;
        match fs::symlink_metadata(place) {
            Err(error) => self.unreadable(path, &error),
            Ok(what) if what.is_symlink() => self.intake.refuse(path, Refusal::Symlink),
            Ok(what) if what.is_dir() => return self.folder(path, place),
            Ok(_) if !(self.wanted)(path) => {}
            Ok(what) if what.is_file() => return self.file(path, place),
            Ok(_) => self.intake.refuse(path, Refusal::NotRegular),
        }
        Ok(())
    }

    fn folder(&mut self, path: &str, place: &Path) -> Result<(), SourceError> {
        if place.join(".git").exists() && path.contains('/') {
            self.intake.refuse(path, Refusal::Submodule);
            return Ok(());
        }
        if !self.intake.enters(path) {
            return Ok(());
        }
        let entries = match fs::read_dir(place).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => entries,
            Err(error) => {
                self.unreadable(path, &error);
                return Ok(());
            }
        };
        for entry in entries {
            let name = entry.file_name();
            let below = format!("{path}/{}", name.to_string_lossy());
            if name.as_bytes().starts_with(b".") {
                // Editors leave links and sockets there; a file that begins so is no manifest.
            } else if plain_name(name.as_bytes()).is_none() {
                self.intake.refuse(&below, Refusal::OddName);
            } else {
                self.entry(&below, &entry.path())?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &str, place: &Path) -> Result<(), SourceError> {
        let read = || -> io::Result<(u64, Vec<u8>)> {
            let file = File::open(place)?;
            let (bytes, mut content) = (file.metadata()?.len(), Vec::new());
            // One byte more than is admitted tells a file that is too long.
            file.take(LARGEST_FILE + 1).read_to_end(&mut content)?;
            Ok((bytes.max(content.len() as u64), content))
        };
        match read() {
            Err(error) => self.unreadable(path, &error),
            Ok((bytes, content)) => {
                if self.intake.admits(path, bytes)? {
                    self.intake.take(path, &content);
                }
            }
        }
        Ok(())
    }

    fn unreadable(&mut self, path: &str, error: &io::Error) {
        self.intake.refuse(path, unreadable(error));
    }
}

/// What the system says of a file that it does not give out.
#[must_use]
pub fn unreadable(error: &io::Error) -> Refusal {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        other => other.to_string(),
    };
    Refusal::Unreadable { why }
}
