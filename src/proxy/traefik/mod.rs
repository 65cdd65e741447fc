//! Traefik: it watches the engine, and is told of a route by labels of the container.
//!
//! Written after its documentation (Traefik 3), and seen to be written so; no Traefik was run with it. It leads to a
//! container as soon as it starts, unless the engine itself says that it is not healthy.

mod driver;

pub use driver::Traefik;

use super::SiteName;
use crate::{
    desired::{
        Route,
        route::{Backend, Hsts, Period, TlsMode},
    },
    host,
    value::ServiceName,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What the host file says of Traefik.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The network on which it reaches containers.
    pub network: String,
    /// What gets it certificates.
    pub certresolver: Option<String>,
    /// Its names for the ports on which it answers.
    pub http: String,
    pub https: String,
}

impl From<&host::proxy::Traefik> for Settings {
    fn from(settings: &host::proxy::Traefik) -> Self {
        let host::proxy::Traefik { network, certresolver, entrypoints } = settings;
        Self {
            network: network.to_string(),
            certresolver: certresolver.as_ref().map(ToString::to_string),
            http: entrypoints.http.to_string(),
            https: entrypoints.https.to_string(),
        }
    }
}

/// The most bytes of a body where a manifest does not say. It is not told: what counts a body keeps all of it in memory,
/// answers too, which streams would not survive.
const USUAL_BODY: u64 = 10 << 20;

/// The labels of a route.
#[must_use]
pub fn labels(site: &SiteName, service: &ServiceName, route: &Route, settings: &Settings) -> BTreeMap<String, String> {
    let name = name(site, service);
    let mut labels = Labels { name: &name, all: BTreeMap::new() };
    labels.all.insert("traefik.enable".to_owned(), "true".to_owned());
    labels.all.insert("traefik.docker.network".to_owned(), settings.network.clone());
    labels.service(route);
    let mut chain = labels.guards(route);
    chain.extend(labels.headers(route));
    let secured = route.tls.mode.is_secured();
    let rule = rule(&route.hosts, &route.path);
    let entrypoint = if secured { &settings.https } else { &settings.http };
    labels.router("", &rule, entrypoint, &chain, secured.then_some(settings));
    if secured && route.tls.redirect {
        let scheme =
            labels.middleware("secured", &[("redirectscheme.scheme", "https"), ("redirectscheme.permanent", "true")]);
        labels.router("-plain", &rule, &settings.http, &[scheme], None);
    } else if secured {
        labels.router("-plain", &rule, &settings.http, &chain, None);
    }
    if let (Some(first), false) = (route.hosts.first(), route.redirect_from.is_empty()) {
        let scheme = if secured || route.tls.mode == TlsMode::Upstream { "https" } else { "http" };
        let to = format!("{scheme}://{first}/${{1}}");
        let words = [
            ("redirectregex.regex", "^https?://[^/]+/(.*)$"),
            ("redirectregex.replacement", &to),
            ("redirectregex.permanent", "true"),
        ];
        let elsewhere = [labels.middleware("elsewhere", &words)];
        let rule = hosts(&route.redirect_from);
        labels.router("-from", &rule, entrypoint, &elsewhere, secured.then_some(settings));
        if secured {
            labels.router("-from-plain", &rule, &settings.http, &elsewhere, None);
        }
    }
    labels.all
}

/// What Traefik calls all that is of a route. Names of manifests joined by hyphens could be those of another.
fn name(site: &SiteName, service: &ServiceName) -> String {
    let digest = Sha256::digest(format!("{site}/{service}"));
    let digits: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{service}-{digits}")
}

struct Labels<'a> {
    name: &'a str,
    all: BTreeMap<String, String>,
}

impl Labels<'_> {
    fn service(&mut self, route: &Route) {
        let server = format!("traefik.http.services.{}.loadbalancer.server", self.name);
        // Without it, Traefik takes the only port that the image exposes.
        if let Some(port) = route.port {
            self.all.insert(format!("{server}.port"), port.to_string());
        }
        match route.backend {
            Backend::Http => {}
            Backend::Https => drop(self.all.insert(format!("{server}.scheme"), "https".to_owned())),
            Backend::H2c => drop(self.all.insert(format!("{server}.scheme"), "h2c".to_owned())),
        }
    }

    fn router(&mut self, suffix: &str, rule: &str, entrypoint: &str, chain: &[String], tls: Option<&Settings>) {
        let router = format!("traefik.http.routers.{}{suffix}", self.name);
        let mut say = |key: &str, value: String| drop(self.all.insert(format!("{router}.{key}"), value));
        say("rule", rule.to_owned());
        say("entrypoints", entrypoint.to_owned());
        say("service", self.name.to_owned());
        if !chain.is_empty() {
            say("middlewares", chain.join(","));
        }
        if let Some(settings) = tls {
            say("tls", "true".to_owned());
            if let Some(resolver) = &settings.certresolver {
                say("tls.certresolver", resolver.clone());
            }
        }
    }

    /// Says a middleware, and tells its name.
    fn middleware(&mut self, what: &str, words: &[(&str, &str)]) -> String {
        let name = format!("{}-{what}", self.name);
        for (key, value) in words {
            self.all.insert(format!("traefik.http.middlewares.{name}.{key}"), (*value).to_owned());
        }
        name
    }

    /// Who may ask, how much, and what of it the service sees.
    fn guards(&mut self, route: &Route) -> Vec<String> {
        let mut chain = Vec::new();
        if !route.allow_from.is_empty() {
            let networks = route.allow_from.iter().cloned().collect::<Vec<_>>().join(",");
            chain.push(self.middleware("allowed", &[("ipallowlist.sourcerange", &networks)]));
        }
        if let Some(limit) = &route.rate_limit {
            let period = match limit.per {
                Period::Second => "1s",
                Period::Minute => "1m",
            };
            let (average, burst) = (limit.requests.to_string(), limit.burst.max(1).to_string());
            let words =
                [("ratelimit.average", average.as_str()), ("ratelimit.period", period), ("ratelimit.burst", &burst)];
            chain.push(self.middleware("counted", &words));
        }
        if route.max_body != USUAL_BODY && route.max_body != 0 {
            chain.push(self.middleware("sized", &[("buffering.maxrequestbodybytes", &route.max_body.to_string())]));
        }
        if route.strip_path {
            chain.push(self.middleware("stripped", &[("stripprefix.prefixes", &route.path)]));
        }
        chain
    }

    fn headers(&mut self, route: &Route) -> Option<String> {
        let said =
            route.headers.iter().map(|(name, value)| (format!("headers.customresponseheaders.{name}"), value.clone()));
        let words: Vec<(String, String)> =
            said.chain(route.tls.hsts.iter().flat_map(|hsts| remembered(*hsts, route))).collect();
        if words.is_empty() {
            return None;
        }
        let words: Vec<(&str, &str)> = words.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        Some(self.middleware("headers", &words))
    }
}

fn remembered(Hsts { max_age, subdomains, preload }: Hsts, route: &Route) -> Vec<(String, String)> {
    let flag = |key: &str, on: bool| on.then(|| (format!("headers.{key}"), "true".to_owned()));
    let seconds = ("headers.stsseconds".to_owned(), max_age.to_string());
    let flags = [
        flag("stsincludesubdomains", subdomains),
        flag("stspreload", preload),
        // Elsewhere it is said over TLS alone, which a proxy in front has ended.
        flag("forcestsheader", route.tls.mode == TlsMode::Upstream),
    ];
    std::iter::once(seconds).chain(flags.into_iter().flatten()).collect()
}

/// A path is met whole, or with what is below it.
fn rule(names: &[String], path: &str) -> String {
    let hosts = hosts(names);
    match path.trim_end_matches('/') {
        "" => hosts,
        path => format!("({hosts}) && (Path(`{path}`) || PathPrefix(`{path}/`))"),
    }
}

fn hosts(names: &[String]) -> String {
    let one = |name: &String| match name.strip_prefix("*.") {
        Some(parent) => format!("HostRegexp(`^[^.]+\\.{}$`)", parent.replace('.', "\\.")),
        None => format!("Host(`{name}`)"),
    };
    names.iter().map(one).collect::<Vec<_>>().join(" || ")
}

#[cfg(test)]
mod tests;
