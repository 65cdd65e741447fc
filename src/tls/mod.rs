//! Certificates of routes: where they come from, where they lie, and when the next is due.
//!
//! A certificate belongs to one service's route. What is held is read from the disk at each look, and nothing else is
//! remembered but when an authority may be asked again. [`due()`] decides and knows neither clock nor disk;
//! [`Certificates`] does what is due.

mod account;
mod acme;
mod attempts;
mod authority;
mod certificates;
mod disk;
mod due;
mod error;
mod facts;
mod held;
mod http;
mod preflight;
mod renewal;
mod standing;
mod wanted;

pub use attempts::{Attempts, Cost};
pub use certificates::Certificates;
pub use due::{Due, due};
pub use error::TlsError;
pub use facts::{Facts, Unfit, covers};
pub use held::{Fault, Held, Pair};
pub use preflight::{Astray, Refusal};
pub use renewal::{Window, renewal};
pub use standing::{Standing, standing};
pub use wanted::{CertificateName, Origin, Provenance, Refused, Wanted};

use std::net::SocketAddr;

/// What the host says of certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The URL of the ACME authority's directory.
    pub directory: String,
    /// Whom the authority writes to.
    pub email: Option<String>,
    /// A file of authorities, PEM, by whom the directory may be known besides those of the system.
    pub ca_file: Option<std::path::PathBuf>,
    /// Where the path of challenges is asked before an order; without it where the name leads to, on port 80.
    pub preflight: Option<SocketAddr>,
}

#[cfg(test)]
mod tests;
