//! Whom a file is for, as far as it tells: the kinds of its recipients, not who they are.

use std::fmt;

/// The most recipients that are looked at.
const MOST: usize = 1_000;

/// A kind of recipient, by the name of its stanza.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    X25519,
    Passphrase,
    Ssh,
    PostQuantum,
    /// Of a plugin, or of a later age.
    Other(String),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::X25519 => f.write_str("an X25519 key"),
            Self::Passphrase => f.write_str("a passphrase"),
            Self::Ssh => f.write_str("an SSH key"),
            Self::PostQuantum => f.write_str("a post-quantum key"),
            Self::Other(name) => write!(f, "a plugin's key (`{name}`)"),
        }
    }
}

/// The kinds of a binary file's recipients, in its order; none where it has no header.
#[must_use]
pub fn kinds(binary: &[u8]) -> Vec<Kind> {
    let lines = binary.split(|byte| *byte == b'\n').take_while(|line| !line.starts_with(b"---"));
    lines.take(MOST * 4).filter_map(|line| line.strip_prefix(b"-> ")).filter_map(kind).take(MOST).collect()
}

fn kind(stanza: &[u8]) -> Option<Kind> {
    let name = stanza.split(|byte| *byte == b' ').next().and_then(|name| std::str::from_utf8(name).ok())?;
    match name {
        "X25519" => Some(Kind::X25519),
        "scrypt" => Some(Kind::Passphrase),
        "ssh-ed25519" | "ssh-rsa" => Some(Kind::Ssh),
        "mlkem768x25519" | "mlkem768p256tag" => Some(Kind::PostQuantum),
        // Added at random, so that readers keep up with kinds that they do not know.
        grease if grease.ends_with("-grease") => None,
        other => Some(Kind::Other(other.chars().filter(char::is_ascii_graphic).take(40).collect())),
    }
}
