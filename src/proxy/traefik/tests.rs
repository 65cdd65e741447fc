//! The labels of routes, as Traefik documents them.

use super::*;
use crate::desired::route::{RateLimit, Tls, TlsPolicy};
use std::{collections::BTreeSet, time::Duration};

fn route(mode: TlsMode) -> Route {
    let redirect = mode.is_secured();
    Route {
        hosts: vec!["app.example.com".to_owned()],
        path: "/".to_owned(),
        strip_path: false,
        port: Some(8080),
        backend: Backend::Http,
        redirect_from: Vec::new(),
        max_body: USUAL_BODY,
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(60),
        headers: BTreeMap::new(),
        rate_limit: None,
        allow_from: BTreeSet::new(),
        basic_auth: None,
        drain: Duration::from_secs(10),
        tls: Tls { mode, redirect, hsts: None, policy: TlsPolicy::Intermediate },
    }
}

/// The labels, a line for each, without what begins all of them and with the name of the route left out.
fn told(route: &Route) -> Vec<String> {
    let site = SiteName { environment: "production".parse().unwrap(), app: "shop".parse().unwrap() };
    let service = "web".parse().unwrap();
    let settings = Settings {
        network: "proxy".to_owned(),
        certresolver: Some("letsencrypt".to_owned()),
        http: "web".to_owned(),
        https: "websecure".to_owned(),
    };
    let own = name(&site, &service);
    let labels = labels(&site, &service, route, &settings);
    let line = |(key, value): (&String, &String)| format!("{key}={value}").replace(&own, "R");
    labels.iter().map(line).map(|line| line.strip_prefix("traefik.").unwrap().to_owned()).collect()
}

#[test]
fn a_plain_route_is_a_router_and_a_service() {
    let expected = [
        "docker.network=proxy",
        "enable=true",
        "http.routers.R.entrypoints=web",
        "http.routers.R.rule=Host(`app.example.com`)",
        "http.routers.R.service=R",
        "http.services.R.loadbalancer.server.port=8080",
    ];
    assert_eq!(told(&route(TlsMode::Off)), expected);
    let mut said_by_the_image = route(TlsMode::Off);
    said_by_the_image.port = None;
    assert_eq!(told(&said_by_the_image), expected[..5]);
}

#[test]
fn a_secured_route_has_a_resolver_and_one_that_redirects_to_it() {
    let mut secured = route(TlsMode::Acme);
    secured.tls.hsts = Some(Hsts { max_age: 31_536_000, subdomains: true, preload: false });
    let expected = [
        "docker.network=proxy",
        "enable=true",
        "http.middlewares.R-headers.headers.stsincludesubdomains=true",
        "http.middlewares.R-headers.headers.stsseconds=31536000",
        "http.middlewares.R-secured.redirectscheme.permanent=true",
        "http.middlewares.R-secured.redirectscheme.scheme=https",
        "http.routers.R-plain.entrypoints=web",
        "http.routers.R-plain.middlewares=R-secured",
        "http.routers.R-plain.rule=Host(`app.example.com`)",
        "http.routers.R-plain.service=R",
        "http.routers.R.entrypoints=websecure",
        "http.routers.R.middlewares=R-headers",
        "http.routers.R.rule=Host(`app.example.com`)",
        "http.routers.R.service=R",
        "http.routers.R.tls=true",
        "http.routers.R.tls.certresolver=letsencrypt",
        "http.services.R.loadbalancer.server.port=8080",
    ];
    assert_eq!(told(&secured), expected);
    secured.tls.redirect = false;
    assert!(told(&secured).contains(&"http.routers.R-plain.middlewares=R-headers".to_owned()));
}

#[test]
fn everything_else_that_a_route_asks_for_is_a_middleware() {
    let mut asking = route(TlsMode::Upstream);
    asking.hosts = vec!["a.example.com".to_owned(), "*.b.example.com".to_owned()];
    asking.path = "/api".to_owned();
    asking.strip_path = true;
    asking.backend = Backend::H2c;
    asking.redirect_from = vec!["old.example.com".to_owned()];
    asking.max_body = 1000;
    asking.headers = [("X-Frame-Options".to_owned(), "DENY".to_owned())].into();
    asking.rate_limit = Some(RateLimit { requests: 600, per: Period::Minute, burst: 0, exempt: BTreeSet::new() });
    asking.allow_from = ["10.0.0.0/8".to_owned(), "127.0.0.0/8".to_owned()].into();
    asking.tls.hsts = Some(Hsts { max_age: 63_072_000, subdomains: true, preload: true });
    let expected = [
        "docker.network=proxy",
        "enable=true",
        "http.middlewares.R-allowed.ipallowlist.sourcerange=10.0.0.0/8,127.0.0.0/8",
        "http.middlewares.R-counted.ratelimit.average=600",
        "http.middlewares.R-counted.ratelimit.burst=1",
        "http.middlewares.R-counted.ratelimit.period=1m",
        "http.middlewares.R-elsewhere.redirectregex.permanent=true",
        "http.middlewares.R-elsewhere.redirectregex.regex=^https?://[^/]+/(.*)$",
        "http.middlewares.R-elsewhere.redirectregex.replacement=https://a.example.com/${1}",
        "http.middlewares.R-headers.headers.customresponseheaders.X-Frame-Options=DENY",
        "http.middlewares.R-headers.headers.forcestsheader=true",
        "http.middlewares.R-headers.headers.stsincludesubdomains=true",
        "http.middlewares.R-headers.headers.stspreload=true",
        "http.middlewares.R-headers.headers.stsseconds=63072000",
        "http.middlewares.R-sized.buffering.maxrequestbodybytes=1000",
        "http.middlewares.R-stripped.stripprefix.prefixes=/api",
        "http.routers.R-from.entrypoints=web",
        "http.routers.R-from.middlewares=R-elsewhere",
        "http.routers.R-from.rule=Host(`old.example.com`)",
        "http.routers.R-from.service=R",
        "http.routers.R.entrypoints=web",
        "http.routers.R.middlewares=R-allowed,R-counted,R-sized,R-stripped,R-headers",
        "http.routers.R.rule=(Host(`a.example.com`) || HostRegexp(`^[^.]+\\.b\\.example\\.com$`)) && \
         (Path(`/api`) || PathPrefix(`/api/`))",
        "http.routers.R.service=R",
        "http.services.R.loadbalancer.server.port=8080",
        "http.services.R.loadbalancer.server.scheme=h2c",
    ];
    assert_eq!(told(&asking), expected);
}

#[test]
fn two_services_never_have_one_name() {
    let site = |environment: &str, app: &str| SiteName {
        environment: environment.parse().unwrap(),
        app: app.parse().unwrap(),
    };
    let web = "web".parse().unwrap();
    assert_ne!(name(&site("a-b", "c"), &web), name(&site("a", "b-c"), &web));
}
