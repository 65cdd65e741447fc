//! Lets requests go where they should: what each step of a route does to the proxy and its certificates.

use super::{
    perform::StepError,
    prove::Prover,
    users::{Reader, lay, sweep},
};
use crate::{
    blame::Blame,
    desired::{Desired, DesiredService, Probe, Route, route::TlsMode, spec::Network},
    engine::Engine,
    observe::front,
    observed::{Effect, Failure},
    proxy::{CertificateFiles, Driver, ProxyError, Served, Site, SiteName, Standpoint, users},
    secret::{Gathered, SecretValue},
    tls::{Certificates, Due, Origin, Pair, Wanted},
    value::ServiceName,
};
use jiff::Timestamp;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
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
    /// Where users of routes lie whose proxy does not read them by itself.
    users: PathBuf,
    /// One at a time: a proxy has one configuration.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// What is done to a route.
#[derive(Clone, Debug, PartialEq)]
pub enum Errand {
    Route { place: Place, route: Box<Route>, users: Option<Users>, container: (String, String) },
    See { route: Box<Route>, probe: Option<Box<Probe>>, container: (String, String) },
    Drain { time: Duration },
    Unroute { place: Place },
    StandIn { place: Place, route: Box<Route> },
    Certify { place: Place, route: Box<Route> },
    Show { place: Place, route: Box<Route> },
}

/// The users that a route asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Users {
    /// Keyed digest of the text.
    pub digest: String,
    /// In htpasswd's form.
    pub text: SecretValue,
}

/// Whose route it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub site: SiteName,
    pub service: ServiceName,
}

impl Gateway {
    #[must_use]
    pub fn new(driver: Arc<dyn Driver>, certificates: Certificates, users: PathBuf) -> Self {
        Self { driver, certificates, users, turn: Arc::default() }
    }

    /// Performs one errand.
    ///
    /// # Errors
    /// The world's: the engine or the proxy is away, or something is in the way.
    pub async fn perform<E: Engine>(&self, prover: &Prover<'_, E>, errand: Errand) -> Result<Effect, StepError> {
        match errand {
            Errand::Route { place, route, users, container } => {
                self.route(prover, &place, (*route, users), &container).await
            }
            Errand::See { route, probe, container } => self.see(prover, &route, probe.as_deref(), &container).await,
            Errand::Drain { time } => {
                sleep(time).await;
                Ok(Effect::Done)
            }
            Errand::Unroute { place } => {
                let gone = self.change(&place.site, |site| {
                    site.routes.remove(&place.service);
                    Ok(())
                });
                gone.await.map(|()| Effect::Done)
            }
            Errand::StandIn { place, route } => self.stand_in(&place, &route).await,
            Errand::Certify { place, route } => Ok(self.certify(&place, &route).await),
            Errand::Show { place, route } => {
                let certificate = self.certificate(&place, &route)?;
                let shown = self.change(&place.site, |site| {
                    if let Some(served) = site.routes.get_mut(&place.service) {
                        served.certificate = certificate;
                    }
                    Ok(())
                });
                shown.await.map(|()| Effect::Done)
            }
        }
    }

    /// Asks authorities when they want the certificates of an app renewed, where it is time to: nobody waits for the
    /// answers. Those that nobody wants any more go when they are over.
    pub fn see_to_certificates(&self, desired: &Desired) {
        if self.driver.has_certificates_of_its_own() {
            return;
        }
        let (site, now) = (SiteName::of(desired), Timestamp::now());
        let routed = desired.services.iter().filter_map(|(name, service)| Some((name, service.route.as_ref()?)));
        let wanted: Vec<Wanted> = routed.filter_map(|(service, route)| front::wanted(&site, service, route)).collect();
        let names = wanted.iter().map(|wanted| wanted.name().clone()).collect();
        if let Err(error) = self.certificates.tidy(now, (&site.environment, &site.app), &names) {
            tracing::warn!(app = %site, %error, "certificates that nobody wants cannot be removed");
        }
        for wanted in wanted.into_iter().filter(|wanted| self.certificates.due(now, wanted) == Due::Ask) {
            let certificates = self.certificates.clone();
            tokio::spawn(async move {
                if let Err(error) = certificates.ask(&wanted, now).await {
                    tracing::debug!(name = %wanted.name(), %error, "the authority does not tell of renewals");
                }
            });
        }
    }

    async fn route<E: Engine>(
        &self,
        prover: &Prover<'_, E>,
        place: &Place,
        (route, users): (Route, Option<Users>),
        (id, name): &(String, String),
    ) -> Result<Effect, StepError> {
        let detail = prover.look(id, name).await?;
        let port = match front::port(&detail, &route) {
            Ok(port) => port,
            Err(why) => {
                let summary = format!("`proxy` does not say which port it leads to, and `{name}` {why}");
                return Ok(Effect::Failed(prover.failure(&detail, summary).await));
            }
        };
        let standpoint = self.driver.standpoint().await?;
        let address = front::address(&detail, port, &standpoint);
        let reached = match &standpoint {
            // It is on the proxy's network when it is routed to, and not before.
            Standpoint::Joined(_) if detail.life.is_up() => front::from_the_host(&detail, port),
            Standpoint::Joined(_) | Standpoint::Host | Standpoint::On(_) => address,
        };
        let Some(reached) = reached else {
            return Err(if detail.life.is_up() {
                out_of_reach(name, port, &standpoint)
            } else {
                StepError::Surprise { what: format!("container `{name}` does not run any more") }
            });
        };
        if let Err(why) = listens(reached).await {
            let summary = format!("`{name}` is ready, but nothing answers at port {port} of `proxy`: {why}");
            return Ok(Effect::Failed(prover.failure(&detail, summary).await));
        }
        let certificate = self.certificate(place, &route)?;
        let thumbprint = self.thumbprint(&route)?;
        let address = address.unwrap_or(reached);
        let container = id.clone();
        let users = match users {
            Some(users) => Some((users, self.reader().await?)),
            None => None,
        };
        let changed = self.change(&place.site, |site| {
            let users = users.map(|(users, reader)| self.lay_users(place, &users, &reader)).transpose()?;
            let served = Served { route, container, address, certificate, thumbprint, users };
            site.routes.insert(place.service.clone(), served);
            Ok(())
        });
        match changed.await {
            Err(StepError::Proxy(refused)) if refused.is_of_the_routes() => {
                Ok(Effect::Failed(Failure { summary: refused.to_string(), ..Failure::default() }))
            }
            other => other.map(|()| Effect::Done),
        }
    }

    /// Changes what the proxy serves of an app.
    async fn change(
        &self,
        name: &SiteName,
        change: impl FnOnce(&mut Site) -> Result<(), StepError>,
    ) -> Result<(), StepError> {
        let _turn = self.turn.lock().await;
        let mut site = self.driver.installed(name).await?.map(|installed| installed.site).unwrap_or_default();
        change(&mut site)?;
        self.driver.install(name, &site).await?;
        let asked_for = site.routes.into_values().filter_map(|served| served.users).collect();
        let folder = self.users_folder();
        sweep(folder, name, &asked_for)
            .map_err(|source| StepError::Files { doing: format!("tidy `{}`", folder.display()), source })
    }

    fn unfit(&self, users: &SecretValue) -> Option<String> {
        match std::str::from_utf8(users.expose()) {
            Ok(text) => self.driver.unfit(text),
            Err(_) => Some("they are no text".to_owned()),
        }
    }

    /// Where files of users lie.
    fn users_folder(&self) -> &Path {
        self.driver.users_folder().unwrap_or(&self.users)
    }

    /// Who reads them.
    async fn reader(&self) -> Result<Reader, StepError> {
        match self.driver.users_folder() {
            Some(_) => Ok(Reader::Workers(self.driver.readers().await?)),
            None => Ok(Reader::Tool),
        }
    }

    fn lay_users(&self, place: &Place, users: &Users, reader: &Reader) -> Result<PathBuf, StepError> {
        let file = users::file(self.users_folder(), &place.site, &place.service, &users.digest);
        lay(&file, &users.text, reader)
            .map_err(|source| StepError::Files { doing: format!("write `{}`", file.display()), source })?;
        Ok(file)
    }

    /// What is shown of the certificates that are held.
    fn certificate(&self, place: &Place, route: &Route) -> Result<Option<CertificateFiles>, StepError> {
        if !self.driver.shows(&route.tls.mode) {
            return Ok(None);
        }
        let Some(wanted) = front::wanted(&place.site, &place.service, route) else { return Ok(None) };
        let held = self.certificates.look(&wanted);
        let files = |pair: &Pair| CertificateFiles {
            chain: pair.chain.clone(),
            key: pair.key.clone(),
            fingerprint: pair.facts.fingerprint.clone(),
        };
        match held.pair().map(files) {
            Some(files) => Ok(Some(files)),
            None => Err(StepError::Taken {
                what: format!("there is no certificate for `{}`", wanted.name()),
                hint: "see `tls` of the manifest: it is tried again".to_owned(),
            }),
        }
    }

    /// Lays a certificate of the host's own where that of an authority will be.
    async fn stand_in(&self, place: &Place, route: &Route) -> Result<Effect, StepError> {
        let Some(wanted) = front::wanted(&place.site, &place.service, route) else { return Ok(Effect::Done) };
        let own = Wanted::new(wanted.name().clone(), wanted.names().clone(), Origin::Internal);
        if let Ok(own) = own {
            self.certificates.obtain(&own, Timestamp::now()).await.map_err(StepError::Certificate)?;
        }
        Ok(Effect::Done)
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
                let summary = error.whole();
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
                Ok(answer) if asking.is_answered(&answer) => return Ok(Effect::Ready),
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

    /// Why the proxy would not reach a service, wherever its container comes to be, with what to do about it.
    pub async fn out_of_reach(&self, service: &DesiredService) -> Option<(String, Option<String>)> {
        // Of a proxy that is away, more is told than this.
        let standpoint = self.driver.standpoint().await.ok()?;
        let name = &service.name;
        match (standpoint, &service.spec.network) {
            (Standpoint::Host, _) | (Standpoint::Joined(_), Network::Networks(_)) => None,
            (Standpoint::On(networks), Network::Networks(wanted))
                if wanted.keys().any(|name| networks.contains(name)) =>
            {
                None
            }
            (Standpoint::On(networks), _) => {
                let what = format!("`{name}` is on no network on which the proxy's container is");
                Some((what, Some(put_on_one_of(&networks))))
            }
            (Standpoint::Joined(network), Network::Host | Network::None | Network::Service(_)) => {
                let what = format!("`{name}` has a `network_mode`, and cannot join network `{network}` of the proxy");
                Some((what, Some("leave `network_mode` out".to_owned())))
            }
        }
    }

    /// What stands in the way of a route, with what to do about it: users that the proxy cannot use, or a certificate that
    /// somebody else is to put on the host.
    #[must_use]
    pub fn lacks(
        &self,
        site: &SiteName,
        (service, route): (&ServiceName, &Route),
        secrets: &Gathered,
    ) -> Option<(String, Option<String>)> {
        let users = route.basic_auth.as_ref().and_then(|name| Some((name, secrets.values.get(name)?)));
        if let Some((name, why)) = users.and_then(|(name, text)| Some((name, self.unfit(text)?))) {
            let hint = "write its lines as `htpasswd -nB NAME` prints them".to_owned();
            return Some((format!("`{service}`: the users in secret `{name}` cannot be used: {why}"), Some(hint)));
        }
        let TlsMode::Files { .. } = route.tls.mode else { return None };
        let wanted = front::wanted(site, service, route)?;
        let fault = self.certificates.look(&wanted).good(Timestamp::now(), &wanted).err()?;
        Some((format!("`{service}`: {fault}"), fault.hint(&wanted)))
    }
}

/// What to do about a container that the proxy does not reach.
fn out_of_reach(name: &str, port: u16, standpoint: &Standpoint) -> StepError {
    let hint = match standpoint {
        Standpoint::Host => format!("publish its port on loopback (`ports: [\"{port}:{port}\"]`)"),
        Standpoint::On(networks) => put_on_one_of(networks),
        Standpoint::Joined(network) => format!("see that it can join network `{network}`"),
    };
    StepError::Taken { what: format!("`{name}` has no address at which the proxy reaches it"), hint }
}

fn put_on_one_of(networks: &BTreeSet<String>) -> String {
    let names: Vec<String> = networks.iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "put the proxy's container on a network".to_owned(),
        names => format!(
            "put the service on a network of the proxy's container ({}), as an `external` one of the manifest",
            names.join(", ")
        ),
    }
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
