//! The upgrade law: a new release finds an unchanged host in sync.
//!
//! Containers, networks and jobs are known by the hashes they were made with. When a hash of the golden manifest
//! changes, every container made from such a field is replaced by an upgrade of the tool alone.

use super::{desired, web};
use crate::{desired::manifest_digest, manifest::shape};
use serde_json::{Value, json};
use std::fs;

fn golden(name: &str) -> String {
    fs::read_to_string(format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn an_unchanged_manifest_has_the_hashes_of_every_release_before() {
    let desired = desired(&golden("every-field.yaml"));
    let hashes = json!({
        "manifest": manifest_digest(&desired),
        "services": desired.services.iter().map(|(n, s)| (n.to_string(), s.spec_hash.as_str().into())).collect::<serde_json::Map<_, Value>>(),
        "jobs": desired.jobs.iter().map(|(n, j)| (n.to_string(), j.spec_hash.as_str().into())).collect::<serde_json::Map<_, Value>>(),
        "networks": desired.networks.iter().map(|(n, d)| (n.clone(), d.spec_hash.as_str().into())).collect::<serde_json::Map<_, Value>>(),
    });
    let before: Value = serde_json::from_str(&golden("every-field.hashes.json")).unwrap();
    assert!(hashes == before, "hashes of an unchanged manifest changed, and with them every container:\n{hashes:#}");
}

/// Every property of the schema that the value has nowhere.
fn unused(schema: &Value, values: &[&Value], path: &str, found: &mut Vec<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let below: Vec<&Value> = values.iter().filter_map(|value| value.get(name)).collect();
        if below.is_empty() {
            found.push(format!("{path}{name}"));
        } else {
            unused(property, &below, &format!("{path}{name}."), found);
        }
    }
    if schema["additionalProperties"].is_object() {
        let below: Vec<&Value> =
            values.iter().filter_map(|value| value.as_object()).flat_map(|map| map.values()).collect();
        unused(&schema["additionalProperties"], &below, &format!("{path}*."), found);
    }
    if schema["items"].is_object() {
        let below: Vec<&Value> = values.iter().filter_map(|value| value.as_array()).flatten().collect();
        unused(&schema["items"], &below, &format!("{path}[]."), found);
    }
    for branch in schema["anyOf"].as_array().into_iter().flatten().filter(|branch| branch["type"] == "object") {
        let below: Vec<&Value> = values.iter().copied().filter(|value| value.is_object()).collect();
        if !below.is_empty() {
            unused(branch, &below, path, found);
        }
    }
}

#[test]
fn the_golden_manifest_has_every_field() {
    let app = web(&golden("every-field.yaml"));
    let value = serde_json::to_value(&app.manifest).unwrap();
    let mut missing = Vec::new();
    unused(shape(), &[&value], "", &mut missing);
    // Another word for `env`.
    missing.retain(|path| !path.starts_with("services.*.environment"));
    assert_eq!(missing, Vec::<String>::new());
}
