//! Encrypted files of the repository: one word for each form, told by what stands in the file.

use super::{
    SecretValue,
    age::{self, AgeError, Identities, IdentityError},
    sops::{self, SopsError},
};
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
    #[error("the host file names no `secrets.age_identity`, which opens encrypted files")]
    NoIdentity,
    #[error("an age file holds one secret, and the manifest asks for `key` `{key}` of it")]
    KeyOfAge { key: String },
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Age(#[from] AgeError),
    #[error(transparent)]
    Sops(Box<SopsError>),
}

impl SealedError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown => Some("encrypt it with `reconcile secret encrypt`".to_owned()),
            Self::NoIdentity => {
                Some("make one with `age-keygen`, mode 0400, and name it: `secrets: {age_identity: …}`".to_owned())
            }
            Self::KeyOfAge { .. } => Some("leave `key` out of the manifest".to_owned()),
            Self::Identity(error) => Some(error.hint()),
            Self::Age(error) => Some(error.hint()),
            Self::Sops(error) => error.hint(),
        }
    }
}

/// Which form a file has; none where it is no encrypted file.
#[must_use]
pub fn form(content: &[u8]) -> Option<Form> {
    if age::is_sealed(content) {
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
    let form = form(file.content).ok_or(SealedError::Unknown)?;
    if let (Form::Age, Some(key)) = (form, file.key) {
        return Err(SealedError::KeyOfAge { key: key.to_owned() });
    }
    let identities = Identities::read(identity.ok_or(SealedError::NoIdentity)?)?;
    match form {
        Form::Age => Ok(age::open(file.content, &identities)?),
        Form::Sops => {
            let text = std::str::from_utf8(file.content).map_err(|_| SealedError::Unknown)?;
            sops::open(file.path, text, file.key, &identities).map_err(|error| SealedError::Sops(Box::new(error)))
        }
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
