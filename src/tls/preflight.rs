//! Asks the path of challenges as an authority will, before there is an order that could fail and be counted.

use super::account::AccountKey;
use reqwest::{Client, redirect};
use std::{
    collections::BTreeSet,
    fmt,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// The way to an answer to a challenge, without its token.
pub const PATH: &str = "/.well-known/acme-challenge/";

/// An authority waits as long for the whole of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// As an authority follows them.
const REDIRECTS: usize = 10;
/// No answer to a challenge is longer.
const LONGEST: usize = 1024;
const HTTP: u16 = 80;

/// Why nothing was ordered: the path of challenges does not lead here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{host}` does not lead to the proxy of this host, so nothing was ordered: `http://{host}{PATH}…` {astray}")]
pub struct Refusal {
    pub host: String,
    pub astray: Astray,
}

/// Where the path of challenges leads instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Astray {
    /// The name has no address.
    Unknown(String),
    /// Nobody answers.
    Silent { at: IpAddr, why: String },
    /// Somebody answers with another status than 200.
    Status { at: IpAddr, status: u16 },
    /// Somebody answers for another account.
    OtherAccount { at: IpAddr },
    /// Somebody answers something else.
    OtherAnswer { at: IpAddr },
}

impl fmt::Display for Astray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(why) => write!(f, "leads nowhere: {why}"),
            Self::Silent { at, why } => write!(f, "is not answered by {at}: {why}"),
            Self::Status { at, status } => write!(f, "is answered with {status} by {at}"),
            Self::OtherAccount { at } => write!(f, "is answered for another ACME account by {at}"),
            Self::OtherAnswer { at } => write!(f, "is answered with something else by {at}"),
        }
    }
}

impl Refusal {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let host = &self.host;
        match &self.astray {
            Astray::Unknown(_) => format!("give `{host}` an A or AAAA record that leads to this host"),
            Astray::Silent { .. } => format!(
                "let port 80 of `{host}` through to the proxy; where only this host cannot reach its own outer \
                 address, write `acme.preflight: 127.0.0.1:80`"
            ),
            Astray::Status { .. } | Astray::OtherAnswer { .. } => {
                format!("is the proxy configured and reloaded, and does every address of `{host}` lead to it?")
            }
            Astray::OtherAccount { .. } => format!("another ACME client answers for `{host}`: one of the two must go"),
        }
    }
}

/// Asks the path of challenges of every name.
///
/// # Errors
/// One does not lead to a proxy that answers with our account's thumbprint.
pub async fn check(names: &BTreeSet<String>, key: &AccountKey, at: Option<SocketAddr>) -> Result<(), Refusal> {
    for host in names {
        check_one(host, &key.thumbprint, at).await.map_err(|astray| Refusal { host: host.clone(), astray })?;
    }
    Ok(())
}

/// Every address of a name must lead here, as an authority asks any of them; those that nobody answers at only where no
/// other does: this host may have no IPv6, or no way to itself.
async fn check_one(host: &str, thumbprint: &str, at: Option<SocketAddr>) -> Result<(), Astray> {
    let addresses: Vec<SocketAddr> = match at {
        Some(address) => vec![address],
        None => {
            let found =
                tokio::net::lookup_host((host, HTTP)).await.map_err(|error| Astray::Unknown(error.to_string()))?;
            // Port 0 is the scheme's own: redirects to TLS are followed.
            found.map(|address| SocketAddr::new(address.ip(), 0)).collect()
        }
    };
    let (mut answered, mut silent) = (false, None);
    for address in addresses {
        match ask(host, thumbprint, address).await {
            Ok(()) => answered = true,
            Err(Astray::Silent { at, why }) => silent = Some(Astray::Silent { at, why }),
            Err(astray) => return Err(astray),
        }
    }
    match silent {
        _ if answered => Ok(()),
        Some(silent) => Err(silent),
        None => Err(Astray::Unknown("it has no address".to_owned())),
    }
}

async fn ask(host: &str, thumbprint: &str, address: SocketAddr) -> Result<(), Astray> {
    let at = address.ip();
    let silent = |error: reqwest::Error| Astray::Silent { at, why: cause(&error) };
    let token: String = std::iter::repeat_with(fastrand::alphanumeric).take(32).collect();
    let _ = rustls::crypto::ring::default_provider().install_default();
    // As an authority, it takes any certificate on the way: what is asked for is no secret, and proves itself.
    let client = Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .tls_danger_accept_invalid_certs(true)
        .redirect(redirect::Policy::limited(REDIRECTS))
        .resolve(host, address)
        .timeout(PATIENCE)
        .build()
        .map_err(silent)?;
    let mut answer = client.get(format!("http://{host}{PATH}{token}")).send().await.map_err(silent)?;
    let mut content = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(silent)?
        && content.len() <= LONGEST
    {
        content.extend_from_slice(&chunk);
    }
    let text = String::from_utf8_lossy(&content);
    let (text, status) = (text.trim_end(), answer.status().as_u16());
    if status != 200 {
        Err(Astray::Status { at, status })
    } else if text == format!("{token}.{thumbprint}") {
        Ok(())
    } else if text.strip_prefix(&token).is_some_and(|rest| rest.starts_with('.')) {
        Err(Astray::OtherAccount { at })
    } else {
        Err(Astray::OtherAnswer { at })
    }
}

/// The innermost cause, which says what is the matter.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}
