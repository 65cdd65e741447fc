//! Labels, mounts and limits that an engine would refuse, or that would mean something else.

use super::findings::Findings;
use crate::{
    desired::label::{PRUNE, reserved},
    manifest::{Manifest, Service, Text},
    value::{Duration, ServiceName, Size},
};
use std::collections::{BTreeMap, BTreeSet};

/// The most ports of an app, those that are only exposed included.
const MOST_PORTS: usize = 2048;
/// The least memory Docker gives a container.
const LEAST_MEMORY: Size = Size::from_bytes(6 << 20);

pub(super) fn service(name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    let at = |field| ["services", name.as_str(), field];
    if service.scale > 1 {
        findings.add(&at("scale"), "`scale` above 1 is not supported yet");
    }
    labels(&["services", name.as_str(), "labels"], &service.labels, findings);
    targets(name, service, findings);
    if service.mem_limit.is_some_and(|limit| limit < LEAST_MEMORY) {
        findings.add(&at("mem_limit"), format!("`mem_limit` is less than an engine gives, {LEAST_MEMORY}"));
    }
    if let (Some(reservation), Some(limit)) = (service.mem_reservation, service.mem_limit)
        && reservation > limit
    {
        findings
            .add(&at("mem_reservation"), format!("`mem_reservation` {reservation} is more than `mem_limit` {limit}"));
    }
    for (limit, _) in service.ulimits.iter().filter(|(_, limit)| limit.hard != -1 && limit.soft > limit.hard) {
        let path = ["services", name.as_str(), "ulimits", &limit.to_string()];
        findings.add(&path, format!("the soft limit of `{limit}` is above the hard one"));
    }
}

/// Two things at one path hide one another.
fn targets(name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    let volumes = service.volumes.iter().map(|mount| ("volumes", &mount.target)).enumerate();
    let tmpfs = service.tmpfs.items.iter().map(|mount| ("tmpfs", &mount.target)).enumerate();
    let mut seen = BTreeSet::new();
    for (index, (field, target)) in volumes.chain(tmpfs) {
        if !seen.insert(target) {
            let path = ["services", name.as_str(), field, &index.to_string()];
            findings.add(&path, format!("something is mounted at `{target}` already"));
        }
    }
}

/// Labels of ours and of the engines are not for manifests; `reconcile.prune` is the one people set.
pub(super) fn labels(path: &[&str], labels: &BTreeMap<String, Text>, findings: &mut Findings<'_>) {
    for (label, value) in labels {
        let path: Vec<&str> = path.iter().copied().chain([label.as_str()]).collect();
        if let Some(owner) = reserved(label) {
            findings.advise(&path, format!("label `{label}` is reserved for {owner}"), "choose another name");
        } else if label == PRUNE && !matches!(value.0.as_str(), "true" | "false") {
            let message = format!("`reconcile.prune` is `true` or `false`, not `{}`", value.0);
            findings.add(&path, message);
        }
    }
}

/// Each is looked at by itself, so that a short text must not stand for millions.
fn ports(manifest: &Manifest, findings: &mut Findings<'_>) {
    let mut count = 0_usize;
    for (name, service) in &manifest.services {
        let published = service.ports.iter().map(|mapping| mapping.count());
        let exposed = service.expose.iter().map(|port| port.count());
        for (field, ports) in [("ports", published.sum::<usize>()), ("expose", exposed.sum())] {
            count = count.saturating_add(ports);
            if count > MOST_PORTS {
                let message = format!("with these the app has more than {MOST_PORTS} ports");
                findings.advise(&["services", name.as_str(), field], message, "write fewer");
                return;
            }
        }
    }
}

/// What is wrong with the parts of an app that are no service.
pub(super) fn rest(manifest: &Manifest, findings: &mut Findings<'_>) {
    ports(manifest, findings);
    if manifest.services.is_empty() {
        findings.advise(&["services"], "the app has no service", "to remove an app, remove its file");
    }
    for (key, network) in &manifest.networks {
        labels(&["networks", key.as_str(), "labels"], &network.labels, findings);
    }
    for (key, volume) in &manifest.volumes {
        labels(&["volumes", key.as_str(), "labels"], &volume.labels, findings);
    }
    for (name, job) in &manifest.jobs {
        if job.timeout == Duration::default() {
            findings.add(&["jobs", name.as_str(), "timeout"], "`timeout` must be longer than 0s");
        }
        if job.command.0.is_empty() {
            findings.add(&["jobs", name.as_str(), "command"], "a job needs a command");
        }
    }
}
