//! Files and directories that only we can read, whole on the disk or not there at all.

use super::RecordError;
use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Mode bits that let others read or change what is in a directory.
pub(super) const READABLE: u32 = 0o077;
/// Mode bits that let others change what is in a directory.
pub(super) const WRITABLE: u32 = 0o022;

const DIRECTORY: u32 = 0o700;
const FILE: u32 = 0o600;

/// Makes a directory and its missing parents, each 0700 and on the disk.
pub(super) fn make_directory(path: &Path) -> Result<(), RecordError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_directory(parent)?;
    match DirBuilder::new().mode(DIRECTORY).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made.map_err(RecordError::file("make the directory", path))?,
    }
    flush_directory(parent)
}

/// Makes sure that a directory is ours and closed to others as `closed` says: made when it is not there, made private
/// when it is ours. One with other things in it (`mark` is not among them) is refused rather than changed, as somebody
/// may have named `/tmp`.
pub(super) fn own_directory(path: &Path, closed: u32, mark: &str) -> Result<(), RecordError> {
    make_directory(path)?;
    let refuse = |why: String| RecordError::NotOurs { path: path.to_owned(), why };
    let metadata = fs::metadata(path).map_err(RecordError::file("read", path))?;
    let ourselves = rustix::process::geteuid().as_raw();
    if metadata.uid() != ourselves {
        return Err(refuse(format!("it belongs to user {}, and this is user {ourselves}", metadata.uid())));
    }
    if metadata.mode() & closed == 0 {
        return Ok(());
    }
    let mut names = fs::read_dir(path).map_err(RecordError::file("read", path))?;
    if !path.join(mark).exists() && names.next().is_some() {
        return Err(refuse("it is open to others and there are other things in it".to_owned()));
    }
    fs::set_permissions(path, Permissions::from_mode(DIRECTORY)).map_err(RecordError::file("make private", path))
}

/// Makes an empty file unless there is one. An existing one is never opened here: closing it would drop the locks that
/// SQLite holds on it in this process.
pub(super) fn make_file(path: &Path) -> Result<(), RecordError> {
    if path.exists() {
        return Ok(());
    }
    match OpenOptions::new().write(true).create_new(true).mode(FILE).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop).map_err(RecordError::file("make", path)),
    }
}

/// Writes a new file and waits until it is on the disk. It is not whole before this returns: it belongs into a
/// directory that is renamed afterwards.
pub(super) fn write_file(path: &Path, content: &[u8]) -> Result<(), RecordError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE).open(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(RecordError::file("write", path))
}

/// Waits until the names in a directory are on the disk.
pub(super) fn flush_directory(path: &Path) -> Result<(), RecordError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(RecordError::file("write", path))
}
