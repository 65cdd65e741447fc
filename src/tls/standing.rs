//! How a certificate stands, for those who watch over it: whoever issued it.

use super::{
    Fault, Held, Wanted,
    renewal::{between, life},
};
use jiff::Timestamp;
use std::fmt;

/// How a certificate stands, the best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is good, and a third of its life or more is left.
    Good { until: Timestamp },
    /// Less than a third of its life is left: whoever renews it should have done so.
    Expiring { until: Timestamp },
    /// It is not what is wanted.
    Faulty(Fault),
}

/// How a certificate stands.
#[must_use]
pub fn standing(now: Timestamp, held: &Held, wanted: &Wanted) -> Standing {
    match held.good(now, wanted) {
        Err(fault) => Standing::Faulty(fault),
        Ok(pair) => {
            let until = pair.facts.not_after;
            if between(now, until) < life(&pair.facts) / 3 {
                Standing::Expiring { until }
            } else {
                Standing::Good { until }
            }
        }
    }
}

impl Standing {
    /// True where somebody should look into it.
    #[must_use]
    pub fn is_trouble(&self) -> bool {
        match self {
            Self::Good { .. } => false,
            Self::Expiring { .. } | Self::Faulty(_) => true,
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good { until } => write!(f, "the certificate is good until {until}"),
            Self::Expiring { until } => {
                write!(f, "the certificate is over at {until}: less than a third of its life is left")
            }
            Self::Faulty(fault) => fault.fmt(f),
        }
    }
}
