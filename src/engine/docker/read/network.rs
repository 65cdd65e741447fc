//! Networks and volumes.

use super::{labels, list, text_or_empty};
use crate::engine::{NetworkView, VolumeView};
use serde_json::Value;

pub fn networks(said: &Value) -> Vec<NetworkView> {
    let network = |said: &Value| NetworkView {
        id: text_or_empty(&said["Id"]),
        name: text_or_empty(&said["Name"]),
        labels: labels(&said["Labels"]),
        internal: said["Internal"].as_bool().unwrap_or_default(),
    };
    list(said).iter().map(network).collect()
}

pub fn volumes(said: &Value) -> Vec<VolumeView> {
    let volume = |said: &Value| VolumeView { name: text_or_empty(&said["Name"]), labels: labels(&said["Labels"]) };
    list(&said["Volumes"]).iter().map(volume).collect()
}
