//! The keys that open: a file of age identities, as `age-keygen` writes it.

use super::{ARMOR, MAGIC, Recipient};
use crate::closed_file::{ClosedFile, ClosedFileError, Kept, Unfit};
use age::x25519;
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// More is no file of identities.
const LONGEST: u64 = 64 * 1024;

/// X25519 identities, one at least.
#[derive(Clone)]
pub struct Identities(Vec<x25519::Identity>);

const WHAT_IT_IS: &str = "it is the file that `age-keygen` writes, with a line `AGE-SECRET-KEY-1…`";

/// Why there is no identity. No line of the file is shown.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error(transparent)]
    File(#[from] ClosedFileError),
    #[error("`{}:{line}` is {kind}", path.display())]
    Line { path: PathBuf, line: usize, kind: NotIdentity },
    #[error("there is no identity in `{}`", path.display())]
    None { path: PathBuf },
}

/// What stands where an X25519 identity should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotIdentity {
    PostQuantum,
    Plugin,
    Ssh,
    Locked,
    Recipient,
    Damaged,
    Unknown,
}

impl fmt::Display for NotIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PostQuantum => "a post-quantum identity, which is not supported",
            Self::Plugin => "an identity of an age plugin: no plugin is run here",
            Self::Ssh => "an SSH key, which is not supported as an identity",
            Self::Locked => "an identity file locked with a passphrase, and nobody is here to type one",
            Self::Recipient => "a recipient (`age1…`), the public half: the identity is the other one",
            Self::Damaged => "an identity that is damaged or cut off",
            Self::Unknown => "no age identity",
        })
    }
}

impl IdentityError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::File(ClosedFileError { unfit: Unfit::Missing, path, .. }) | Self::None { path } => {
                format!("make one: `age-keygen -o {}`", path.display())
            }
            Self::File(error) => error.hint().unwrap_or_else(|| WHAT_IT_IS.to_owned()),
            Self::Line { .. } => WHAT_IT_IS.to_owned(),
        }
    }
}

impl Identities {
    /// Reads a file that is closed to all but its owner (0400 or 0600).
    ///
    /// # Errors
    /// It cannot be read, is open to others, or something else stands in it.
    pub fn read(path: &Path) -> Result<Self, IdentityError> {
        let file = ClosedFile { what: "the age identity", path, kept: Kept::Secret, longest: LONGEST };
        let bytes = file.read()?;
        let not_text = || IdentityError::Line { path: path.to_owned(), line: 1, kind: NotIdentity::Unknown };
        let text = std::str::from_utf8(&bytes).map_err(|_| not_text())?;
        match parse(text) {
            Ok(identities) if identities.is_empty() => Err(IdentityError::None { path: path.to_owned() }),
            Ok(identities) => Ok(Self(identities)),
            Err((line, kind)) => Err(IdentityError::Line { path: path.to_owned(), line, kind }),
        }
    }

    pub(super) fn each(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|identity| identity as &dyn age::Identity)
    }

    /// Whom a file must be encrypted for, so that these open it.
    pub fn recipients(&self) -> impl Iterator<Item = Recipient> {
        self.0.iter().map(|identity| Recipient::of(identity.to_public()))
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identities({})", self.0.len())
    }
}

/// The identities of a text, or the number of the first line that is none.
fn parse(text: &str) -> Result<Vec<x25519::Identity>, (usize, NotIdentity)> {
    let lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(number, line)| line.parse().map_err(|_| (number, not_identity(line)))).collect()
}

fn not_identity(line: &str) -> NotIdentity {
    match line {
        _ if line.starts_with("AGE-SECRET-KEY-PQ-") => NotIdentity::PostQuantum,
        _ if line.starts_with("AGE-PLUGIN-") => NotIdentity::Plugin,
        _ if line.starts_with("AGE-SECRET-KEY-1") => NotIdentity::Damaged,
        _ if line.starts_with(ARMOR) || line.starts_with(MAGIC) => NotIdentity::Locked,
        _ if line.contains("PRIVATE KEY") => NotIdentity::Ssh,
        _ if line.starts_with("age1") => NotIdentity::Recipient,
        _ => NotIdentity::Unknown,
    }
}
