//! The keys of ssh hosts, as OpenSSH's `known_hosts` file pins them (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
//!
//! libgit2 would look into the home of whoever runs it; the file that the host file names is the only one here. Raw bytes
//! are compared: a key is the pinned one, or it is refused.

use crate::source::pattern::list_means;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fmt;

/// One of a host's keys, as lines of the file or errors show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`.
    pub kind: String,
    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    pub sha256: String,
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sha256, self.kind)
    }
}

/// What the file says of the key that a host showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is pinned.
    Known,
    /// The file has no key of this host.
    Unknown,
    /// The file has other keys of this host.
    Other { expected: Vec<(usize, Fingerprint)> },
    /// The file says that this key is stolen, in that line.
    Revoked { line: usize },
    /// The file trusts an authority for this host, in that line, which is not understood here.
    Authority { line: usize },
    /// The file has a line for this host that cannot be read.
    Unreadable { line: usize },
}

/// Looks a host's key up in the text of a file.
pub fn find(file: &str, host: &str, port: u16, seen: &[u8]) -> Finding {
    let name = if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") };
    let lines = file.lines().enumerate().map(|(at, line)| (at + 1, Line::of(line)));
    let ours: Vec<_> =
        lines.filter_map(|(at, line)| Some((at, line?))).filter(|(_, line)| line.is_for(&name)).collect();
    let with = |mark: Option<&'static str>| ours.iter().filter(move |(_, line)| line.mark == mark);
    // A revoked key is revoked whatever else is said of it.
    if let Some((line, _)) = with(Some("@revoked")).find(|(_, line)| line.key().as_deref() == Some(seen)) {
        return Finding::Revoked { line: *line };
    }
    let known = |(_, line): &&(usize, Line<'_>)| line.key().as_deref() == Some(seen);
    if with(None).any(|line| known(&line)) {
        return Finding::Known;
    }
    let unreadable = ours
        .iter()
        .find(|(_, line)| line.key().is_none() || !matches!(line.mark, None | Some("@revoked" | "@cert-authority")));
    let expected: Vec<_> = with(None).filter_map(|(at, line)| Some((*at, fingerprint(&line.key()?)))).collect();
    match (unreadable, expected.is_empty(), with(Some("@cert-authority")).next()) {
        (Some((line, _)), _, _) => Finding::Unreadable { line: *line },
        (None, false, _) => Finding::Other { expected },
        (None, true, Some((line, _))) => Finding::Authority { line: *line },
        (None, true, None) => Finding::Unknown,
    }
}

/// The fingerprint of a key in its wire form.
pub fn fingerprint(key: &[u8]) -> Fingerprint {
    // The form begins with the length of the kind, then the kind.
    let kind = key
        .split_first_chunk::<4>()
        .and_then(|(length, rest)| rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?));
    let kind = kind.map_or("unknown".to_owned(), |kind| String::from_utf8_lossy(kind).into_owned());
    Fingerprint { kind, sha256: format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(key))) }
}

struct Line<'a> {
    mark: Option<&'a str>,
    hosts: &'a str,
    key: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let mut words = line.split_ascii_whitespace();
        let first = words.next()?;
        let (mark, hosts) = if first.starts_with('@') { (Some(first), words.next()?) } else { (None, first) };
        // The kind stands before the key and is in the key too.
        Some(Self { mark, hosts, key: words.nth(1) })
    }

    fn key(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.key?).ok()
    }

    fn is_for(&self, name: &str) -> bool {
        if let Some(hashed) = self.hosts.strip_prefix("|1|") {
            return is_hash_of(hashed, name);
        }
        list_means(&self.hosts.to_ascii_lowercase(), &name.to_ascii_lowercase())
    }
}

/// `salt|hash`, where the hash is HMAC-SHA1 of the name under the salt.
fn is_hash_of(hashed: &str, name: &str) -> bool {
    let parts = || -> Option<bool> {
        let (salt, hash) = hashed.split_once('|')?;
        let mut mac = Hmac::<Sha1>::new_from_slice(&STANDARD.decode(salt).ok()?).ok()?;
        mac.update(name.as_bytes());
        Some(mac.verify_slice(&STANDARD.decode(hash).ok()?).is_ok())
    };
    parts().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::{Finding, find, fingerprint};
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    // Made with `ssh-keygen -t ed25519`; the hashed names with `ssh-keygen -H`.
    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIFiOnkLQAU+fv/uMGALgeUtIRZe7BGBrxcipRdWgQEXo";
    const OTHER: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIH9rquZ6mrB4EkA1gNDrAMNxgFbQzYQDApbobksWTXXy";

    fn key(text: &str) -> Vec<u8> {
        STANDARD.decode(text).unwrap()
    }

    #[test]
    fn a_pinned_key_is_known_by_name_port_pattern_and_hash() {
        for (line, host, port) in [
            ("example.com ssh-ed25519 KEY", "example.com", 22),
            ("other,example.com,10.0.0.7 ssh-ed25519 KEY a comment", "example.com", 22),
            ("[example.com]:2222 ssh-ed25519 KEY", "example.com", 2222),
            ("*.example.com ssh-ed25519 KEY", "git.example.com", 22),
            ("EXAMPLE.com ssh-ed25519 KEY", "example.com", 22),
            ("|1|r80LSvkz85RGPK8PWR04Vt4YSKU=|pT119SGrx1As1HsCeeZ2MXPKetM= ssh-ed25519 KEY", "example.com", 22),
            ("|1|Tgqq5s5eCTgFL3cCK2puPz1zVXc=|z005gvoQYCo6ReDuCgjGZX/tRAU= ssh-ed25519 KEY", "example.com", 2222),
            ("# note\n\n  example.com\tssh-ed25519   KEY", "example.com", 22),
            ("example.com ssh-ed25519 OTHER\nexample.com ssh-ed25519 KEY", "example.com", 22),
            ("@cert-authority * ssh-ed25519 OTHER\nexample.com ssh-ed25519 KEY", "example.com", 22),
        ] {
            let file = line.replace("KEY", KEY).replace("OTHER", OTHER);
            assert_eq!(find(&file, host, port, &key(KEY)), Finding::Known, "{line}");
        }
    }

    #[test]
    fn what_is_not_pinned_is_told_apart() {
        let expected = |line| Finding::Other { expected: vec![(line, fingerprint(&key(OTHER)))] };
        for (line, port, finding) in [
            ("", 22, Finding::Unknown),
            ("elsewhere ssh-ed25519 KEY", 22, Finding::Unknown),
            ("example.com ssh-ed25519 KEY", 2222, Finding::Unknown),
            ("[example.com]:2222 ssh-ed25519 KEY", 22, Finding::Unknown),
            ("*.com,!example.com ssh-ed25519 KEY", 22, Finding::Unknown),
            ("|1|Tgqq5s5eCTgFL3cCK2puPz1zVXc=|z005gvoQYCo6ReDuCgjGZX/tRAU= ssh-ed25519 KEY", 22, Finding::Unknown),
            ("|1|Tgqq5s5eCTgFL3cCK2puPz1zVXc=|%% ssh-ed25519 KEY", 22, Finding::Unknown),
            ("# example.com ssh-ed25519 KEY", 22, Finding::Unknown),
            ("\nexample.com ssh-ed25519 OTHER", 22, expected(2)),
            ("example.com ssh-ed25519 KEY\n@revoked example.com ssh-ed25519 KEY", 22, Finding::Revoked { line: 2 }),
            ("@revoked * ssh-ed25519 KEY\nexample.com ssh-ed25519 KEY", 22, Finding::Revoked { line: 1 }),
            ("@revoked example.com ssh-ed25519 OTHER", 22, Finding::Unknown),
            ("@cert-authority *.com ssh-ed25519 KEY", 22, Finding::Authority { line: 1 }),
            ("example.com ssh-ed25519 KE%Y", 22, Finding::Unreadable { line: 1 }),
            ("example.com ssh-ed25519", 22, Finding::Unreadable { line: 1 }),
            ("@marked example.com ssh-ed25519 KEY", 22, Finding::Unreadable { line: 1 }),
        ] {
            let file = line.replace("KEY", KEY).replace("OTHER", OTHER);
            assert_eq!(find(&file, "example.com", port, &key(KEY)), finding, "{line}");
        }
    }

    #[test]
    fn a_fingerprint_names_the_kind_of_key() {
        let printed = "SHA256:GTfG21JYIq+WhQlkl1PB/F0jj5Un7MXihtgYZ2hA7rg ssh-ed25519";
        assert_eq!(fingerprint(&key(KEY)).to_string(), printed);
        assert_eq!(fingerprint(b"\0\0").kind, "unknown");
        assert_eq!(fingerprint(b"\0\0\0\xffx").kind, "unknown");
    }
}
