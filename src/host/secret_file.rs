//! Files that hold one secret each: what stands in them is printed nowhere.

use crate::{
    closed_file::{ClosedFile, ClosedFileError, Kept},
    value::AbsolutePath,
};
use secrecy::SecretString;
use std::path::Path;

/// More is no secret but a mistake.
const LONGEST: u64 = 64 * 1024;

/// Why a secret is not known.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    #[error(transparent)]
    File(#[from] ClosedFileError),
    #[error("the secret file `{path}` is empty")]
    Empty { path: AbsolutePath },
    #[error("the secret file `{path}` holds more than one line of text")]
    NotOneLine { path: AbsolutePath },
}

impl SecretFileError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::Empty { path } => Some(format!("write the secret alone into `{path}`, mode 0600")),
            Self::NotOneLine { .. } => Some("write it alone, on one line".to_owned()),
        }
    }
}

/// The one line of a file, without the end of the line.
///
/// # Errors
/// The file cannot be read, is open to others, is empty, or holds something else than one line of text.
pub fn read(path: &AbsolutePath) -> Result<SecretString, SecretFileError> {
    let file =
        ClosedFile { what: "the secret file", path: Path::new(path.as_str()), kept: Kept::Secret, longest: LONGEST };
    let text = file.read_text()?;
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
