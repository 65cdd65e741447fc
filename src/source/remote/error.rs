//! Why a repository elsewhere gave nothing.

use super::known_hosts::Fingerprint;
use crate::closed_file::ClosedFileError;
use std::{fmt, path::PathBuf, time::Duration};

/// Why nothing was fetched. No variant holds a token.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The network, or the machine at its end.
    #[error("cannot fetch `{location}`")]
    Away { location: String, source: git2::Error },
    /// Somebody took the connection and says nothing.
    #[error("`{location}` was silent for {} s", .waited.as_secs_f32())]
    Silent { location: String, waited: Duration },
    /// It says something, without end.
    #[error("`{location}` was not fetched within {} s", .waited.as_secs_f32())]
    Endless { location: String, waited: Duration },
    /// More than a repository of manifests has.
    #[error("`{location}` has more than {most} bytes to fetch")]
    TooMuch { location: String, most: usize },
    /// The branch or tag is not there.
    #[error("`{location}` has no branch and no tag `{reference}`")]
    NoReference { location: String, reference: String },
    /// The server answers, and has no such repository for us.
    #[error("`{location}` is not there, or not for us")]
    NoRepository { location: String, source: git2::Error },
    /// Nothing was ever pushed, or every branch is gone.
    #[error("`{location}` has no commit")]
    Empty { location: String },
    /// No key of the host is pinned.
    #[error("the key of ssh host `{host}` is not known: `{}` has none for it, and it shows {seen}", .known_hosts.display())]
    UnknownHost { host: Host, known_hosts: PathBuf, seen: Box<Fingerprint> },
    /// Another key than the pinned one.
    #[error("the key of ssh host `{host}` is another one: expected {}; seen {seen}", lines(.known_hosts, .expected))]
    OtherHostKey { host: Host, known_hosts: PathBuf, expected: Vec<(usize, Fingerprint)>, seen: Box<Fingerprint> },
    /// A key that was stolen.
    #[error("the key of ssh host `{host}`, {seen}, is revoked in line {line} of `{}`", .known_hosts.display())]
    RevokedHostKey { host: Host, known_hosts: PathBuf, line: usize, seen: Box<Fingerprint> },
    /// Certificates of hosts.
    #[error("line {line} of `{}` trusts an authority (`@cert-authority`) for `{host}`, which is not supported; it shows {seen}", .known_hosts.display())]
    HostAuthority { host: Host, known_hosts: PathBuf, line: usize, seen: Box<Fingerprint> },
    /// A line that is none.
    #[error("line {line} of `{}` is for `{host}` and cannot be read", .known_hosts.display())]
    UnreadableHostKey { host: Host, known_hosts: PathBuf, line: usize },
    /// The server does not take our key.
    #[error("`{location}` does not take the key `{}`", .key.display())]
    KeyRefused { location: String, key: PathBuf },
    /// A setting that this transport needs.
    #[error("`{location}` cannot be asked without `{setting}` in the host file")]
    NotSet { location: String, setting: &'static str },
    /// A file that others could read or change, or that is not there.
    #[error(transparent)]
    File(#[from] ClosedFileError),
    /// A file that opens or pins something, and is not fit for it.
    #[error("{what} `{}` {why}", .path.display())]
    Unfit { what: &'static str, path: PathBuf, why: String, hint: Option<String> },
    /// The server wants a token.
    #[error("`{location}` wants to know who asks")]
    NoToken { location: String },
    /// The server does not take our token.
    #[error("`{location}` does not take the token in `{}`", .token_file.display())]
    TokenRefused { location: String, token_file: PathBuf },
    /// TLS: nobody we know vouches for the server.
    #[error("the certificate of `{location}` is not trusted")]
    Certificate { location: String, source: git2::Error },
    /// The server sends us elsewhere.
    #[error("`{location}` redirects to another host, which is not followed")]
    Redirected { location: String },
    /// Another process is at the mirror for too long.
    #[error("another process has been fetching into `{}` for {} s", .mirror.display(), .waited.as_secs_f32())]
    Busy { mirror: PathBuf, waited: Duration },
    /// Our own copy.
    #[error("cannot {doing} `{}`", .mirror.display())]
    Mirror { doing: &'static str, mirror: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    /// Nothing was ever fetched, so there is nothing to fall back on.
    #[error("nothing of `{location}` was ever fetched to here")]
    NeverFetched { location: String },
}

/// A host as `known_hosts` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    pub name: String,
    pub port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            22 => f.write_str(&self.name),
            port => write!(f, "[{}]:{port}", self.name),
        }
    }
}

impl Host {
    fn scan(&self, kind: Option<&str>) -> String {
        let port = if self.port == 22 { String::new() } else { format!(" -p {}", self.port) };
        let kind = kind.map_or(String::new(), |kind| format!(" -t {kind}"));
        format!("ssh-keyscan{port}{kind} {}", self.name)
    }
}

impl RemoteError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let compare = "on the server, `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` and its neighbours print what it \
                       should be; a forge publishes it";
        match self {
            Self::UnknownHost { host, known_hosts, .. } => Some(format!(
                "{compare}. If it is the same, add the line that `{}` prints to `{}`",
                host.scan(None),
                known_hosts.display()
            )),
            Self::OtherHostKey { host, known_hosts, expected, seen } => {
                let known_hosts = known_hosts.display();
                Some(if expected.iter().any(|(_, pinned)| pinned.kind == seen.kind) {
                    format!(
                        "somebody may stand between this host and that one. If its key was changed on purpose, {compare}; \
                         then replace the line in `{known_hosts}`"
                    )
                } else {
                    format!(
                        "a server may have a key of each kind. {compare}; if it is the same, add the line that `{}` prints \
                         to `{known_hosts}`",
                        host.scan(Some(scanned(&seen.kind)))
                    )
                })
            }
            Self::RevokedHostKey { .. } => Some("the server needs another key; do not take the line out".to_owned()),
            Self::HostAuthority { host, known_hosts, .. } => Some(format!(
                "pin the host's own key: {compare}. Then add the line that `{}` prints to `{}`",
                host.scan(None),
                known_hosts.display()
            )),
            Self::UnreadableHostKey { host, .. } => {
                Some(format!("write it as `{}` prints it, after comparing the fingerprint", host.scan(None)))
            }
            Self::KeyRefused { key, .. } => {
                Some(format!("add what `ssh-keygen -yf {}` prints as a deploy key that may read", key.display()))
            }
            Self::NotSet { setting, .. } => Some(match *setting {
                "source.ssh.known_hosts" => "write `source: {ssh: {key: …, known_hosts: /etc/reconcile/known_hosts}}`: \
                                             the server's key is compared with that file's"
                    .to_owned(),
                _ => "write `source: {ssh: {key: /etc/reconcile/id_ed25519, known_hosts: …}}`, the private half of a deploy key"
                    .to_owned(),
            }),
            Self::File(error) => error.hint(),
            Self::Unfit { hint, .. } => hint.clone(),
            Self::NoToken { .. } => Some(
                "put a token that may read into a file (mode 0600) and name it with `source.token_file` in the host file; \
                 a forge says the same of a repository that is not there"
                    .to_owned(),
            ),
            Self::TokenRefused { token_file, .. } => Some(format!(
                "see that the token in `{}` has not run out and may read; where the server wants a certain user, the \
                 file holds `user:token`",
                token_file.display()
            )),
            Self::Certificate { .. } => Some(
                "install the authority's certificate on this host (`update-ca-certificates`), or name it in `SSL_CERT_FILE`"
                    .to_owned(),
            ),
            Self::NoRepository { .. } => Some(
                "nothing is removed; see that the URL is right, and that the key or token may read: a forge says the same \
                 to both"
                    .to_owned(),
            ),
            Self::Redirected { .. } => Some("name the repository's own URL".to_owned()),
            Self::NoReference { .. } => Some("nothing is removed; name a branch that is there with `--ref` or `source.branch`".to_owned()),
            Self::Empty { .. } => Some("nothing is removed; push the manifests first".to_owned()),
            Self::Mirror { mirror, .. } => {
                Some(format!("remove `{}` if nothing else helps: it is a copy, and fetched anew", mirror.display()))
            }
            Self::Away { .. } | Self::Silent { .. } | Self::Endless { .. } => {
                Some("nothing is changed meanwhile; see that this host reaches that one".to_owned())
            }
            Self::TooMuch { .. } => {
                Some("keep manifests in a repository of their own, and large files out of its history".to_owned())
            }
            Self::Busy { .. } | Self::NeverFetched { .. } => None,
        }
    }

    /// True where a later try may find what this one did not: the network, the server, another process.
    #[must_use]
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Away { .. } | Self::Silent { .. } | Self::Endless { .. } | Self::Busy { .. })
    }

    /// True where the repository answered, and the branch is not there.
    #[must_use]
    pub fn is_absent_branch(&self) -> bool {
        matches!(self, Self::NoReference { .. } | Self::Empty { .. })
    }
}

/// The kind as `ssh-keyscan -t` calls it.
fn scanned(kind: &str) -> &'static str {
    match kind {
        "ssh-ed25519" => "ed25519",
        "ssh-rsa" => "rsa",
        _ => "ecdsa",
    }
}

fn lines(known_hosts: &std::path::Path, expected: &[(usize, Fingerprint)]) -> String {
    let all: Vec<_> = expected.iter().map(|(line, key)| format!("{key} ({}:{line})", known_hosts.display())).collect();
    all.join(" or ")
}
