//! What a kind of proxy cannot do, field by field: a route that asks for it is refused before anything is touched.

use crate::{
    desired::route::{Backend, Route, TlsMode, TlsPolicy},
    host::{
        Driver,
        DriverName::{self, Caddy, Nginx, NginxProxy, Traefik},
    },
};
use std::time::Duration;

/// What some proxies can do and others cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Any route at all.
    Route,
    H2c,
    /// A certificate of the service that is not verified.
    UnverifiedHttps,
    RedirectFrom,
    Timeouts,
    RateLimit,
    Exempt,
    BasicAuth,
    Acme,
    Internal,
    Files,
    Modern,
}

/// Who can do what; whoever is not named cannot. Sources: `docs/routes.md`.
pub const TABLE: [(Feature, &[DriverName]); 12] = [
    (Feature::Route, &[Nginx, NginxProxy, Caddy, Traefik]),
    // nginx speaks HTTP/2 to gRPC services alone.
    (Feature::H2c, &[Caddy, Traefik]),
    // Traefik verifies unless a file of its own says otherwise.
    (Feature::UnverifiedHttps, &[Nginx, NginxProxy, Caddy]),
    (Feature::RedirectFrom, &[Nginx, Caddy, Traefik]),
    // Traefik's are in its static settings.
    (Feature::Timeouts, &[Nginx, NginxProxy, Caddy]),
    // Caddy has it in a module that it is not built with.
    (Feature::RateLimit, &[Nginx, NginxProxy, Traefik]),
    (Feature::Exempt, &[Nginx, NginxProxy]),
    // A label would show the hashes to whoever inspects the container.
    (Feature::BasicAuth, &[Nginx, NginxProxy, Caddy]),
    (Feature::Acme, &[Nginx, NginxProxy, Caddy, Traefik]),
    // Certificates and TLS options of Traefik are in files of its own.
    (Feature::Internal, &[Nginx, NginxProxy, Caddy]),
    (Feature::Files, &[Nginx, NginxProxy, Caddy]),
    (Feature::Modern, &[Nginx, NginxProxy, Caddy]),
];

/// What every proxy does unless a manifest says otherwise.
const USUAL_TIMEOUTS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));

/// Something a route asks for that this host's proxy cannot do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inability {
    pub feature: Feature,
    /// The field of the service: `proxy.backend`.
    pub field: &'static str,
    /// What it says, as it is written: `backend: h2c`.
    pub asked: String,
    /// The setting of the host file that is missing, where the driver could do it.
    pub missing: Option<&'static str>,
    /// Who can.
    pub able: &'static [DriverName],
}

/// Everything a route asks for that the driver cannot do, in the order of the table.
#[must_use]
pub fn inabilities(driver: &Driver, route: &Route) -> Vec<Inability> {
    let asked = |(feature, able): &(Feature, &'static [DriverName])| {
        let (field, asked) = asked(*feature, route)?;
        let missing = if able.contains(&driver.name()) { Some(missing(*feature, driver)?) } else { None };
        Some(Inability { feature: *feature, field, asked, missing, able })
    };
    // Where there is no proxy, nothing more is to be said.
    let most = if driver.name() == DriverName::None { 1 } else { TABLE.len() };
    TABLE.iter().take(most).filter_map(asked).collect()
}

/// What a driver needs to be told for what it could do.
fn missing(feature: Feature, driver: &Driver) -> Option<&'static str> {
    match (feature, driver) {
        (Feature::Acme, Driver::Traefik(traefik)) if traefik.certresolver.is_none() => Some("certresolver"),
        // What is counted is said in the `http` block.
        (Feature::RateLimit, Driver::NginxProxy(proxy)) if proxy.conf_dir.is_none() => Some("conf_dir"),
        (
            Feature::Route
            | Feature::H2c
            | Feature::UnverifiedHttps
            | Feature::RedirectFrom
            | Feature::Timeouts
            | Feature::RateLimit
            | Feature::Exempt
            | Feature::BasicAuth
            | Feature::Acme
            | Feature::Internal
            | Feature::Files
            | Feature::Modern,
            _,
        ) => None,
    }
}

/// Where a route asks for it, and in which words; none where it does not.
fn asked(feature: Feature, route: &Route) -> Option<(&'static str, String)> {
    let mode = |asked: bool, word| asked.then(|| ("tls.mode", format!("mode: {word}")));
    let tls = &route.tls;
    let limit = route.rate_limit.as_ref();
    match feature {
        Feature::Route => Some(("proxy", "proxy".to_owned())),
        Feature::H2c => (route.backend == Backend::H2c).then(|| ("proxy.backend", "backend: h2c".to_owned())),
        Feature::UnverifiedHttps => {
            (route.backend == Backend::Https).then(|| ("proxy.backend", "backend: https".to_owned()))
        }
        Feature::RedirectFrom => {
            (!route.redirect_from.is_empty()).then(|| ("proxy.redirect_from", "redirect_from".to_owned()))
        }
        Feature::Timeouts => ((route.connect_timeout, route.read_timeout) != USUAL_TIMEOUTS)
            .then(|| ("proxy.timeouts", "timeouts".to_owned())),
        Feature::RateLimit => limit.map(|_| ("proxy.rate_limit", "rate_limit".to_owned())),
        Feature::Exempt => limit
            .filter(|limit| !limit.exempt.is_empty())
            .map(|_| ("proxy.rate_limit.exempt", "rate_limit.exempt".to_owned())),
        Feature::BasicAuth => route.basic_auth.as_ref().map(|_| ("proxy.basic_auth", "basic_auth".to_owned())),
        Feature::Acme => mode(tls.mode == TlsMode::Acme, "acme"),
        Feature::Internal => mode(tls.mode == TlsMode::Internal, "internal"),
        Feature::Files => match &tls.mode {
            TlsMode::Files { .. } => mode(true, "files"),
            TlsMode::Acme | TlsMode::Internal | TlsMode::Upstream | TlsMode::Off => None,
        },
        Feature::Modern => (tls.policy == TlsPolicy::Modern && tls.mode.is_secured())
            .then(|| ("tls.policy", "policy: modern".to_owned())),
    }
}
