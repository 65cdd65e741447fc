//! How a route is secured.

use super::{form::is_default, refused};
use crate::{desired::route::TlsPolicy, value::ProxyFile};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;

/// How a route is secured: where its certificate comes from, and what browsers are told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "TLS", extend("x-refused" = refused::tls()))]
pub struct Tls {
    /// `acme`: a certificate of an authority such as Let's Encrypt. `internal`: of the host's own authority. `files`:
    /// `cert_file` and `key_file`. `upstream`: TLS ends at a proxy in front of this host's. `off`: plain HTTP.
    /// Default: acme.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Mode", example = &"internal")]
    pub mode: Mode,
    /// Plain HTTP is answered with a redirect to HTTPS. Default: true, with `upstream` and `off` false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Redirect", example = false)]
    pub redirect: Option<bool>,
    /// What browsers are told to remember (`Strict-Transport-Security`), or `off`. Default: a year for these hosts
    /// alone, and `off` where nothing is redirected.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "HSTS", example = serde_json::json!({"max_age": 31_536_000, "subdomains": true}))]
    pub hsts: Option<HstsChoice>,
    /// Which versions and ciphers are offered, by Mozilla's recommendations: `modern` is TLS 1.3, `intermediate` 1.2
    /// as well. Default: intermediate.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Policy", example = &"modern", with = "PolicyWord")]
    pub policy: TlsPolicy,
    /// With `files`: the certificate and those that lead to its authority, PEM, on the host. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Certificate", example = &"/etc/ssl/api.example.com/fullchain.pem")]
    pub cert_file: Option<ProxyFile>,
    /// With `files`: its private key, PEM, on the host. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Private key", example = &"/etc/ssl/api.example.com/privkey.pem")]
    pub key_file: Option<ProxyFile>,
}

/// Where the certificate comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Mode {
    #[default]
    Acme,
    Internal,
    Files,
    Upstream,
    Off,
}

impl Mode {
    /// True where this host's proxy shows a certificate.
    #[must_use]
    pub const fn is_secured(self) -> bool {
        match self {
            Self::Acme | Self::Internal | Self::Files => true,
            Self::Upstream | Self::Off => false,
        }
    }

    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Acme => "acme",
            Self::Internal => "internal",
            Self::Files => "files",
            Self::Upstream => "upstream",
            Self::Off => "off",
        }
    }
}

/// The words of `TlsPolicy`, for the schema.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[allow(dead_code)]
enum PolicyWord {
    Modern,
    Intermediate,
}

impl Tls {
    /// Whether plain HTTP is answered with a redirect.
    #[must_use]
    pub fn redirects(&self) -> bool {
        self.redirect.unwrap_or(self.mode.is_secured())
    }
}

/// What browsers are told to remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HstsChoice {
    Off,
    On(Hsts),
}

/// `Strict-Transport-Security`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "HSTS", inline)]
pub struct Hsts {
    /// For how many seconds. Default: 31536000.
    #[serde(default = "year", skip_serializing_if = "is_year")]
    #[schemars(title = "Seconds", example = 63_072_000, range(max = 315_360_000))]
    pub max_age: u64,
    /// For all names below the hosts as well. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Subdomains", example = true)]
    pub subdomains: bool,
    /// Browsers may have it in their own lists, which is hard to take back; it needs `subdomains` and a year.
    /// Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Preload", example = true)]
    pub preload: bool,
}

/// A year in seconds.
pub const YEAR: u64 = 31_536_000;

const fn year() -> u64 {
    YEAR
}

// Serde hands the field by reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_year(seconds: &u64) -> bool {
    *seconds == YEAR
}

impl Default for Hsts {
    fn default() -> Self {
        Self { max_age: YEAR, subdomains: false, preload: false }
    }
}

impl<'de> Deserialize<'de> for HstsChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        match value.as_str() {
            Some("off") => Ok(Self::Off),
            Some(other) => Err(de::Error::custom(format!("`{other}` is not `off`"))),
            None => Hsts::deserialize(value).map(Self::On).map_err(de::Error::custom),
        }
    }
}

impl Serialize for HstsChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Off => serializer.serialize_str("off"),
            Self::On(hsts) => hsts.serialize(serializer),
        }
    }
}

impl JsonSchema for HstsChoice {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "HstsChoice".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let hsts = generator.subschema_for::<Hsts>();
        json_schema!({"anyOf": [hsts, {"title": "Word", "type": "string", "enum": ["off"]}]})
    }
}
