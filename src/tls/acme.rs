//! An order at an ACME authority, from the first request to the chain (RFC 8555).

use super::{
    Settings, TlsError, Wanted, Window,
    account::{AccountKey, LogInError},
    disk::Disk,
    http::{Heard, Http},
    renewal::Window as RenewalWindow,
};
use instant_acme::{
    Account, AuthorizationStatus, CertificateIdentifier, ChallengeType, Error, Identifier, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use jiff::Timestamp;
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls::pki_types::CertificateDer;
use std::time::Duration;

/// Authorities answer within seconds; a slow one is asked again later.
const LONGEST: Duration = Duration::from_secs(300);
const POLLING: RetryPolicy =
    RetryPolicy::new().initial_delay(Duration::from_millis(250)).backoff(1.5).timeout(Duration::from_secs(120));

/// One conversation with an authority about one certificate.
pub struct Conversation<'a> {
    pub disk: &'a Disk,
    pub settings: &'a Settings,
    pub wanted: &'a Wanted,
    pub key: &'a AccountKey,
}

impl Conversation<'_> {
    /// A chain and its key, both PEM. `replaced` is what is held, where the authority said when to renew it.
    pub async fn order(&self, replaced: Option<&CertificateDer<'_>>) -> Result<(String, String), TlsError> {
        let http = Http::new(self.settings)?;
        let heard = http.heard();
        match tokio::time::timeout(LONGEST, self.ordered(http, &heard, replaced)).await {
            Ok(ordered) => ordered,
            Err(_) => {
                let (name, directory) = (self.wanted.name().clone(), self.settings.directory.clone());
                Err(TlsError::TooLong { name, directory, most: LONGEST })
            }
        }
    }

    /// When the authority wants a certificate renewed; none where it does not say such things.
    pub async fn advice(
        &self,
        certificate: &CertificateDer<'_>,
        fingerprint: &str,
    ) -> Result<Option<(Window, Duration)>, TlsError> {
        let Ok(identifier) = CertificateIdentifier::try_from(certificate) else { return Ok(None) };
        let http = Http::new(self.settings)?;
        let heard = http.heard();
        let account = self.account(http, &heard).await?;
        let (advice, again) = match account.renewal_info(&identifier).await {
            Err(Error::Unsupported(_)) => return Ok(None),
            advice => advice.map_err(self.failed("ask when to renew it", &heard))?,
        };
        let moment = |time: time::OffsetDateTime| Timestamp::from_second(time.unix_timestamp()).unwrap_or_default();
        let window = RenewalWindow {
            fingerprint: fingerprint.to_owned(),
            start: moment(advice.suggested_window.start),
            end: moment(advice.suggested_window.end),
        };
        Ok(Some((window, again)))
    }

    async fn ordered(
        &self,
        http: Http,
        heard: &Heard,
        replaced: Option<&CertificateDer<'_>>,
    ) -> Result<(String, String), TlsError> {
        let account = self.account(http, heard).await?;
        let mut order = self.new_order(&account, heard, replaced).await?;
        self.prove(&mut order, heard).await?;
        let (key, request) = self.request()?;
        order.finalize_csr(&request).await.map_err(self.failed("hand in the request", heard))?;
        let chain = order.poll_certificate(&POLLING).await.map_err(self.failed("fetch the certificate", heard))?;
        Ok((chain, key))
    }

    async fn account(&self, http: Http, heard: &Heard) -> Result<Account, TlsError> {
        let builder = Account::builder_with_http(Box::new(http));
        match self.key.log_in(self.disk, builder, self.settings).await {
            Ok(account) => Ok(account),
            Err(LogInError::Here(error)) => Err(error),
            Err(LogInError::There(error)) => Err(self.failed("have an account", heard)(error)),
        }
    }

    async fn new_order(
        &self,
        account: &Account,
        heard: &Heard,
        replaced: Option<&CertificateDer<'_>>,
    ) -> Result<Order, TlsError> {
        let names: Vec<_> = self.wanted.names().iter().cloned().map(Identifier::Dns).collect();
        let replaced = replaced.and_then(|certificate| CertificateIdentifier::try_from(certificate).ok());
        if let Some(replaced) = replaced {
            match account.new_order(&NewOrder::new(&names).replaces(replaced)).await {
                // It was replaced before, or the authority has forgotten it: it is ordered as any other.
                Err(error) if is_about_the_replaced(&error) => {
                    tracing::debug!(certificate = %self.wanted.name(), %error, "ordered without what it replaces");
                }
                order => return order.map_err(self.failed("order", heard)),
            }
        }
        let order = account.new_order(&NewOrder::new(&names)).await;
        order.inspect_err(|error| self.key.forget_unknown(self.disk, error)).map_err(self.failed("order", heard))
    }

    /// Shows that the names lead here: the proxy answers, so there is nothing to lay out.
    async fn prove(&self, order: &mut Order, heard: &Heard) -> Result<(), TlsError> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization.map_err(self.failed("see what is to be shown", heard))?;
            match authorization.status {
                AuthorizationStatus::Valid => continue,
                AuthorizationStatus::Pending => {}
                AuthorizationStatus::Invalid
                | AuthorizationStatus::Revoked
                | AuthorizationStatus::Expired
                | AuthorizationStatus::Deactivated => {
                    let name = authorization.identifier().to_string();
                    return Err(self.unproven(format!("`{name}`: {}", word(authorization.status))));
                }
            }
            let name = authorization.identifier().to_string();
            let Some(mut challenge) = authorization.challenge(ChallengeType::Http01) else {
                return Err(self.unproven(format!("`{name}`: it does not take HTTP-01")));
            };
            challenge.set_ready().await.map_err(self.failed("ask to be looked at", heard))?;
        }
        let seen = order.poll_ready(&POLLING).await;
        match (order.state().status, seen) {
            (_, Ok(OrderStatus::Ready | OrderStatus::Valid)) => Ok(()),
            (OrderStatus::Invalid, _) | (_, Ok(_)) => Err(self.unproven(objections(order).await)),
            (_, Err(error)) => Err(self.failed("wait for its look", heard)(error)),
        }
    }

    /// A fresh key and a request for it.
    fn request(&self) -> Result<(String, Vec<u8>), TlsError> {
        let made = || {
            let key = KeyPair::generate()?;
            let mut request = CertificateParams::new(self.wanted.names().iter().cloned().collect::<Vec<_>>())?;
            request.distinguished_name = DistinguishedName::new();
            let request = request.serialize_request(&key)?;
            Ok((key.serialize_pem(), request.der().to_vec()))
        };
        made().map_err(|source| TlsError::Making { name: self.wanted.name().to_string(), source })
    }

    fn failed<'e>(&'e self, doing: &'static str, heard: &'e Heard) -> impl FnOnce(Error) -> TlsError + use<'e> {
        move |source| TlsError::Authority {
            name: self.wanted.name().clone(),
            doing,
            directory: self.settings.directory.clone(),
            told: heard.told(),
            source: Box::new(source),
        }
    }

    fn unproven(&self, why: String) -> TlsError {
        TlsError::Unproven { name: self.wanted.name().clone(), directory: self.settings.directory.clone(), why }
    }
}

fn is_about_the_replaced(error: &Error) -> bool {
    match error {
        Error::Unsupported(_) => true,
        Error::Api(_) => matches!(super::error::problem(error), Some("alreadyReplaced" | "malformed")),
        // It is not reflected.
        Error::Other(other) => other.to_string().starts_with("replaces field mismatch"),
        _ => false,
    }
}

/// What an authority has against each name, in its own words.
async fn objections(order: &mut Order) -> String {
    let whole = order.state().error.as_ref().map(ToString::to_string);
    let mut objections = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        if authorization.refresh().await.is_err() {
            continue;
        }
        let name = authorization.identifier().to_string();
        let told = authorization.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
        objections.extend(told.map(|problem| format!("`{name}`: {problem}")));
    }
    if objections.is_empty() {
        whole.unwrap_or_else(|| "it does not say why".to_owned())
    } else {
        objections.join("; ")
    }
}

fn word(status: AuthorizationStatus) -> &'static str {
    match status {
        AuthorizationStatus::Pending => "it waits",
        AuthorizationStatus::Valid => "it is believed",
        AuthorizationStatus::Invalid => "it was not shown",
        AuthorizationStatus::Revoked => "what was shown is revoked",
        AuthorizationStatus::Expired => "what was shown is too old",
        AuthorizationStatus::Deactivated => "what was shown was withdrawn",
    }
}
