//! An engine's answer about a container, flattened and normalised, to be compared with its own earlier answer.

use super::Abilities;
use crate::plan::change::FieldChange;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, btree_map::Entry};

/// Of `Config`, what a container is made from; the rest is how somebody looks at it.
const CONFIG: &[&str] = &[
    "Image",
    "Cmd",
    "Entrypoint",
    "User",
    "WorkingDir",
    "Labels",
    "Healthcheck",
    "StopSignal",
    "StopTimeout",
    "Hostname",
    "ExposedPorts",
    "Tty",
    "OpenStdin",
];

/// Of `HostConfig`, what is observed as a fact of its own where the engine adjusts it in place.
const ADJUSTABLE: &[&str] =
    &["RestartPolicy", "Memory", "MemorySwap", "MemoryReservation", "NanoCpus", "CpusetCpus", "PidsLimit"];

/// Raised whenever `Projection::of` changes: baselines of another version are learned anew.
pub const VERSION: u32 = 1;

/// Path in the engine's answer to value, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Projection(pub BTreeMap<String, String>);

impl Projection {
    /// The part of an inspection that stays the same over starts and stops, and changes when the container is changed.
    ///
    /// Left out: what is observed as a fact of its own (name, networks, and limits where the engine `adjusts`), and
    /// whatever is empty, zero or false, so that an engine's new field changes nothing. Measured in research, engine §2.
    #[must_use]
    pub fn of(inspect: &Value, abilities: Abilities) -> Self {
        let mut fields = BTreeMap::new();
        put(&mut fields, "Image".to_owned(), &inspect["Image"]);
        for key in CONFIG {
            put(&mut fields, format!("Config.{key}"), &inspect["Config"][*key]);
        }
        for variable in inspect["Config"]["Env"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
            // Podman finds a home for a numeric user from the second start on, in the passwd file it wrote at the first.
            if name == "HOME" {
                continue;
            }
            note(&mut fields, format!("Config.Env.{name}"), value.to_owned());
        }
        let host = &inspect["HostConfig"];
        for (key, value) in host.as_object().into_iter().flatten() {
            if !abilities.adjusts || !ADJUSTABLE.contains(&key.as_str()) {
                put(&mut fields, format!("HostConfig.{key}"), &sorted(value));
            }
        }
        // The engine makes swap twice the memory and adjusts both together; any other ratio is somebody's hand.
        let (memory, swap) = (host["Memory"].as_i64().unwrap_or_default(), &host["MemorySwap"]);
        if abilities.adjusts && swap.as_i64() != Some(memory.saturating_mul(2)) {
            put(&mut fields, "HostConfig.MemorySwap".to_owned(), swap);
        }
        for mount in inspect["Mounts"].as_array().into_iter().flatten() {
            let text = |key: &str| mount[key].as_str().filter(|text| !text.is_empty());
            let source = text("Name").or_else(|| text("Source")).unwrap_or_default();
            let access = if mount["RW"] == true { "rw" } else { "ro" };
            let target = text("Destination").unwrap_or_default();
            note(
                &mut fields,
                format!("Mounts.{target}"),
                format!("{} {source} {access}", text("Type").unwrap_or_default()),
            );
        }
        Self(fields)
    }

    /// The same without the values of these variables: it is written down.
    #[must_use]
    pub fn without_values<'a>(mut self, variables: impl IntoIterator<Item = &'a String>) -> Self {
        for name in variables {
            if let Some(value) = self.0.get_mut(&format!("Config.Env.{name}")) {
                "(secret)".clone_into(value);
            }
        }
        self
    }

    /// What differs between an earlier answer (`self`) and one of now.
    #[must_use]
    pub fn differences(&self, now: &Self) -> Vec<FieldChange> {
        let paths: std::collections::BTreeSet<_> = self.0.keys().chain(now.0.keys()).collect();
        paths
            .into_iter()
            .filter(|path| self.0.get(*path) != now.0.get(*path))
            .map(|path| FieldChange {
                path: path.clone(),
                before: now.0.get(path).cloned(),
                after: self.0.get(path).cloned(),
            })
            .collect()
    }
}

/// Notes a value under its path: objects by their keys, empty values not at all.
fn put(fields: &mut BTreeMap<String, String>, path: String, value: &Value) {
    match value {
        Value::Object(entries) if path == "Config.ExposedPorts" => {
            let mut ports: Vec<&str> = entries.keys().map(String::as_str).collect();
            ports.sort_unstable();
            if !ports.is_empty() {
                note(fields, path, ports.join(" "));
            }
        }
        Value::Object(entries) => {
            for (key, value) in entries {
                put(fields, format!("{path}.{key}"), value);
            }
        }
        Value::Null | Value::Bool(false) => {}
        Value::Bool(true) => note(fields, path, "true".to_owned()),
        Value::Number(number) if number.as_i64() == Some(0) => {}
        Value::Number(number) => note(fields, path, number.to_string()),
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => note(fields, path, text.clone()),
        Value::Array(items) if items.is_empty() => {}
        Value::Array(_) => note(fields, path, value.to_string()),
    }
}

/// Docker keeps a variable twice where image and container both set it; both count.
fn note(fields: &mut BTreeMap<String, String>, path: String, value: String) {
    match fields.entry(path) {
        Entry::Vacant(place) => drop(place.insert(value)),
        Entry::Occupied(mut place) => {
            let both = place.get_mut();
            both.push('\n');
            both.push_str(&value);
        }
    }
}

/// Lists of `HostConfig` are sets, and come in changing order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_cached_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(entries) => entries.iter().map(|(key, value)| (key.clone(), sorted(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
