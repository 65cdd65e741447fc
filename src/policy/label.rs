//! Labels that are not for manifests: the tool's own and the engines'.

use super::{Denial, Subject};
use crate::desired::{
    ContainerSpec, label,
    spec::{MountSource, Network},
};
use std::collections::BTreeMap;

/// Judged on the body too, and on the networks and volumes that are made for it: a revision that was stored before a prefix
/// was reserved has not seen the check of today.
pub(super) fn judge(subject: &Subject<'_>, spec: &ContainerSpec) -> Vec<Denial> {
    let joined: Vec<&String> = match &spec.network {
        Network::Networks(networks) => networks.keys().collect(),
        Network::Host | Network::None | Network::Service(_) => Vec::new(),
    };
    let networks = joined.into_iter().filter_map(|name| {
        let network = subject.app.networks.get(name)?;
        Some((format!("networks.{}.labels", network.key), &network.labels))
    });
    let volumes = spec.mounts.iter().filter_map(|mount| match &mount.source {
        MountSource::Volume(name) => {
            let volume = subject.app.volumes.get(name)?;
            Some((format!("volumes.{}.labels", volume.key), &volume.labels))
        }
        MountSource::Bind(_) => None,
    });
    let own = std::iter::once((subject.field("labels"), &spec.labels));
    own.chain(networks).chain(volumes).flat_map(|(field, labels)| reserved(&field, labels)).collect()
}

fn reserved(field: &str, labels: &BTreeMap<String, String>) -> Vec<Denial> {
    let reserved = labels.keys().filter_map(|name| Some((name, label::reserved(name)?)));
    let denial = |(name, owner): (&String, &str)| Denial {
        field: field.to_owned(),
        rule: "labels",
        message: format!("label `{name}` is reserved for {owner}"),
        allow: None,
    };
    reserved.map(denial).collect()
}
