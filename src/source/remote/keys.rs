//! What opens a repository elsewhere, and what its machine is known by: read from files of the host, for each fetch anew.

use super::{Access, RemoteError};
use crate::value::{RemoteLocation, Transport};
use secrecy::{ExposeSecret, SecretString};
use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

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

/// Others may not read it, and its group may not write it.
const SECRET: u32 = 0o026;
/// Nobody else may write it.
const TRUSTED: u32 = 0o022;

impl Keys {
    /// Reads what the location's transport needs.
    pub fn read(location: &RemoteLocation, access: &Access) -> Result<Self, RemoteError> {
        match location.transport() {
            Transport::Ssh { user } => {
                let not_set = |setting| RemoteError::NotSet { location: location.to_string(), setting };
                let key = access.ssh_key.clone().ok_or_else(|| not_set("source.ssh.key"))?;
                let known_hosts = access.known_hosts.clone().ok_or_else(|| not_set("source.ssh.known_hosts"))?;
                let text = read("the ssh key", &key, SECRET)?;
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
    let text = SecretString::from(read("the token file", file, SECRET)?);
    let line = text.expose_secret().trim();
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
    read(what, path, TRUSTED)
}

/// Reads a file of root's, or of ours, that is closed to others as `closed` says.
fn read(what: &'static str, path: &Path, closed: u32) -> Result<String, RemoteError> {
    let failed = |error: io::Error| {
        let gone = error.kind() == io::ErrorKind::NotFound;
        let why = if gone { "is not there".to_owned() } else { format!("cannot be read: {error}") };
        RemoteError::Unfit { what, path: path.to_owned(), why, hint: None }
    };
    let metadata = fs::metadata(path).map_err(failed)?;
    let open = metadata.mode() & closed;
    if open != 0 {
        let (why, mode) = if open & TRUSTED != 0 {
            ("can be changed by others than its owner", "go-w")
        } else {
            ("can be read by everyone", "o-r")
        };
        let why = format!("{why} (mode {:04o})", metadata.mode() & 0o7777);
        return Err(unfit(what, path, &why, format!("chmod {mode} {}", path.display())));
    }
    fs::read_to_string(path).map_err(failed)
}

fn unfit(what: &'static str, path: &Path, why: &str, hint: String) -> RemoteError {
    RemoteError::Unfit { what, path: path.to_owned(), why: why.to_owned(), hint: Some(hint) }
}
