//! Why an age file cannot be opened.

use super::Kind;
use age::DecryptError;

/// Why an age file cannot be opened. Nothing of what it holds is said.
#[derive(Debug, thiserror::Error)]
pub enum AgeError {
    #[error("it is locked with a passphrase, and nobody is here to type one")]
    Passphrase,
    #[error("it is for {}, and only X25519 keys (`age1…`) are supported", list(.kinds))]
    NoX25519 { kinds: Vec<Kind> },
    #[error("it is for other recipients: no identity that is here opens it")]
    NotForUs,
    #[error("it is damaged, cut off, or was changed after it was encrypted")]
    Damaged { source: DecryptError },
    #[error("nothing is in it: it was encrypted from an empty file")]
    Empty,
}

impl AgeError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Passphrase | Self::NoX25519 { .. } => {
                "encrypt it for this host's recipient: `reconcile secret encrypt --recipient age1… FILE`"
            }
            Self::NotForUs => {
                "encrypt it for this host too: `age-keygen -y` prints the recipient of the host file's \
                 `secrets.age_identity`"
            }
            Self::Damaged { .. } => "encrypt the value again, or take the file from an earlier commit",
            Self::Empty => "encrypt the value again",
        }
        .to_owned()
    }
}

fn list(kinds: &[Kind]) -> String {
    let mut told: Vec<String> = kinds.iter().map(Kind::to_string).collect();
    told.dedup();
    told.join(" and ")
}
