//! Where an engine is, which version of its language is spoken, and the one place where bollard's client is made.

use super::{
    Dialect, Docker,
    ask::{Ask, accepted},
    transport::Transport,
};
use crate::engine::{Answer, EngineError};
use bollard::ClientVersion;
use hyper::{Uri, http::uri::PathAndQuery};
use std::{fmt, path::PathBuf, sync::Arc};

/// The newest API spoken: the oldest that today's newest Docker (29) still takes, nearest to 1.41, which is measured.
const SPOKEN: Version = Version { major: 1, minor: 44 };
/// How long the head of a short write may take, in seconds; slow ones ask for more.
const WRITE_PATIENCE: u64 = 120;

/// A socket of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Unix(PathBuf),
    Tcp(String),
}

impl Address {
    /// Reads `unix:///path`, `tcp://host:port` or a bare path.
    fn parse(uri: &str) -> Answer<Self> {
        match uri.split_once("://") {
            None if uri.starts_with('/') => Ok(Self::Unix(uri.into())),
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(("tcp", host)) if host.contains(':') => Ok(Self::Tcp(host.trim_end_matches('/').to_owned())),
            None | Some(_) => Err(EngineError::Unreachable {
                address: uri.to_owned(),
                source: "expected `unix:///path/to.sock` or `tcp://host:port`".into(),
            }),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(host) => write!(f, "tcp://{host}"),
        }
    }
}

/// A version of the engine's language, or the first two numbers of an engine's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    pub major: usize,
    pub minor: usize,
}

impl Version {
    /// Reads `1.41`, `4.3.1`, `20.10.24+dfsg1`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        Some(Self { major: parts.next()?.parse().ok()?, minor: parts.next()?.parse().ok()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Docker {
    /// Connects to the engine at `unix:///path`, `tcp://host:port` or a bare path, and settles the version spoken.
    ///
    /// # Errors
    /// `Unreachable` when nobody answers there or the address is of another form; `Garbled` when it is no engine.
    pub async fn connect(uri: &str) -> Answer<Self> {
        let address = Address::parse(uri)?;
        let transport = Transport::new(address.clone());
        let doing = "say who it is";
        let pong = transport.whole(Ask::get(doing, "/_ping")).await?;
        let header = |name| pong.headers().get(name).and_then(|value| value.to_str().ok()).and_then(Version::parse);
        let (api, podman) = (header("api-version"), header("libpod-api-version"));
        accepted(doing, pong)?;
        let Some(api) = api.map(|offered| offered.min(SPOKEN)) else {
            return Err(EngineError::Garbled { doing: doing.into(), source: "it names no API version".into() });
        };
        let writes = writer(&address, api)?;
        let dialect = if podman.is_some() { Dialect::Podman } else { Dialect::Docker };
        // Podman takes `update` over this API since 5.1; before, it cannot tell limits either.
        let adjusts = podman.is_none_or(|version| version >= Version { major: 5, minor: 1 });
        Ok(Self(Arc::new(super::Inner { address, transport, writes, api, dialect, adjusts })))
    }
}

/// bollard's client. It negotiates a version and never sends it (its `Url::join` drops the prefix; research, stack
/// §0.1), so the version is put before each path here.
fn writer(address: &Address, api: Version) -> Answer<bollard::Docker> {
    let version = ClientVersion { major_version: api.major, minor_version: api.minor };
    let client = match address {
        Address::Unix(path) => bollard::Docker::connect_with_unix(&path.to_string_lossy(), WRITE_PATIENCE, &version),
        Address::Tcp(host) => bollard::Docker::connect_with_http(host, WRITE_PATIENCE, &version),
    };
    let client =
        client.map_err(|source| EngineError::Unreachable { address: address.to_string(), source: source.into() })?;
    Ok(client.with_request_modifier(move |mut request| {
        if let Some(uri) = versioned(request.uri(), api) {
            *request.uri_mut() = uri;
        }
        request
    }))
}

fn versioned(uri: &Uri, api: Version) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    let path = parts.path_and_query.as_ref().map_or("/", PathAndQuery::as_str);
    parts.path_and_query = Some(format!("/v{api}{path}").parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_socket_or_a_host_with_a_port() {
        assert_eq!(Address::parse("unix:///run/x.sock").unwrap(), Address::Unix("/run/x.sock".into()));
        assert_eq!(Address::parse("/run/x.sock").unwrap(), Address::Unix("/run/x.sock".into()));
        assert_eq!(Address::parse("tcp://127.0.0.1:2375").unwrap(), Address::Tcp("127.0.0.1:2375".into()));
        for bad in ["ssh://host", "tcp://host", "unix://relative", "relative"] {
            assert!(matches!(Address::parse(bad), Err(EngineError::Unreachable { .. })), "{bad}");
        }
    }

    #[test]
    fn every_path_bollard_asks_for_carries_the_version() {
        let api = Version { major: 1, minor: 41 };
        let uri: Uri = "unix://2f72:0/containers/json?all=true".parse().unwrap();
        assert_eq!(versioned(&uri, api).unwrap().to_string(), "unix://2f72:0/v1.41/containers/json?all=true");
    }

    #[test]
    fn a_version_is_its_first_two_numbers() {
        assert_eq!(Version::parse("20.10.24+dfsg1"), Some(Version { major: 20, minor: 10 }));
        assert_eq!(Version::parse("five"), None);
    }
}
