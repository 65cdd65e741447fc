//! Looks at what the host's proxy does for an app: where its routes lead, whether the proxy serves them, and what it shows.

use super::Look;
use crate::{
    desired::{Desired, Probe, ProbeKind, Route, SpecHash, route::TlsMode, spec::Network, spec::Protocol},
    engine::Detail,
    observed::{Certificate, Front, Leading, Observed, Role, Sight, front::Life},
    proxy::{Driver, Installed, ProxyError, Served, Site, SiteName, ask},
    tls::{CertificateName, Certificates, Due, Facts, Origin, Wanted},
    value::ServiceName,
};
use jiff::Timestamp;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What the proxy does for an app.
///
/// # Errors
/// What it was given cannot be read.
pub async fn look(
    driver: &dyn Driver,
    certificates: &Certificates,
    desired: &Desired,
    observed: &Observed,
    look: &Look,
) -> Result<Front, ProxyError> {
    let name = SiteName { environment: desired.environment.clone(), app: desired.app.clone() };
    let installed = driver.installed(&name).await?;
    let installed = installed.unwrap_or(Installed { site: Site::default(), altered: false, served: false });
    let leading = |(service, served): (&ServiceName, &Served)| {
        let there = look.containers.get(&served.container).and_then(|detail| address(detail, served.route.port));
        let leading = Leading {
            digest: SpecHash::of(&served.route),
            container: served.container.clone(),
            leads: installed.served && there == Some(served.address),
            altered: installed.altered,
            // While another one is up, this may be the middle of a switch.
            seen: !another_is_up(observed, service, &served.container),
        };
        (service.clone(), leading)
    };
    let routed = desired.services.iter().filter_map(|(name, service)| Some((name, service.route.as_ref()?)));
    let shows_ours = !driver.has_certificates_of_its_own();
    let certified = routed.filter(|_| shows_ours).filter_map(|(service, route)| {
        let wanted = wanted(&name, service, route)?;
        Some((service.clone(), certificate(certificates, look.now, &wanted, installed.site.routes.get(service))))
    });
    Ok(Front {
        away: None,
        certificates: certified.collect(),
        routes: installed.site.routes.iter().map(leading).collect(),
        sights: std::collections::BTreeMap::new(),
        drained: std::collections::BTreeSet::new(),
    })
}

/// Asks for each route as a client would: whether the service answers, and which certificate is shown.
pub async fn ask_again(driver: &dyn Driver, certificates: &Certificates, desired: &Desired, front: &mut Front) {
    let name = SiteName { environment: desired.environment.clone(), app: desired.app.clone() };
    let routed = desired.services.values().filter_map(|service| Some((service, service.route.as_ref()?)));
    let led = routed.filter(|(service, _)| front.routes.get(&service.name).is_some_and(|leading| leading.leads));
    let asked = led.map(|(service, route)| async move {
        let question = Asking::of(driver, route, service.probe.as_ref());
        (service.name.clone(), route, question.put().await)
    });
    for (service, route, sight) in futures_util::future::join_all(asked).await {
        let held = wanted(&name, &service, route).map(|wanted| certificates.look(&wanted));
        let held = held.as_ref().and_then(|held| held.pair());
        if let (Some(state @ Certificate::Current), Some(held), Some(shown)) =
            (front.certificates.get_mut(&service), held, &sight.1)
            && held.facts.fingerprint != shown.fingerprint
        {
            *state = Certificate::Unshown;
        }
        let shown = sight.1.map(|facts| Life { from: facts.not_before, until: facts.not_after });
        front.sights.insert(service, Sight { fault: sight.0, shown });
    }
}

/// What a client asks for to see a route.
pub struct Asking<'a> {
    door: SocketAddr,
    secured: bool,
    host: String,
    path: &'a str,
}

impl<'a> Asking<'a> {
    #[must_use]
    pub fn of(driver: &dyn Driver, route: &'a Route, probe: Option<&'a Probe>) -> Self {
        let (doors, secured) = (driver.doors(), route.tls.mode.is_secured());
        let host = route.hosts.first().map_or_else(String::new, |host| host.replace('*', "reconcile"));
        let door = if secured { doors.https } else { doors.http };
        Self { door, secured, host, path: path(route, probe) }
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
        let Self { door, secured, host, path } = self;
        ask::ask(ask::Question { door: *door, secured: *secured, host, path }).await
    }

    async fn put(&self) -> (Option<String>, Option<Facts>) {
        match self.ask().await {
            Err(error) => (Some(format!("{}: {error}", self.text())), None),
            Ok(answer) => {
                let fault = (!answers(answer.status)).then(|| format!("{} answered {}", self.text(), answer.status));
                let shown = answer.certificate.and_then(|der| Facts::of(&[der.into()]).ok());
                (fault, shown)
            }
        }
    }
}

fn another_is_up(observed: &Observed, service: &ServiceName, id: &str) -> bool {
    let role = Role::Service(service.clone());
    observed.containers.values().any(|it| it.role == role && it.id != id && it.life.is_up())
}

/// The certificate that a route is to have; none where this proxy shows none.
#[must_use]
pub fn wanted(site: &SiteName, service: &ServiceName, route: &Route) -> Option<Wanted> {
    let origin = match &route.tls.mode {
        TlsMode::Acme => Origin::Acme,
        TlsMode::Internal => Origin::Internal,
        TlsMode::Files { certificate, key } => Origin::Files { certificate: certificate.into(), key: key.into() },
        TlsMode::Upstream | TlsMode::Off => return None,
    };
    let name = CertificateName::of(&site.environment, &site.app, service);
    Wanted::new(name, route.names().into_iter().map(str::to_owned).collect(), origin).ok()
}

fn certificate(certificates: &Certificates, now: Timestamp, wanted: &Wanted, served: Option<&Served>) -> Certificate {
    match certificates.due(now, wanted) {
        Due::Now(_) => Certificate::Due,
        Due::Wait { .. } => Certificate::Awaited,
        Due::Ask | Due::Hold { .. } | Due::Given => {
            let held = certificates.look(wanted);
            let shown = served.and_then(|served| served.certificate.as_ref());
            match (held.pair(), shown) {
                (Some(held), Some(shown)) if held.chain != shown.chain => Certificate::Unshown,
                (Some(_), Some(_)) | (None, _) | (_, None) => Certificate::Current,
            }
        }
    }
}

/// Where the proxy reaches a port of a container: where it is published on this host, else at its own address.
#[must_use]
pub fn address(detail: &Detail, port: u16) -> Option<SocketAddr> {
    if !detail.life.is_up() {
        return None;
    }
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

/// True for what a service says. These three a proxy says of a service that it does not reach; whatever else a ready
/// service says to somebody who is not signed in, or asks too often, is an answer.
#[must_use]
pub fn answers(status: u16) -> bool {
    !matches!(status, 502..=504)
}
