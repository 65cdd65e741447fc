//! Ports: what a container offers, and what the host publishes of it.

use super::text::{BadValue, text_form};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

const PUBLISHED: &str = "a port mapping";
const OFFERED: &str = "a port";

/// A transport protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    #[default]
    Tcp,
    Udp,
    Sctp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}

/// Consecutive ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Ports {
    first: u16,
    last: u16,
}

impl Ports {
    fn parse(text: &str) -> Option<Self> {
        let port = |digits: &str| {
            let plain = !digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
            if plain { digits.parse::<u16>().ok() } else { None }
        };
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let ports = Self { first: port(first)?, last: port(last)? };
        (ports.first <= ports.last).then_some(ports)
    }

    const fn count(self) -> u16 {
        self.last - self.first
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        if self.first == self.last { Ok(()) } else { write!(f, "-{}", self.last) }
    }
}

fn protocol(text: &str) -> Option<Protocol> {
    match text {
        "tcp" => Some(Protocol::Tcp),
        "udp" => Some(Protocol::Udp),
        "sctp" => Some(Protocol::Sctp),
        _ => None,
    }
}

fn split_protocol(text: &str) -> (&str, Option<Protocol>) {
    text.split_once('/').map_or((text, Some(Protocol::Tcp)), |(ports, name)| (ports, protocol(name)))
}

/// Ports of the host that lead to ports of a container: Compose's short form, bound to loopback unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortMapping {
    address: IpAddr,
    host: Ports,
    container: Ports,
    protocol: Protocol,
}

impl PortMapping {
    /// The host's address the ports are bound to.
    #[must_use]
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// How.
    #[must_use]
    pub const fn protocol(self) -> Protocol {
        self.protocol
    }

    /// How many there are.
    #[must_use]
    pub fn count(self) -> usize {
        usize::from(self.host.count()) + 1
    }

    /// Each port of the host with the port of the container it leads to.
    pub fn pairs(self) -> impl Iterator<Item = (u16, u16)> {
        (self.host.first..=self.host.last).zip(self.container.first..=self.container.last)
    }
}

fn address(text: &str) -> Option<IpAddr> {
    match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None if text == "*" => Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        None => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

impl FromStr for PortMapping {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: String| BadValue::new(PUBLISHED, text, reason);
        let (ports, protocol) = split_protocol(text);
        let Some(protocol) = protocol else {
            return Err(bad("after `/` stands `tcp`, `udp` or `sctp`".to_owned()));
        };
        let Some((before, container)) = ports.rsplit_once(':') else {
            return Err(bad(match Ports::parse(ports) {
                Some(_) => format!("say which port of the host leads to it: `{ports}:{text}`"),
                None => "write `[address:]host:container`, as in `8000:8000` or `127.0.0.1:8000:80`".to_owned(),
            }));
        };
        let (address_text, host) = match before.rsplit_once(':') {
            Some((address, host)) => (Some(address), host),
            None => (None, before),
        };
        let address = match address_text {
            None => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Some(written) => address(written).ok_or_else(|| {
                bad(format!("`{written}` is no address: write an IPv4 address, `[::1]`, or `*` for every address"))
            })?,
        };
        let parse = |part: &str| {
            Ports::parse(part).ok_or_else(|| bad(format!("`{part}` is no port from 1 to 65535, and no range of them")))
        };
        let (host, container) = (parse(host)?, parse(container)?);
        if host.count() != container.count() {
            return Err(bad("both ranges must have the same length".to_owned()));
        }
        Ok(Self { address, host, container, protocol })
    }
}

impl fmt::Display for PortMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            IpAddr::V4(address) => write!(f, "{address}:")?,
            IpAddr::V6(address) => write!(f, "[{address}]:")?,
        }
        write!(f, "{}:{}", self.host, self.container)?;
        if self.protocol == Protocol::Tcp { Ok(()) } else { write!(f, "/{}", self.protocol) }
    }
}

text_form!(
    PortMapping,
    "port-mapping",
    "Port mapping",
    r"^(([0-9]{1,3}\.){3}[0-9]{1,3}:|\*:|\[[0-9A-Fa-f:.]+\]:)?[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?:[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?(/(tcp|udp|sctp))?$",
    ["8000:8000", "127.0.0.1:5353:53/udp", "*:443:443"]
);

/// Ports of a container that are not published: `8080`, `8080/udp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExposedPort {
    ports: Ports,
    protocol: Protocol,
}

impl ExposedPort {
    /// How many there are.
    #[must_use]
    pub fn count(self) -> usize {
        usize::from(self.ports.count()) + 1
    }

    /// Each port by itself, where it is one of TCP.
    pub fn each_tcp(self) -> impl Iterator<Item = u16> {
        (self.ports.first..=self.ports.last).filter(move |_| self.protocol == Protocol::Tcp)
    }

    /// Each port by itself, as engines write it: `8080/tcp`.
    pub fn each(self) -> impl Iterator<Item = String> {
        (self.ports.first..=self.ports.last).map(move |port| format!("{port}/{}", self.protocol))
    }
}

impl FromStr for ExposedPort {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let (ports, protocol) = split_protocol(text);
        match (Ports::parse(ports), protocol) {
            (Some(ports), Some(protocol)) => Ok(Self { ports, protocol }),
            (None, _) | (_, None) => {
                Err(BadValue::new(OFFERED, text, "write a number from 1 to 65535, as in `8080` or `8080/udp`"))
            }
        }
    }
}

impl fmt::Display for ExposedPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ports)?;
        if self.protocol == Protocol::Tcp { Ok(()) } else { write!(f, "/{}", self.protocol) }
    }
}

text_form!(
    ExposedPort,
    "port",
    "Port",
    "^[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?(/(tcp|udp|sctp))?$",
    ["8080", "8125/udp"],
    (["string", "integer"])
);
