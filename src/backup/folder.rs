//! Folders and files that only we can read, whole on the disk or not there at all.

use super::{BackupError, record::PARTIAL};
use rustix::fs::RenameFlags;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Mode bits that let others change what is in a folder.
const WRITABLE: u32 = 0o022;

/// Makes a folder and its missing parents, each 0700 whatever the umask, and on the disk. One that is there already must be
/// ours, and not writable for others.
pub(super) fn make(path: &Path) -> Result<(), BackupError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
        make(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return ours(path),
        made => made.map_err(BackupError::file("make the folder", path))?,
    }
    parent.map_or(Ok(()), flush)
}

fn ours(path: &Path) -> Result<(), BackupError> {
    let refuse = |why: String| Err(BackupError::NotOurs { path: path.to_owned(), why });
    let metadata = fs::symlink_metadata(path).map_err(BackupError::file("read", path))?;
    let ourselves = rustix::process::geteuid().as_raw();
    if !metadata.is_dir() {
        return refuse("it is no folder".to_owned());
    }
    if metadata.uid() != ourselves {
        return refuse(format!("it belongs to user {}, and this is user {ourselves}", metadata.uid()));
    }
    if metadata.mode() & WRITABLE != 0 {
        return refuse("others may write it".to_owned());
    }
    Ok(())
}

/// A new file that only we can read.
pub(super) fn new_file(path: &Path) -> Result<File, BackupError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(BackupError::file("make", path))
}

/// A new file with this text, on the disk; none where it has no room.
pub(super) fn write(path: &Path, text: &[u8]) -> Result<(), BackupError> {
    let mut file = new_file(path)?;
    let written = file.write_all(text).and_then(|()| file.sync_all());
    if written.is_err() {
        // The error that is told is the one that came first.
        let _ = remove(path);
    }
    written.map_err(BackupError::file("write", path))
}

/// Gives a file another name, which nobody may have.
pub(super) fn name(from: &Path, to: &Path) -> Result<(), BackupError> {
    let renamed = rustix::fs::renameat_with(rustix::fs::CWD, from, rustix::fs::CWD, to, RenameFlags::NOREPLACE);
    match renamed {
        // Not every file system knows of it; a link refuses a taken name as well.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            fs::hard_link(from, to).and_then(|()| fs::remove_file(from)).map_err(BackupError::file("name", to))
        }
        renamed => renamed.map_err(|error| BackupError::file("name", to)(error.into())),
    }
}

/// Puts a file in the place of another, whole.
pub(super) fn replace(from: &Path, to: &Path) -> Result<(), BackupError> {
    fs::rename(from, to).map_err(BackupError::file("name", to))
}

/// Writes a file in the place of what is there, whole, and on the disk.
pub(super) fn put(path: &Path, text: &[u8]) -> Result<(), BackupError> {
    let partial = beside(path, PARTIAL);
    remove(&partial)?;
    write(&partial, text)?;
    replace(&partial, path)?;
    path.parent().map_or(Ok(()), flush)
}

/// The name of something that stands for a file meanwhile.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// Removes a file; one that is not there is fine.
pub(super) fn remove(path: &Path) -> Result<(), BackupError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(BackupError::file("remove", path)),
    }
}

/// Waits until the names in a folder are on the disk.
pub(super) fn flush(path: &Path) -> Result<(), BackupError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(BackupError::file("write", path))
}
