//! An nginx of the test's own, in a folder of its own, on ports of its own; ended by its process id.

use crate::process::{Process, free_port};
use reconcile::{
    desired::{
        Route,
        route::{Backend, Tls, TlsMode, TlsPolicy},
    },
    proxy::{
        Driver, Served, Site, SiteName,
        nginx::{Nginx, Settings},
    },
};
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

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
    let served = Served {
        route: route.clone(),
        container: "c1".to_owned(),
        address: to,
        certificate: None,
        thumbprint: Some("THUMB".to_owned()),
        users: None,
    };
    Site { routes: BTreeMap::from([("web".parse().unwrap(), served)]) }
}

/// The plainest route.
pub fn route() -> Route {
    Route {
        hosts: vec!["app.example.com".to_owned()],
        path: "/".to_owned(),
        strip_path: false,
        port: 80,
        backend: Backend::Http,
        redirect_from: Vec::new(),
        max_body: 10 << 20,
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(60),
        headers: BTreeMap::new(),
        rate_limit: None,
        allow_from: std::collections::BTreeSet::new(),
        basic_auth: None,
        drain: Duration::ZERO,
        tls: Tls { mode: TlsMode::Off, redirect: false, hsts: None, policy: TlsPolicy::Intermediate },
    }
}
