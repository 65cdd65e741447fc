//! Where something listens, and where something is sent.

use super::text::{BadValue, text_form};
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

/// Where the tool listens: an address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListenAddress(pub SocketAddr);

impl FromStr for ListenAddress {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() > 0 => Ok(Self(address)),
            Ok(_) | Err(_) => Err(BadValue::new(
                "an address and port",
                text,
                "write `address:port`, as in `127.0.0.1:9180` or `[::1]:9180`",
            )),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_form!(
    ListenAddress,
    "listen-address",
    "Address and port",
    r"^([0-9.]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$",
    ["127.0.0.1:9180"]
);

/// `https://hooks.example.com/T0/B0`. Its path may be as good as a password: only the host is fit to be told.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebUrl(String);

impl WebUrl {
    /// A URL of our own, which is known to be one.
    pub(crate) fn fixed(url: &'static str) -> Self {
        Self(url.to_owned())
    }

    /// All of it: for the request and for nothing that people read.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host, with its port where one is written.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        rest.split(['/', '?']).next().unwrap_or(rest)
    }

    /// True where nobody on the way can read or change what is sent: TLS, or this machine alone.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.0.starts_with("https://") || is_loopback(self.host())
    }
}

/// Whether a host, with or without a port, is this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let address =
        |text: &str| text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || host == "localhost" || address(name) || address(host)
}

impl FromStr for WebUrl {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        // Neither a password before the host nor what follows it is repeated: it may be a token.
        let begins = text.find("://").map_or(0, |at| at + 3);
        let (scheme, rest) = text.split_at(begins);
        let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let shown = if rest.contains('@') { scheme } else { &text[..begins + host.len()] };
        let bad = |reason: &str| Err(BadValue::new("a URL", shown, reason));
        let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
            return bad("write one that begins with `https://`");
        };
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains('#') {
            return bad("write letters, digits and signs of ASCII, others as `%20`");
        }
        let host = rest.split(['/', '?']).next().unwrap_or(rest);
        if host.contains('@') {
            return bad("a name and password have no place in it: put the URL into a file and name that");
        }
        let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
        let bracketed = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let is_host = match bracketed {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => name.parse::<super::HostName>().is_ok(),
        };
        if is_host { Ok(Self(text.to_owned())) } else { bad("it has no host: write `https://host/path`") }
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebUrl({}/…)", self.host())
    }
}

text_form!(
    WebUrl,
    "url",
    "URL",
    r"^https?://[A-Za-z0-9_.\[\]:-]+([/?][!-\x22$-~]*)?$",
    ["https://hooks.example.com/deploys"]
);

/// Somebody who gets mail: `ops@example.com`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailAddress(String);

impl MailAddress {
    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MailAddress {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(&byte);
        let is_user = |user: &str| {
            (1..=64).contains(&user.len())
                && user.bytes().all(plain)
                && !user.starts_with('.')
                && !user.ends_with('.')
                && !user.contains("..")
        };
        match text.split_once('@') {
            Some((user, host)) if is_user(user) && host.parse::<super::HostName>().is_ok() => Ok(Self(text.to_owned())),
            Some(_) | None => {
                Err(BadValue::new("a mail address", text, "write it without a name, as in `ops@example.com`"))
            }
        }
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(
    MailAddress,
    "mail-address",
    "Mail address",
    "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9_.-]+$",
    ["ops@example.com"]
);

/// A repository on a forge: `owner/name`, on GitLab with groups between: `group/team/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ForgePath(String);

impl ForgePath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ForgePath {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let is_name =
            |name: &str| !name.is_empty() && name.bytes().all(plain) && !name.bytes().all(|byte| byte == b'.');
        let names: Vec<&str> = text.split('/').collect();
        if names.len() >= 2 && names.iter().all(|name| is_name(name)) && text.len() <= 255 {
            return Ok(Self(text.to_owned()));
        }
        Err(BadValue::new("a repository on a forge", text, "write `owner/name`"))
    }
}

impl fmt::Display for ForgePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(ForgePath, "forge-path", "Repository", "^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$", ["ops/manifests"]);

#[cfg(test)]
mod tests {
    use super::{ForgePath, ListenAddress, MailAddress, WebUrl, is_loopback};
    use jsonschema::Validator;
    use proptest::prelude::*;
    use schemars::{JsonSchema, SchemaGenerator};
    use std::{str::FromStr, sync::LazyLock};

    fn validator<T: JsonSchema>() -> Validator {
        jsonschema::draft7::new(&T::json_schema(&mut SchemaGenerator::default()).to_value()).unwrap()
    }

    /// Which of some texts are read; the pattern that editors use takes those at least.
    fn read<'a, T: FromStr + JsonSchema + ToString>(texts: &[&'a str]) -> Vec<&'a str> {
        let editor = validator::<T>();
        let is_read = |text: &&str| {
            let Ok(value) = text.parse::<T>() else { return false };
            assert_eq!(value.to_string(), *text);
            assert!(editor.is_valid(&(*text).into()), "the pattern refuses {text:?}");
            true
        };
        texts.iter().copied().filter(is_read).collect()
    }

    #[test]
    fn urls_have_a_host_and_no_password() {
        let good = [
            "https://hooks.example.com/services/T0/B0?x=1@y",
            "https://hooks.example.com",
            "https://hooks.example.com?x",
            "http://127.0.0.1:3000/api/v1",
            "https://[2001:db8::1]:8443/",
            "https://[::1]/",
        ];
        assert_eq!(read::<WebUrl>(&good), good);
        let bad = [
            "",
            "hooks.example.com",
            "ftp://a.b",
            "https://",
            "https:///x",
            "https://user@a.b/",
            "https://user:pw@a.b/",
            "https://a.b\\@evil.example/",
            "https://a.b\\evil.example/",
            "https://a.b:99999/",
            "https://[::1/",
            "https://[a.b]/",
            "https://a b/",
            "https://a.b/x y",
            "https://a.b/#x",
            "https://a.b/ü",
            "https://a.b/\r\nx",
        ];
        assert_eq!(read::<WebUrl>(&bad), [""; 0]);
    }

    #[test]
    fn only_this_machine_is_private_without_tls() {
        let private = |text: &str| text.parse::<WebUrl>().unwrap().is_private();
        for url in
            ["https://a.b/", "http://localhost/x", "http://localhost:80", "http://127.9.9.9:1/", "http://[::1]:1/"]
        {
            assert!(private(url), "{url}");
        }
        for url in
            ["http://a.b/", "http://localhost.a.b/", "http://127.0.0.1.a.b/", "http://10.0.0.1/", "http://[::2]/"]
        {
            assert!(!private(url), "{url}");
        }
        assert!(is_loopback("localhost") && is_loopback("::1") && !is_loopback("mail.example.com"));
    }

    #[test]
    fn addresses_to_listen_on() {
        let good = ["127.0.0.1:9180", "0.0.0.0:1", "[::1]:9180", "[::]:65535"];
        assert_eq!(read::<ListenAddress>(&good), good);
        let bad = ["9180", ":9180", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:9180", "localhost:9180"];
        assert_eq!(read::<ListenAddress>(&bad), [""; 0]);
    }

    #[test]
    fn mail_addresses() {
        let good = ["ops@example.com", "a.b+c@localhost", "o'neil@example.com"];
        assert_eq!(read::<MailAddress>(&good), good);
        let bad = ["ops", "@a.b", "a@", "a@b@c", "a b@c.d", ".a@b.c", "a..b@c.d", "Ops <a@b.c>", "a@b.c\r\nBcc: d@e.f"];
        assert_eq!(read::<MailAddress>(&bad), [""; 0]);
    }

    #[test]
    fn repositories_of_forges() {
        let good = ["ops/manifests", "group/team/name", "a/.github"];
        assert_eq!(read::<ForgePath>(&good), good);
        let bad = ["manifests", "/a/b", "a/b/", "a//b", "a/..", "../a", "a/b?x", "a/b%2f", "a b/c"];
        assert_eq!(read::<ForgePath>(&bad), [""; 0]);
    }

    proptest! {
        #[test]
        fn what_the_parsers_take_the_patterns_take(text in r"(https?://)?[a-z0-9@/.:?\[\]%-]{0,20}") {
            static EDITORS: LazyLock<[Validator; 4]> = LazyLock::new(|| {
                [validator::<WebUrl>(), validator::<MailAddress>(), validator::<ForgePath>(), validator::<ListenAddress>()]
            });
            let taken = [
                text.parse::<WebUrl>().is_ok(),
                text.parse::<MailAddress>().is_ok(),
                text.parse::<ForgePath>().is_ok(),
                text.parse::<ListenAddress>().is_ok(),
            ];
            for (taken, editor) in taken.into_iter().zip(EDITORS.iter()) {
                prop_assert!(!taken || editor.is_valid(&text.as_str().into()), "{text:?}");
            }
        }

        #[test]
        fn a_url_that_is_taken_leads_to_the_host_it_names(text in r"https?://[a-z0-9@/.:?\[\]%_-]{1,20}") {
            if let Ok(url) = text.parse::<WebUrl>() {
                let other: hyper::Uri = url.as_str().parse().expect("another parser takes it too");
                prop_assert_eq!(other.authority().map(|authority| authority.as_str()), Some(url.host()));
            }
        }
    }
}
