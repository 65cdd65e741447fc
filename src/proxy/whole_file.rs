//! Files that a proxy reads: whole, or as they were.

use super::ProxyError;
use std::{
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

/// A file's bytes; none where it is not there.
///
/// # Errors
/// It cannot be read.
pub fn read(file: &Path) -> Result<Option<Vec<u8>>, ProxyError> {
    match fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ProxyError::Files { doing: format!("read `{}`", file.display()), source }),
    }
}

/// Writes a file in place of another.
///
/// # Errors
/// It cannot be written.
pub fn write(file: &Path, bytes: &[u8], mode: u32) -> Result<(), ProxyError> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let written = || {
        // No `.conf` at its end: no proxy reads it while it is being written.
        let mut beside = tempfile::Builder::new().prefix(".reconcile-").suffix(".new").tempfile_in(folder)?;
        beside.write_all(bytes)?;
        beside.as_file().set_permissions(Permissions::from_mode(mode))?;
        beside.as_file().sync_all()?;
        beside.persist(file)?;
        Ok(())
    };
    written().map_err(|source| ProxyError::Files { doing: format!("write `{}`", file.display()), source })
}

/// Removes a file, if it is there.
///
/// # Errors
/// It cannot be removed.
pub fn remove(file: &Path) -> Result<(), ProxyError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(|source| ProxyError::Files { doing: format!("remove `{}`", file.display()), source }),
    }
}
