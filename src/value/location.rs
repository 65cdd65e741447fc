//! Where a repository is: a path on this machine, or a URL. A URL never carries a password or a token.

use std::{fmt, path::PathBuf, str::FromStr};

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// A folder on this machine, by its path or as `file://`.
    Local(PathBuf),
    /// A repository that is asked over the network.
    Remote(RemoteLocation),
}

/// A repository elsewhere. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemoteLocation {
    text: String,
    transport: Transport,
    host: String,
    port: u16,
}

/// How a repository elsewhere is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    Ssh {
        user: String,
    },
    Https,
    /// Without TLS: to this machine only.
    Http,
}

/// Why a text is no location of a repository; it shows no part that may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{location}` is refused as a source: {why}")]
pub struct BadLocation {
    /// Without user and password.
    pub location: String,
    pub why: &'static str,
    /// What to write instead.
    pub hint: String,
}

impl RemoteLocation {
    /// How it is asked.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The name or address of its machine, an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the usual one where none is named.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether another one is asked in the same way at the same machine: what opens the one may be shown to the other.
    #[must_use]
    pub fn is_at_the_host_of(&self, other: &Self) -> bool {
        (&self.transport, &self.host, self.port) == (&other.transport, &other.host, other.port)
    }
}

impl fmt::Display for RemoteLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::Remote(remote) => remote.fmt(f),
        }
    }
}

impl FromStr for Location {
    type Err = BadLocation;

    fn from_str(text: &str) -> Result<Self, BadLocation> {
        if text.is_empty() || text.contains(char::is_control) {
            let hint = "write a path or a URL, as in `/srv/git/manifests.git`".to_owned();
            return Err(BadLocation {
                location: text.escape_debug().to_string(),
                why: "it is no path and no URL",
                hint,
            });
        }
        match text.split_once("://") {
            Some(("file", path)) => file(text, path),
            Some(("ssh" | "git+ssh" | "ssh+git", rest)) => ssh(text, rest).map(Self::Remote),
            Some(("https", rest)) => http(text, rest, Transport::Https).map(Self::Remote),
            Some(("http", rest)) => http(text, rest, Transport::Http).map(Self::Remote),
            Some(_) => Err(bad(text, "its transport is not known", "write an `https://` or `ssh://` URL, or a path")),
            None if is_ssh_shorthand(text) => shorthand(text).map(Self::Remote),
            None => Ok(Self::Local(PathBuf::from(text))),
        }
    }
}

fn bad(text: &str, why: &'static str, hint: impl Into<String>) -> BadLocation {
    BadLocation { location: without_password(text), why, hint: hint.into() }
}

fn file(text: &str, path: &str) -> Result<Location, BadLocation> {
    let here = path.strip_prefix("localhost").filter(|path| path.starts_with('/'));
    match here.or(path.starts_with('/').then_some(path)) {
        Some(path) => Ok(Location::Local(PathBuf::from(path))),
        None => Err(bad(
            text,
            "a `file://` URL names a path on this machine",
            "write three slashes: `file:///srv/git/m.git`",
        )),
    }
}

fn ssh(text: &str, rest: &str) -> Result<RemoteLocation, BadLocation> {
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, host) = user_of(text, authority)?;
    let (host, port) = host_and_port(text, host, 22)?;
    if path.trim_matches('/').is_empty() || path.starts_with("/-") {
        return Err(bad(
            text,
            "it names no repository",
            "write its path after the host, as in `ssh://git@host/ops/manifests.git`",
        ));
    }
    Ok(RemoteLocation { text: text.to_owned(), transport: Transport::Ssh { user }, host, port })
}

fn shorthand(text: &str) -> Result<RemoteLocation, BadLocation> {
    let (authority, path) = text.split_once(':').unwrap_or((text, ""));
    let (user, host) = user_of(text, authority)?;
    let (host, port) = host_and_port(text, host, 22)?;
    if path.trim_matches('/').is_empty() || path.starts_with('-') {
        return Err(bad(
            text,
            "it names no repository",
            "write its path after the colon, as in `git@host:ops/manifests.git`",
        ));
    }
    Ok(RemoteLocation { text: text.to_owned(), transport: Transport::Ssh { user }, host, port })
}

/// The user of ssh. One is demanded: whoever starts the tool is hardly meant.
fn user_of<'a>(text: &str, authority: &'a str) -> Result<(String, &'a str), BadLocation> {
    let (user, host) = authority.rsplit_once('@').ok_or_else(|| {
        let hint =
            "write the user before the host, as in `git@host`; a path on this machine with a colon in it as `./…`";
        bad(text, "it names no user for ssh", hint)
    })?;
    if user.contains(':') {
        let hint = "leave it out: ssh is opened by the key file that `source.ssh.key` of the host file names";
        return Err(bad(text, "it has a password in it", hint));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if user.is_empty() || user.starts_with('-') || !user.chars().all(plain) {
        return Err(bad(text, "its user is none", "write letters, digits, `.`, `_` and `-`, as in `git@host`"));
    }
    Ok((user.to_owned(), host))
}

fn http(text: &str, rest: &str, transport: Transport) -> Result<RemoteLocation, BadLocation> {
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.contains('@') {
        let hint = "leave it out, put the token into a file (mode 0600) and name that with `source.token_file` in the host file";
        return Err(bad(text, "it has a user, a password or a token in it", hint));
    }
    let usual = if transport == Transport::Https { 443 } else { 80 };
    let (host, port) = host_and_port(text, authority, usual)?;
    if path.contains(['?', '#']) || path.trim_matches('/').is_empty() {
        let hint = "write the URL that `git clone` takes, as in `https://host/ops/manifests.git`";
        return Err(bad(text, "it names no repository", hint));
    }
    if transport == Transport::Http && !is_loopback(&host) {
        return Err(bad(
            text,
            "`http://` lets everyone on the way read and change what is fetched",
            "write `https://`",
        ));
    }
    Ok(RemoteLocation { text: text.to_owned(), transport, host, port })
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn host_and_port(text: &str, authority: &str, usual: u16) -> Result<(String, u16), BadLocation> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_name = host.starts_with(|c: char| c.is_ascii_alphanumeric()) && host.chars().all(plain);
    if !is_address && !is_name {
        return Err(bad(text, "it names no host", "write the name or address of the machine after the scheme"));
    }
    let port = port.map_or(Ok(usual), |port| {
        port.parse().map_err(|_| bad(text, "its port is none", "write a number from 1 to 65535 after the colon"))
    })?;
    Ok((host.to_ascii_lowercase(), port))
}

/// `user@host:path`, by git's own rule: a colon before the first slash.
fn is_ssh_shorthand(text: &str) -> bool {
    match (text.find(':'), text.find('/')) {
        (Some(colon), Some(slash)) => colon < slash,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// A URL may carry a password or a token before its host; no message shows it. Nor what stands behind a `?` or `#`.
fn without_password(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (&text[..scheme.len() + 3], rest));
    let rest = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
    // A password may have a slash in it: all before the last `@` goes.
    let host = rest.rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}{}", &rest[host..])
}

#[cfg(test)]
mod tests {
    use super::{Location, Transport};

    #[test]
    fn what_git_takes_for_a_remote_is_read_as_one() {
        let ssh = || Transport::Ssh { user: "git".to_owned() };
        for (text, transport, host, port) in [
            ("ssh://git@example.com/ops/m.git", ssh(), "example.com", 22),
            ("ssh://git@Example.com:222/~/m.git", ssh(), "example.com", 222),
            ("ssh://git@[::1]:2222/m.git", ssh(), "::1", 2222),
            ("git@example.com:ops/m.git", ssh(), "example.com", 22),
            ("git@10.0.0.7:/srv/m.git", ssh(), "10.0.0.7", 22),
            ("https://example.com/ops/m.git", Transport::Https, "example.com", 443),
            ("https://example.com:8443/m", Transport::Https, "example.com", 8443),
            ("http://127.0.0.1:3000/m.git", Transport::Http, "127.0.0.1", 3000),
            ("http://localhost/m.git", Transport::Http, "localhost", 80),
        ] {
            let Ok(Location::Remote(remote)) = text.parse() else { panic!("{text}") };
            assert_eq!((remote.transport(), remote.host(), remote.port()), (&transport, host, port), "{text}");
            assert_eq!(remote.as_str(), text);
        }
    }

    #[test]
    fn paths_stay_paths() {
        for (text, path) in [
            (".", "."),
            ("/srv/git/m.git", "/srv/git/m.git"),
            ("./a:b", "./a:b"),
            ("../m", "../m"),
            ("file:///srv/m.git", "/srv/m.git"),
            ("file://localhost/srv/m.git", "/srv/m.git"),
        ] {
            assert_eq!(text.parse::<Location>(), Ok(Location::Local(path.into())), "{text}");
        }
    }

    #[test]
    fn what_is_refused_says_why_and_shows_no_secret() {
        for (text, why) in [
            ("https://ada:hunter2@example.com/m.git", "it has a user, a password or a token in it"),
            ("https://hunter2@example.com/m.git", "it has a user, a password or a token in it"),
            ("https://ada:hun/ter2@example.com/m.git", "its port is none"),
            ("https://example.com/m.git?token=hunter2", "it names no repository"),
            ("ssh://git:hunter2@example.com/m.git", "it has a password in it"),
            ("git:hunter2@example.com:m.git", "it names no user for ssh"),
            ("ftp://ada:hunter2@example.com/m.git", "its transport is not known"),
            ("git://example.com/m.git", "its transport is not known"),
            ("http://example.com/m.git", "`http://` lets everyone on the way read and change what is fetched"),
            ("http://127.0.0.1.example.com/m", "`http://` lets everyone on the way read and change what is fetched"),
            ("ssh://example.com/m.git", "it names no user for ssh"),
            ("example.com:m.git", "it names no user for ssh"),
            ("ssh://git@-oProxyCommand=x/m.git", "it names no host"),
            ("ssh://-l@example.com/m.git", "its user is none"),
            ("ssh://git@example.com/--upload-pack=x", "it names no repository"),
            ("git@example.com:--upload-pack=x", "it names no repository"),
            ("ssh://git@example.com", "it names no repository"),
            ("https://example.com", "it names no repository"),
            ("https://exa mple.com/m", "it names no host"),
            ("https:///m", "it names no host"),
            ("https://example.com:0x1/m", "its port is none"),
            ("file://host/m", "a `file://` URL names a path on this machine"),
            ("", "it is no path and no URL"),
            ("/srv/\u{1b}[2J", "it is no path and no URL"),
        ] {
            let error = text.parse::<Location>().expect_err(text);
            assert_eq!(error.why, why, "{text}");
            assert!(!error.to_string().contains("ter2") && !error.hint.contains("ter2"), "{text}: {error}");
            assert!(!error.to_string().contains('\u{1b}'), "{text}: {error}");
        }
    }
}
