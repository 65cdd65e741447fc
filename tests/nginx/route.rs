//! The plainest route and where it leads, for whoever changes a field or two of it.

use reconcile::{
    desired::{
        Route,
        route::{Backend, Tls, TlsMode, TlsPolicy},
    },
    proxy::{Served, Site},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

/// Plain HTTP for `app.example.com`.
pub fn plain() -> Route {
    Route {
        hosts: vec!["app.example.com".to_owned()],
        path: "/".to_owned(),
        strip_path: false,
        port: Some(80),
        backend: Backend::Http,
        redirect_from: Vec::new(),
        max_body: 10 << 20,
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(60),
        headers: BTreeMap::new(),
        rate_limit: None,
        allow_from: BTreeSet::new(),
        basic_auth: None,
        drain: Duration::ZERO,
        tls: Tls { mode: TlsMode::Off, redirect: false, hsts: None, policy: TlsPolicy::Intermediate },
    }
}

/// A site with one service, `web`, whose route leads to an address.
#[allow(dead_code, reason = "plans have no proxy")]
pub fn site(route: &Route, to: SocketAddr) -> Site {
    let served = Served {
        route: route.clone(),
        container: "c1".to_owned(),
        address: to,
        certificate: None,
        thumbprint: None,
        users: None,
    };
    Site { routes: BTreeMap::from([("web".parse().unwrap(), served)]) }
}
