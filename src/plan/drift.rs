//! What of a container's body is not as declared, where nothing is remembered of it.
//!
//! Fields an image can bring (environment, labels) are compared one way: what is declared must be there. Fields that
//! give rights are compared both ways: what is there must be declared. So a container that somebody made by hand
//! with our labels is told from ours (research, engine §2).

use super::change::FieldChange;
use crate::{
    desired::{ContainerSpec, spec::Mount, spec::MountSource, spec::Network},
    observed::Container,
};
use std::collections::{BTreeMap, BTreeSet};

/// The declared fields of `service` that `body` does not have.
#[must_use]
pub fn undeclared(service: &str, spec: &ContainerSpec, body: &ContainerSpec) -> Vec<FieldChange> {
    let mut found = Comparison { service, differences: Vec::new() };
    found.contained("env", &spec.env, &body.env);
    found.contained("labels", &spec.labels, &body.labels);
    found.declared("command", spec.command.as_ref(), body.command.as_ref());
    found.declared("entrypoint", spec.entrypoint.as_ref(), body.entrypoint.as_ref());
    found.declared("user", spec.user.as_ref(), body.user.as_ref());
    found.declared("working_dir", spec.working_dir.as_ref(), body.working_dir.as_ref());
    found.declared("hostname", spec.hostname.as_ref(), body.hostname.as_ref());
    found.equal("volumes", &mounts(spec, body), &mounts(body, spec));
    found.equal("ports", &spec.ports, &body.ports);
    found.equal("network_mode", &mode(&spec.network), &mode(&body.network));
    found.equal("privileged", &spec.privileged, &body.privileged);
    found.equal("read_only", &spec.read_only, &body.read_only);
    found.equal("cap_add", &capabilities(&spec.cap_add), &capabilities(&body.cap_add));
    found.equal("cap_drop", &spec.cap_drop.is_empty(), &body.cap_drop.is_empty());
    found.equal("security_opt", &set(&spec.security_opt), &set(&body.security_opt));
    found.equal("devices", &devices(spec), &devices(body));
    found.equal("rights beyond a manifest", &spec.unspoken, &body.unspoken);
    found.equal("gpus", &spec.gpus.is_some(), &body.gpus.is_some());
    found.differences
}

/// The variables whose secrets are others than its service has. No value is told, neither of them.
pub fn other_values<'a>(service: &'a str, container: &'a Container) -> impl Iterator<Item = FieldChange> + 'a {
    container.other_values.iter().map(move |name| FieldChange {
        path: format!("services.{service}.env.{name}"),
        before: Some("another value".to_owned()),
        after: Some("the secret's".to_owned()),
    })
}

struct Comparison<'a> {
    service: &'a str,
    differences: Vec<FieldChange>,
}

impl Comparison<'_> {
    fn note(&mut self, field: &str, before: Option<String>, after: Option<String>) {
        self.differences.push(FieldChange { path: format!("services.{}.{field}", self.service), before, after });
    }

    fn contained(&mut self, field: &str, declared: &BTreeMap<String, String>, there: &BTreeMap<String, String>) {
        for (key, value) in declared {
            if there.get(key) != Some(value) {
                self.note(&format!("{field}.{key}"), there.get(key).cloned(), Some(value.clone()));
            }
        }
    }

    fn declared<T: PartialEq + std::fmt::Debug>(&mut self, field: &str, declared: Option<&T>, there: Option<&T>) {
        if declared.is_some() && declared != there {
            self.note(field, there.map(|value| format!("{value:?}")), declared.map(|value| format!("{value:?}")));
        }
    }

    fn equal<T: PartialEq + std::fmt::Debug>(&mut self, field: &str, declared: &T, there: &T) {
        if declared != there {
            self.note(field, Some(format!("{there:?}")), Some(format!("{declared:?}")));
        }
    }
}

/// The mounts of one body, less the nameless volumes that an image's `VOLUME` brings and the other does not name.
fn mounts(of: &ContainerSpec, beside: &ContainerSpec) -> BTreeSet<String> {
    let nameless = |mount: &Mount| match &mount.source {
        MountSource::Volume(name) => name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit()),
        MountSource::Bind(_) => false,
    };
    of.mounts
        .iter()
        .filter(|mount| beside.mounts.contains(mount) || !nameless(mount))
        .map(|mount| format!("{}:{}{}", mount.source, mount.target, if mount.read_only { ":ro" } else { "" }))
        .collect()
}

/// The kind of network; the networks themselves are compared as endpoints.
fn mode(network: &Network) -> &'static str {
    match network {
        Network::Networks(_) => "networks",
        Network::Host => "host",
        Network::None => "none",
        Network::Service(_) => "service",
    }
}

fn capabilities(names: &BTreeSet<String>) -> BTreeSet<String> {
    names.iter().map(|name| name.to_ascii_uppercase().trim_start_matches("CAP_").to_owned()).collect()
}

fn set(list: &[String]) -> BTreeSet<&String> {
    list.iter().collect()
}

fn devices(spec: &ContainerSpec) -> BTreeSet<(&String, &String)> {
    spec.devices.iter().map(|device| (&device.host, &device.container)).collect()
}
