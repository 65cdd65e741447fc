//! A real Caddy and the driver of it.

use crate::{client::curl, process::Process, route::site};
use reconcile::{
    desired::{
        Route,
        route::{Hsts, TlsMode},
    },
    proxy::{
        Driver, Site, SiteName, ask,
        caddy::{Caddy, Settings},
    },
};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

pub struct Rig {
    pub caddy: Process,
    pub driver: Caddy,
}

pub fn rig() -> Rig {
    let caddy = Process::start(crate::port::free_port);
    let driver = Caddy::open(settings(&caddy)).unwrap();
    Rig { caddy, driver }
}

pub fn settings(caddy: &Process) -> Settings {
    Settings { admin: caddy.admin.clone(), server: "srv0".to_owned(), http: caddy.http, https: caddy.https }
}

pub fn name() -> SiteName {
    SiteName { environment: "test".parse().unwrap(), app: "app".parse().unwrap() }
}

/// With a certificate of Caddy's own.
pub fn secured() -> Route {
    let mut route = crate::route::plain();
    route.headers = [("X-Frame-Options".to_owned(), "DENY".to_owned())].into();
    route.tls.mode = TlsMode::Internal;
    route.tls.redirect = true;
    route.tls.hsts = Some(Hsts { max_age: 31_536_000, subdomains: false, preload: false });
    route
}

impl Rig {
    /// Leads a route to an address, and waits until its hosts have certificates: Caddy issues them meanwhile.
    pub async fn lead(&self, route: &Route, to: SocketAddr) {
        self.install(&site(route, to)).await;
        if route.tls.mode.is_secured() {
            for host in route.names() {
                self.shows(host).await;
            }
        }
    }

    pub async fn install(&self, site: &Site) {
        self.driver.install(&name(), site).await.unwrap();
    }

    /// Waits until a certificate is shown for a host.
    pub async fn shows(&self, host: &str) {
        let door = SocketAddr::from(([127, 0, 0, 1], self.caddy.https));
        let deadline = Instant::now() + Duration::from_secs(60);
        let host = host.replace('*', "any");
        let question = ask::Question { door, secured: true, host: &host, path: "/" };
        while let Err(error) = ask::ask(question).await {
            assert!(Instant::now() < deadline, "{host}: {error}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// True where what is there is as it was told.
    pub async fn is_as_told(&self) -> bool {
        let there = self.driver.installed(&name()).await.unwrap();
        there.is_some_and(|there| !there.altered && there.served)
    }

    pub fn get(&self, host: &str, path: &str) -> String {
        curl("https", host, self.caddy.https, path, &["--http1.1"])
    }

    pub fn plain(&self, host: &str, path: &str) -> String {
        curl("http", host, self.caddy.http, path, &[])
    }
}
