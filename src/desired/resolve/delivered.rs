//! Secrets and configs of a service's body.

use super::{Resolving, route::secret};
use crate::{
    desired::{
        delivery::{SECRETS_PATH, SecretSource, UsedSecrets},
        spec::{ConfigFile, FileAccess, SecretFile, SecretVariable},
    },
    manifest::{EnvironmentValue, Service},
    value::{FileMode, SecretName, ServiceName, Template},
};
use std::collections::{BTreeMap, BTreeSet};

impl Resolving<'_> {
    /// Where the secrets come from that some service uses.
    pub(super) fn sources(&self) -> BTreeMap<SecretName, SecretSource> {
        let used: BTreeSet<SecretName> = self.manifest.services.values().flat_map(used).collect();
        let declared = self.manifest.secrets.iter().filter(|(name, _)| used.contains(*name));
        let source = |secret: &crate::manifest::Secret| match &secret.file {
            None => SecretSource::Host,
            Some(file) => {
                SecretSource::File { path: file.as_str().to_owned(), key: secret.key.as_ref().map(|key| key.0.clone()) }
            }
        };
        declared.map(|(name, secret)| (name.clone(), source(secret))).collect()
    }

    /// What is known of the secrets of a service.
    pub(super) fn used_secrets(&self, name: &ServiceName, service: &Service) -> UsedSecrets {
        let digest = |secret: SecretName| Some((secret.clone(), self.digest(name, &secret)?));
        UsedSecrets {
            on_change: service.secrets.iter().map(|used| (used.0.source.clone(), used.0.on_change)).collect(),
            digests: delivered(service).into_iter().filter_map(digest).collect(),
            routed: self.route_secret(name, service),
        }
    }

    pub(super) fn digest(&self, service: &ServiceName, secret: &SecretName) -> Option<String> {
        self.context.secrets.digests.get(&(service.clone(), secret.clone())).cloned()
    }

    pub(super) fn secret_variables(&self, name: &ServiceName, service: &Service) -> BTreeMap<String, SecretVariable> {
        let variables = service.env.iter().filter_map(|(variable, value)| {
            let text = template(value)?;
            let digest = |secret: &SecretName| Some((secret.clone(), self.digest(name, secret)?));
            let digests = text.secrets().into_iter().filter_map(digest).collect();
            Some((variable.to_string(), SecretVariable { text, digests }))
        });
        variables.collect()
    }

    pub(super) fn config_files(&self, service: &Service) -> BTreeMap<String, ConfigFile> {
        let file = |used: &crate::manifest::ConfigUse| {
            let config = self.manifest.configs.get(&used.source);
            let content = config.and_then(|config| config.content.as_ref()).map(|text| text.0.clone());
            ConfigFile { content: content.unwrap_or_default(), access: access(used.uid, used.gid, used.mode) }
        };
        service.configs.iter().map(|used| (used.0.path(), file(&used.0))).collect()
    }
}

/// The variables that anybody may see: plain ones, and paths of files with secrets.
pub(super) fn variables(service: &Service) -> BTreeMap<String, String> {
    let plain = service.env.iter().filter_map(|(name, value)| match value {
        EnvironmentValue::Text(text) => Some((name.to_string(), text.clone())),
        EnvironmentValue::Secret(_) | EnvironmentValue::Template(_) => None,
    });
    let paths = service.secrets.iter().filter_map(|used| {
        let variable = used.0.env.as_ref()?;
        Some((variable.to_string(), format!("{SECRETS_PATH}/{}", used.0.file_name())))
    });
    plain.chain(paths).collect()
}

pub(super) fn secret_files(service: &Service) -> BTreeMap<String, SecretFile> {
    let file = |used: &crate::manifest::SecretUse| SecretFile {
        secret: used.source.clone(),
        access: access(used.uid, used.gid, used.mode),
    };
    service.secrets.iter().map(|used| (used.0.file_name().to_owned(), file(&used.0))).collect()
}

fn access(uid: u32, gid: u32, mode: FileMode) -> FileAccess {
    FileAccess { uid, gid, mode: mode.bits() }
}

fn template(value: &EnvironmentValue) -> Option<Template> {
    match value {
        EnvironmentValue::Text(_) => None,
        EnvironmentValue::Secret(name) => Some(Template::of_secret(name.clone())),
        EnvironmentValue::Template(template) => Some(template.clone()),
    }
}

/// Every secret a service uses, as a file, in a variable or by its route.
fn used(service: &Service) -> BTreeSet<SecretName> {
    delivered(service).into_iter().chain(secret(service).cloned()).collect()
}

/// Every secret that its container has, as a file or in a variable.
fn delivered(service: &Service) -> BTreeSet<SecretName> {
    let files = service.secrets.iter().map(|used| used.0.source.clone());
    let variables = service.env.values().filter_map(template);
    files.chain(variables.flat_map(|text| text.secrets().into_iter().cloned().collect::<Vec<_>>())).collect()
}
