//! What is held of a certificate, and what is wrong with it.

use super::{Facts, Origin, Unfit, Wanted};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeSet, path::PathBuf};

/// A certificate that begins within this is good: clocks differ, and an order takes minutes in which it may begin.
const UNDECIDED: SignedDuration = SignedDuration::from_mins(10);

/// What lies on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Nothing.
    Missing,
    /// Something that no proxy can use, and why.
    Unusable(String),
    /// A certificate and its key.
    Pair(Pair),
}

/// A certificate and its key, which belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub facts: Facts,
    /// The certificate and those that lead to its authority, PEM. Another certificate has another path.
    pub chain: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// It is of the authority that is wanted now; otherwise it serves until that has issued another.
    pub of_this_authority: bool,
}

/// Why what is held is not what is wanted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("there is no certificate yet")]
    Missing,
    #[error("the certificate cannot be used: {0}")]
    Unusable(String),
    #[error("the certificate is not for {}", listed(.0))]
    Uncovered(BTreeSet<String>),
    #[error("the certificate is over since {0}")]
    Expired(Timestamp),
    #[error("the certificate is not good before {0}")]
    NotYet(Timestamp),
    #[error("the certificate is of another authority")]
    OtherAuthority,
}

impl Fault {
    /// What to do about it, where somebody has to.
    #[must_use]
    pub fn hint(&self, wanted: &Wanted) -> Option<String> {
        let Origin::Files { certificate, key } = wanted.origin() else {
            return match self {
                Self::NotYet(_) => Some("is the clock of this machine right?".to_owned()),
                Self::Missing | Self::Unusable(_) | Self::Uncovered(_) | Self::Expired(_) | Self::OtherAuthority => {
                    None
                }
            };
        };
        let (certificate, key) = (certificate.display(), key.display());
        match self {
            Self::Missing | Self::Unusable(_) | Self::Expired(_) | Self::OtherAuthority => {
                Some(format!("put the certificate with its chain into `{certificate}` and its key into `{key}`"))
            }
            Self::Uncovered(names) => Some(format!("put one into `{certificate}` that names {} too", listed(names))),
            Self::NotYet(_) => Some("is the clock of this machine right?".to_owned()),
        }
    }

    /// Whether a proxy that shows the certificate all the same shows something of use.
    #[must_use]
    pub fn can_be_shown(&self) -> bool {
        match self {
            Self::Missing | Self::Unusable(_) => false,
            Self::Uncovered(_) | Self::Expired(_) | Self::NotYet(_) | Self::OtherAuthority => true,
        }
    }
}

impl From<Unfit> for Held {
    fn from(unfit: Unfit) -> Self {
        Self::Unusable(unfit.to_string())
    }
}

impl Held {
    /// The certificate and its key, where there are.
    #[must_use]
    pub fn pair(&self) -> Option<&Pair> {
        match self {
            Self::Pair(pair) => Some(pair),
            Self::Missing | Self::Unusable(_) => None,
        }
    }

    /// The certificate and its key, where nothing is wrong with them.
    ///
    /// # Errors
    /// What is wrong, the gravest first.
    pub fn good(&self, now: Timestamp, wanted: &Wanted) -> Result<&Pair, Fault> {
        let pair = match self {
            Self::Missing => return Err(Fault::Missing),
            Self::Unusable(why) => return Err(Fault::Unusable(why.clone())),
            Self::Pair(pair) => pair,
        };
        let uncovered = pair.facts.uncovered(wanted.names());
        if !uncovered.is_empty() {
            Err(Fault::Uncovered(uncovered))
        } else if pair.facts.not_after <= now {
            Err(Fault::Expired(pair.facts.not_after))
        } else if !pair.of_this_authority {
            Err(Fault::OtherAuthority)
        } else if pair.facts.not_before.duration_since(now) > UNDECIDED {
            Err(Fault::NotYet(pair.facts.not_before))
        } else {
            Ok(pair)
        }
    }
}

/// Names in backticks, with commas.
pub(super) fn listed(names: &BTreeSet<String>) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
