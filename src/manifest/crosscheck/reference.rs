//! Names that must be declared somewhere in the app.

use crate::{
    manifest::Manifest,
    value::{NetworkMode, VolumeSource},
    yaml::{Diagnostic, Node, Place, Value},
};

/// The app's own bridge, which need not be declared.
pub(in crate::manifest) const DEFAULT_NETWORK: &str = "default";

/// Every network, volume and service that is named and not there.
pub(super) fn undeclared(manifest: &Manifest, tree: &Node) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let networks: Vec<&str> = manifest.networks.keys().map(AsRef::as_ref).collect();
    let volumes: Vec<&str> = manifest.volumes.keys().map(AsRef::as_ref).collect();
    let services: Vec<&str> = manifest.services.keys().map(AsRef::as_ref).collect();
    for (name, service) in &manifest.services {
        let at = |field: &'static str, rest: &str| place(tree, &["services", name.as_str(), field], rest);
        for key in service.networks.iter().flat_map(|networks| networks.0.keys()) {
            if key.as_str() != DEFAULT_NETWORK && !networks.contains(&key.as_str()) {
                let place = listed(tree, &["services", name.as_str(), "networks"], key.as_str());
                problems.push(missing(
                    &place,
                    "network",
                    key.as_str(),
                    &networks,
                    &format!("networks: {{{key}: {{}}}}"),
                ));
            }
        }
        for (index, mount) in service.volumes.iter().enumerate() {
            if let VolumeSource::Volume(key) = &mount.source
                && !volumes.contains(&key.as_str())
            {
                let place = at("volumes", &index.to_string());
                problems.push(missing(&place, "volume", key.as_str(), &volumes, &format!("volumes: {{{key}: {{}}}}")));
            }
        }
        for other in service.depends_on.0.keys() {
            if !services.contains(&other.as_str()) {
                let place = listed(tree, &["services", name.as_str(), "depends_on"], other.as_str());
                problems.push(unknown_service(&place, other.as_str(), &services));
            }
        }
        if let Some(NetworkMode::Service(other)) = &service.network_mode
            && !services.contains(&other.as_str())
        {
            problems.push(unknown_service(&at("network_mode", ""), other.as_str(), &services));
        }
    }
    for (name, job) in &manifest.jobs {
        if !services.contains(&job.service.as_str()) {
            let place = place(tree, &["jobs", name.as_str(), "service"], "");
            problems.push(unknown_service(&place, job.service.as_str(), &services));
        }
    }
    problems
}

fn place(tree: &Node, path: &[&str], rest: &str) -> Place {
    let path: Vec<&str> = path.iter().copied().chain(Some(rest).filter(|rest| !rest.is_empty())).collect();
    tree.place_of(&path).clone()
}

/// The place of a name that stands in a list, or is a key of a map.
fn listed(tree: &Node, path: &[&str], name: &str) -> Place {
    let list = path.iter().try_fold(tree, |node, key| node.get(key));
    let found = list.and_then(|list| match &list.value {
        Value::Sequence(items) => {
            let same = |item: &&Node| matches!(&item.value, Value::Scalar { text, .. } if text == name);
            items.iter().find(same).map(|item| &item.place)
        }
        Value::Mapping(entries) => entries.iter().find(|(key, _)| key.text == name).map(|(key, _)| &key.place),
        Value::Null | Value::Scalar { .. } => None,
    });
    found.unwrap_or_else(|| tree.place_of(path)).clone()
}

fn missing(place: &Place, kind: &str, name: &str, declared: &[&str], write: &str) -> Diagnostic {
    let problem = Diagnostic::new(place, format!("{kind} `{name}` is not declared"));
    match nearest(name, declared) {
        Some(near) => problem.with_hint(format!("did you mean `{near}`? else declare it at the top: `{write}`")),
        None => problem.with_hint(format!("declare it at the top of the app: `{write}`")),
    }
}

fn unknown_service(place: &Place, name: &str, services: &[&str]) -> Diagnostic {
    let problem = Diagnostic::new(place, format!("`{name}` is no service of this app"));
    match nearest(name, services) {
        Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
        None => problem.with_hint(format!("its services: `{}`", services.join("`, `"))),
    }
}

fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |word: &&&str| strsim::damerau_levenshtein(name, word);
    known.iter().min_by_key(distance).filter(|word| distance(word) <= 2.min(name.len() / 2)).copied()
}
