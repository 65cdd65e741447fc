//! Why a secret is not known. No error holds a value.

use super::sealed::SealedError;
use crate::{closed_file::ClosedFileError, value::SecretName};
use std::{io, path::PathBuf, sync::Arc, time::Duration};

/// Why a secret is not known: the world's fault, so its app alone waits.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("secret `{name}` is not here: `{}` was looked for", path.display())]
    Missing { name: SecretName, path: PathBuf },
    /// A file of the host that is not fit to hold a secret.
    #[error(transparent)]
    File(#[from] ClosedFileError),
    #[error("secret `{name}` in `{}` is empty", path.display())]
    Empty { name: SecretName, path: PathBuf },
    /// A file of the repository that is not in it.
    #[error("secret `{name}` is not here: `{path}` was looked for in the repository, and {why}")]
    NotInRepository { name: SecretName, path: String, why: String },
    /// An encrypted file that cannot be opened.
    #[error("`{path}` of secret `{name}` cannot be decrypted")]
    Sealed { name: SecretName, path: String, source: Arc<SealedError> },
    /// A mount whose server is gone, or a disk that hangs.
    #[error("the secrets of this app are not read after {} s, and are still waited for", waited.as_secs())]
    Overdue { waited: Duration },
    #[error("secret `{name}` is no text, so no variable can hold it")]
    NotText { name: SecretName },
    #[error("the host key `{}` cannot be made", path.display())]
    Key { path: PathBuf, source: io::Error },
    #[error("the host key `{}` is no key: {why}", path.display())]
    BadKey { path: PathBuf, why: String },
}

impl SecretError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { path, .. } => {
                Some(format!("write its value there, for root alone: `install -m 0400 /dev/stdin {}`", path.display()))
            }
            Self::File(error) => error.hint(),
            Self::Empty { .. } => Some("write its value there".to_owned()),
            Self::NotText { .. } => Some("let the app read it from a file: `secrets` of the service".to_owned()),
            Self::Sealed { source, .. } => source.hint(),
            Self::BadKey { path, .. } => {
                Some(format!("remove `{}`: another is made, and what uses secrets is made anew once", path.display()))
            }
            Self::Overdue { .. } => {
                Some("see that the folder of secrets answers, and the repository: it may be a mount".to_owned())
            }
            Self::NotInRepository { .. } | Self::Key { .. } => None,
        }
    }
}
