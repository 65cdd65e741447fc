//! The way through the host's proxy, with every default filled in.

use super::Resolving;
use crate::{
    desired::route::{Hsts, Period, RateLimit, Route, Tls, TlsMode},
    manifest::{self, HstsChoice, Mode, Proxy, SecurityHeaders, Service, proxy::STANDARD_HEADERS},
    value::{HeaderName, HeaderValue, Rate, SecretName, ServiceName, VirtualHost},
};
use std::collections::BTreeMap;

impl Resolving<'_> {
    /// What is known of the secret that the route of a service uses.
    pub(super) fn route_secret(&self, name: &ServiceName, service: &Service) -> BTreeMap<SecretName, String> {
        let secret = secret(service).cloned();
        secret.into_iter().filter_map(|secret| Some((secret.clone(), self.digest(name, &secret)?))).collect()
    }
}

/// The secret that the route of a service uses.
pub(super) fn secret(service: &Service) -> Option<&SecretName> {
    service.proxy.as_ref()?.basic_auth.as_ref().map(|basic| &basic.secret)
}

/// The port that the proxy leads to: the one that is written, or the only one that the service offers. None where the
/// image says it.
#[must_use]
pub fn port(service: &Service) -> Option<u16> {
    let mut offered = service.expose.iter().flat_map(|port| port.each_tcp());
    let only = offered.next().filter(|_| offered.next().is_none());
    service.proxy.as_ref()?.port.or(only)
}

/// None for a service without a route.
pub(super) fn route(service: &Service) -> Option<Route> {
    let proxy = service.proxy.as_ref()?;
    let tls = service.tls.clone().unwrap_or_default();
    Some(Route {
        hosts: names(&proxy.hosts),
        path: proxy.path.to_string(),
        strip_path: proxy.strip_path,
        port: port(service),
        backend: proxy.backend,
        redirect_from: names(&proxy.redirect_from),
        max_body: proxy.max_body.bytes(),
        connect_timeout: proxy.timeouts.connect.into(),
        read_timeout: proxy.timeouts.read.into(),
        headers: headers(proxy),
        rate_limit: proxy.rate_limit.as_ref().map(rate_limit),
        allow_from: proxy.allow_from.items.iter().flat_map(|it| it.networks()).map(ToString::to_string).collect(),
        basic_auth: secret(service).cloned(),
        drain: service.rollout.drain.into(),
        tls: self::tls(&tls)?,
    })
}

fn names(hosts: &[VirtualHost]) -> Vec<String> {
    hosts.iter().map(ToString::to_string).collect()
}

/// Those that are written, and of the standard ones those that are not written.
fn headers(proxy: &Proxy) -> BTreeMap<String, String> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| (name.as_str().to_owned(), value.as_str().to_owned());
    let mut headers: BTreeMap<String, String> = proxy.headers.iter().map(text).collect();
    let security: Vec<(String, String)> = match &proxy.security_headers {
        SecurityHeaders::Off => Vec::new(),
        SecurityHeaders::Standard => STANDARD_HEADERS.map(|(name, value)| (name.into(), value.into())).into(),
        SecurityHeaders::These(these) => these.iter().map(text).collect(),
    };
    for (name, value) in security {
        if !headers.keys().any(|written| written.eq_ignore_ascii_case(&name)) {
            headers.insert(name, value);
        }
    }
    headers
}

fn rate_limit(limit: &manifest::RateLimit) -> RateLimit {
    let (requests, per) = match limit.rate {
        Rate::PerSecond(requests) => (requests, Period::Second),
        Rate::PerMinute(requests) => (requests, Period::Minute),
    };
    RateLimit { requests, per, burst: limit.burst, exempt: limit.exempt.iter().map(ToString::to_string).collect() }
}

fn tls(tls: &manifest::Tls) -> Option<Tls> {
    let mode = match tls.mode {
        Mode::Acme => TlsMode::Acme,
        Mode::Internal => TlsMode::Internal,
        Mode::Files => TlsMode::Files {
            certificate: tls.cert_file.as_ref()?.as_str().to_owned(),
            key: tls.key_file.as_ref()?.as_str().to_owned(),
        },
        Mode::Upstream => TlsMode::Upstream,
        Mode::Off => TlsMode::Off,
    };
    let redirect = tls.redirects();
    let told = match tls.hsts {
        Some(HstsChoice::Off) => None,
        Some(HstsChoice::On(hsts)) => Some(hsts),
        None => redirect.then(manifest::Hsts::default),
    };
    let hsts = told.map(|hsts| Hsts { max_age: hsts.max_age, subdomains: hsts.subdomains, preload: hsts.preload });
    Some(Tls { mode, redirect, hsts, policy: tls.policy })
}
