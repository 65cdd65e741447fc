//! The host's proxy: what it serves of an app, and the drivers that make it so. A driver is one file and one line here.

pub mod ability;
pub mod ask;
pub mod caddy;
pub mod nginx;
pub mod site;

pub use site::{CertificateFiles, Installed, Served, Site, SiteName};

use crate::desired::Route;
use futures_util::future::BoxFuture;
use std::net::SocketAddr;

/// Why a proxy does not serve what it should. What it served before it still serves.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// Its configuration was broken before anything was written.
    #[error("the configuration of {proxy} is broken: {said}")]
    Broken { proxy: &'static str, said: String },
    /// It refuses what was written, and nothing else.
    #[error("{proxy} refuses the routes of `{site}`: {said}")]
    Refused { proxy: &'static str, site: SiteName, said: String },
    /// It does not take up what was written.
    #[error("{proxy} does not serve the routes of `{site}` within {seconds} s: {why}")]
    Deaf { proxy: &'static str, site: SiteName, seconds: u64, why: String },
    /// Its files cannot be read or written, or its program cannot be run.
    #[error("cannot {doing}")]
    Files { doing: String, source: std::io::Error },
}

impl ProxyError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Broken { proxy, .. } => format!("mend it (`{proxy} -t` says where): it is tried again"),
            Self::Refused { proxy, .. } => {
                format!("this is a defect of the tool or a limit of this {proxy}: what was served before still is")
            }
            Self::Deaf { proxy, .. } => {
                format!("see that {proxy} runs, reads the folder and has its ports: it is tried again")
            }
            Self::Files { .. } => "see the proxy's section of the host file, and run as root".to_owned(),
        }
    }

    /// True where the routes themselves are refused.
    #[must_use]
    pub fn is_of_the_routes(&self) -> bool {
        match self {
            Self::Refused { .. } => true,
            Self::Broken { .. } | Self::Deaf { .. } | Self::Files { .. } => false,
        }
    }
}

/// Where a proxy answers on this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doors {
    pub http: SocketAddr,
    pub https: SocketAddr,
}

/// A proxy that is told what to serve.
pub trait Driver: Send + Sync + std::fmt::Debug {
    /// Where it answers.
    fn doors(&self) -> Doors;

    /// What it was given for an app; none where it has nothing of it.
    fn installed<'a>(&'a self, name: &'a SiteName) -> BoxFuture<'a, Result<Option<Installed>, ProxyError>>;

    /// Makes it serve an app's routes, all of them and no others, whole or not at all. A site without routes is
    /// removed. Doing it twice is as doing it once.
    fn install<'a>(&'a self, name: &'a SiteName, site: &'a Site) -> BoxFuture<'a, Result<(), ProxyError>>;

    /// What a route asks for that proxies of this kind can do, and the driver does not tell them yet.
    fn not_yet(&self, route: &Route) -> Option<&'static str>;

    /// True where it has certificates by its own means, and none of the tool's.
    fn has_certificates_of_its_own(&self) -> bool {
        false
    }
}
