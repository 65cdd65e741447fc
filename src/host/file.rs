//! The settings.

use super::{Acme, Backup, Policy, Proxy, Registries, Repository, Source, Target, Webhook, registry};
use crate::value::{AbsolutePath, EnvironmentName, InstallationName, ListenAddress};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::num::NonZero;

/// `/etc/reconcile/reconcile.yaml`: settings and policy of one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "reconcile host file")]
pub struct HostFile {
    /// The mark of ownership: only objects with this label are changed or removed.
    #[schemars(title = "Installation", example = &"default")]
    pub installation: InstallationName,
    /// Where the manifests come from.
    #[schemars(title = "Source", example = serde_json::json!({"url": "/srv/git/manifests.git", "branch": "main"}))]
    pub source: Source,
    /// The environments that live on this host; none named: the only one that the manifests have.
    #[schemars(title = "Environments", example = ["production"])]
    pub environments: Vec<EnvironmentName>,
    /// The engine's socket; without it `$DOCKER_HOST`, then the usual sockets of Docker and Podman.
    #[schemars(title = "Engine", example = &"unix:///var/run/docker.sock")]
    pub engine: Option<String>,
    /// Where the ledger and its revisions live; without it `/var/lib/reconcile`, or the user's state directory.
    #[schemars(title = "State directory", example = &"/var/lib/reconcile")]
    pub state_dir: Option<AbsolutePath>,
    /// How many calls to the engine are made side by side.
    #[schemars(title = "Parallel calls", range(max = 64), example = 8)]
    pub parallel: NonZero<u32>,
    /// What happens to objects that were changed behind the tool's back.
    #[schemars(title = "Drift", example = &"report")]
    pub drift: Drift,
    /// Whether what is gone from the manifests is removed from the host.
    #[schemars(title = "Prune", example = true)]
    pub prune: bool,
    /// How many containers one pass may remove without being told `--max-deletes`.
    #[schemars(title = "Most deletions", example = 10)]
    pub max_deletes: u32,
    /// How much of the past is kept.
    #[schemars(title = "Retain", example = serde_json::json!({"revisions": 20, "images": 3}))]
    pub retain: Retain,
    /// Where the values of secrets are, and what opens encrypted ones.
    #[schemars(title = "Secrets", example = serde_json::json!({"dir": "/etc/reconcile/secrets"}))]
    pub secrets: SecretPlaces,
    /// Who pulls from which registry, by the registry's host; of others the engine's own login is used.
    #[schemars(
        title = "Registries",
        schema_with = "registry::schema",
        example = serde_json::json!({"registry.example.com": {"username": "ci", "password_file": "/etc/reconcile/registry"}})
    )]
    pub registries: Registries,
    /// What manifests may ask of this host; what is not named is denied.
    #[schemars(title = "Policy", example = serde_json::json!({"publish": ["0.0.0.0:443"]}))]
    pub policy: Policy,
    /// Who vouches for the names of routes.
    #[schemars(title = "ACME", example = serde_json::json!({"email": "ops@example.com", "directory": "staging"}))]
    pub acme: Acme,
    /// Which proxy leads to services, and how it is told.
    #[schemars(title = "Proxy", example = serde_json::json!({"driver": "nginx"}))]
    pub proxy: Proxy,
    /// Where copies of apps' data go.
    #[schemars(title = "Backup", example = serde_json::json!({"repositories": {"local": {"type": "local", "path": "/var/lib/reconcile/backups"}}}))]
    pub backup: Backup,
    /// Where `watch` answers `/healthz`, `/readyz`, `/metrics` and `/webhook`; without it nowhere.
    #[schemars(title = "Listen", example = &"127.0.0.1:9180")]
    pub listen: Option<ListenAddress>,
    /// Pushes that forges tell of.
    #[schemars(title = "Webhook", example = serde_json::json!({"secret_file": "/etc/reconcile/webhook"}))]
    pub webhook: Webhook,
    /// Who is told when something goes wrong, and when it is well again.
    #[schemars(title = "Notices", example = serde_json::json!([{"webhook": {"url_file": "/etc/reconcile/slack-url", "format": "slack"}}]))]
    pub notify: Vec<Target>,
}

impl Default for HostFile {
    fn default() -> Self {
        Self {
            installation: InstallationName::default(),
            source: Source::default(),
            environments: Vec::new(),
            engine: None,
            state_dir: None,
            parallel: NonZero::new(8).unwrap_or(NonZero::<u32>::MIN),
            drift: Drift::default(),
            prune: true,
            max_deletes: 10,
            retain: Retain::default(),
            secrets: SecretPlaces::default(),
            registries: Registries::new(),
            policy: Policy::default(),
            acme: Acme::default(),
            proxy: Proxy::default(),
            backup: Backup::default(),
            listen: None,
            webhook: Webhook::default(),
            notify: Vec::new(),
        }
    }
}

/// Where secrets are on this host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Secrets")]
pub struct SecretPlaces {
    /// The folder of values, `<environment>/<app>/<name>`; without it `/etc/reconcile/secrets`.
    #[schemars(title = "Folder", example = &"/etc/reconcile/secrets")]
    pub dir: Option<AbsolutePath>,
    /// The file of age identities that open encrypted files of the repository.
    #[schemars(title = "Age identities", example = &"/etc/reconcile/age.key")]
    pub age_identity: Option<AbsolutePath>,
    /// The key of digests, made when a secret is first used; without it `/etc/reconcile/host.key`, and without a host file
    /// `host.key` in the state directory.
    #[schemars(title = "Host key", example = &"/etc/reconcile/host.key")]
    pub key_file: Option<AbsolutePath>,
    /// Whether secrets may be delivered to a folder on a disk, on a host whose `/run` is not in memory and that lets none be
    /// mounted there.
    #[schemars(title = "On disk", example = false)]
    pub on_disk: bool,
}

impl HostFile {
    /// What the file names and no container may see: the state, keys, passwords, lists of who is believed, and the folder
    /// that tells the host's own nginx what to do.
    #[must_use]
    pub fn private_paths(&self) -> Vec<String> {
        let Source { ssh, token_file, verify, .. } = &self.source;
        let of_source = [&ssh.key, &ssh.known_hosts, token_file, &verify.allowed_signers];
        let mut paths: Vec<&AbsolutePath> = of_source.into_iter().flatten().collect();
        paths.extend([&self.state_dir, &self.webhook.secret_file].into_iter().flatten());
        paths.extend([&self.secrets.dir, &self.secrets.age_identity, &self.secrets.key_file].into_iter().flatten());
        paths.extend(self.registries.values().map(|user| &user.password_file));
        paths.extend(self.proxy.own_folder());
        paths.extend(self.backup.repositories.values().map(Repository::private_path));
        paths.extend(self.notify.iter().filter_map(|target| match target {
            Target::Webhook(target) => target.url_file.as_ref(),
            Target::Email(target) => target.password_file.as_ref(),
            Target::CommitStatus(target) => Some(&target.token_file),
        }));
        paths.into_iter().map(ToString::to_string).collect()
    }
}

/// What happens to drift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(title = "Drift", example = &"repair")]
pub enum Drift {
    /// It is put right.
    #[default]
    Repair,
    /// It is only shown.
    Report,
}

/// How much of the past is kept, for each app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Retain")]
pub struct Retain {
    /// Revisions in the ledger.
    #[schemars(title = "Revisions", range(min = 1), example = 20)]
    pub revisions: u32,
    /// Revisions whose images are kept from being pruned.
    #[schemars(title = "Images", example = 3)]
    pub images: u32,
}

impl Default for Retain {
    fn default() -> Self {
        Self { revisions: 20, images: 3 }
    }
}
