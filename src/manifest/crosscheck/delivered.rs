//! Secrets and configs: names that must be declared, and files that would hide one another.

use super::{findings::Findings, reference::declare};
use crate::{
    manifest::{EnvironmentValue, Manifest, Service},
    value::{SecretName, ServiceName},
};
use std::collections::{BTreeMap, BTreeSet};

/// Where secrets are in a container.
const SECRETS: &str = "/run/secrets";

/// What is wrong with the declarations.
pub(super) fn declared(manifest: &Manifest, findings: &mut Findings<'_>) {
    for (name, _) in manifest.secrets.iter().filter(|(_, secret)| secret.key.is_some() && secret.file.is_none()) {
        let hint = format!("write `{name}: {{file: secrets/<name>.sops.yaml, key: …}}`");
        findings.advise(&["secrets", name.as_str(), "key"], "`key` names a value of no file", hint);
    }
    for (name, config) in &manifest.configs {
        let path = ["configs", name.as_str()];
        match (&config.content, &config.file) {
            (None, None) => findings.advise(
                &path,
                format!("config `{name}` says nothing"),
                format!("write `{name}: {{content: \"…\"}}`, or `{name}: {{file: files/{name}}}`"),
            ),
            (Some(_), Some(_)) => {
                findings.add(&path, "`content` and `file` say the same: write one of them");
            }
            (Some(_), None) | (None, Some(_)) => {}
        }
    }
}

/// What is wrong with what a service has of them.
pub(super) fn service(manifest: &Manifest, name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    secrets(manifest, name, service, findings);
    variables(manifest, name, service, findings);
    configs(manifest, name, service, findings);
}

fn undeclared(manifest: &Manifest, path: &[&str], secret: &SecretName, findings: &mut Findings<'_>) {
    if !manifest.secrets.contains_key(secret) {
        let declared: Vec<&str> = manifest.secrets.keys().map(AsRef::as_ref).collect();
        let hint = declare(secret.as_str(), &declared, "secrets");
        findings.advise(path, format!("secret `{secret}` is not declared"), hint);
    }
}

fn secrets(manifest: &Manifest, name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    let (mut files, mut variables) = (BTreeSet::new(), BTreeSet::new());
    let mut rules = BTreeMap::new();
    for (index, used) in service.secrets.iter().map(|used| &used.0).enumerate() {
        let index = index.to_string();
        let at = ["services", name.as_str(), "secrets", &index];
        let below = |key| [at.as_slice(), &[key]].concat();
        undeclared(manifest, &below("source"), &used.source, findings);
        if !files.insert(used.file_name()) {
            let message = format!("two secrets would be `{SECRETS}/{}`", used.file_name());
            findings.advise(&below("target"), message, "give one of them another `target`");
        }
        if *rules.entry(&used.source).or_insert(used.on_change) != used.on_change {
            let message = format!("secret `{}` has two words for `on_change` in one service", used.source);
            findings.add(&below("on_change"), message);
        }
        let Some(variable) = &used.env else { continue };
        if service.env.contains_key(variable) || !variables.insert(variable) {
            let message = format!("the variable `{variable}` is set already");
            findings.advise(&below("env"), message, "set it in one place: here, or below `env` of the service");
        }
    }
    if service.secrets.is_empty() {
        return;
    }
    let volumes = service.volumes.iter().map(|mount| ("volumes", mount.target.as_str())).enumerate();
    let tmpfs = service.tmpfs.items.iter().map(|mount| ("tmpfs", mount.target.as_str())).enumerate();
    for (index, (field, target)) in volumes.chain(tmpfs).filter(|(_, (_, target))| is_at_secrets(target)) {
        let path = ["services", name.as_str(), field, &index.to_string()];
        findings.add(&path, format!("`{target}` is where the service's secrets are"));
    }
}

fn is_at_secrets(target: &str) -> bool {
    target == SECRETS || is_below(target, SECRETS)
}

fn variables(manifest: &Manifest, name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    for (variable, value) in &service.env {
        let (key, used) = match value {
            EnvironmentValue::Text(_) => continue,
            EnvironmentValue::Secret(secret) => ("secret", vec![secret]),
            EnvironmentValue::Template(template) => ("template", template.secrets().into_iter().collect()),
        };
        let variable = variable.to_string();
        for secret in used {
            undeclared(manifest, &["services", name.as_str(), "env", &variable, key], secret, findings);
        }
    }
}

fn configs(manifest: &Manifest, name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    let volumes = service.volumes.iter().map(|mount| mount.target.as_str().to_owned());
    let mut taken: BTreeSet<String> =
        volumes.chain(service.tmpfs.items.iter().map(|mount| mount.target.as_str().to_owned())).collect();
    for (index, used) in service.configs.iter().map(|used| &used.0).enumerate() {
        let index = index.to_string();
        let at = ["services", name.as_str(), "configs", &index];
        let below = |key| [at.as_slice(), &[key]].concat();
        if !manifest.configs.contains_key(&used.source) {
            let declared: Vec<&str> = manifest.configs.keys().map(AsRef::as_ref).collect();
            let hint = declare(used.source.as_str(), &declared, "configs").replace("{}}", "{content: \"…\"}}");
            findings.advise(&below("source"), format!("config `{}` is not declared", used.source), hint);
        }
        let path = used.path();
        if path == "/" {
            findings.add(&below("target"), "nothing can be mounted over the whole container");
        } else if is_at_secrets(&path) {
            findings.advise(
                &below("target"),
                format!("below `{SECRETS}` are secrets alone"),
                "give the config a path of its own, as in `/etc/app.ini`",
            );
        } else if is_below(SECRETS, &path) && !service.secrets.is_empty() {
            findings.add(&below("target"), format!("`{path}` would be a file, and `{SECRETS}` is below it"));
        } else if !taken.insert(path.clone()) {
            findings.add(&below("target"), format!("something is mounted at `{path}` already"));
        }
    }
    below_files(name, service, findings);
}

/// A config is a file, so nothing can be mounted below it.
fn below_files(name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    let files: BTreeSet<String> = service.configs.iter().map(|used| used.0.path()).filter(|path| path != "/").collect();
    let configs = service.configs.iter().map(|used| ("configs", used.0.path())).enumerate();
    let volumes = service.volumes.iter().map(|mount| ("volumes", mount.target.as_str().to_owned())).enumerate();
    let tmpfs = service.tmpfs.items.iter().map(|mount| ("tmpfs", mount.target.as_str().to_owned())).enumerate();
    for (index, (field, target)) in configs.chain(volumes).chain(tmpfs) {
        let Some(file) = files.iter().find(|file| is_below(&target, file)) else { continue };
        let index = index.to_string();
        let at = ["services", name.as_str(), field, &index];
        let path = if field == "configs" { [at.as_slice(), &["target"]].concat() } else { at.to_vec() };
        findings.advise(
            &path,
            format!("`{target}` would be below `{file}`, where the service has a config, which is a file"),
            "give one of them another path",
        );
    }
}

/// Whether a path is below another, and not the same.
fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}
