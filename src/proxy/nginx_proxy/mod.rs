//! nginx-proxy: containers say their routes, which its template makes a configuration of; files of ours beside it say what
//! no variable can.
//!
//! It leads to whatever runs on its network, ready or not (research, proxy §1). So a container joins that network when it
//! is routed to; none is taken off to drain it, since what is under way would hang; it is stopped.

mod disk;
mod files;
mod rendered;
pub mod words;

use super::{
    Claim, Containers, Doors, Driver, Installed, ProxyError, Site, SiteName, Standpoint, ask, claim,
    containers::Neighbour, whole_file,
};
use crate::desired::{Route, route::TlsMode};
use disk::Folder;
use files::Files;
use futures_util::{FutureExt, future::BoxFuture};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, sleep};

const NAME: &str = "nginx-proxy";

/// How long the configuration may take to be rendered and served: by default it is rendered at most two seconds late.
const SERVED_WITHIN: Duration = Duration::from_secs(20);

/// Between two looks at what is rendered, each of which runs a program.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Between two questions whether it is served.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// How many answers in a row have to come from what was written: for a moment workers of before answer beside the new ones.
const IN_A_ROW: u32 = 10;

/// How often a look asks until one does, for the same reason.
const LOOKS: u32 = 5;

/// What the host file says of nginx-proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The network on which it reaches containers.
    pub network: String,
    /// Its container.
    pub container: String,
    /// Its `/etc/nginx/vhost.d` as this host sees it, and so on.
    pub vhost_dir: PathBuf,
    pub htpasswd_dir: PathBuf,
    pub certs_dir: PathBuf,
    /// Its `/etc/nginx/conf.d`, where that is a folder of this host.
    pub conf_dir: Option<PathBuf>,
    /// The ports of this host on which it answers.
    pub http: u16,
    pub https: u16,
}

/// An nginx-proxy in a container of this host.
#[derive(Debug)]
pub struct NginxProxy {
    settings: Settings,
    containers: Arc<dyn Containers>,
}

impl NginxProxy {
    #[must_use]
    pub fn new(settings: Settings, containers: Arc<dyn Containers>) -> Self {
        Self { settings, containers }
    }

    /// The proxy's container, where it runs and is on its network.
    async fn look(&self) -> Result<Neighbour, ProxyError> {
        let Settings { container, network, .. } = &self.settings;
        let unfit = |what, hint: &str| Err(ProxyError::Unfit { what, hint: hint.to_owned() });
        match self.containers.look(container).await? {
            Some(seen) if !seen.runs => unfit(format!("container `{container}` of the proxy is stopped"), "start it"),
            Some(seen) if !seen.networks.contains_key(network) => unfit(
                format!("container `{container}` of the proxy is not on network `{network}`"),
                "connect it, or say in the host file which network it is (`proxy: {network: …}`)",
            ),
            Some(seen) => Ok(seen),
            None => unfit(
                format!("there is no container `{container}` of the proxy"),
                "start it, or say in the host file what it is called (`proxy: {container: …}`)",
            ),
        }
    }

    async fn install_site(&self, name: &SiteName, site: &Site) -> Result<(), ProxyError> {
        self.look().await?;
        let before = disk::there(&self.settings, name)?;
        let mut site = site.clone();
        if self.is_whole(name, &site, &before).await? {
            return Ok(());
        }
        let pending = files::files(name, &site);
        let wanted = self.begun(name, &site, &pending, &before)?;
        if let Some(error) = disk::foreign(&wanted, name)? {
            return Err(error);
        }
        let written = disk::put(&before, &wanted)?;
        if written.changed
            && let Err(said) = self.test().await?
        {
            return Err(self.back(name, &wanted, &before, said).await?);
        }
        let led = self.lead(name, &mut site, written.came_or_went).await;
        let files = files::files(name, &site);
        let taken_up = match led {
            Ok(()) => self.take_up(name, &site, &files, &wanted).await,
            Err(error) => Err(error),
        };
        match taken_up {
            Ok(()) => self.note(name, &site),
            Err(error) => {
                disk::put(&disk::there(&self.settings, name)?, &before)?;
                drop(self.hear().await);
                Err(error)
            }
        }
    }

    /// True where all of it is there and served already.
    async fn is_whole(&self, name: &SiteName, site: &Site, there: &Folder) -> Result<bool, ProxyError> {
        let files = files::files(name, site);
        let wanted = disk::wanted(&self.settings, name, site, &files, files.final_locations())?;
        Ok(self.model(name)?.is_some_and(|model| model == *site)
            && wanted == *there
            && self.is_served(site, &files).await)
    }

    /// The files before anybody is led by them: what guards a way is there before the way is. Where a location says what
    /// it said before, it is left as it is.
    fn begun(&self, name: &SiteName, site: &Site, files: &Files, before: &Folder) -> Result<Folder, ProxyError> {
        let locations = files.locations.iter().map(|(file, text)| {
            let there = before.get(&self.settings.vhost_dir.join(file));
            let there = there.map(|there| String::from_utf8_lossy(&there.bytes).into_owned());
            let same = there.filter(|there| {
                let generation = files::generation(there).unwrap_or_default();
                Files::location(text, generation) == *there
            });
            (file.clone(), same.unwrap_or_else(|| Files::location(text, files::PENDING)))
        });
        disk::wanted(&self.settings, name, site, files, locations.collect())
    }

    /// Puts the containers of the routes on the network, and waits until the proxy leads to them by these files.
    async fn lead(&self, name: &SiteName, site: &mut Site, came_or_went: bool) -> Result<(), ProxyError> {
        for served in site.routes.values_mut() {
            let network = &self.settings.network;
            let on = |seen: Option<Neighbour>| seen.and_then(|seen| seen.networks.get(network).copied().flatten());
            let mut address = on(self.containers.look(&served.container).await?);
            if address.is_none() {
                self.containers.connect(&served.container, network).await?;
                address = on(self.containers.look(&served.container).await?);
            }
            let Some(address) = address else {
                let short = served.container.get(..12).unwrap_or(&served.container);
                let what = format!("container `{short}` has no address on network `{network}`");
                return Err(ProxyError::Unfit {
                    what,
                    hint: "see whether it still runs: it is tried again".to_owned(),
                });
            };
            served.address = SocketAddr::new(address, served.address.port());
        }
        if site.routes.is_empty() && !came_or_went {
            return Ok(());
        }
        // One that is older than 1.10 does not see who joins.
        self.hear().await?;
        let deadline = Instant::now() + SERVED_WITHIN;
        loop {
            let why = match self.rendered().await? {
                Ok(text) => match rendered::lacks(&text, site, |route| self.only_redirects(route)) {
                    None => return Ok(()),
                    Some(lacking) => lacking,
                },
                Err(said) => said,
            };
            if Instant::now() >= deadline {
                return Err(self.deaf(name, why));
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Lets each location answer with the digest of all of it, and waits for that.
    async fn take_up(&self, name: &SiteName, site: &Site, files: &Files, begun: &Folder) -> Result<(), ProxyError> {
        let whole = disk::wanted(&self.settings, name, site, files, files.final_locations())?;
        disk::put(begun, &whole)?;
        if let Err(said) = self.test().await? {
            return Err(self.back(name, &whole, begun, said).await?);
        }
        let reloaded = self.run(&["-s", "reload"]).await?;
        if let Err(said) = reloaded {
            return Err(self.deaf(name, said));
        }
        let deadline = Instant::now() + SERVED_WITHIN;
        let mut in_a_row = 0;
        while in_a_row < IN_A_ROW {
            match self.unserved(site, files).await {
                None => in_a_row += 1,
                Some(why) if Instant::now() >= deadline => return Err(self.deaf(name, why)),
                Some(_) => in_a_row = 0,
            }
            sleep(ASK_AGAIN).await;
        }
        Ok(())
    }

    /// Puts the files of before back, and tells whose fault it was.
    async fn back(
        &self,
        name: &SiteName,
        written: &Folder,
        before: &Folder,
        said: String,
    ) -> Result<ProxyError, ProxyError> {
        disk::put(written, before)?;
        Ok(match self.test().await? {
            Ok(()) => ProxyError::Refused { proxy: NAME, site: name.clone(), said },
            Err(said) => ProxyError::Broken { proxy: "nginx", said },
        })
    }

    fn deaf(&self, name: &SiteName, why: String) -> ProxyError {
        ProxyError::Deaf { proxy: NAME, site: name.clone(), seconds: SERVED_WITHIN.as_secs(), why }
    }

    /// Lets it look again at who runs and which files there are.
    async fn hear(&self) -> Result<(), ProxyError> {
        self.containers.signal(&self.settings.container, "SIGHUP").await
    }

    async fn test(&self) -> Result<Result<(), String>, ProxyError> {
        Ok(self.run(&["-t", "-q"]).await?.map(drop))
    }

    /// The whole configuration as it is on disk.
    async fn rendered(&self) -> Result<Result<String, String>, ProxyError> {
        self.run(&["-T"]).await
    }

    /// What nginx says when it ends well, or what it complains of.
    async fn run(&self, arguments: &[&str]) -> Result<Result<String, String>, ProxyError> {
        let command = [&["nginx"], arguments].concat();
        let ran = self.containers.run(&self.settings.container, &command).await?;
        Ok(if ran.ended_well { Ok(ran.said) } else { Err(super::nginx::complaint(&ran.said)) })
    }

    /// Whether every location that can be asked answers with the digest of these files.
    async fn is_served(&self, site: &Site, files: &Files) -> bool {
        for _ in 0..LOOKS {
            if self.unserved(site, files).await.is_none() {
                return true;
            }
            sleep(ASK_AGAIN).await;
        }
        false
    }

    /// Why not all of it is served.
    async fn unserved(&self, site: &Site, files: &Files) -> Option<String> {
        for served in site.routes.values() {
            let route = &served.route;
            if self.only_redirects(route) {
                continue;
            }
            let secured = self.is_secured(route);
            for host in &route.hosts {
                let (host, path) = (host.replace('*', "reconcile"), files::generation_path(route));
                let door = if secured { self.doors().https } else { self.doors().http };
                let answer = ask::ask(ask::Question { door, secured, host: &host, path: &path }).await;
                match answer {
                    Ok(answer) if answer.status == 200 && answer.body == files.generation => {}
                    Ok(_) => return Some(format!("`{host}` answers with an earlier configuration")),
                    Err(error) => return Some(format!("`{host}` does not answer at `{door}`: {error}")),
                }
            }
        }
        None
    }

    /// Where there is no certificate yet, all that answers is a redirect: nothing of a location is rendered.
    fn only_redirects(&self, route: &Route) -> bool {
        route.tls.mode.is_secured() && route.tls.redirect && !self.is_secured(route)
    }

    fn model(&self, name: &SiteName) -> Result<Option<Site>, ProxyError> {
        let bytes = whole_file::read(&disk::model_file(&self.settings, name))?;
        // What cannot be read any more is ours all the same: it is written anew.
        Ok(bytes.map(|bytes| serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    fn note(&self, name: &SiteName, site: &Site) -> Result<(), ProxyError> {
        let file = disk::model_file(&self.settings, name);
        if site.routes.is_empty() {
            return whole_file::remove(&file);
        }
        let bytes = serde_json::to_vec(site).unwrap_or_default();
        whole_file::write(&file, &bytes, 0o600)
    }
}

impl Driver for NginxProxy {
    fn doors(&self) -> Doors {
        let here = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Doors { http: here(self.settings.http), https: here(self.settings.https) }
    }

    fn standpoint(&self) -> BoxFuture<'_, Result<Standpoint, ProxyError>> {
        async { Ok(Standpoint::Joined(self.settings.network.clone())) }.boxed()
    }

    fn watches(&self) -> Option<&str> {
        Some(&self.settings.network)
    }

    fn claims(&self, env: &BTreeMap<String, String>, _labels: &BTreeMap<String, String>) -> BTreeSet<Claim> {
        claim::of_variables(env)
    }

    fn hears(&self, env: &BTreeMap<String, String>, _labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let words = env.iter().filter(|(name, _)| words::READ.contains(&name.as_str()));
        words.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// A certificate of acme-companion comes some time after its route.
    fn is_secured(&self, route: &Route) -> bool {
        match route.tls.mode {
            TlsMode::Acme => route.hosts.iter().all(|host| {
                let parent = host.split_once('.').map_or(host.as_str(), |(_, parent)| parent);
                let has = |name: &str| self.settings.certs_dir.join(format!("{name}.crt")).exists();
                has(host) || has(parent)
            }),
            TlsMode::Internal | TlsMode::Files { .. } => true,
            TlsMode::Upstream | TlsMode::Off => false,
        }
    }

    fn has_certificates_of_its_own(&self) -> bool {
        true
    }

    /// Those of an authority acme-companion sees to.
    fn shows(&self, mode: &TlsMode) -> bool {
        match mode {
            TlsMode::Internal | TlsMode::Files { .. } => true,
            TlsMode::Acme | TlsMode::Upstream | TlsMode::Off => false,
        }
    }

    fn installed<'a>(&'a self, name: &'a SiteName) -> BoxFuture<'a, Result<Option<Installed>, ProxyError>> {
        async move {
            self.look().await?;
            let Some(site) = self.model(name)? else { return Ok(None) };
            let files = files::files(name, &site);
            let wanted = disk::wanted(&self.settings, name, &site, &files, files.final_locations())?;
            let altered = disk::there(&self.settings, name)? != wanted;
            let served = self.is_served(&site, &files).await;
            Ok(Some(Installed { site, altered, served }))
        }
        .boxed()
    }

    fn install<'a>(&'a self, name: &'a SiteName, site: &'a Site) -> BoxFuture<'a, Result<(), ProxyError>> {
        self.install_site(name, site).boxed()
    }
}
