//! Patterns of hosts, by which the host file says who may claim which.

use super::{
    VirtualHost,
    text::{BadValue, text_form},
};
use std::{fmt, str::FromStr};

/// Names of hosts: `*.example.com`; `*` stands for letters within one label, `**` for any number of labels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostGlob(String);

impl HostGlob {
    /// Whether the host is one of these. Of `*.example.com` as a host every name must be.
    #[must_use]
    pub fn covers(&self, host: &VirtualHost) -> bool {
        met(&self.labels(), &host.as_str().split('.').collect::<Vec<_>>(), &covers_label)
    }

    /// Whether some name that the host answers for is one of these.
    #[must_use]
    pub fn meets(&self, host: &VirtualHost) -> bool {
        let any = |glob: &str, label: &str| label == "*" || covers_label(glob, label);
        met(&self.labels(), &host.as_str().split('.').collect::<Vec<_>>(), &any)
    }

    /// How much it says: of two that cover one host, the one that says more is meant for it.
    #[must_use]
    pub fn precision(&self) -> (usize, bool) {
        (self.0.bytes().filter(|byte| *byte != b'*').count(), !self.0.contains("**"))
    }

    fn labels(&self) -> Vec<&str> {
        self.0.split('.').collect()
    }
}

fn met(glob: &[&str], name: &[&str], label: &impl Fn(&str, &str) -> bool) -> bool {
    match (glob.split_first(), name.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        // At least one: `**.example.com` is not `example.com`.
        (Some((&"**", rest)), _) => {
            (1..=name.len()).any(|skipped| met(rest, name.get(skipped..).unwrap_or(&[]), label))
        }
        (Some(_), None) => false,
        (Some((first, glob)), Some((word, name))) => label(first, word) && met(glob, name, label),
    }
}

/// Greedy from the left is enough, for `*` may stand for nothing.
fn covers_label(glob: &str, label: &str) -> bool {
    let Some((first, rest)) = glob.split_once('*') else { return glob == label };
    let Some(mut label) = label.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some(at) = label.find(piece) else { return false };
        label = label.get(at + piece.len()..).unwrap_or_default();
    }
    label.ends_with(last)
}

impl FromStr for HostGlob {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: &str| Err(BadValue::new("a pattern of hosts", text, reason));
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return bad("write it in lower case");
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '*';
        let label =
            |label: &str| !label.is_empty() && label.chars().all(plain) && (label == "**" || !label.contains("**"));
        if text.len() > 253 || !text.split('.').all(label) || text.matches("**").count() > 2 {
            return bad("write names of hosts, as in `api.example.com`, `*.example.com` or `**.example.com`");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for HostGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(
    HostGlob,
    "host-glob",
    "Pattern of hosts",
    r"^[a-z0-9*-]+(\.[a-z0-9*-]+)*$",
    ["api.example.com", "*.example.com"]
);
