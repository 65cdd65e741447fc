//! How readiness and health of a service are judged.

use super::{
    form::{OneOrMany, Text, count, is_count, is_default, is_seconds, seconds},
    refused,
};
use crate::{
    desired::Scheme,
    value::{Duration, HostName, HttpPath, StatusRange},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;

/// How readiness and health are judged: one of `http`, `tcp`, `test`, or `disable`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Healthcheck", extend("x-refused" = refused::healthcheck()))]
pub struct Healthcheck {
    /// A GET to the container; nothing is needed in the image. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "HTTP probe", example = serde_json::json!({"path": "/healthz", "port": 8080}))]
    pub http: Option<HttpCheck>,
    /// A connection to the container; nothing is needed in the image. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "TCP probe", example = serde_json::json!({"port": 5432}))]
    pub tcp: Option<TcpCheck>,
    /// A command inside the container, in Compose's words; exit code 0 is healthy. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Command in the container", example = ["CMD", "redis-cli", "ping"])]
    pub test: Option<TestCommand>,
    /// Turns off the check that the image brings. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Disable", example = true)]
    pub disable: bool,
    /// Between two checks of a healthy container. Default: 5s.
    #[serde(default = "seconds::<5>", skip_serializing_if = "is_seconds::<5>")]
    #[schemars(title = "Interval", example = &"10s")]
    pub interval: Duration,
    /// How long an answer may take. Default: 3s.
    #[serde(default = "seconds::<3>", skip_serializing_if = "is_seconds::<3>")]
    #[schemars(title = "Timeout", example = &"1s")]
    pub timeout: Duration,
    /// How many failures in a row make a healthy container unhealthy. Default: 3.
    #[serde(default = "count::<3>", skip_serializing_if = "is_count::<3>")]
    #[schemars(title = "Retries", example = 5, range(min = 1))]
    pub retries: u32,
    /// After the start, failures do not count for so long. Default: 0s.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Start period", example = &"30s")]
    pub start_period: Duration,
    /// Between two checks until the container is healthy. Default: 1s.
    #[serde(default = "seconds::<1>", skip_serializing_if = "is_seconds::<1>")]
    #[schemars(title = "Start interval", example = &"500ms")]
    pub start_interval: Duration,
}

impl Healthcheck {
    /// The command the engine runs, as it takes it.
    #[must_use]
    pub fn engine_test(&self) -> Option<&[String]> {
        let test = self.test.as_ref().map(|test| test.0.as_slice());
        test.filter(|_| !self.disable && !self.is_none_test())
    }

    /// True for `test: [NONE]`, Compose's other way to say `disable: true`.
    #[must_use]
    pub fn is_none_test(&self) -> bool {
        self.test.as_ref().is_some_and(|test| test.0.first().is_some_and(|word| word == "NONE"))
    }
}

/// A GET to the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "HTTP probe")]
pub struct HttpCheck {
    /// The path asked for. Default: /.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Path", example = &"/healthz")]
    pub path: HttpPath,
    /// The container's port.
    #[schemars(title = "Port", example = 8080, range(min = 1, max = 65535))]
    pub port: u16,
    /// `http` or `https`; the certificate is not verified. Default: http.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Scheme", example = &"https", with = "SchemeWord")]
    pub scheme: Scheme,
    /// The `Host` header. Default: null, which is the container's address.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Host header", example = &"api.example.com")]
    pub host: Option<HostName>,
    /// Which statuses are good. Default: 200-399.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Good statuses", example = &"200-299")]
    pub status: StatusRange,
}

/// The words of `Scheme`, for the schema.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[allow(dead_code)]
enum SchemeWord {
    Http,
    Https,
}

/// A connection to the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "TCP probe")]
pub struct TcpCheck {
    /// The container's port.
    #[schemars(title = "Port", example = 5432, range(min = 1, max = 65535))]
    pub port: u16,
}

/// A check's command as the engine takes it: `CMD`, `CMD-SHELL` or `NONE` first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct TestCommand(pub Vec<String>);

impl<'de> Deserialize<'de> for TestCommand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let OneOrMany { single, items } = OneOrMany::<Text>::deserialize(deserializer)?;
        let shell = single.then(|| "CMD-SHELL".to_owned());
        Ok(Self(shell.into_iter().chain(items.into_iter().map(|text| text.0)).collect()))
    }
}

impl JsonSchema for TestCommand {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TestCommand".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let argument = generator.subschema_for::<Text>();
        json_schema!({
            "title": "Command in the container",
            "anyOf": [
                {"title": "List that begins with CMD or CMD-SHELL", "type": "array", "minItems": 1, "items": argument},
                {"title": "Line for the image's shell", "type": "string", "minLength": 1},
            ],
        })
    }
}
