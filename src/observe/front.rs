//! Looks at what the host's proxy does for an app: where its routes lead, whether the proxy serves them, and what it shows.

use super::Look;
use crate::{
    desired::{Desired, Probe, ProbeKind, Route, SpecHash, route::TlsMode, spec::Network, spec::Protocol},
    engine::Detail,
    observed::{
        Certificate, Front, Leading, Observed, Role, Sight,
        front::{Held, Life, Wanted},
    },
    proxy::{Driver, Installed, ProxyError, Served, Site, SiteName, Standpoint, ask, users},
    secret::{Gathered, SecretValue, digest::Place},
    tls::{self, CertificateName, Certificates, Due, Facts, Origin},
    value::ServiceName,
};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// What the proxy does for an app.
///
/// # Errors
/// What it was given cannot be read.
pub async fn look(
    driver: &dyn Driver,
    certificates: &Certificates,
    desired: &Desired,
    observed: &Observed,
    (look, secrets): (&Look, &Gathered),
) -> Result<Front, ProxyError> {
    let name = SiteName::of(desired);
    let (installed, standpoint) = (driver.installed(&name).await?, driver.standpoint().await?);
    let installed = installed.unwrap_or(Installed { site: Site::default(), altered: false, served: false });
    let leading = |(service, served): (&ServiceName, &Served)| {
        let there = look
            .containers
            .get(&served.container)
            .and_then(|detail| address(detail, port(detail, &served.route).ok()?, &standpoint));
        let leading = Leading {
            digest: SpecHash::of(&served.route),
            users: served.users.as_ref().and_then(|file| users::digest(file)).map(str::to_owned),
            container: served.container.clone(),
            leads: installed.served && there == Some(served.address),
            altered: installed.altered || !has_its_users(&name, service, served, secrets),
            // While another one is up, this may be the middle of a switch.
            seen: !another_is_up(observed, service, &served.container),
        };
        (service.clone(), leading)
    };
    let routed = desired.services.iter().filter_map(|(name, service)| Some((name, service.route.as_ref()?)));
    let certified = routed.filter(|(_, route)| driver.shows(&route.tls.mode)).filter_map(|(service, route)| {
        let wanted = wanted(&name, service, route)?;
        let served = installed.site.routes.get(service);
        Some((service.clone(), certificate(certificates, look.now, &wanted, served)))
    });
    Ok(Front {
        away: None,
        certificates: certified.collect(),
        routes: installed.site.routes.iter().map(leading).collect(),
        sights: BTreeMap::new(),
        drained: std::collections::BTreeSet::new(),
        listens: driver.watches().is_some(),
        lapse: driver.lapse(),
        said: said(driver, observed, look),
    })
}

/// What the containers of an app say to the proxy; nothing of one that does not speak to it.
fn said(driver: &dyn Driver, observed: &Observed, look: &Look) -> BTreeMap<String, BTreeMap<String, String>> {
    let details = observed.containers.values().filter_map(|container| look.containers.get(&container.id));
    let said = details.map(|detail| (detail.id.clone(), driver.hears(&detail.body.env, &detail.labels)));
    said.filter(|(_, said)| !said.is_empty()).collect()
}

/// Asks for each route as a client would: whether the service answers, and which certificate is shown.
pub async fn ask_again(driver: &dyn Driver, certificates: &Certificates, desired: &Desired, front: &mut Front) {
    let name = SiteName::of(desired);
    let routed = desired.services.values().filter_map(|service| Some((service, service.route.as_ref()?)));
    let led = routed.filter(|(service, _)| front.routes.get(&service.name).is_some_and(|leading| leading.leads));
    let asked = led.map(|(service, route)| async move {
        let question = Asking::of(driver, route, service.probe.as_ref());
        (service.name.clone(), route, question.put().await)
    });
    for (service, route, sight) in futures_util::future::join_all(asked).await {
        let held = wanted(&name, &service, route).map(|wanted| certificates.look(&wanted));
        let held = held.as_ref().and_then(|held| held.pair());
        if let (Some(certificate), Some(held), Some(shown)) = (front.certificates.get_mut(&service), held, &sight.1)
            && certificate.held == Held::Shown
            && held.facts.fingerprint != shown.fingerprint
        {
            certificate.held = Held::Unshown;
        }
        let shown = sight.1.map(|facts| Life { from: facts.not_before, until: facts.not_after });
        front.sights.insert(service, Sight { fault: sight.0, shown });
    }
}

/// What a client asks for to see a route.
pub struct Asking<'a> {
    driver: &'a dyn Driver,
    door: SocketAddr,
    secured: bool,
    host: String,
    path: &'a str,
}

impl<'a> Asking<'a> {
    #[must_use]
    pub fn of(driver: &'a dyn Driver, route: &'a Route, probe: Option<&'a Probe>) -> Self {
        let (doors, secured) = (driver.doors(), driver.is_secured(route));
        let host = route.hosts.first().map_or_else(String::new, |host| host.replace('*', "reconcile"));
        let door = if secured { doors.https } else { doors.http };
        Self { driver, door, secured, host, path: path(route, probe) }
    }

    /// `GET https://app.example.com/healthz through the proxy`
    #[must_use]
    pub fn text(&self) -> String {
        let scheme = if self.secured { "https" } else { "http" };
        format!("GET {scheme}://{}{} through the proxy", self.host, self.path)
    }

    /// Asks once.
    ///
    /// # Errors
    /// The proxy does not answer.
    pub async fn ask(&self) -> std::io::Result<ask::Answer> {
        let Self { door, secured, host, path, .. } = self;
        ask::ask(ask::Question { door: *door, secured: *secured, host, path }).await
    }

    /// True where it is the service that answered.
    #[must_use]
    pub fn is_answered(&self, answer: &ask::Answer) -> bool {
        !self.driver.is_its_own(answer)
    }

    async fn put(&self) -> (Option<String>, Option<Facts>) {
        match self.ask().await {
            Err(error) => (Some(format!("{}: {error}", self.text())), None),
            Ok(answer) => {
                let fault =
                    self.driver.is_its_own(&answer).then(|| format!("{} answered {}", self.text(), answer.status));
                let shown = answer.certificate.and_then(|der| Facts::of(&[der.into()]).ok());
                (fault, shown)
            }
        }
    }
}

/// Whether the file of users that the proxy was given holds what it is called by.
fn has_its_users(name: &SiteName, service: &ServiceName, served: &Served, secrets: &Gathered) -> bool {
    let (Some(file), Some(secret)) = (&served.users, &served.route.basic_auth) else { return served.users.is_none() };
    let Ok(content) = std::fs::read(file) else { return false };
    let place = Place { environment: &name.environment, app: &name.app, service };
    // Without the host's key nothing is known of it.
    let digest = secrets.digest_of(&place, secret, &SecretValue::new(content));
    digest.is_none_or(|digest| users::digest(file) == Some(&digest))
}

fn another_is_up(observed: &Observed, service: &ServiceName, id: &str) -> bool {
    let role = Role::Service(service.clone());
    observed.containers.values().any(|it| it.role == role && it.id != id && it.life.is_up())
}

/// The certificate that a route is to have; none where this proxy shows none.
#[must_use]
pub fn wanted(site: &SiteName, service: &ServiceName, route: &Route) -> Option<tls::Wanted> {
    let origin = match &route.tls.mode {
        TlsMode::Acme => Origin::Acme,
        TlsMode::Internal => Origin::Internal,
        TlsMode::Files { certificate, key } => Origin::Files { certificate: certificate.into(), key: key.into() },
        TlsMode::Upstream | TlsMode::Off => return None,
    };
    let name = CertificateName::of(&site.environment, &site.app, service);
    tls::Wanted::new(name, route.names().into_iter().map(str::to_owned).collect(), origin).ok()
}

fn certificate(
    certificates: &Certificates,
    now: Timestamp,
    wanted: &tls::Wanted,
    served: Option<&Served>,
) -> Certificate {
    let held = certificates.look(wanted);
    let shown = served.and_then(|served| served.certificate.as_ref());
    let held = match (held.pair(), shown) {
        (None, _) => Held::Nothing,
        (Some(held), Some(shown)) if held.chain == shown.chain && held.facts.fingerprint == shown.fingerprint => {
            Held::Shown
        }
        (Some(_), Some(_) | None) => Held::Unshown,
    };
    let wanted = match certificates.due(now, wanted) {
        Due::Now(_) => Wanted::Now,
        Due::Wait { .. } => Wanted::Later,
        Due::Ask | Due::Hold { .. } | Due::Given => Wanted::Nothing,
    };
    Certificate { held, wanted }
}

/// The port of a container that a route leads to.
///
/// # Errors
/// The route leaves it to the image, which exposes none or several.
pub fn port(detail: &Detail, route: &Route) -> Result<u16, String> {
    route.port_of(&detail.body.expose)
}

/// Where the proxy reaches a port of a container: of one on this host where it is published there, else at its own
/// address; of one in a container on a network that both are on.
#[must_use]
pub fn address(detail: &Detail, port: u16, standpoint: &Standpoint) -> Option<SocketAddr> {
    if !detail.life.is_up() {
        return None;
    }
    let on = |network: &String| detail.endpoints.get(network)?.address;
    let own = match standpoint {
        Standpoint::Host => return from_the_host(detail, port),
        Standpoint::On(networks) => networks.iter().find_map(on),
        Standpoint::Joined(network) => on(network),
    };
    own.map(|address| SocketAddr::new(address, port))
}

/// Where this host itself reaches a port of a container that is up.
#[must_use]
pub fn from_the_host(detail: &Detail, port: u16) -> Option<SocketAddr> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let published =
        detail.body.ports.iter().find(|it| it.container == port && it.protocol == Protocol::Tcp && it.host != 0);
    if let Some(published) = published {
        let bound = if published.address.is_unspecified() { loopback } else { published.address };
        return Some(SocketAddr::new(bound, published.host));
    }
    if detail.body.network == Network::Host {
        return Some(SocketAddr::new(loopback, port));
    }
    detail.endpoints.values().find_map(|endpoint| endpoint.address).map(|address| SocketAddr::new(address, port))
}

/// The path that is asked for through the proxy: the one of the service's own probe, where that is below the route.
#[must_use]
pub fn path<'a>(route: &'a Route, probe: Option<&'a Probe>) -> &'a str {
    match probe.map(|probe| &probe.kind) {
        Some(ProbeKind::Http { path, .. }) if !route.strip_path && path.starts_with(&route.path) => path,
        Some(ProbeKind::Http { .. } | ProbeKind::Tcp { .. } | ProbeKind::Engine) | None => &route.path,
    }
}
