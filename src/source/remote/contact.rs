//! One conversation with a server: who it is, who we are, and what went wrong in its course.
//!
//! libgit2 swallows what a callback says, so the reason is kept here; and it calls the credentials' callback again after a
//! refusal, for ever if it is let, so the attempts are counted.

use super::{
    Patience, RemoteError,
    error::Host,
    keys::{Keys, Token},
    known_hosts::{self, Finding},
};
use crate::value::RemoteLocation;
use git2::{CertificateCheckStatus, Cred, CredentialType, Error, ErrorClass, ErrorCode, RemoteCallbacks, cert::Cert};
use secrecy::ExposeSecret;
use std::{
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

/// A conversation; the thread that holds it and the one that waits for it share it.
pub struct Contact {
    pub location: RemoteLocation,
    keys: Keys,
    most_bytes: usize,
    course: Mutex<Course>,
    given_up: AtomicBool,
}

struct Course {
    /// Why it failed, where we know it better than libgit2.
    reason: Option<RemoteError>,
    /// Credentials were shown already.
    shown: bool,
    /// When it began.
    begun: Instant,
    /// The server has told its references.
    listed: bool,
    /// The last time that it did anything.
    heard: Instant,
}

impl Course {
    fn begun() -> Self {
        let now = Instant::now();
        Self { reason: None, shown: false, begun: now, listed: false, heard: now }
    }
}

impl Contact {
    pub fn new(location: RemoteLocation, keys: Keys, most_bytes: usize) -> Self {
        Self { location, keys, most_bytes, course: Mutex::new(Course::begun()), given_up: AtomicBool::new(false) }
    }

    /// Begins anew, with another connection.
    pub fn begin(&self) {
        *self.course() = Course::begun();
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        // What a panic left behind is still true.
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server did something; false when nobody waits for it any more.
    pub fn heard(&self) -> bool {
        self.course().heard = Instant::now();
        !self.given_up.load(Ordering::Relaxed)
    }

    fn admits(&self, bytes: usize) -> bool {
        if bytes > self.most_bytes {
            let (location, most) = (self.location.to_string(), self.most_bytes);
            self.refuse(RemoteError::TooMuch { location, most });
        }
        bytes <= self.most_bytes
    }

    /// The server has told its references.
    pub fn listed(&self) {
        let mut course = self.course();
        course.heard = Instant::now();
        course.listed = true;
    }

    /// Why there is no use in waiting any longer.
    pub fn hopeless(&self, begun: Instant, patience: &Patience) -> Option<RemoteError> {
        let course = self.course();
        let location = self.location.to_string();
        let waits = if course.listed { patience.silence } else { patience.answer };
        // What says a little now and then, and never what was asked for, is silent too.
        let silent = if course.listed { course.heard.elapsed() } else { course.begun.elapsed() };
        let reason = if silent >= waits {
            RemoteError::Silent { location, waited: waits }
        } else if begun.elapsed() >= patience.whole {
            RemoteError::Endless { location, waited: patience.whole }
        } else {
            return None;
        };
        self.given_up.store(true, Ordering::Relaxed);
        Some(reason)
    }

    /// The callbacks of a connection.
    pub fn callbacks(&self) -> RemoteCallbacks<'_> {
        let mut callbacks = RemoteCallbacks::new();
        callbacks.certificate_check(|certificate, host| self.judge(certificate, host));
        callbacks.credentials(|_, _, wanted| self.credentials(wanted));
        callbacks.transfer_progress(|progress| self.heard() && self.admits(progress.received_bytes()));
        callbacks.sideband_progress(|_| self.heard());
        callbacks
    }

    fn judge(&self, certificate: &Cert<'_>, host: &str) -> Result<CertificateCheckStatus, Error> {
        let Some(key) = certificate.as_hostkey() else {
            // libgit2 goes along with a redirect unless it is told not to, and it is asked in two ways: be sure.
            if !host.trim_matches(['[', ']']).eq_ignore_ascii_case(self.location.host()) {
                return Err(self.refuse(RemoteError::Redirected { location: self.location.to_string() }));
            }
            // TLS is judged by OpenSSL. To say that it is well here would overrule its judgement.
            return Ok(CertificateCheckStatus::CertificatePassthrough);
        };
        let Keys::Ssh { known_hosts: file, pinned, .. } = &self.keys else {
            return Err(Error::from_str("a host key without ssh"));
        };
        let Some(key) = key.hostkey() else { return Err(Error::from_str("the server shows no host key")) };
        let (host, known_hosts) =
            (Host { name: self.location.host().to_owned(), port: self.location.port() }, file.clone());
        let seen = Box::new(known_hosts::fingerprint(key));
        let reason = match known_hosts::find(pinned, &host.name, host.port, key) {
            Finding::Known => return Ok(CertificateCheckStatus::CertificateOk),
            Finding::Unknown => RemoteError::UnknownHost { host, known_hosts, seen },
            Finding::Other { expected } => RemoteError::OtherHostKey { host, known_hosts, expected, seen },
            Finding::Revoked { line } => RemoteError::RevokedHostKey { host, known_hosts, line, seen },
            Finding::Authority { line } => RemoteError::HostAuthority { host, known_hosts, line, seen },
            Finding::Unreadable { line } => RemoteError::UnreadableHostKey { host, known_hosts, line },
        };
        Err(self.refuse(reason))
    }

    fn credentials(&self, wanted: CredentialType) -> Result<Cred, Error> {
        let location = || self.location.to_string();
        let again = std::mem::replace(&mut self.course().shown, true);
        match &self.keys {
            Keys::Ssh { key, .. } if again || !wanted.contains(CredentialType::SSH_KEY) => {
                Err(self.refuse(RemoteError::KeyRefused { location: location(), key: key.clone() }))
            }
            Keys::Ssh { user, key, .. } => Cred::ssh_key(user, None, key, None),
            Keys::Http { token: None } => Err(self.refuse(RemoteError::NoToken { location: location() })),
            Keys::Http { token: Some(Token { file, .. }) }
                if again || !wanted.contains(CredentialType::USER_PASS_PLAINTEXT) =>
            {
                Err(self.refuse(RemoteError::TokenRefused { location: location(), token_file: file.clone() }))
            }
            Keys::Http { token: Some(Token { user, secret, .. }) } => {
                Cred::userpass_plaintext(user, secret.expose_secret())
            }
        }
    }

    fn refuse(&self, reason: RemoteError) -> Error {
        self.course().reason = Some(reason);
        Error::from_str("refused")
    }

    /// What an error of libgit2 means.
    pub fn explained(&self, error: Error, mirror: &Path) -> Failure {
        if let Some(reason) = self.course().reason.take() {
            return Failure::Remote(reason);
        }
        let location = self.location.to_string();
        Failure::Remote(match (error.class(), error.code(), &self.keys) {
            // No code of its own tells that nobody vouches for the server: only the words do.
            (ErrorClass::Ssl, _, _) if error.message().contains("certificate") => {
                RemoteError::Certificate { location, source: error }
            }
            (_, ErrorCode::Certificate, Keys::Http { .. }) => RemoteError::Certificate { location, source: error },
            (_, ErrorCode::Auth, Keys::Ssh { key, .. }) => RemoteError::KeyRefused { location, key: key.clone() },
            (_, ErrorCode::Auth, Keys::Http { token: Some(Token { file, .. }) }) => {
                RemoteError::TokenRefused { location, token_file: file.clone() }
            }
            (_, ErrorCode::Auth, Keys::Http { token: None }) => RemoteError::NoToken { location },
            (_, _, _) if error.message().contains("redirect") => RemoteError::Redirected { location },
            (ErrorClass::Ssh | ErrorClass::Http | ErrorClass::Net, _, _) if is_absence(error.message()) => {
                RemoteError::NoRepository { location, source: error }
            }
            (
                ErrorClass::Net
                | ErrorClass::Ssl
                | ErrorClass::Ssh
                | ErrorClass::Http
                | ErrorClass::Callback
                | ErrorClass::None,
                _,
                _,
            ) => RemoteError::Away { location, source: error },
            // A pack that ends early is the way's fault; one that builds on what we should have is ours.
            (ErrorClass::Indexer, _, _) if !error.message().contains("delta") => {
                RemoteError::Away { location, source: error }
            }
            // A name that nobody knows and a port where nobody listens are told as errors of the system.
            (ErrorClass::Os, _, _) if !self.course().listed => RemoteError::Away { location, source: error },
            _ => {
                return Failure::Mirror(RemoteError::Mirror {
                    doing: "fetch into",
                    mirror: mirror.to_owned(),
                    source: error.into(),
                });
            }
        })
    }
}

/// Nothing but the words of a server tells that it does not have a repository: git's own, and those of forges.
fn is_absence(words: &str) -> bool {
    let words = words.to_lowercase();
    ["not appear to be a git repository", "not found", "status code: 404", "status code: 403"]
        .iter()
        .any(|sign| words.contains(sign))
}

/// Whose fault it was.
pub enum Failure {
    Remote(RemoteError),
    /// Our copy's, which may be damaged: one beside it is worth a try.
    Mirror(RemoteError),
}
