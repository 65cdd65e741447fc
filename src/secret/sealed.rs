//! Encrypted files of the repository. Here is where `age` and SOPS are plugged in: one function, and one word for each
//! form.

use super::SecretValue;
use std::{fmt, path::Path, sync::Arc};

/// An encrypted file as it stands in the commit.
#[derive(Clone, Copy, Debug)]
pub struct SealedFile<'a> {
    /// Its path in the repository.
    pub path: &'a str,
    /// Its bytes, still encrypted.
    pub content: &'a [u8],
    /// Which value of a file with several is meant.
    pub key: Option<&'a str>,
}

/// The forms of encrypted files, told by what stands in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One value, encrypted whole, binary or armoured.
    Age,
    /// Several values under keys.
    Sops,
}

/// Why an encrypted file cannot be opened. No variant holds a value.
#[derive(Debug, thiserror::Error)]
pub enum SealedError {
    #[error("it is neither an age file nor a SOPS file")]
    Unknown,
    #[error("encrypted files are not supported yet")]
    NotYet,
}

impl SealedError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown => Some("encrypt it with `reconcile secret encrypt`".to_owned()),
            Self::NotYet => Some("keep the secret on the host: leave `file` out".to_owned()),
        }
    }
}

/// Which form a file has; none where it is no encrypted file.
#[must_use]
pub fn form(content: &[u8]) -> Option<Form> {
    if content.starts_with(b"age-encryption.org/v1") || content.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----") {
        return Some(Form::Age);
    }
    let text = std::str::from_utf8(content).ok()?;
    (text.contains("sops") && text.contains("ENC[")).then_some(Form::Sops)
}

/// Decrypts one value in memory. `identity` is the host's file of age identities.
///
/// # Errors
/// It is no encrypted file, none of the identities opens it, or it was changed.
pub fn unseal(file: &SealedFile<'_>, identity: Option<&Path>) -> Result<SecretValue, SealedError> {
    let _ = identity;
    match form(file.content) {
        Some(Form::Age | Form::Sops) => Err(SealedError::NotYet),
        None => Err(SealedError::Unknown),
    }
}

type Read = dyn Fn(&str) -> Result<Vec<u8>, String> + Send + Sync;

/// Reads files of the commit that is in force, by their path in the repository; an error says why one cannot be read.
#[derive(Clone)]
pub struct RepositoryFiles(Arc<Read>);

impl RepositoryFiles {
    /// Files that `read` gives.
    #[must_use]
    pub fn new(read: impl Fn(&str) -> Result<Vec<u8>, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// One file.
    ///
    /// # Errors
    /// Why it cannot be read, as the end of a sentence: `it is not there`.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        (self.0)(path)
    }
}

impl Default for RepositoryFiles {
    /// No file at all.
    fn default() -> Self {
        Self::new(|_| Err("there is no repository here".to_owned()))
    }
}

impl fmt::Debug for RepositoryFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RepositoryFiles")
    }
}
