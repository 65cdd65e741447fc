//! What Traefik is told of an app: nothing beside what the containers say. What was led where is noted on this host, so
//! that a later look knows it.

use super::Settings;
use crate::{
    desired::route::TlsMode,
    proxy::{Claim, Doors, Driver, Installed, ProxyError, Site, SiteName, Standpoint, ask::Answer, claim, whole_file},
};
use futures_util::{FutureExt, future::BoxFuture};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::DirBuilder,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::fs::DirBuilderExt,
    path::PathBuf,
};

/// What it says where it has no route, before it has seen a container.
const NO_ROUTE: &str = "404 page not found\n";

/// A Traefik that watches this host's engine.
#[derive(Debug)]
pub struct Traefik {
    settings: Settings,
    /// Where it is noted what was led where.
    notes: PathBuf,
    ports: (u16, u16),
}

impl Traefik {
    /// `ports`: those of this host on which it answers, plain and secured.
    #[must_use]
    pub fn new(settings: Settings, notes: PathBuf, ports: (u16, u16)) -> Self {
        Self { settings, notes, ports }
    }

    fn note(&self, name: &SiteName) -> PathBuf {
        self.notes.join(format!("{}.{}.json", name.environment, name.app))
    }

    fn read(&self, name: &SiteName) -> Result<Option<Site>, ProxyError> {
        // What cannot be read any more says that nobody was led anywhere.
        Ok(whole_file::read(&self.note(name))?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    fn write(&self, name: &SiteName, site: &Site) -> Result<(), ProxyError> {
        let note = self.note(name);
        if site.routes.is_empty() {
            return whole_file::remove(&note);
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.notes);
        made.map_err(|source| ProxyError::Files { doing: format!("make `{}`", self.notes.display()), source })?;
        whole_file::write(&note, &serde_json::to_vec(site).unwrap_or_default(), 0o600)
    }
}

impl Driver for Traefik {
    fn doors(&self) -> Doors {
        let here = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Doors { http: here(self.ports.0), https: here(self.ports.1) }
    }

    fn standpoint(&self) -> BoxFuture<'_, Result<Standpoint, ProxyError>> {
        async { Ok(Standpoint::On([self.settings.network.clone()].into())) }.boxed()
    }

    fn watches(&self) -> Option<&str> {
        Some(&self.settings.network)
    }

    fn claims(&self, _env: &BTreeMap<String, String>, labels: &BTreeMap<String, String>) -> BTreeSet<Claim> {
        claim::of_labels(labels)
    }

    fn is_its_own(&self, answer: &Answer) -> bool {
        matches!(answer.status, 502..=504) || answer.status == 404 && answer.body == NO_ROUTE
    }

    fn has_certificates_of_its_own(&self) -> bool {
        true
    }

    fn shows(&self, _mode: &TlsMode) -> bool {
        false
    }

    fn installed<'a>(&'a self, name: &'a SiteName) -> BoxFuture<'a, Result<Option<Installed>, ProxyError>> {
        async move { Ok(self.read(name)?.map(|site| Installed { site, altered: false, served: true })) }.boxed()
    }

    fn install<'a>(&'a self, name: &'a SiteName, site: &'a Site) -> BoxFuture<'a, Result<(), ProxyError>> {
        async move { self.write(name, site) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_of_a_container_that_it_has_not_seen_is_no_answer_of_the_service() {
        let settings = Settings { network: "edge".into(), certresolver: None, http: "web".into(), https: "tls".into() };
        let traefik = Traefik::new(settings, PathBuf::from("/nowhere"), (80, 443));
        let answer = |status, body: &str| Answer { status, body: body.to_owned(), certificate: None };
        assert!(traefik.is_its_own(&answer(404, NO_ROUTE)));
        assert!(traefik.is_its_own(&answer(502, "")));
        assert!(!traefik.is_its_own(&answer(404, "no such page")), "the service's own");
        assert!(!traefik.is_its_own(&answer(200, "")));
    }
}
