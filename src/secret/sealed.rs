//! Encrypted files of the repository: one word for each form, told by what stands in the file.

use super::{
    SecretValue,
    age::{self, AgeError, Identities, IdentityError},
    sops::{self, SopsError},
};

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

/// A file that was decrypted in memory, once for all of its secrets.
#[derive(Debug)]
pub enum OpenFile {
    Age(SecretValue),
    Sops(sops::OpenFile),
}

/// Decrypts a file; `path` is its name in errors.
///
/// # Errors
/// It is no encrypted file, none of the identities opens it, or it was changed.
pub fn open(path: &str, content: &[u8], identities: &Identities) -> Result<OpenFile, SealedError> {
    match form(content).ok_or(SealedError::Unknown)? {
        Form::Age => Ok(OpenFile::Age(age::open(content, identities)?)),
        Form::Sops => {
            let text = std::str::from_utf8(content).map_err(|_| SealedError::Unknown)?;
            let opened = sops::open(path, text, identities).map_err(|error| SealedError::Sops(Box::new(error)))?;
            Ok(OpenFile::Sops(opened))
        }
    }
}

impl OpenFile {
    /// One of its values: that of a key, or the only one.
    ///
    /// # Errors
    /// It has no such value.
    pub fn value(&self, key: Option<&str>) -> Result<SecretValue, SealedError> {
        match (self, key) {
            (Self::Age(value), None) => Ok(value.clone()),
            (Self::Age(_), Some(key)) => Err(SealedError::KeyOfAge { key: key.to_owned() }),
            (Self::Sops(file), key) => file.value(key).map_err(|error| SealedError::Sops(Box::new(error))),
        }
    }
}
