//! Why there is no certificate. None of it condemns a revision: names, authorities and disks are the world's.

use super::{Refusal, wanted::CertificateName};
use crate::blame::Blame;
use jiff::Timestamp;
use std::{io, path::PathBuf, time::Duration};

/// Why a certificate was not obtained.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot {doing} `{}`", path.display())]
    Disk { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("`{}` is not what was written there: {why}", path.display())]
    Damaged { path: PathBuf, why: String },
    #[error("there is no authority in `{}`, PEM is expected", path.display())]
    NoRoots { path: PathBuf },
    #[error("cannot make a certificate for `{name}`")]
    Making { name: String, source: rcgen::Error },
    #[error("nobody can be asked over TLS")]
    NoClient { source: reqwest::Error },
    /// The path of challenges does not lead here, so nothing was ordered.
    #[error(transparent)]
    Astray(#[from] Refusal),
    /// In the authority's own words, which are in the cause.
    #[error("certificate `{name}`: cannot {doing} at `{directory}`")]
    Authority {
        name: CertificateName,
        doing: &'static str,
        directory: String,
        /// Its `Retry-After`.
        told: Option<Duration>,
        source: Box<instant_acme::Error>,
    },
    /// In the authority's own words.
    #[error("certificate `{name}`: `{directory}` does not believe that its names lead here: {why}")]
    Unproven { name: CertificateName, directory: String, why: String },
    #[error("certificate `{name}`: what `{directory}` issued is not what was ordered: {why}")]
    NotAsOrdered { name: CertificateName, directory: String, why: String },
    #[error("certificate `{name}`: what `{directory}` issued is not good by this machine's clock: {why}")]
    NotToday { name: CertificateName, directory: String, why: String },
    #[error("certificate `{name}`: `{directory}` has not answered within {} minutes", most.as_secs() / 60)]
    TooLong { name: CertificateName, directory: String, most: Duration },
    #[error("certificate `{name}` is not ordered before {until}: {why}")]
    TooSoon { name: CertificateName, until: Timestamp, why: String },
}

impl TlsError {
    /// An error of the disk.
    pub(super) fn disk(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Disk { doing, path, source }
    }

    /// Whose fault it is: never the revision's.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        Blame::World
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Astray(refusal) => Some(refusal.hint()),
            Self::Damaged { path, .. } => Some(format!("remove `{}`: it is made anew", path.display())),
            Self::NoRoots { .. } => Some("`acme.ca_file` names the authority of the directory's own TLS".to_owned()),
            Self::Authority { source, .. } => problem(source).and_then(advice).map(str::to_owned),
            Self::Unproven { .. } => Some(
                "the authority asks each name on port 80, from outside: DNS, router and firewall must let it in".into(),
            ),
            Self::NotToday { .. } => Some("is the clock of this machine right?".to_owned()),
            Self::Disk { .. }
            | Self::Making { .. }
            | Self::NoClient { .. }
            | Self::NotAsOrdered { .. }
            | Self::TooLong { .. }
            | Self::TooSoon { .. } => None,
        }
    }

    /// How long the authority wants to be left alone, where it says so.
    #[must_use]
    pub fn told(&self) -> Option<Duration> {
        match self {
            Self::Authority { told, .. } => *told,
            Self::Disk { .. }
            | Self::Damaged { .. }
            | Self::NoRoots { .. }
            | Self::Making { .. }
            | Self::NoClient { .. }
            | Self::Astray(_)
            | Self::Unproven { .. }
            | Self::NotAsOrdered { .. }
            | Self::NotToday { .. }
            | Self::TooLong { .. }
            | Self::TooSoon { .. } => None,
        }
    }

    /// The error and its causes in one line.
    #[must_use]
    pub fn whole(&self) -> String {
        crate::cause::whole(self)
    }
}

/// The kind of an authority's problem (RFC 8555, 6.7), without what all of them begin with.
pub(super) fn problem(error: &instant_acme::Error) -> Option<&str> {
    match error {
        instant_acme::Error::Api(problem) => problem.r#type.as_deref()?.strip_prefix("urn:ietf:params:acme:error:"),
        _ => None,
    }
}

fn advice(problem: &str) -> Option<&'static str> {
    match problem {
        "rateLimited" => Some("it is asked again when it allows it; `acme.directory: staging` is for trying"),
        "rejectedIdentifier" | "unsupportedIdentifier" => Some("this authority issues nothing for that name"),
        "caa" => Some("a CAA record of the name's DNS allows other authorities and not this one"),
        "dns" => Some("the name must lead here for everybody: an A or AAAA record"),
        "invalidContact" | "unsupportedContact" => Some("write another address into `acme.email`, or none"),
        "externalAccountRequired" => Some("accounts of this authority are made by hand: that is not supported"),
        "unauthorized" | "connection" | "tls" | "incorrectResponse" => {
            Some("the authority asks each name on port 80, from outside: DNS, router and firewall must let it in")
        }
        _ => None,
    }
}
