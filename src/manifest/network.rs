//! Networks and volumes of an app, and where a service's output goes.

use super::{
    form::{Text, is_default},
    refused,
};
use crate::value::ObjectName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A network of the app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Network", extend("x-refused" = refused::network()))]
pub struct Network {
    /// Made by others: it must be there, and is never changed. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "External", example = true)]
    pub external: bool,
    /// Without a way out of the host: containers reach only each other. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Internal", example = true)]
    pub internal: bool,
    /// Its name on the engine. Default: `<environment>-<app>_<key>`, for an external one the key.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Name on the engine", example = &"proxy")]
    pub name: Option<ObjectName>,
    /// The engine's driver. Default: the engine's own, `bridge`.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Driver", example = &"bridge", length(min = 1))]
    pub driver: Option<String>,
    /// Labels, beside those that `reconcile` sets. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Labels", example = serde_json::json!({"team": "web"}))]
    pub labels: BTreeMap<String, Text>,
}

/// A volume of the app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Volume", extend("x-refused" = refused::volume()))]
pub struct Volume {
    /// Made by others: it must be there. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "External", example = true)]
    pub external: bool,
    /// Its name on the engine. Default: `<environment>-<app>_<key>`, for an external one the key.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Name on the engine", example = &"gondulf_data")]
    pub name: Option<ObjectName>,
    /// Another app may write it too; both must say so. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Shared", example = true)]
    pub shared: bool,
    /// Labels, beside those that `reconcile` sets. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Labels", example = serde_json::json!({"backup": "nightly"}))]
    pub labels: BTreeMap<String, Text>,
}

/// Where the engine sends the container's output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Logging")]
pub struct Logging {
    /// The engine's driver.
    #[schemars(title = "Driver", example = &"json-file", length(min = 1))]
    pub driver: String,
    /// Options of the driver. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Options", example = serde_json::json!({"max-size": "10m", "max-file": 3}))]
    pub options: BTreeMap<String, Text>,
}
