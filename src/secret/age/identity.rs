//! The keys that open: a file of age identities, as `age-keygen` writes it.

use super::{ARMOR, MAGIC, Recipient};
use age::x25519;
use secrecy::zeroize::Zeroizing;
use std::{
    fmt, fs, io,
    io::Read,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// More is no file of identities.
const LONGEST: u64 = 64 * 1024;
/// Nobody but its owner may read or write it.
const CLOSED: u32 = 0o077;

/// X25519 identities, one at least.
#[derive(Clone)]
pub struct Identities(Vec<x25519::Identity>);

/// Why there is no identity. No line of the file is shown.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("cannot read the age identity `{}`", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the age identity `{}` is no regular file", path.display())]
    NotRegular { path: PathBuf },
    #[error("the age identity `{}` is open to others (mode {mode:04o})", path.display())]
    Open { path: PathBuf, mode: u32 },
    #[error("the age identity `{}` is longer than {LONGEST} bytes", path.display())]
    TooLong { path: PathBuf },
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
            Self::Open { path, .. } => format!("`chmod 0400 {}`", path.display()),
            Self::Unreadable { path, .. } | Self::None { path } => {
                format!("make one: `age-keygen -o {}`", path.display())
            }
            Self::Line { .. } | Self::NotRegular { .. } | Self::TooLong { .. } => {
                "it is the file that `age-keygen` writes, with a line `AGE-SECRET-KEY-1…`".to_owned()
            }
        }
    }
}

impl Identities {
    /// Reads a file that is closed to all but its owner (0400 or 0600).
    ///
    /// # Errors
    /// It cannot be read, is open to others, or something else stands in it.
    pub fn read(path: &Path) -> Result<Self, IdentityError> {
        let unreadable = |source| IdentityError::Unreadable { path: path.to_owned(), source };
        // Without waiting: nobody may ever write into a pipe.
        let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        let mode = metadata.mode() & 0o7777;
        if !metadata.is_file() {
            return Err(IdentityError::NotRegular { path: path.to_owned() });
        }
        if mode & CLOSED != 0 {
            return Err(IdentityError::Open { path: path.to_owned(), mode });
        }
        // As large as it will be: a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(LONGEST).unwrap_or(usize::MAX)));
        file.take(LONGEST).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 == LONGEST {
            return Err(IdentityError::TooLong { path: path.to_owned() });
        }
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
