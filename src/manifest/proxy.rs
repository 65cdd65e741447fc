//! How a service is reached through the host's proxy.

use super::{
    OneOrMany,
    form::{count, is_count, is_default, is_seconds, seconds},
    refused,
    schema::map,
};
use crate::{
    desired::route::Backend,
    value::{Client, Duration, HeaderName, HeaderValue, Rate, RoutePath, SecretName, Size, VirtualHost},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// The way from a host's name to the service. Which proxy makes it is the host's to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Proxy", extend("x-refused" = refused::proxy()))]
pub struct Proxy {
    /// The names that lead to the service; `*.example.com` is every name one label below. On one host each belongs to
    /// one service, path by path.
    #[schemars(title = "Hosts", example = ["api.example.com"], length(min = 1))]
    pub hosts: Vec<VirtualHost>,
    /// The container's port. Default: the only one of `expose`, or of those that the image exposes.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Port", example = 8080, range(min = 1, max = 65535))]
    pub port: Option<u16>,
    /// Only requests for this path, and those below it. Default: /.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Path", example = &"/api")]
    pub path: RoutePath,
    /// The service does not see `path`: `/api/users` comes as `/users`. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Strip the path", example = true)]
    pub strip_path: bool,
    /// How the service is spoken to: `http`, `https` (its certificate is not verified) or `h2c`, HTTP/2 without TLS.
    /// WebSockets pass in any case. Default: http.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Backend", example = &"https", with = "BackendWord")]
    pub backend: Backend,
    /// Other names, which redirect to the first of `hosts` with 308. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Redirect from", example = ["www.example.com"])]
    pub redirect_from: Vec<VirtualHost>,
    /// The most that a request may send, in bytes or with a unit; `0` is without limit. Default: 10m.
    #[serde(default = "most_body", skip_serializing_if = "is_most_body")]
    #[schemars(title = "Largest body", example = &"100m")]
    pub max_body: Size,
    /// How long the service may take. Default: each field's own.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Timeouts", example = serde_json::json!({"read": "10m"}))]
    pub timeouts: Timeouts,
    /// Headers that make browsers careful: `standard` (`X-Content-Type-Options: nosniff`, `X-Frame-Options: DENY`,
    /// `Referrer-Policy: no-referrer`), `off`, or a map of those you want instead. Default: standard.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Security headers", example = &"off")]
    pub security_headers: SecurityHeaders,
    /// More headers of every answer; one that `standard` has as well is taken from here. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Headers", example = serde_json::json!({"Cache-Control": "no-store"}), schema_with = "map::<HeaderName, HeaderValue>")]
    pub headers: BTreeMap<HeaderName, HeaderValue>,
    /// How much one address may ask for; what is more is answered with 429. Default: no limit.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Rate limit", example = serde_json::json!({"rate": "10/s", "burst": 20, "exempt": ["/health"]}))]
    pub rate_limit: Option<RateLimit>,
    /// Who may ask: networks, or `internal` for those that are not of the internet. Others get 403. Default: everybody.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Allow from", example = ["10.8.0.0/24"])]
    pub allow_from: OneOrMany<Client>,
    /// Who asks must be one of these users. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Basic auth", example = serde_json::json!({"secret": "users"}))]
    pub basic_auth: Option<BasicAuth>,
}

const fn most_body() -> Size {
    Size::from_bytes(10 << 20)
}

fn is_most_body(size: &Size) -> bool {
    *size == most_body()
}

/// The words of `Backend`, for the schema.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[allow(dead_code)]
enum BackendWord {
    Http,
    Https,
    H2c,
}

/// How long a proxy waits for the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Timeouts")]
pub struct Timeouts {
    /// For a connection to be made, 75s at most. Default: 5s.
    #[serde(default = "seconds::<5>", skip_serializing_if = "is_seconds::<5>")]
    #[schemars(title = "Connect", example = &"2s")]
    pub connect: Duration,
    /// How long the service may be silent within an answer. Default: 60s.
    #[serde(default = "seconds::<60>", skip_serializing_if = "is_seconds::<60>")]
    #[schemars(title = "Read", example = &"10m")]
    pub read: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: seconds::<5>(), read: seconds::<60>() }
    }
}

/// How much one address may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Rate limit")]
pub struct RateLimit {
    /// Requests in a second (`10/s`) or a minute (`600/m`).
    #[schemars(title = "Rate", example = &"10/s")]
    pub rate: Rate,
    /// How many more are let through at once. Default: 20.
    #[serde(default = "count::<20>", skip_serializing_if = "is_count::<20>")]
    #[schemars(title = "Burst", example = 20, range(max = 1_000_000))]
    pub burst: u32,
    /// Paths that are not counted, each exactly as it stands here. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Exempt", example = ["/health"])]
    pub exempt: BTreeSet<RoutePath>,
}

/// Who is asked for a name and a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Basic auth")]
pub struct BasicAuth {
    /// The secret of the app that holds the users, a line `name:hash` each, as `htpasswd -B` writes them.
    #[schemars(title = "Secret", example = &"users")]
    pub secret: SecretName,
}

/// Headers that make browsers careful.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SecurityHeaders {
    Off,
    #[default]
    Standard,
    /// Instead of the standard ones.
    These(BTreeMap<HeaderName, HeaderValue>),
}

/// The headers that `standard` stands for.
pub const STANDARD_HEADERS: [(&str, &str); 3] =
    [("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer")];

impl<'de> Deserialize<'de> for SecurityHeaders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        match value.as_str() {
            Some("off") => Ok(Self::Off),
            Some("standard") => Ok(Self::Standard),
            Some(other) => Err(de::Error::custom(format!("`{other}` is none of `off`, `standard`"))),
            None => BTreeMap::deserialize(value).map(Self::These).map_err(de::Error::custom),
        }
    }
}

impl Serialize for SecurityHeaders {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Off => serializer.serialize_str("off"),
            Self::Standard => serializer.serialize_str("standard"),
            Self::These(headers) => headers.serialize(serializer),
        }
    }
}

impl JsonSchema for SecurityHeaders {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SecurityHeaders".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut headers = map::<HeaderName, HeaderValue>(generator).to_value();
        headers["title"] = "Headers".into();
        json_schema!({"anyOf": [{"title": "Word", "type": "string", "enum": ["standard", "off"]}, headers]})
    }
}
