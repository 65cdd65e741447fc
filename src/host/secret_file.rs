//! Files that hold one secret each: what stands in them is printed nowhere.

use crate::value::AbsolutePath;
use secrecy::SecretString;
use std::{fs, io::Read, os::unix::fs::MetadataExt};

/// More is no secret but a mistake.
const LONGEST: u64 = 64 * 1024;

/// Others may not read it, and nobody but its owner may write it.
const CLOSED: u32 = 0o026;

/// Why a secret is not known.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    #[error("cannot read the secret file `{path}`")]
    Unreadable { path: AbsolutePath, source: std::io::Error },
    #[error("the secret file `{path}` is open to others (mode {mode:04o}): `chmod 600 {path}`")]
    Open { path: AbsolutePath, mode: u32 },
    #[error("the secret file `{path}` is empty")]
    Empty { path: AbsolutePath },
    #[error("the secret file `{path}` holds more than one line of text")]
    NotOneLine { path: AbsolutePath },
}

/// The one line of a file, without the end of the line.
///
/// # Errors
/// The file cannot be read, is open to others, is empty, or holds something else than one line of text.
pub fn read(path: &AbsolutePath) -> Result<SecretString, SecretFileError> {
    let unreadable = |source| SecretFileError::Unreadable { path: path.clone(), source };
    let mut text = String::new();
    let file = fs::File::open(path.as_str()).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.mode() & 0o7777;
    if mode & CLOSED != 0 {
        return Err(SecretFileError::Open { path: path.clone(), mode });
    }
    file.take(LONGEST).read_to_string(&mut text).map_err(unreadable)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.trim().is_empty() {
        return Err(SecretFileError::Empty { path: path.clone() });
    }
    if line.contains(|c: char| c.is_control()) {
        return Err(SecretFileError::NotOneLine { path: path.clone() });
    }
    Ok(line.into())
}
