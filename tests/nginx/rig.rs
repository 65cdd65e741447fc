//! An nginx of the test's own, in a folder of its own, on ports of its own; ended by its process id.

pub use crate::route::plain as route;
use crate::{port::free_port, process::Process, route};
use reconcile::{
    desired::Route,
    proxy::{
        Driver, Site, SiteName,
        nginx::{Nginx, Settings},
    },
};
use std::{net::SocketAddr, path::PathBuf};

/// A real nginx and the driver of it.
pub struct Rig {
    pub nginx: Process,
    pub http: u16,
    pub https: u16,
    pub driver: Nginx,
}

pub async fn rig() -> Rig {
    rig_with(|_| {}).await
}

/// A rig whose settings are changed before the driver is opened.
pub async fn rig_with(change: impl FnOnce(&mut Settings)) -> Rig {
    let nginx = Process::start();
    let (http, https) = (free_port(), free_port());
    let command = vec![nginx.program().display().to_string()];
    let mut settings = Settings { directory: nginx.directory(), command, http, https, trusted_proxies: Vec::new() };
    change(&mut settings);
    let driver = Nginx::open(settings).await.unwrap();
    Rig { nginx, http, https, driver }
}

impl Rig {
    pub fn directory(&self) -> PathBuf {
        self.nginx.directory()
    }

    pub fn file(&self) -> PathBuf {
        self.directory().join("reconcile-test.app.conf")
    }

    /// Lets a route lead to an address.
    pub async fn lead(&self, route: &Route, to: SocketAddr) {
        self.driver.install(&name(), &site(route, to)).await.unwrap();
    }
}

pub fn name() -> SiteName {
    SiteName { environment: "test".parse().unwrap(), app: "app".parse().unwrap() }
}

pub fn site(route: &Route, to: SocketAddr) -> Site {
    let mut site = route::site(route, to);
    site.routes.values_mut().for_each(|served| served.thumbprint = Some("THUMB".to_owned()));
    site
}
