//! Names and addresses of machines.

use super::text::{BadValue, text_form};
use std::{fmt, net::IpAddr, str::FromStr};

/// A host name by RFC 1123: labels of letters, digits and `-`, 253 characters at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(String);

impl HostName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_label(label: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric();
    (1..=63).contains(&label.len())
        && label.starts_with(plain)
        && label.ends_with(plain)
        && label.chars().all(|c| plain(c) || c == '-' || c == '_')
}

impl FromStr for HostName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        if text.len() <= 253 && text.split('.').all(is_label) {
            return Ok(Self(text.to_owned()));
        }
        Err(BadValue::new(
            "a host name",
            text,
            "write letters, digits and `-`, with points between, as in `db.internal`",
        ))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(
    HostName,
    "host-name",
    "Host name",
    "^[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*$",
    ["db.internal"]
);

/// A line of the container's hosts file: `db.internal:10.0.0.5`, or `host.docker.internal:host-gateway`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostEntry {
    name: HostName,
    address: Option<IpAddr>,
}

impl FromStr for HostEntry {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || BadValue::new("a host entry", text, "write `name:address`, as in `db.internal:10.0.0.5`");
        let (name, address) = text.split_once(['=', ':']).ok_or_else(bad)?;
        let address = match address {
            "host-gateway" => None,
            address => Some(address.trim_matches(['[', ']']).parse().map_err(|_| bad())?),
        };
        Ok(Self { name: name.parse().map_err(|_| bad())?, address })
    }
}

impl fmt::Display for HostEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => write!(f, "{}:{address}", self.name),
            None => write!(f, "{}:host-gateway", self.name),
        }
    }
}

text_form!(
    HostEntry,
    "host-entry",
    "Host entry",
    r"^[A-Za-z0-9][A-Za-z0-9._-]*[:=](host-gateway|[0-9A-Fa-f.:]+|\[[0-9A-Fa-f.:]+\])$",
    ["db.internal:10.0.0.5", "host.docker.internal:host-gateway"]
);

/// The address of a DNS server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub IpAddr);

impl FromStr for Address {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |_| BadValue::new("an address", text, "write an IPv4 or IPv6 address, as in `10.0.0.53`");
        text.parse().map(Self).map_err(bad)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_form!(Address, "address", "IP address", "^[0-9A-Fa-f.:]+$", ["10.0.0.53"]);
