//! The host's proxy: what it serves of an app, and the drivers that make it so. A driver is one file and one line here.

pub mod ability;
pub mod ask;
pub mod caddy;
pub mod claim;
pub mod containers;
pub mod nginx;
pub mod nginx_proxy;
pub mod site;
pub mod traefik;
pub mod users;
mod whole_file;

pub use claim::Claim;
pub use containers::Containers;
pub use site::{CertificateFiles, Installed, Served, Site, SiteName};

use crate::desired::{Route, route::TlsMode};
use futures_util::{FutureExt, future::BoxFuture};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::Path,
};

/// Why a proxy does not serve what it should. What it served before it still serves.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// Its configuration was broken before anything was written.
    #[error("the configuration of {proxy} is broken: {said}")]
    Broken { proxy: &'static str, said: String },
    /// It refuses what was written, and nothing else.
    #[error("{proxy} refuses the routes of `{site}`: {said}")]
    Refused { proxy: &'static str, site: SiteName, said: String },
    /// Somebody else's configuration answers for a host already.
    #[error("{proxy} has a server for `{host}` already, which is not of `{site}`")]
    Taken { proxy: &'static str, site: SiteName, host: String },
    /// It does not take up what was written.
    #[error("{proxy} does not serve the routes of `{site}` within {seconds} s: {why}")]
    Deaf { proxy: &'static str, site: SiteName, seconds: u64, why: String },
    /// Its files cannot be read or written, or its program cannot be run.
    #[error("cannot {doing}")]
    Files { doing: String, source: std::io::Error },
    /// The engine does not do what its container needs.
    #[error("cannot {doing}")]
    Engine { doing: String, source: Box<dyn std::error::Error + Send + Sync> },
    /// The host is not as its file says: no such container, or not where it should be.
    #[error("{what}")]
    Unfit { what: String, hint: String },
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
            Self::Taken { host, .. } => {
                format!("remove `{host}` from the configuration that others wrote: it is tried again")
            }
            Self::Deaf { proxy, .. } => {
                format!("see that {proxy} runs, reads the folder and has its ports: it is tried again")
            }
            Self::Files { .. } => "see the proxy's section of the host file, and run as root".to_owned(),
            Self::Engine { .. } => "see that the engine and the proxy's container run: it is tried again".to_owned(),
            Self::Unfit { hint, .. } => hint.clone(),
        }
    }

    /// True where the routes themselves are refused.
    #[must_use]
    pub fn is_of_the_routes(&self) -> bool {
        match self {
            Self::Refused { .. } => true,
            Self::Broken { .. }
            | Self::Taken { .. }
            | Self::Deaf { .. }
            | Self::Files { .. }
            | Self::Engine { .. }
            | Self::Unfit { .. } => false,
        }
    }
}

/// Where a proxy answers on this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doors {
    pub http: SocketAddr,
    pub https: SocketAddr,
}

/// From where a proxy reaches containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standpoint {
    /// As this host itself does.
    Host,
    /// From its container, which is on these networks.
    On(BTreeSet<String>),
    /// From its container on this network, which a container joins when it is routed to and not before.
    Joined(String),
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

    /// The network on which it finds containers by itself; none where it does not watch the engine.
    fn watches(&self) -> Option<&str> {
        None
    }

    /// The hosts at which it lets a container answer that says this of itself.
    fn claims(&self, _env: &BTreeMap<String, String>, _labels: &BTreeMap<String, String>) -> BTreeSet<Claim> {
        BTreeSet::new()
    }

    /// True where it issues certificates by its own means, and those of the tool it does not show. Files that somebody
    /// puts on the host every proxy shows.
    fn has_certificates_of_its_own(&self) -> bool {
        false
    }

    /// Where files of users lie that it reads by itself; none where the tool tells it what is in them.
    fn users_folder(&self) -> Option<&Path> {
        None
    }

    /// The group of who reads them there; none where nobody can say.
    fn readers(&self) -> BoxFuture<'_, Result<Option<String>, ProxyError>> {
        futures_util::future::ready(Ok(None)).boxed()
    }

    /// Why it could not use a text of users, without what stands in it.
    fn unfit(&self, _users: &str) -> Option<String> {
        None
    }

    /// From where it reaches containers.
    fn standpoint(&self) -> BoxFuture<'_, Result<Standpoint, ProxyError>> {
        async { Ok(Standpoint::Host) }.boxed()
    }

    /// What of a container's variables and labels speaks to it.
    fn hears(&self, _env: &BTreeMap<String, String>, _labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// What clients lose when it is told something, because of how this host is; none where nothing is known to be lost.
    fn lapse(&self) -> Option<String> {
        None
    }

    /// True for what it says itself, and no service behind it: of one that it does not reach. Whatever else a ready
    /// service says to somebody who is not signed in, or asks too often, is an answer.
    fn is_its_own(&self, answer: &ask::Answer) -> bool {
        matches!(answer.status, 502..=504)
    }

    /// True where a client of a route is shown a certificate now.
    fn is_secured(&self, route: &Route) -> bool {
        route.tls.mode.is_secured()
    }

    /// True where a route shows a certificate that the tool has, or looks at.
    fn shows(&self, mode: &TlsMode) -> bool {
        match mode {
            TlsMode::Files { .. } => true,
            TlsMode::Acme | TlsMode::Internal => !self.has_certificates_of_its_own(),
            TlsMode::Upstream | TlsMode::Off => false,
        }
    }
}
