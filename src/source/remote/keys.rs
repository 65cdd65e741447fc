//! What opens a repository elsewhere, and what its machine is known by: read from files of the host, for each fetch anew.

use super::{Access, RemoteError};
use crate::{
    closed_file::{ClosedFile, Kept},
    value::{RemoteLocation, Transport},
};
use secrecy::{SecretString, zeroize::Zeroizing};
use std::path::{Path, PathBuf};

/// The files' contents. No `Debug`: nobody prints them.
pub enum Keys {
    Ssh { user: String, key: PathBuf, known_hosts: PathBuf, pinned: String },
    Http { token: Option<Token> },
}

/// Who we say we are over HTTPS.
pub struct Token {
    pub file: PathBuf,
    pub user: String,
    pub secret: SecretString,
}

/// A key, a token, a list of hosts or of signers: more is a mistake.
const LONGEST: u64 = 4 << 20;

impl Keys {
    /// Reads what the location's transport needs.
    pub fn read(location: &RemoteLocation, access: &Access) -> Result<Self, RemoteError> {
        match location.transport() {
            Transport::Ssh { user } => {
                let not_set = |setting| RemoteError::NotSet { location: location.to_string(), setting };
                let key = access.ssh_key.clone().ok_or_else(|| not_set("source.ssh.key"))?;
                let known_hosts = access.known_hosts.clone().ok_or_else(|| not_set("source.ssh.known_hosts"))?;
                let text = read("the ssh key", &key, Kept::Secret)?;
                if is_locked(&text) {
                    let hint = "use a key without one: `ssh-keygen -t ed25519 -N '' -f FILE`".to_owned();
                    return Err(unfit("the ssh key", &key, "has a passphrase, and nobody is there to type it", hint));
                }
                let pinned = read_trusted("the file of pinned hosts", &known_hosts)?;
                Ok(Self::Ssh { user: user.clone(), key, known_hosts, pinned })
            }
            Transport::Https | Transport::Http => {
                Ok(Self::Http { token: access.token_file.as_deref().map(token).transpose()? })
            }
        }
    }
}

/// One line: the token, or `user:token`.
fn token(file: &Path) -> Result<Token, RemoteError> {
    let text = read("the token file", file, Kept::Secret)?;
    let line = text.trim();
    if line.is_empty() || line.contains(char::is_whitespace) {
        let hint = "write the token alone on one line, or `user:token`".to_owned();
        return Err(unfit("the token file", file, "does not hold one token", hint));
    }
    // Forges that know a token by itself take any user.
    let (user, secret) = line.split_once(':').unwrap_or(("git", line));
    Ok(Token { file: file.to_owned(), user: user.to_owned(), secret: SecretString::from(secret.to_owned()) })
}

fn is_locked(key: &str) -> bool {
    match ssh_key::PrivateKey::from_openssh(key) {
        Ok(key) => key.is_encrypted(),
        Err(_) => key.contains("ENCRYPTED"),
    }
}

/// Reads a file that says whom to trust.
pub fn read_trusted(what: &'static str, path: &Path) -> Result<String, RemoteError> {
    Ok(std::mem::take(&mut *read(what, path, Kept::Trusted)?))
}

fn read(what: &'static str, path: &Path, kept: Kept) -> Result<Zeroizing<String>, RemoteError> {
    Ok(ClosedFile { what, path, kept, longest: LONGEST }.read_text()?)
}

fn unfit(what: &'static str, path: &Path, why: &str, hint: String) -> RemoteError {
    RemoteError::Unfit { what, path: path.to_owned(), why: why.to_owned(), hint: Some(hint) }
}
