//! What is wanted: a certificate for some names, and who is to vouch for them.

use crate::value::{AppName, EnvironmentName, ServiceName};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, path::PathBuf};

/// The name of a certificate, `<environment>.<app>.<service>`: good as the name of a folder. A dot is in none of the three,
/// so no two routes have one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CertificateName(String);

impl CertificateName {
    /// The name of the certificate of a service's route.
    #[must_use]
    pub fn of(environment: &EnvironmentName, app: &AppName, service: &ServiceName) -> Self {
        Self(format!("{environment}.{app}.{service}"))
    }

    /// What the names of an app's certificates begin with.
    #[must_use]
    pub fn prefix(environment: &EnvironmentName, app: &AppName) -> String {
        format!("{environment}.{app}.")
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A number from 0 to 1 that is this name's own: what many certificates do at once on one day is spread by it, and
    /// comes out the same at every look.
    #[must_use]
    pub fn share(&self) -> f64 {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(self.0.as_bytes());
        let number = digest.iter().take(4).fold(0u32, |number, byte| number << 8 | u32::from(*byte));
        f64::from(number) / f64::from(u32::MAX)
    }
}

impl TryFrom<String> for CertificateName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_name = text.bytes().next().is_some_and(plain)
            && text.bytes().all(|byte| plain(byte) || matches!(byte, b'-' | b'_' | b'.'));
        if is_name { Ok(Self(text)) } else { Err(format!("`{text}` is not the name of a certificate")) }
    }
}

impl From<CertificateName> for String {
    fn from(name: CertificateName) -> Self {
        name.0
    }
}

impl fmt::Display for CertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The host's ACME authority, which is shown by HTTP-01 that the names lead here.
    Acme,
    /// The host's own authority.
    Internal,
    /// Files that somebody else puts there, PEM.
    Files { certificate: PathBuf, key: PathBuf },
}

/// A certificate that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Wanted {
    name: CertificateName,
    names: BTreeSet<String>,
    origin: Origin,
}

/// The same as it is read, before it is judged.
#[derive(Deserialize)]
struct Written {
    name: CertificateName,
    names: BTreeSet<String>,
    origin: Origin,
}

impl TryFrom<Written> for Wanted {
    type Error = Refused;

    fn try_from(Written { name, names, origin }: Written) -> Result<Self, Refused> {
        Self::new(name, names, origin)
    }
}

/// Why nobody can be asked for such a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("certificate `{name}` is for no name")]
    Nameless { name: CertificateName },
    #[error("`{wildcard}` of certificate `{name}` stands for many names, and HTTP-01 proves one at a time")]
    Wildcard { name: CertificateName, wildcard: String },
}

impl Refused {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Nameless { .. } => "name a host",
            Self::Wildcard { .. } => "write each name, or take a certificate from `internal` or `files`",
        }
    }
}

impl Wanted {
    /// A certificate for names in lower case, `*.` in front of one that stands for every name one label below.
    ///
    /// # Errors
    /// There is no name; an ACME authority would have to vouch for a wildcard.
    pub fn new(name: CertificateName, names: BTreeSet<String>, origin: Origin) -> Result<Self, Refused> {
        if names.is_empty() {
            return Err(Refused::Nameless { name });
        }
        let wildcard = names.iter().find(|host| host.starts_with("*.")).cloned();
        match (wildcard, &origin) {
            (Some(wildcard), Origin::Acme) => Err(Refused::Wildcard { name, wildcard }),
            (Some(_) | None, Origin::Acme | Origin::Internal | Origin::Files { .. }) => {
                Ok(Self { name, names, origin })
            }
        }
    }

    #[must_use]
    pub fn name(&self) -> &CertificateName {
        &self.name
    }

    /// What it must be good for.
    #[must_use]
    pub fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// Who issued a certificate that lies here; written in the name of its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance(String);

impl Provenance {
    /// A word for the kind of authority, and what tells it from others of its kind.
    pub(super) fn of(kind: &str, which: &str) -> Self {
        Self(format!("{kind}-{which}"))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}
