//! Caddy: routes of ours in a server of its own configuration, told over its admin interface, each by its `@id`.
//!
//! Nothing without our prefix is touched, and the whole configuration is never loaded. A change is served when it is
//! answered: Caddy provisions what is new before it lets go of what was (research, proxy §2).

mod route;

use super::{Doors, Driver, Installed, ProxyError, Served, Site, SiteName};
use crate::desired::{
    Route,
    route::{TlsMode, TlsPolicy},
};
use futures_util::{FutureExt, future::BoxFuture};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

/// Longer than Caddy takes to provision what it is told.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the host file says of Caddy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its admin interface, without a slash at the end.
    pub admin: String,
    /// The server that has our routes.
    pub server: String,
    /// The ports it listens on.
    pub http: u16,
    pub https: u16,
}

/// A Caddy that is told by its admin interface.
#[derive(Debug)]
pub struct Caddy {
    settings: Settings,
    client: Client,
}

impl Caddy {
    /// A driver of the Caddy behind an admin interface; nothing is asked of it yet.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn open(settings: Settings) -> Result<Self, ProxyError> {
        // Of this machine, and of no proxy for the web.
        // Only the first call in a process does anything.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client =
            Client::builder().no_proxy().timeout(PATIENCE).build().map_err(|source| files(&settings, source))?;
        Ok(Self { settings, client })
    }

    /// All routes of the server; none where the server is not there.
    async fn routes(&self) -> Result<Option<Vec<Value>>, ProxyError> {
        let path = format!("/config/apps/http/servers/{}", self.settings.server);
        let (status, said) = self.ask(Method::GET, &path, None).await?;
        let server: Value = serde_json::from_str(&said).unwrap_or_default();
        if !status.is_success() || server.is_null() {
            return Ok(None);
        }
        Ok(Some(server["routes"].as_array().cloned().unwrap_or_default()))
    }

    async fn install_site(&self, name: &SiteName, site: &Site) -> Result<(), ProxyError> {
        let there = self.routes().await?;
        let Some(there) = there else {
            return if site.routes.is_empty() { Ok(()) } else { Err(self.without_server()) };
        };
        let wanted: BTreeMap<String, Value> = site
            .routes
            .iter()
            .map(|(service, served)| (route::id(name, service), route::of(name, service, served)))
            .collect();
        // Before a host has a route: Caddy asks an authority for it as soon as it has one, and the wrong one otherwise.
        self.settle_policies(name, site).await?;
        let ours = route::ids(name, &there);
        for (id, route) in &wanted {
            let path = format!("/id/{id}");
            if !ours.contains_key(id) {
                // In front: what stands there for every host would answer first.
                let path = format!("/config/apps/http/servers/{}/routes/0", self.settings.server);
                self.tell(name, Method::PUT, &path, Some(route)).await?;
            } else if ours.get(id) != Some(&route) {
                self.tell(name, Method::PATCH, &path, Some(route)).await?;
            }
        }
        for id in ours.keys().filter(|id| !wanted.contains_key(*id)) {
            self.tell(name, Method::DELETE, &format!("/id/{id}"), None).await?;
        }
        Ok(())
    }

    /// Who issues for hosts that are not everybody's business: Caddy's own authority, or nobody.
    async fn settle_policies(&self, name: &SiteName, site: &Site) -> Result<(), ProxyError> {
        let path = "/config/apps/tls/automation/policies";
        let (_, said) = self.ask(Method::GET, path, None).await?;
        let there: Vec<Value> =
            serde_json::from_str::<Value>(&said).ok().and_then(|it| it.as_array().cloned()).unwrap_or_default();
        let ours = route::policies(name, &there);
        let wanted: BTreeMap<String, Value> = site
            .routes
            .iter()
            .filter_map(|(service, served)| {
                Some((route::policy_id(name, service), route::policy(name, service, &served.route)?))
            })
            .collect();
        if ours.iter().map(|(id, policy)| (id, *policy)).eq(wanted.iter()) {
            return Ok(());
        }
        for id in ours.keys() {
            self.tell(name, Method::DELETE, &format!("/id/{id}"), None).await?;
        }
        if wanted.is_empty() {
            return Ok(());
        }
        if there.is_empty() {
            // The folders above may not be there yet: a path is made by what is put at its parent.
            for (parent, empty) in [
                ("/config/apps/tls", serde_json::json!({})),
                ("/config/apps/tls/automation", serde_json::json!({})),
                (path, serde_json::json!([])),
            ] {
                let (_, said) = self.ask(Method::GET, parent, None).await?;
                if said.trim() == "null" {
                    self.tell(name, Method::PUT, parent, Some(&empty)).await?;
                }
            }
        }
        for policy in wanted.values() {
            self.tell(name, Method::PUT, &format!("{path}/0"), Some(policy)).await?;
        }
        Ok(())
    }

    fn without_server(&self) -> ProxyError {
        let said = format!("it has no server `{}` (`proxy.server` of the host file)", self.settings.server);
        ProxyError::Broken { proxy: "caddy", said }
    }

    async fn tell(&self, name: &SiteName, method: Method, path: &str, body: Option<&Value>) -> Result<(), ProxyError> {
        let (status, said) = self.ask(method, path, body).await?;
        if status.is_success() {
            return Ok(());
        }
        let error: Value = serde_json::from_str(&said).unwrap_or_default();
        let said = error["error"].as_str().map_or(said.trim(), str::trim).to_owned();
        Err(ProxyError::Refused { proxy: "caddy", site: name.clone(), said })
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(StatusCode, String), ProxyError> {
        let mut request = self.client.request(method, format!("{}{path}", self.settings.admin));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|source| files(&self.settings, source))?;
        let status = answer.status();
        let said = answer.text().await.map_err(|source| files(&self.settings, source))?;
        Ok((status, said))
    }
}

fn files(settings: &Settings, source: reqwest::Error) -> ProxyError {
    ProxyError::Files { doing: format!("reach caddy at `{}`", settings.admin), source: io::Error::other(source) }
}

impl Driver for Caddy {
    fn doors(&self) -> Doors {
        let here = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Doors { http: here(self.settings.http), https: here(self.settings.https) }
    }

    fn not_yet(&self, route: &Route) -> Option<&'static str> {
        let tls = &route.tls;
        match tls.mode {
            _ if route.basic_auth.is_some() => Some("basic_auth"),
            _ if tls.policy == TlsPolicy::Modern => Some("policy: modern"),
            TlsMode::Files { .. } => Some("mode: files"),
            TlsMode::Off => Some("mode: off"),
            TlsMode::Upstream => Some("mode: upstream"),
            TlsMode::Acme | TlsMode::Internal => (!tls.redirect).then_some("redirect: false"),
        }
    }

    fn has_certificates_of_its_own(&self) -> bool {
        true
    }

    fn installed<'a>(&'a self, name: &'a SiteName) -> BoxFuture<'a, Result<Option<Installed>, ProxyError>> {
        async move {
            let there = self.routes().await?.unwrap_or_default();
            let ours = route::ids(name, &there);
            if ours.is_empty() {
                return Ok(None);
            }
            let mut installed = Installed { site: Site::default(), altered: false, served: true };
            for route in ours.values() {
                match route::read(route) {
                    Some((service, served)) => {
                        installed.altered |= route::of(name, &service, &served) != **route;
                        installed.site.routes.insert(service, served);
                    }
                    None => installed.altered = true,
                }
            }
            Ok(Some(installed))
        }
        .boxed()
    }

    fn install<'a>(&'a self, name: &'a SiteName, site: &'a Site) -> BoxFuture<'a, Result<(), ProxyError>> {
        self.install_site(name, site).boxed()
    }
}

/// One route with what it is made of, as Caddy has it.
type Read = (crate::value::ServiceName, Served);
