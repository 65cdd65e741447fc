//! Secrets of the host: `<dir>/<environment>/<app>/<name>`, one value in each file, taken as it is.

use super::{SecretError, SecretValue};
use crate::value::{AppName, EnvironmentName, SecretName};
use std::{
    fs::OpenOptions,
    io::{self, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// More is no secret but a mistake.
const LONGEST: u64 = 512 * 1024;
/// Others may not read it, and nobody but its owner may write it.
const CLOSED: u32 = 0o026;

/// Where a secret of an app lies.
#[must_use]
pub fn path(directory: &Path, environment: &EnvironmentName, app: &AppName, name: &SecretName) -> PathBuf {
    directory.join(environment.as_str()).join(app.as_str()).join(name.as_str())
}

/// The value in a file.
///
/// # Errors
/// It is not there, cannot be read, is open to others, empty, too long, or no regular file.
pub fn read(path: &Path, name: &SecretName) -> Result<SecretValue, SecretError> {
    let (name, place) = (|| name.clone(), || path.to_owned());
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SecretError::Missing { name: name(), path: place() },
        _ => SecretError::Unreadable { name: name(), path: place(), source },
    };
    // A pipe without a writer would keep the pass waiting.
    let open = OpenOptions::new().read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed()).open(path);
    let file = open.map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(SecretError::NotRegular { name: name(), path: place() });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & CLOSED != 0 {
        return Err(SecretError::Open { name: name(), path: place(), mode });
    }
    if metadata.len() > LONGEST {
        return Err(SecretError::TooLong { name: name(), path: place(), most: LONGEST });
    }
    // Room for all of it at once: a growing buffer would leave copies behind.
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1);
    file.take(LONGEST).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.is_empty() {
        return Err(SecretError::Empty { name: name(), path: place() });
    }
    Ok(SecretValue::new(bytes))
}
