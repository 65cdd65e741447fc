//! Names that a proxy answers to, paths below them, and files it reads.

use super::text::{BadValue, text_form};
use std::{fmt, net::IpAddr, str::FromStr};

const HOST: &str = "a host that a proxy answers to";
const PATH: &str = "a path below a host";
const FILE: &str = "a file of the host";

/// Below it an authority asks for the proof that a host is ours: whoever answers there gets certificates for it.
const CHALLENGES: &str = "/.well-known/acme-challenge";

/// A name by DNS, lower case: `api.example.com`, or `*.example.com` for every name one label below.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VirtualHost(String);

impl VirtualHost {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for `*.example.com`.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }
}

/// Why a label cannot be a part of a host's name.
fn label_problem(label: &str) -> Option<&'static str> {
    let edge = |c: char| c.is_ascii_alphanumeric();
    if label.contains('_') {
        return Some("no host's name has `_` in it: write `-`");
    }
    if label.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some("write it in lower case");
    }
    if !label.is_ascii() {
        return Some("write letters beyond ASCII as DNS has them, as in `xn--bcher-kva.example`");
    }
    let plain = label.chars().all(|c| edge(c) || c == '-') && label.starts_with(edge) && label.ends_with(edge);
    if !plain || label.len() > 63 {
        return Some("write the name alone, as in `api.example.com` or `*.example.com`");
    }
    None
}

/// Whether software takes a name that ends so for an IPv4 address.
fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hexadecimal || label.bytes().all(|byte| byte.is_ascii_digit())
}

impl FromStr for VirtualHost {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: &str| Err(BadValue::new(HOST, text, reason));
        let address = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if address.is_ok() {
            return bad("an address is no name: clients and certificates ask for a name");
        }
        let name = text.strip_prefix("*.").unwrap_or(text);
        if let Some(reason) = name.split('.').find_map(label_problem) {
            return bad(reason);
        }
        if text.len() > 253 {
            return bad("a name has 253 characters at most");
        }
        if name.rsplit('.').next().is_some_and(is_number) {
            return bad("a name does not end in a number");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for VirtualHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(
    VirtualHost,
    "virtual-host",
    "Host",
    r"^(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$",
    ["api.example.com", "*.example.com"]
);

/// A path of requests, in letters that mean the same to every proxy and to all of their languages: `/`, `/api`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoutePath(String);

impl RoutePath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for `/`.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// Whether this is the other path, or lies below it.
    #[must_use]
    pub fn is_below(&self, other: &Self) -> bool {
        let rest = self.0.strip_prefix(&other.0);
        other.is_root() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl Default for RoutePath {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl FromStr for RoutePath {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: String| Err(BadValue::new(PATH, text, reason));
        if !text.starts_with('/') {
            return bad(if text.contains("://") {
                "write the path alone, as in `/api`".to_owned()
            } else {
                format!("write `/{text}`")
            });
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        if !text.bytes().all(plain) {
            return bad("write letters and digits of ASCII, `-`, `.`, `_`, `~` and `/`".to_owned());
        }
        if text.contains("//") || text.split('/').any(|part| part == "." || part == "..") {
            return bad("proxies resolve `//`, `.` and `..` before they look: no request would ever match".to_owned());
        }
        if text.len() > 255 {
            return bad("a path has 255 characters at most".to_owned());
        }
        if text == CHALLENGES || text.strip_prefix(CHALLENGES).is_some_and(|rest| rest.starts_with('/')) {
            return bad("it is where authorities ask for the proof of a certificate, and no service's".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RoutePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(RoutePath, "route-path", "Path", "^/[A-Za-z0-9/._~-]*$", ["/", "/api"]);

/// A file of the host that a proxy reads, in letters that mean nothing in its language.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProxyFile(String);

impl ProxyFile {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProxyFile {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: &str| Err(BadValue::new(FILE, text, reason));
        let Some(rest) = text.strip_prefix('/') else { return bad("a path of the host begins with `/`") };
        if rest.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
            return bad("a path has a name between two `/`, and no `.` and `..`");
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._@+".contains(&byte);
        if !text.bytes().all(plain) {
            return bad("a proxy's file has letters and digits of ASCII, `-`, `.`, `_`, `@`, `+` and `/` in its path");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ProxyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(
    ProxyFile,
    "proxy-file",
    "File of the host",
    r"^(/[A-Za-z0-9._@+-]+)+$",
    ["/etc/letsencrypt/live/api.example.com/fullchain.pem"]
);
