//! What the host file allows: addresses and ports, folders of the host, services, capabilities, repositories.

use super::{
    AbsolutePath, AppName, Capability, EnvironmentName, ImageReference, ServiceName,
    text::{BadValue, text_form},
};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// An address and port that may be published: `0.0.0.0:443`, `10.8.0.1:*`, `[::]:443`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Publishable {
    address: IpAddr,
    /// None is every port.
    port: Option<u16>,
}

impl Publishable {
    /// Whether this lets a port be bound to an address; every address covers each one of its family.
    #[must_use]
    pub fn covers(self, address: IpAddr, port: u16) -> bool {
        let address = address.to_canonical();
        let same_family = self.address.is_ipv4() == address.is_ipv4();
        let here = self.address == address || (self.address.is_unspecified() && same_family);
        here && self.port.is_none_or(|allowed| allowed == port)
    }
}

impl FromStr for Publishable {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: &str| BadValue::new("an address and port", text, reason);
        let form = "write `address:port`, as in `0.0.0.0:443`, `10.8.0.1:*` or `[::]:443`";
        let (address, port) = text.rsplit_once(':').ok_or_else(|| bad(form))?;
        let address = match address.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').and_then(|v6| v6.parse::<Ipv6Addr>().ok()).map(IpAddr::V6),
            None if address == "*" => Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            None => address.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        };
        let address = address.ok_or_else(|| bad(form))?.to_canonical();
        let port = match port {
            "*" => None,
            digits if digits.starts_with('+') => return Err(bad(form)),
            digits => Some(digits.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(|| bad(form))?),
        };
        Ok(Self { address, port })
    }
}

impl fmt::Display for Publishable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            IpAddr::V4(address) => write!(f, "{address}:")?,
            IpAddr::V6(address) => write!(f, "[{address}]:")?,
        }
        match self.port {
            Some(port) => write!(f, "{port}"),
            None => f.write_str("*"),
        }
    }
}

text_form!(
    Publishable,
    "publishable",
    "Address and port",
    r"^(\*|[0-9.]+|\[[0-9A-Fa-f:.]+\]):(\*|[0-9]{1,5})$",
    ["0.0.0.0:443", "10.8.0.1:*"]
);

/// A folder of the host below which binds may be: `/srv/data`, `/srv/conf:ro`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataRoot {
    /// The folder.
    pub path: AbsolutePath,
    /// Only for mounts that cannot write.
    pub read_only: bool,
}

impl FromStr for DataRoot {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let (path, read_only) = text.strip_suffix(":ro").map_or((text, false), |path| (path, true));
        let bad = || BadValue::new("a folder of the host", text, "write `/srv/data`, or `/srv/conf:ro` for read-only");
        if path.contains(':') {
            return Err(bad());
        }
        Ok(Self { path: path.parse().map_err(|_| bad())?, read_only })
    }
}

impl fmt::Display for DataRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)?;
        if self.read_only { f.write_str(":ro") } else { Ok(()) }
    }
}

text_form!(DataRoot, "data-root", "Folder of the host", "^/[^:]*(:ro)?$", ["/srv/data", "/srv/conf:ro"]);

/// A service of an app, in one environment or in all: `gateway/ollama`, `production/gateway/ollama`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServicePath {
    environment: Option<EnvironmentName>,
    app: AppName,
    service: ServiceName,
}

impl ServicePath {
    /// Whether this names the service (or job) of that app in that environment.
    #[must_use]
    pub fn names(&self, environment: &EnvironmentName, app: &AppName, service: &str) -> bool {
        self.environment.as_ref().is_none_or(|named| named == environment)
            && self.app == *app
            && self.service.as_str() == service
    }
}

impl FromStr for ServicePath {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |_| BadValue::new("a service of an app", text, "write `app/service` or `environment/app/service`");
        let parts: Vec<&str> = text.split('/').collect();
        let (environment, app, service) = match *parts.as_slice() {
            [app, service] => (None, app, service),
            [environment, app, service] => (Some(environment), app, service),
            _ => return Err(bad(())),
        };
        Ok(Self {
            environment: environment.map(str::parse).transpose().map_err(|_| bad(()))?,
            app: app.parse().map_err(|_| bad(()))?,
            service: service.parse().map_err(|_| bad(()))?,
        })
    }
}

impl fmt::Display for ServicePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(environment) = &self.environment {
            write!(f, "{environment}/")?;
        }
        write!(f, "{}/{}", self.app, self.service)
    }
}

text_form!(
    ServicePath,
    "service-path",
    "Service of an app",
    "^([a-z0-9_-]{1,40}/)?[a-z0-9_-]{1,40}/[a-z0-9_-]{1,40}$",
    ["gateway/ollama", "production/gateway/ollama"]
);

/// A capability any service may add, or a service that may add any: `NET_ADMIN`, `vpn/wireguard`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Addable {
    Capability(Capability),
    Service(ServicePath),
}

impl FromStr for Addable {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        if text.contains('/') { text.parse().map(Self::Service) } else { text.parse().map(Self::Capability) }
    }
}

impl fmt::Display for Addable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capability(capability) => capability.fmt(f),
            Self::Service(service) => service.fmt(f),
        }
    }
}

text_form!(Addable, "addable", "Capability or service", "^[A-Za-z0-9_/-]+$", ["NET_ADMIN", "vpn/wireguard"]);

/// Names of repositories: `registry.example.com/team/*`; `*` stands for one part of the path, `**` for any number.
///
/// A name without a registry means Docker Hub, as in an image's reference: `nginx` is `docker.io/library/nginx`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryGlob(String);

impl RepositoryGlob {
    /// Whether the image's repository has such a name.
    #[must_use]
    pub fn covers(&self, image: &ImageReference) -> bool {
        let name = image.full_repository();
        let name: Vec<&str> = name.split('/').collect();
        let glob: Vec<&str> = self.0.split('/').collect();
        covers_parts(&glob, &name)
    }
}

fn covers_parts(glob: &[&str], name: &[&str]) -> bool {
    match (glob.split_first(), name.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some((&"**", rest)), _) => {
            (0..=name.len()).any(|skipped| covers_parts(rest, name.get(skipped..).unwrap_or(&[])))
        }
        (Some(_), None) => false,
        (Some((part, glob)), Some((word, name))) => covers_part(part, word) && covers_parts(glob, name),
    }
}

/// `*` within one part of the path: greedy from the left is enough, for it may stand for nothing.
fn covers_part(glob: &str, word: &str) -> bool {
    let Some((first, rest)) = glob.split_once('*') else { return glob == word };
    let Some(mut word) = word.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some(at) = word.find(piece) else { return false };
        word = word.get(at + piece.len()..).unwrap_or_default();
    }
    word.ends_with(last)
}

impl FromStr for RepositoryGlob {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let form = "write names of repositories, as in `registry.example.com/team/*` or `docker.io/library/nginx`";
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-*:".contains(c);
        let (first, rest) = text.split_once('/').map_or((text, None), |(first, rest)| (first, Some(rest)));
        let parts_are_plain = text.split('/').all(|part| !part.is_empty() && part.chars().all(plain));
        if !parts_are_plain || rest.unwrap_or(first).contains(':') || text.matches("**").count() > 2 {
            return Err(BadValue::new("a pattern of repositories", text, form));
        }
        Ok(Self(match rest {
            Some(_) if first.contains(['.', ':', '*']) || first == "localhost" => text.to_owned(),
            Some(_) => format!("docker.io/{text}"),
            None if text == "**" => text.to_owned(),
            None => format!("docker.io/library/{text}"),
        }))
    }
}

impl fmt::Display for RepositoryGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(
    RepositoryGlob,
    "repository-glob",
    "Pattern of repositories",
    "^[a-z0-9._*:-]+(/[a-z0-9._*-]+)*$",
    ["registry.example.com/team/*", "docker.io/library/nginx"]
);
