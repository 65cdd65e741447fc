//! What connects a service with others: dependencies and networks, each a list or a map.

use super::form::{is_default, is_yes, yes};
use crate::{
    desired::Condition,
    value::{HostName, ResourceKey, ServiceName},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap};

/// What a service waits for: a list of services, or a map that says what must hold of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DependsOn(pub BTreeMap<ServiceName, Dependency>);

/// What must hold of a service before another starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Dependency", inline)]
pub struct Dependency {
    /// `service_started`, `service_healthy`, or `service_completed_successfully`. Default: service_started.
    #[serde(default)]
    #[schemars(title = "Condition", example = &"service_healthy", with = "ConditionWord", default)]
    pub condition: Condition,
    /// Without it the service does not start; false makes its failure a warning. Default: true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    #[schemars(title = "Required", example = false)]
    pub required: bool,
    /// The service is restarted after the other was replaced. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Restart", example = true)]
    pub restart: bool,
}

/// The words of `Condition`, for the schema.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
#[allow(dead_code, clippy::enum_variant_names)]
enum ConditionWord {
    ServiceStarted,
    ServiceHealthy,
    ServiceCompletedSuccessfully,
}

impl<'de> Deserialize<'de> for DependsOn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.is_array() {
            let names = Vec::<ServiceName>::deserialize(value).map_err(de::Error::custom)?;
            let started = Dependency { condition: Condition::default(), required: true, restart: false };
            return Ok(Self(names.into_iter().map(|name| (name, started)).collect()));
        }
        BTreeMap::deserialize(value).map(Self).map_err(de::Error::custom)
    }
}

impl JsonSchema for DependsOn {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "DependsOn".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (name, dependency) = (generator.subschema_for::<ServiceName>(), generator.subschema_for::<Dependency>());
        json_schema!({
            "title": "Dependencies",
            "anyOf": [
                {"title": "List of services", "type": "array", "items": name},
                {
                    "title": "Map of services to conditions",
                    "type": "object", "propertyNames": name, "additionalProperties": dependency,
                },
            ],
        })
    }
}

/// The networks of a service: a list, or a map that gives it other names there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceNetworks(pub BTreeMap<ResourceKey, Attachment>);

/// A service on a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Attachment", inline)]
pub struct Attachment {
    /// Names by which others on the network reach it, beside the service's own. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Aliases", example = ["cache"])]
    pub aliases: Vec<HostName>,
}

impl<'de> Deserialize<'de> for ServiceNetworks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.is_array() {
            let keys = Vec::<ResourceKey>::deserialize(value).map_err(de::Error::custom)?;
            return Ok(Self(keys.into_iter().map(|key| (key, Attachment::default())).collect()));
        }
        BTreeMap::deserialize(value).map(Self).map_err(de::Error::custom)
    }
}

impl Serialize for ServiceNetworks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.values().all(|attachment| attachment.aliases.is_empty()) {
            return serializer.collect_seq(self.0.keys());
        }
        self.0.serialize(serializer)
    }
}

impl JsonSchema for ServiceNetworks {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ServiceNetworks".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (key, attachment) = (generator.subschema_for::<ResourceKey>(), generator.subschema_for::<Attachment>());
        json_schema!({
            "title": "Networks",
            "anyOf": [
                {"title": "List of networks", "type": "array", "items": key},
                {
                    "title": "Map of networks to aliases",
                    "type": "object", "propertyNames": key, "additionalProperties": attachment,
                },
            ],
        })
    }
}
