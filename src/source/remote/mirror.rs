//! Our own copy of repositories elsewhere: bare, closed to others, and never more than a copy.
//!
//! References of a location lie below a name of its own, so that those of another one are never taken for them. No URL
//! is stored. Whoever fetches holds the lock, so what looks unfinished then was left behind by somebody who was killed.

use super::RemoteError;
use crate::value::RemoteLocation;
use git2::{Repository, RepositoryInitOptions};
use sha2::{Digest, Sha256};
use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// Each fetch leaves a pack; when there are so many, they become one.
const MOST_PACKS: usize = 50;

/// How often it is tried to get the lock.
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The mirror of a state directory.
#[derive(Clone, Debug)]
pub struct Mirror {
    state: PathBuf,
}

impl Mirror {
    /// That of a state directory, which may not be there yet.
    pub fn of(state: &Path) -> Self {
        Self { state: state.to_owned() }
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.state.join("mirror.git")
    }

    /// Where a new one is made while the old one is damaged.
    pub fn beside(&self) -> PathBuf {
        self.state.join("mirror.git.new")
    }

    fn failed<E: std::error::Error + Send + Sync + 'static>(
        &self,
        doing: &'static str,
    ) -> impl FnOnce(E) -> RemoteError {
        let mirror = self.path();
        move |source| RemoteError::Mirror { doing, mirror, source: source.into() }
    }

    /// Takes the lock, which is free again when the file is dropped.
    pub fn lock(&self, patience: Duration) -> Result<File, RemoteError> {
        let make = || DirBuilder::new().recursive(true).mode(0o700).create(&self.state);
        make().map_err(self.failed("make the state directory of"))?;
        self.is_ours()?;
        let open = || {
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(self.state.join("mirror.lock"))
        };
        let file = open().map_err(self.failed("lock"))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(self.failed("lock")(error)),
                Err(TryLockError::WouldBlock) if begun.elapsed() >= patience => {
                    return Err(RemoteError::Busy { mirror: self.path(), waited: patience });
                }
                Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            }
        }
    }

    /// Where others may put things, they could put a mirror of theirs.
    fn is_ours(&self) -> Result<(), RemoteError> {
        let what = fs::metadata(&self.state).map_err(self.failed("read the state directory of"))?;
        let ourselves = rustix::process::geteuid().as_raw();
        let why = if what.uid() != ourselves {
            format!("belongs to user {}, and this is user {ourselves}", what.uid())
        } else if what.mode() & 0o022 != 0 {
            format!("can be changed by others (mode {:04o})", what.mode() & 0o7777)
        } else {
            // The ledger closes a directory that it begins with, and takes none that has other things in it.
            let is_empty = || fs::read_dir(&self.state).is_ok_and(|mut names| names.next().is_none());
            if what.mode() & 0o077 != 0 && is_empty() {
                let private = fs::Permissions::from_mode(0o700);
                fs::set_permissions(&self.state, private)
                    .map_err(self.failed("make private the state directory of"))?;
            }
            return Ok(());
        };
        let hint = Some("name another directory with `--state-dir`".to_owned());
        Err(RemoteError::Unfit { what: "the state directory", path: self.state.clone(), why, hint })
    }

    /// Opens it for a look.
    pub fn look(&self) -> Result<Repository, git2::Error> {
        open(&self.path())
    }

    /// Puts the one that was made beside it in its place. The damaged one is gone last, as it may be all there is.
    pub fn replace(&self) -> Result<(), RemoteError> {
        let damaged = self.state.join("mirror.git.damaged");
        let swap = || -> io::Result<()> {
            remove(&damaged)?;
            match fs::rename(self.path(), &damaged) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            fs::rename(self.beside(), self.path())?;
            remove(&damaged)
        };
        swap().map_err(self.failed("replace"))
    }

    /// Removes what a try left behind.
    pub fn forget_beside(&self) -> Result<(), RemoteError> {
        remove(&self.beside()).map_err(self.failed("make anew"))
    }
}

/// Where the references of a location lie in a mirror.
pub fn references(location: &RemoteLocation) -> String {
    let name: String = Sha256::digest(location.as_str()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("refs/sources/{name}")
}

/// Opens a mirror to fetch into it, making it where it is not there. The lock is held.
pub fn prepare(path: &Path) -> Result<Repository, git2::Error> {
    if !path.exists() {
        let os =
            |error: io::Error| git2::Error::new(git2::ErrorCode::GenericError, git2::ErrorClass::Os, error.to_string());
        DirBuilder::new().mode(0o700).create(path).map_err(os)?;
        Repository::init_opts(path, RepositoryInitOptions::new().bare(true).no_reinit(false).external_template(false))?;
    }
    sweep(path);
    let repository = open(path)?;
    // To connect takes no word about redirects; what is configured holds for it.
    repository.config()?.open_level(git2::ConfigLevel::Local)?.set_bool("http.followRedirects", false)?;
    Ok(repository)
}

fn open(path: &Path) -> Result<Repository, git2::Error> {
    Repository::open_ext(
        path,
        git2::RepositoryOpenFlags::NO_SEARCH | git2::RepositoryOpenFlags::BARE | git2::RepositoryOpenFlags::NO_DOTGIT,
        std::iter::empty::<&OsStr>(),
    )
}

fn remove(path: &Path) -> io::Result<()> {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|what| what.is_dir());
    match if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) } {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Removes locks and unfinished packs of a fetch that was killed. What cannot be removed is in somebody's way later, who
/// tells it.
fn sweep(path: &Path) {
    let mut folders = vec![path.to_owned(), path.join("refs"), path.join("objects/pack")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && folder.starts_with(path.join("refs")) {
                folders.push(entry.path());
            } else if !is_folder && (name.ends_with(".lock") || name.contains("_git2_")) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Makes one pack of many. Readers that have an old one open keep it; others find the new one when they miss it.
pub fn tidy(repository: &Repository) -> Result<(), git2::Error> {
    let folder = repository.path().join("objects/pack");
    let packs = |folder: &Path| -> Vec<PathBuf> {
        let files = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
        files.filter(|path| path.extension().is_some_and(|ending| ending == "pack" || ending == "idx")).collect()
    };
    let old = packs(&folder);
    if old.len() / 2 <= MOST_PACKS {
        return Ok(());
    }
    let mut builder = repository.packbuilder()?;
    let mut walk = repository.revwalk()?;
    for reference in repository.references()? {
        let reference = reference?;
        let Some(id) = reference.target() else { continue };
        if repository.find_tag(id).is_ok() {
            builder.insert_object(id, None)?;
        }
        if let Ok(commit) = reference.peel_to_commit() {
            walk.push(commit.id())?;
        }
    }
    builder.insert_walk(&mut walk)?;
    builder.write(&folder, 0o400)?;
    let new = builder.name().ok().flatten().map(|name| format!("pack-{name}"));
    let Some(new) = new else { return Ok(()) };
    for path in old.iter().filter(|path| path.file_stem().is_none_or(|stem| stem != new.as_str())) {
        let _ = fs::remove_file(path);
    }
    Ok(())
}
