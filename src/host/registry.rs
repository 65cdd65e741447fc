//! Who may pull from which registry.

use crate::value::{AbsolutePath, RegistryName};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The users of registries, by registry.
pub type Registries = BTreeMap<RegistryName, RegistryUser>;

/// A user of a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Registry user")]
pub struct RegistryUser {
    /// Who logs in.
    #[schemars(title = "User", length(min = 1), example = &"ci")]
    pub username: String,
    /// The file with the password or token, closed to others (mode 0600). It is read at each pull.
    #[schemars(title = "Password", example = &"/etc/reconcile/registry")]
    pub password_file: AbsolutePath,
}

/// A mapping whose keys are judged as registries.
pub(super) fn schema(generator: &mut SchemaGenerator) -> Schema {
    let (name, user) = (generator.subschema_for::<RegistryName>(), generator.subschema_for::<RegistryUser>());
    json_schema!({"type": "object", "propertyNames": name, "additionalProperties": user})
}
