//! Files that a container finds: its secrets and its configs. They are delivered into a folder of their own before the
//! container is made, and the folder is shown to it.
//!
//! A folder's name is a function of what it holds, so that an earlier container keeps what it was made with; only what
//! may change in place (`on_change: signal | none`) is no part of the name.

use super::{
    Desired, DesiredService, SpecHash,
    spec::{ContainerSpec, FileAccess, Mount, MountSource},
};
use crate::{
    observed::Role,
    value::{OnChange, SecretName},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

/// Where a container finds its secrets.
pub const SECRETS_PATH: &str = "/run/secrets";

/// Where a secret of an app comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// The host's directory of secrets.
    Host,
    /// An encrypted file of the repository, and which of its values.
    File { path: String, key: Option<String> },
}

/// The secrets a service uses, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedSecrets {
    /// Of those it has as files: what a change does.
    pub on_change: BTreeMap<SecretName, OnChange>,
    /// Keyed digests of all that are known, those of variables included.
    pub digests: BTreeMap<SecretName, String>,
    /// Keyed digests of those that its route uses: the proxy has them, and no container is made anew for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub routed: BTreeMap<SecretName, String>,
}

impl UsedSecrets {
    /// True for a service without secrets, and where nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.on_change.is_empty() && self.digests.is_empty() && self.routed.is_empty()
    }

    /// Digests of those whose change needs a new container although they are files.
    fn restarting(&self) -> BTreeMap<&SecretName, &String> {
        let restarts = |name: &SecretName| self.on_change.get(name) == Some(&OnChange::Restart);
        self.digests.iter().filter(|(name, _)| restarts(name)).collect()
    }
}

/// What is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Secrets,
    Configs,
}

/// The folder of one delivery, below that of its app: `secrets/service.web/0123456789abcdef`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryName {
    pub kind: Kind,
    pub role: Role,
    generation: String,
}

impl DeliveryName {
    /// What tells it from the role's other generations.
    #[must_use]
    pub fn generation(&self) -> &str {
        &self.generation
    }

    /// The folder of a role: `service.web`.
    #[must_use]
    pub fn role_folder(&self) -> String {
        match &self.role {
            Role::Service(name) => format!("service.{name}"),
            Role::Job(name) => format!("job.{name}"),
        }
    }
}

impl fmt::Display for DeliveryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Secrets => "secrets",
            Kind::Configs => "configs",
        };
        write!(f, "{kind}/{}/{}", self.role_folder(), self.generation)
    }
}

/// A path that is no delivery's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is the folder of no delivery")]
pub struct NoDelivery;

impl FromStr for DeliveryName {
    type Err = NoDelivery;

    fn from_str(text: &str) -> Result<Self, NoDelivery> {
        let mut parts = text.split('/');
        let (Some(kind), Some(role), Some(generation), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NoDelivery);
        };
        let kind = match kind {
            "secrets" => Kind::Secrets,
            "configs" => Kind::Configs,
            _ => return Err(NoDelivery),
        };
        let role = match role.split_once('.') {
            Some(("service", name)) => name.parse().ok().map(Role::Service),
            Some(("job", name)) => name.parse().ok().map(Role::Job),
            Some(_) | None => None,
        };
        let is_generation = generation.len() == GENERATION && generation.bytes().all(|byte| byte.is_ascii_hexdigit());
        match role.filter(|_| is_generation) {
            Some(role) => Ok(Self { kind, role, generation: generation.to_owned() }),
            None => Err(NoDelivery),
        }
    }
}

/// Digits of a generation.
const GENERATION: usize = 16;

fn generation(of: &impl Serialize) -> String {
    SpecHash::of(of).as_str().chars().take(GENERATION).collect()
}

/// What a delivered file is: its content's digest, and who may read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// Keyed for a secret; none where its value is not known.
    pub digest: Option<String>,
    pub access: FileAccess,
}

impl FileFacts {
    /// True unless the two are known to differ.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        let same = |(one, two): (&String, &String)| one == two;
        self.access == other.access && self.digest.as_ref().zip(other.digest.as_ref()).is_none_or(same)
    }
}

impl Desired {
    /// The service whose secrets and configs a role has.
    #[must_use]
    pub fn service_of(&self, role: &Role) -> Option<&DesiredService> {
        match role {
            Role::Service(name) => self.services.get(name),
            Role::Job(name) => self.services.get(&self.jobs.get(name)?.service),
        }
    }

    /// The body a role should have.
    #[must_use]
    pub fn body_of(&self, role: &Role) -> Option<&ContainerSpec> {
        match role {
            Role::Service(name) => self.services.get(name).map(|service| &service.spec),
            Role::Job(name) => self.jobs.get(name).map(|job| &job.spec),
        }
    }

    /// What a new container of a role is delivered.
    #[must_use]
    pub fn deliveries(&self, role: &Role) -> Vec<DeliveryName> {
        let (Some(body), Some(service)) = (self.body_of(role), self.service_of(role)) else { return Vec::new() };
        let mut deliveries = Vec::new();
        if !body.secrets.is_empty() {
            let generation = generation(&(&body.secrets, service.secrets.restarting(), &self.host_key));
            deliveries.push(DeliveryName { kind: Kind::Secrets, role: role.clone(), generation });
        }
        if !body.configs.is_empty() {
            let generation = generation(&body.configs);
            deliveries.push(DeliveryName { kind: Kind::Configs, role: role.clone(), generation });
        }
        deliveries
    }

    /// The files that a delivery of this kind should hold, by their paths in its folder.
    #[must_use]
    pub fn files(&self, role: &Role, kind: Kind) -> BTreeMap<String, FileFacts> {
        let (Some(body), Some(service)) = (self.body_of(role), self.service_of(role)) else { return BTreeMap::new() };
        match kind {
            Kind::Secrets => body
                .secrets
                .iter()
                .map(|(name, file)| {
                    let digest = service.secrets.digests.get(&file.secret).cloned();
                    (name.clone(), FileFacts { digest, access: file.access })
                })
                .collect(),
            Kind::Configs => body
                .configs
                .iter()
                .map(|(path, file)| {
                    let digest = Some(content_digest(&file.content));
                    (below(path).to_owned(), FileFacts { digest, access: file.access })
                })
                .collect(),
        }
    }

    /// What a change of a secret does to those of a role that have it as a file.
    #[must_use]
    pub fn on_change(&self, role: &Role, file: &str) -> OnChange {
        let secret = self.body_of(role).and_then(|body| body.secrets.get(file));
        let on_change = secret.and_then(|file| self.service_of(role)?.secrets.on_change.get(&file.secret));
        on_change.copied().unwrap_or_default()
    }

    /// The digests that a container of a role is made with; none where it has no secrets.
    #[must_use]
    pub fn sealed(&self, role: &Role) -> Option<Sealed> {
        let (body, service) = (self.body_of(role)?, self.service_of(role)?);
        if body.secrets.is_empty() && body.secret_env.is_empty() {
            return None;
        }
        Some(Sealed {
            host_key: self.host_key.clone().unwrap_or_default(),
            digests: service.secrets.digests.clone(),
            variables: body.secret_env.keys().cloned().collect(),
        })
    }
}

/// SHA-256 of a config, in hex.
#[must_use]
pub fn content_digest(content: &str) -> String {
    SpecHash::of(&content).as_str().to_owned()
}

/// The path of a config's file in its folder.
#[must_use]
pub fn below(path: &str) -> &str {
    path.trim_start_matches('/')
}

/// What a container of this body is shown of a delivery that lies at `folder`.
#[must_use]
pub fn mounts(body: &ContainerSpec, kind: Kind, folder: &str) -> Vec<Mount> {
    let shown = |source: String, target: &str| Mount {
        source: MountSource::Bind(source),
        target: target.to_owned(),
        read_only: true,
    };
    match kind {
        // The folder and not each file: a file that is replaced by another is seen through it.
        Kind::Secrets => vec![shown(folder.to_owned(), SECRETS_PATH)],
        Kind::Configs => body.configs.keys().map(|path| shown(format!("{folder}/{}", below(path)), path)).collect(),
    }
}

/// What label `reconcile.secrets` says: `@<host key> <secret>=<digest> … $<variable> …`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// What tells the host key of the digests from another.
    pub host_key: String,
    pub digests: BTreeMap<SecretName, String>,
    /// Variables with secrets in them: what an engine tells of them is looked at by nobody.
    pub variables: BTreeSet<String>,
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.host_key)?;
        self.digests.iter().try_for_each(|(name, digest)| write!(f, " {name}={digest}"))?;
        self.variables.iter().try_for_each(|name| write!(f, " ${name}"))
    }
}

impl Sealed {
    /// As read back from a label; words that nobody knows say nothing.
    #[must_use]
    pub fn from_label(text: &str) -> Self {
        let mut sealed = Self::default();
        for word in text.split(' ') {
            if let Some(key) = word.strip_prefix('@') {
                key.clone_into(&mut sealed.host_key);
            } else if let Some(variable) = word.strip_prefix('$') {
                sealed.variables.insert(variable.to_owned());
            } else if let Some((name, digest)) = word.split_once('=')
                && let Ok(name) = name.parse()
            {
                sealed.digests.insert(name, digest.to_owned());
            }
        }
        sealed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::{Context, KnownSecrets, resolve_again};
    use serde_json::json;

    fn desired(digests: &[(&str, &str)], on_change: &str) -> Desired {
        let manifest = json!({
            "secrets": {"a": {}, "b": {}},
            "services": {"web": {"image": "bb:1", "secrets": [{"source": "a", "on_change": on_change}],
                                 "env": {"B": {"secret": "b"}}}},
        });
        let digests = digests
            .iter()
            .map(|(name, digest)| (("web".parse().unwrap(), name.parse().unwrap()), (*digest).to_owned()));
        let secrets = KnownSecrets { host_key: Some("k".to_owned()), digests: digests.collect() };
        let context = Context { secrets, ..Context::default() };
        resolve_again(&"production".parse().unwrap(), &"shop".parse().unwrap(), &manifest, &context).unwrap()
    }

    #[test]
    fn a_name_is_read_back_as_it_was_written() {
        let web = Role::Service("web".parse().unwrap());
        let [name] = desired(&[("a", "1")], "restart").deliveries(&web).try_into().unwrap();
        assert_eq!(name.to_string().parse(), Ok(name));
        for text in [
            "",
            "secrets",
            "secrets/web/0123456789abcdef",
            "secrets/service.web/..",
            "other/service.web/0123456789abcdef",
        ] {
            assert_eq!(text.parse::<DeliveryName>(), Err(NoDelivery), "{text}");
        }
    }

    #[test]
    fn a_folder_is_another_only_where_a_change_needs_a_new_container() {
        let web = Role::Service("web".parse().unwrap());
        let folder = |digest: &str, on_change: &str| desired(&[("a", digest)], on_change).deliveries(&web);
        assert_ne!(folder("1", "restart"), folder("2", "restart"));
        assert_eq!(folder("1", "signal"), folder("2", "signal"));
        assert_eq!(folder("1", "none"), folder("2", "none"));
    }

    #[test]
    fn only_a_variables_digest_is_in_the_bodys_hash() {
        let hash = |digests| desired(digests, "restart").services["web"].spec_hash.clone();
        assert_eq!(hash(&[("a", "1"), ("b", "1")]), hash(&[("a", "2"), ("b", "1")]));
        assert_ne!(hash(&[("a", "1"), ("b", "1")]), hash(&[("a", "1"), ("b", "2")]));
    }

    #[test]
    fn a_label_is_read_back_as_it_was_written() {
        let web = Role::Service("web".parse().unwrap());
        let sealed = desired(&[("a", "1f"), ("b", "2f")], "restart").sealed(&web).unwrap();
        assert_eq!(sealed.to_string(), "@k a=1f b=2f $B");
        assert_eq!(Sealed::from_label(&sealed.to_string()), sealed);
        assert_eq!(Sealed::from_label("what = ever  %"), Sealed::default());
    }
}
