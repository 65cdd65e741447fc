//! Caddy: routes of ours in servers of its own configuration, told over its admin interface, each by its `@id`.
//!
//! Nothing without our prefix is changed, and the whole configuration is never loaded: the smallest part that differs is
//! written at once, under the condition that nobody else changed anything meanwhile. A change is served when it is
//! answered: Caddy provisions what is new before it lets go of what was (research, proxy §2).

mod account;
mod admin;
mod config;
mod handover;
mod place;
mod route;
mod secured;

use super::{Doors, Driver, Installed, ProxyError, Served, Site, SiteName};
use crate::value::ServiceName;
use account::Account;
use admin::{Admin, Told};
use config::{Obstacle, Users};
use futures_util::{FutureExt, future::BoxFuture};
use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
};

/// How often a change is tried while others change something too.
const TRIES: u32 = 10;

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
    admin: Admin,
}

/// One route with what it is made of, as Caddy has it.
type Read = (ServiceName, Served);

impl Caddy {
    /// A driver of the Caddy behind an admin interface; nothing is asked of it yet.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn open(settings: Settings) -> Result<Self, ProxyError> {
        Ok(Self { admin: Admin::open(&settings)?, settings })
    }

    async fn install_site(&self, name: &SiteName, site: &Site) -> Result<(), ProxyError> {
        let users = users(site)?;
        for _ in 0..TRIES {
            let seen = self.admin.look().await?;
            let wanted = config::settled(&seen.apps, &self.settings, name, site, &users);
            let wanted = wanted.map_err(|obstacle| self.obstructed(name, obstacle))?;
            if wanted == seen.apps {
                return Ok(());
            }
            let (path, value) = place::narrowest(&seen.apps, &wanted);
            match self.admin.change(&seen, &path, value).await? {
                Told::Done => return Ok(()),
                Told::Refused(said) => return Err(refused(name, site, said)),
                Told::Changed => {}
            }
        }
        let said = format!("somebody else changes its configuration: {TRIES} times it was another one meanwhile");
        Err(ProxyError::Broken { proxy: "caddy", said })
    }

    async fn look(&self, name: &SiteName) -> Result<Option<Installed>, ProxyError> {
        let apps = self.admin.look().await?.apps;
        let Some((site, mute)) = config::read(&apps, name) else { return Ok(None) };
        // Whose users are not here any more is to be told anew.
        let as_told = users(&site).is_ok_and(|users| {
            config::settled(&apps, &self.settings, name, &site, &users).is_ok_and(|settled| settled == apps)
        });
        Ok(Some(Installed { site, altered: mute || !as_told, served: true }))
    }

    fn obstructed(&self, name: &SiteName, obstacle: Obstacle) -> ProxyError {
        match obstacle {
            Obstacle::NoServer => {
                let said = format!("it has no server `{}` (`proxy.server` of the host file)", self.settings.server);
                ProxyError::Broken { proxy: "caddy", said }
            }
            Obstacle::Taken(host) => ProxyError::Taken { proxy: "caddy", site: name.clone(), host },
        }
    }
}

/// Whose fault it is that Caddy does not take the routes: files that it cannot read are not theirs.
fn refused(name: &SiteName, site: &Site, said: String) -> ProxyError {
    let certificates = site.routes.values().filter_map(|served| served.certificate.as_ref());
    let mut files = certificates.flat_map(|files| [&files.key, &files.chain]);
    match files.find(|file| said.contains(&file.display().to_string())) {
        Some(file) => ProxyError::Unfit {
            what: format!("caddy does not take `{}`: {said}", file.display()),
            hint: "see that the user caddy runs as can read it, and each folder above: it is tried again".to_owned(),
        },
        None => ProxyError::Refused { proxy: "caddy", site: name.clone(), said },
    }
}

/// The users of each route that asks for some.
fn users(site: &Site) -> Result<Users, ProxyError> {
    let asking = site.routes.iter().filter_map(|(service, served)| Some((service, served.users.as_ref()?)));
    asking.map(|(service, file)| Ok((service.clone(), accounts(file)?))).collect()
}

fn accounts(file: &Path) -> Result<Vec<Account>, ProxyError> {
    let failed = |source| ProxyError::Files { doing: format!("read the users of `{}`", file.display()), source };
    let text = match fs::read_to_string(file) {
        // Nobody is let in until it is there again.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(failed)?,
    };
    account::accounts(&text).map_err(|why| failed(io::Error::new(io::ErrorKind::InvalidData, why)))
}

impl Driver for Caddy {
    fn doors(&self) -> Doors {
        let here = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Doors { http: here(self.settings.http), https: here(self.settings.https) }
    }

    fn unfit(&self, users: &str) -> Option<String> {
        account::accounts(users).err()
    }

    fn has_certificates_of_its_own(&self) -> bool {
        true
    }

    fn lapse(&self) -> Option<String> {
        handover::lapse()
    }

    fn installed<'a>(&'a self, name: &'a SiteName) -> BoxFuture<'a, Result<Option<Installed>, ProxyError>> {
        self.look(name).boxed()
    }

    fn install<'a>(&'a self, name: &'a SiteName, site: &'a Site) -> BoxFuture<'a, Result<(), ProxyError>> {
        self.install_site(name, site).boxed()
    }
}
