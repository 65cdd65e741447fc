//! Names that must be declared somewhere in the app.

use super::findings::{Findings, place_of_name};
use crate::{
    desired::resolve::DEFAULT_NETWORK,
    manifest::{Manifest, Service},
    value::{NetworkMode, ServiceName, VolumeSource},
    yaml::Diagnostic,
};

/// Every network, volume and service that is named and not there.
pub(super) fn undeclared(manifest: &Manifest, findings: &mut Findings<'_>) {
    let services: Vec<&str> = manifest.services.keys().map(AsRef::as_ref).collect();
    for (name, service) in &manifest.services {
        networks(manifest, name, service, findings);
        volumes(manifest, name, service, findings);
        for other in service.depends_on.0.keys().filter(|other| !manifest.services.contains_key(*other)) {
            let place = place_of_name(findings.tree, &["services", name.as_str(), "depends_on"], other.as_str());
            let (message, hint) = unknown_service(other, &services);
            findings.problems.push(Diagnostic::new(&place, message).with_hint(hint));
        }
        if let Some(NetworkMode::Service(other)) = &service.network_mode
            && !manifest.services.contains_key(other)
        {
            let (message, hint) = unknown_service(other, &services);
            findings.advise(&["services", name.as_str(), "network_mode"], message, hint);
        }
    }
    for (name, job) in manifest.jobs.iter().filter(|(_, job)| !manifest.services.contains_key(&job.service)) {
        let (message, hint) = unknown_service(&job.service, &services);
        findings.advise(&["jobs", name.as_str(), "service"], message, hint);
    }
}

fn networks(manifest: &Manifest, name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    let declared: Vec<&str> = manifest.networks.keys().map(AsRef::as_ref).collect();
    for key in service.networks.iter().flat_map(|networks| networks.0.keys()) {
        if key.as_str() == DEFAULT_NETWORK || manifest.networks.contains_key(key) {
            continue;
        }
        let place = place_of_name(findings.tree, &["services", name.as_str(), "networks"], key.as_str());
        let problem = Diagnostic::new(&place, format!("network `{key}` is not declared"));
        findings.problems.push(problem.with_hint(declare(key.as_str(), &declared, "networks")));
    }
}

fn volumes(manifest: &Manifest, name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    let declared: Vec<&str> = manifest.volumes.keys().map(AsRef::as_ref).collect();
    for (index, mount) in service.volumes.iter().enumerate() {
        if let VolumeSource::Volume(key) = &mount.source
            && !manifest.volumes.contains_key(key)
        {
            let path = ["services", name.as_str(), "volumes", &index.to_string()];
            let hint = declare(key.as_str(), &declared, "volumes");
            findings.advise(&path, format!("volume `{key}` is not declared"), hint);
        }
    }
}

pub(super) fn declare(name: &str, declared: &[&str], section: &str) -> String {
    let write = format!("`{section}: {{{name}: {{}}}}`");
    match nearest(name, declared) {
        Some(near) => format!("did you mean `{near}`? else declare it at the top of the app: {write}"),
        None => format!("declare it at the top of the app: {write}"),
    }
}

pub(super) fn unknown_service(name: &ServiceName, services: &[&str]) -> (String, String) {
    let hint = match nearest(name.as_str(), services) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("its services: `{}`", services.join("`, `")),
    };
    (format!("`{name}` is no service of this app"), hint)
}

fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |word: &&&str| strsim::damerau_levenshtein(name, word);
    known.iter().min_by_key(distance).filter(|word| distance(word) <= 2.min(name.len() / 2)).copied()
}
