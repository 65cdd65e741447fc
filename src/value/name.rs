//! The names people give to environments, apps, services, jobs, networks and volumes.

use super::text::{BadValue, text_form};
use std::{borrow::Borrow, fmt, str::FromStr};

/// The longest name: two of them, a hash and separators still fit a host name label (63).
pub const LONGEST: usize = 40;

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not {kind} name: use a-z, 0-9, `-` and `_`, begin and end with a letter or digit, at most {LONGEST} characters"
)]
pub struct BadName {
    kind: &'static str,
    text: String,
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= LONGEST
        && text.starts_with(plain)
        && text.ends_with(plain)
        && text.chars().all(|c| plain(c) || c == '-' || c == '_')
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $format:literal, $title:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        text_form!($type, $format, $title, "^[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?$", [$example]);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = BadName;
            fn from_str(text: &str) -> Result<Self, BadName> {
                if is_name(text) { Ok(Self(text.to_owned())) } else { Err(BadName { kind: $kind, text: text.to_owned() }) }
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// An environment: a folder below `environments/`.
    EnvironmentName,
    "an environment",
    "environment-name",
    "Environment",
    "production"
);

name!(
    /// An app: a file in an environment's folder, without its ending.
    AppName,
    "an app",
    "app-name",
    "App",
    "gateway"
);

name!(
    /// A service of an app: a key below `services`.
    ServiceName,
    "a service",
    "service-name",
    "Service",
    "web"
);

name!(
    /// A job of an app: a key below `jobs`.
    JobName,
    "a job",
    "job-name",
    "Job",
    "migrate"
);

name!(
    /// A network or volume of an app: a key below `networks` or `volumes`.
    ResourceKey,
    "a network or volume",
    "name",
    "Name",
    "backend"
);

name!(
    /// A secret of an app: a key below `secrets`.
    SecretName,
    "a secret's",
    "secret-name",
    "Secret",
    "postgres_password"
);

name!(
    /// A config of an app: a key below `configs`.
    ConfigName,
    "a config's",
    "config-name",
    "Config",
    "app_ini"
);

/// The name of a container, network or volume on the engine: what engines take, at most 128 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(String);

impl ObjectName {
    /// A name of our own, which is known to be one.
    pub(crate) fn fixed(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ObjectName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins && (2..=128).contains(&text.len()) && text.bytes().all(plain) {
            return Ok(Self(text.to_owned()));
        }
        let reason = "engines take two or more letters, digits, `_`, `.` and `-`, a letter or digit first";
        Err(BadValue::new("a name on the engine", text, reason))
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(
    ObjectName,
    "object-name",
    "Name on the engine",
    "^[A-Za-z0-9][A-Za-z0-9_.-]{1,127}$",
    ["neuronetz-gateway"]
);

name!(
    /// An item of an app's backup: what is copied as one.
    ItemName,
    "an item's",
    "item-name",
    "Item",
    "db"
);

name!(
    /// A place for copies, as the host file names it.
    RepositoryName,
    "a repository's",
    "repository-name",
    "Repository",
    "local"
);

name!(
    /// An installation: the mark of ownership on everything this host's file makes.
    InstallationName,
    "an installation",
    "installation-name",
    "Installation",
    "default"
);

impl RepositoryName {
    /// The one that every host has.
    #[must_use]
    pub fn local() -> Self {
        Self("local".to_owned())
    }
}

impl Default for InstallationName {
    fn default() -> Self {
        Self("default".to_owned())
    }
}
