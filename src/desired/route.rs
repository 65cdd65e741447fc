//! How a service is reached through the host's proxy: what the manifest asks for, with everything filled in.
//!
//! Which proxy does it, and where its files are, are the host's to say and no part of this.

use crate::value::SecretName;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The way from a host name to a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The names it answers to, lower case, the first is the one that others redirect to; `*.example.com` answers for
    /// every name one label below.
    pub hosts: Vec<String>,
    /// The path it answers below; `/` for all of them.
    pub path: String,
    /// The path is cut off before the service sees the request.
    pub strip_path: bool,
    /// The port of the container; none is the only one that its image exposes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the service is spoken to.
    pub backend: Backend,
    /// Names that redirect to the first host, with 308.
    pub redirect_from: Vec<String>,
    /// The most bytes a request's body may have; 0 is no limit.
    pub max_body: u64,
    /// How long a connection to the service may take to be made.
    pub connect_timeout: Duration,
    /// How long the service may be silent within an answer.
    pub read_timeout: Duration,
    /// Headers that every answer carries, those of `security_headers` among them.
    pub headers: BTreeMap<String, String>,
    /// How much one address may ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Networks that may ask, in CIDR notation; empty is any.
    pub allow_from: BTreeSet<String>,
    /// The secret with the users and passwords that are asked for, in htpasswd's form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<SecretName>,
    /// How long a container goes on answering what was under way after new requests went to the next.
    pub drain: Duration,
    /// How it is secured.
    pub tls: Tls,
}

/// How a service is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    #[default]
    Http,
    /// The certificate is not verified: it is the container that was asked for by its address.
    Https,
    /// HTTP/2 without TLS.
    H2c,
}

/// How much one address may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Requests in each period.
    pub requests: u32,
    /// The period: a second or a minute.
    pub per: Period,
    /// How many more are let through at once.
    pub burst: u32,
    /// Paths that are not counted, each exactly.
    pub exempt: BTreeSet<String>,
}

/// The period of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    Second,
    Minute,
}

/// How a route is secured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// Where the certificate comes from.
    pub mode: TlsMode,
    /// Plain HTTP is answered with a redirect.
    pub redirect: bool,
    /// What browsers are told to remember; none says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hsts: Option<Hsts>,
    /// Which versions and ciphers are offered.
    pub policy: TlsPolicy,
}

/// Where a certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// An authority that proves by HTTP-01 that the host answers here.
    Acme,
    /// The host's own authority.
    Internal,
    /// Files of the host, PEM.
    Files { certificate: String, key: String },
    /// TLS ends at a proxy in front of this one, which speaks plain HTTP to it.
    Upstream,
    /// Plain HTTP.
    Off,
}

impl TlsMode {
    /// True where this proxy shows a certificate.
    #[must_use]
    pub fn is_secured(&self) -> bool {
        match self {
            Self::Acme | Self::Internal | Self::Files { .. } => true,
            Self::Upstream | Self::Off => false,
        }
    }
}

/// `Strict-Transport-Security`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hsts {
    /// Seconds.
    pub max_age: u64,
    pub subdomains: bool,
    pub preload: bool,
}

/// Which versions and ciphers are offered, after Mozilla's recommendations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsPolicy {
    /// TLS 1.3.
    Modern,
    /// TLS 1.2 and 1.3.
    #[default]
    Intermediate,
}

impl Route {
    /// The port of the container, of those that it exposes (`8080/tcp`) where the route does not say.
    ///
    /// # Errors
    /// None or several are exposed: what is said of them.
    pub fn port_of(&self, exposed: &BTreeSet<String>) -> Result<u16, String> {
        if let Some(port) = self.port {
            return Ok(port);
        }
        let ports: Vec<u16> = exposed.iter().filter_map(|port| port.strip_suffix("/tcp")?.parse().ok()).collect();
        match ports.as_slice() {
            [port] => Ok(*port),
            [] => Err("exposes none".to_owned()),
            several => {
                let list: Vec<String> = several.iter().map(|port| format!("`{port}`")).collect();
                Err(format!("exposes {}", list.join(", ")))
            }
        }
    }

    /// Every name that a certificate of this route is for.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        self.hosts.iter().chain(&self.redirect_from).map(String::as_str).collect()
    }
}
