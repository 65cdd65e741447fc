//! Lets requests go where they should: what each step of a route does to the proxy and its certificates.

use super::{perform::StepError, prove::Prover};
use crate::{
    blame::Blame,
    desired::{Desired, Probe, Route, route::TlsMode},
    engine::Engine,
    observe::front,
    observed::{Effect, Failure},
    proxy::{CertificateFiles, Driver, ProxyError, Served, Site, SiteName},
    tls::{Certificates, Due, Held, Origin, Wanted},
    value::ServiceName,
};
use jiff::Timestamp;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

/// How long a ready container may take to accept a connection at the port its route names.
const LISTENS_WITHIN: Duration = Duration::from_secs(5);

/// How long a ready container may take to answer through the proxy.
const SEEN_WITHIN: Duration = Duration::from_secs(10);

/// Between two tries.
const AGAIN: Duration = Duration::from_millis(25);

/// The host's proxy, and the certificates it shows.
#[derive(Clone, Debug)]
pub struct Gateway {
    pub driver: Arc<dyn Driver>,
    pub certificates: Certificates,
    /// One at a time: a proxy has one configuration.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// What is done to a route.
#[derive(Clone, Debug, PartialEq)]
pub enum Errand {
    Route { place: Place, route: Box<Route>, container: (String, String) },
    See { route: Box<Route>, probe: Option<Box<Probe>>, container: (String, String) },
    Drain { time: Duration },
    Unroute { place: Place },
    Certify { place: Place, route: Box<Route> },
    Show { place: Place, route: Box<Route> },
}

/// Whose route it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub site: SiteName,
    pub service: ServiceName,
}

impl Gateway {
    #[must_use]
    pub fn new(driver: Arc<dyn Driver>, certificates: Certificates) -> Self {
        Self { driver, certificates, turn: Arc::default() }
    }

    /// Performs one errand.
    ///
    /// # Errors
    /// The world's: the engine or the proxy is away, or something is in the way.
    pub async fn perform<E: Engine>(&self, prover: &Prover<'_, E>, errand: Errand) -> Result<Effect, StepError> {
        match errand {
            Errand::Route { place, route, container } => self.route(prover, &place, *route, &container).await,
            Errand::See { route, probe, container } => self.see(prover, &route, probe.as_deref(), &container).await,
            Errand::Drain { time } => {
                sleep(time).await;
                Ok(Effect::Done)
            }
            Errand::Unroute { place } => {
                self.change(&place.site, |site| drop(site.routes.remove(&place.service))).await.map(|()| Effect::Done)
            }
            Errand::Certify { place, route } => Ok(self.certify(&place, &route).await),
            Errand::Show { place, route } => {
                let certificate = self.certificate(&place, &route).await?;
                let shown = self.change(&place.site, |site| {
                    if let Some(served) = site.routes.get_mut(&place.service) {
                        served.certificate = certificate;
                    }
                });
                shown.await.map(|()| Effect::Done)
            }
        }
    }

    /// Asks authorities when they want certificates renewed, where it is time to; nobody waits for the answers.
    pub fn ask_for_renewals(&self, desired: &Desired) {
        if self.driver.has_certificates_of_its_own() {
            return;
        }
        let site = SiteName { environment: desired.environment.clone(), app: desired.app.clone() };
        let routed = desired.services.iter().filter_map(|(name, service)| Some((name, service.route.as_ref()?)));
        for wanted in routed.filter_map(|(service, route)| front::wanted(&site, service, route)) {
            let (certificates, now) = (self.certificates.clone(), Timestamp::now());
            if certificates.due(now, &wanted) == Due::Ask {
                tokio::spawn(async move {
                    if let Err(error) = certificates.ask(&wanted, now).await {
                        tracing::debug!(name = %wanted.name(), %error, "the authority does not tell of renewals");
                    }
                });
            }
        }
    }

    async fn route<E: Engine>(
        &self,
        prover: &Prover<'_, E>,
        place: &Place,
        route: Route,
        (id, name): &(String, String),
    ) -> Result<Effect, StepError> {
        let detail = prover.look(id, name).await?;
        let Some(address) = front::address(&detail, route.port) else {
            return Err(if detail.life.is_up() {
                StepError::Taken {
                    what: format!("`{name}` has no address at which the proxy reaches it"),
                    hint: format!("publish its port on loopback (`ports: [\"{0}:{0}\"]`)", route.port),
                }
            } else {
                StepError::Surprise { what: format!("container `{name}` does not run any more") }
            });
        };
        if let Err(why) = listens(address).await {
            let summary = format!("`{name}` is ready, but nothing answers at port {} of `proxy`: {why}", route.port);
            return Ok(Effect::Failed(prover.failure(&detail, summary).await));
        }
        let certificate = self.certificate(place, &route).await?;
        let thumbprint = self.thumbprint(&route)?;
        let served = Served { route, container: id.clone(), address, certificate, thumbprint, users: None };
        match self.change(&place.site, |site| drop(site.routes.insert(place.service.clone(), served))).await {
            Err(StepError::Proxy(refused)) if refused.is_of_the_routes() => {
                Ok(Effect::Failed(Failure { summary: refused.to_string(), ..Failure::default() }))
            }
            other => other.map(|()| Effect::Done),
        }
    }

    /// Changes what the proxy serves of an app.
    async fn change(&self, name: &SiteName, change: impl FnOnce(&mut Site)) -> Result<(), StepError> {
        let _turn = self.turn.lock().await;
        let mut site = self.driver.installed(name).await?.map(|installed| installed.site).unwrap_or_default();
        change(&mut site);
        Ok(self.driver.install(name, &site).await?)
    }

    /// The certificate that is shown: the one that is held; and until an authority has given one, one of the host's own.
    async fn certificate(&self, place: &Place, route: &Route) -> Result<Option<CertificateFiles>, StepError> {
        if self.driver.has_certificates_of_its_own() {
            return Ok(None);
        }
        let Some(wanted) = front::wanted(&place.site, &place.service, route) else { return Ok(None) };
        let held = self.certificates.look(&wanted);
        if let Some(files) = files(&held) {
            return Ok(Some(files));
        }
        let held = match wanted.origin() {
            Origin::Acme => {
                let own = Wanted::new(wanted.name().clone(), wanted.names().clone(), Origin::Internal);
                match own {
                    Ok(own) => {
                        self.certificates.obtain(&own, Timestamp::now()).await.map_err(StepError::Certificate)?
                    }
                    Err(_) => held,
                }
            }
            Origin::Internal => {
                self.certificates.obtain(&wanted, Timestamp::now()).await.map_err(StepError::Certificate)?
            }
            Origin::Files { .. } => held,
        };
        match files(&held) {
            Some(files) => Ok(Some(files)),
            None => Err(StepError::Taken {
                what: format!("there is no certificate for `{}`", wanted.name()),
                hint: "see `tls` of the manifest".to_owned(),
            }),
        }
    }

    /// What challenges are answered with, where the tool is asked for a certificate of another authority.
    fn thumbprint(&self, route: &Route) -> Result<Option<String>, StepError> {
        let is_asked = route.tls.mode == TlsMode::Acme && !self.driver.has_certificates_of_its_own();
        is_asked.then(|| self.certificates.thumbprint()).transpose().map_err(StepError::Certificate)
    }

    /// What an authority does not give now is asked for again in its time; nothing else waits for it.
    async fn certify(&self, place: &Place, route: &Route) -> Effect {
        let Some(wanted) = front::wanted(&place.site, &place.service, route) else { return Effect::Done };
        match self.certificates.obtain(&wanted, Timestamp::now()).await {
            Ok(_) => Effect::Done,
            Err(error) => {
                let mut summary = error.to_string();
                let mut cause = std::error::Error::source(&error);
                while let Some(error) = cause {
                    summary = format!("{summary}: {error}");
                    cause = error.source();
                }
                tracing::warn!(app = %place.site, service = %place.service, hint = error.hint(), "{summary}");
                Effect::Failed(Failure { summary, ..Failure::default() })
            }
        }
    }

    /// Sees an answer of the service come through the proxy.
    async fn see<E: Engine>(
        &self,
        prover: &Prover<'_, E>,
        route: &Route,
        probe: Option<&Probe>,
        (id, name): &(String, String),
    ) -> Result<Effect, StepError> {
        let asking = front::Asking::of(&*self.driver, route, probe);
        let deadline = Instant::now() + SEEN_WITHIN;
        loop {
            let (why, blame) = match asking.ask().await {
                Ok(answer) if front::answers(answer.status) => return Ok(Effect::Ready),
                Ok(answer) => (format!("answered {}", answer.status), Blame::Revision),
                Err(error) => (error.to_string(), Blame::World),
            };
            if Instant::now() >= deadline {
                let why = format!("{}: {why}", asking.text());
                return match blame {
                    Blame::Revision => {
                        let detail = prover.look(id, name).await?;
                        Ok(Effect::Failed(prover.failure(&detail, format!("`{name}` is not seen: {why}")).await))
                    }
                    Blame::World => Err(StepError::Taken {
                        what: format!("the proxy does not answer: {why}"),
                        hint: "see that it runs and has its ports: it is tried again".to_owned(),
                    }),
                };
            }
            sleep(AGAIN).await;
        }
    }

    /// What stands in the way of a route, with what to do about it: something the driver does not do yet, or a certificate
    /// that somebody else is to put on the host.
    #[must_use]
    pub fn lacks(&self, site: &SiteName, service: &ServiceName, route: &Route) -> Option<(String, Option<String>)> {
        if let Some(asked) = self.driver.not_yet(route) {
            let what = format!("`{service}`: `{asked}` is not supported yet with this host's proxy");
            return Some((what, Some(format!("leave `{asked}` out"))));
        }
        let TlsMode::Files { .. } = route.tls.mode else { return None };
        let wanted = front::wanted(site, service, route)?;
        let fault = self.certificates.look(&wanted).good(Timestamp::now(), &wanted).err()?;
        Some((format!("`{service}`: {fault}"), fault.hint(&wanted)))
    }
}

fn files(held: &Held) -> Option<CertificateFiles> {
    held.pair().map(|pair| CertificateFiles { chain: pair.chain.clone(), key: pair.key.clone() })
}

/// Whether somebody accepts connections there; one that was seen ready does so at once, or never.
async fn listens(address: SocketAddr) -> Result<(), String> {
    let deadline = Instant::now() + LISTENS_WITHIN;
    loop {
        let why = match timeout(LISTENS_WITHIN, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error.kind().to_string(),
            Err(_) => "no answer".to_owned(),
        };
        if Instant::now() >= deadline {
            return Err(why);
        }
        sleep(AGAIN).await;
    }
}

impl From<ProxyError> for StepError {
    fn from(error: ProxyError) -> Self {
        Self::Proxy(error)
    }
}
