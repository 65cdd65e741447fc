//! Words about networks and probes.

use super::{
    ServiceName,
    text::{BadValue, text_form},
};
use std::{fmt, str::FromStr};

/// A container's network where it is none of the app's: `host`, `none`, `service:db`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NetworkMode {
    /// The host's own network.
    Host,
    /// None at all.
    None,
    /// The network of another service of the app.
    Service(ServiceName),
}

impl FromStr for NetworkMode {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: &str| BadValue::new("a network mode", text, reason);
        match text {
            "host" => Ok(Self::Host),
            "none" => Ok(Self::None),
            "bridge" | "default" => Err(bad("leave it out: the app has a bridge of its own")),
            _ => match text.strip_prefix("service:").map(str::parse) {
                Some(Ok(service)) => Ok(Self::Service(service)),
                Some(Err(_)) | None => Err(bad("write `host`, `none` or `service:<name>`")),
            },
        }
    }
}

impl fmt::Display for NetworkMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("host"),
            Self::None => f.write_str("none"),
            Self::Service(service) => write!(f, "service:{service}"),
        }
    }
}

text_form!(
    NetworkMode,
    "network-mode",
    "Network mode",
    "^(host|none|service:[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?)$",
    ["host", "none", "service:vpn"]
);

/// Which statuses of an HTTP answer are good: `200-399`, `204`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusRange {
    pub first: u16,
    pub last: u16,
}

impl Default for StatusRange {
    fn default() -> Self {
        Self { first: 200, last: 399 }
    }
}

impl FromStr for StatusRange {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let status = |digits: &str| digits.parse::<u16>().ok().filter(|n| digits.len() == 3 && (100..=599).contains(n));
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (status(first), status(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            (Some(_) | None, _) => {
                Err(BadValue::new("a range of HTTP statuses", text, "write `200-399`, or a single one such as `204`"))
            }
        }
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        if self.first == self.last { Ok(()) } else { write!(f, "-{}", self.last) }
    }
}

text_form!(
    StatusRange,
    "status-range",
    "HTTP statuses",
    "^[1-5][0-9]{2}(-[1-5][0-9]{2})?$",
    ["200-399", "204"],
    (["string", "integer"])
);

/// Operating system and processor of an image: `linux/amd64`, `linux/arm64/v8`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform(String);

impl FromStr for Platform {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let parts: Vec<&str> = text.split('/').collect();
        let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if (2..=3).contains(&parts.len()) && parts.iter().all(word) {
            return Ok(Self(text.to_owned()));
        }
        Err(BadValue::new("a platform", text, "write `linux/amd64` or `linux/arm64`"))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(Platform, "platform", "Platform", "^[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?$", ["linux/amd64", "linux/arm64"]);

/// What an HTTP request asks for: a path that begins with `/`, a query after it where needed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpPath(String);

impl Default for HttpPath {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl FromStr for HttpPath {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: String| Err(BadValue::new("the path of a request", text, reason));
        if text.contains("://") {
            return bad("write the path alone, as in `/healthz`; the port stands beside it".to_owned());
        }
        if !text.starts_with('/') {
            return bad(format!("write `/{text}`"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains('#') {
            return bad("write letters, digits and signs of ASCII, others as `%20`".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for HttpPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(HttpPath, "http-path", "Path", r"^/[!\x22$-~]*$", ["/healthz", "/health?full=1"]);
