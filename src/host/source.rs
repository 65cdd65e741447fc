//! Where the manifests come from, what opens it, and whom it is believed.

use crate::{
    value::{AbsolutePath, Duration, Location, Transport},
    yaml::{Diagnostic, Node, diagnostic::quoted},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A repository of manifests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Source")]
pub struct Source {
    /// The path of a repository on this machine, or the URL of one elsewhere: `ssh://`, `git@host:path` or `https://`.
    #[schemars(title = "Repository", example = &"/srv/git/manifests.git", example = &"https://git.example.com/ops/manifests.git")]
    pub url: Option<String>,
    /// The branch that is followed; without it the repository's HEAD.
    #[schemars(title = "Branch", example = &"main")]
    pub branch: Option<String>,
    /// The folder of the environments within the repository.
    #[schemars(title = "Folder", length(min = 1), example = &"environments")]
    pub path: String,
    /// How often `watch` looks, when nothing tells it to look sooner.
    #[schemars(title = "Poll", example = &"60s")]
    pub poll: Duration,
    /// What opens a repository over ssh.
    #[schemars(title = "Ssh", example = serde_json::json!({"key": "/etc/reconcile/id_ed25519", "known_hosts": "/etc/reconcile/known_hosts"}))]
    pub ssh: Ssh,
    /// A file with a token for `https://`: the token alone, or `user:token`. Closed to others (mode 0600).
    #[schemars(title = "Token file", example = &"/etc/reconcile/token")]
    pub token_file: Option<AbsolutePath>,
    /// Whose commits are believed.
    #[schemars(title = "Verify", example = serde_json::json!({"mode": "head", "allowed_signers": "/etc/reconcile/allowed_signers"}))]
    pub verify: Verify,
}

impl Default for Source {
    fn default() -> Self {
        Self {
            url: None,
            branch: None,
            path: "environments".to_owned(),
            poll: Duration::from_secs(60),
            ssh: Ssh::default(),
            token_file: None,
            verify: Verify::default(),
        }
    }
}

/// A key that opens a repository, and the keys that its server is known by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Ssh")]
pub struct Ssh {
    /// The private key, without a passphrase. Closed to others (mode 0600).
    #[schemars(title = "Key", example = &"/etc/reconcile/id_ed25519")]
    pub key: Option<AbsolutePath>,
    /// The keys of servers, as OpenSSH's file of that name has them. Another key is refused.
    #[schemars(title = "Known hosts", example = &"/etc/reconcile/known_hosts")]
    pub known_hosts: Option<AbsolutePath>,
}

/// Whose commits are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Verify")]
pub struct Verify {
    /// Which commits must be signed.
    #[schemars(title = "Mode", example = &"head")]
    pub mode: VerifyMode,
    /// Who may sign, as ssh-keygen's file of that name has it: an e-mail address and an SSH key a line.
    #[schemars(title = "Allowed signers", example = &"/etc/reconcile/allowed_signers")]
    pub allowed_signers: Option<AbsolutePath>,
}

/// Which commits must be signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(title = "Verify mode", example = &"head")]
pub enum VerifyMode {
    /// None.
    #[default]
    Off,
    /// The one that is applied.
    Head,
    /// Every one since the last that was accepted, those that a merge brings included.
    Strict,
}

/// The shortest time between two polls: a forge is not to be hammered.
const SHORTEST_POLL: Duration = Duration::from_secs(1);

impl Source {
    /// What the shape cannot say.
    pub(super) fn cross_check(&self, tree: &Node) -> Vec<Diagnostic> {
        let problem = |path: &[&str], message: String, hint: &str| {
            let path: Vec<&str> = std::iter::once("source").chain(path.iter().copied()).collect();
            Diagnostic::new(tree.place_of(&path), message).with_hint(hint)
        };
        let mut problems = Vec::new();
        let path = "write the path of a repository on this machine, as in `/srv/git/manifests.git`";
        match self.url.as_deref().map(|url| (url, url.parse::<Location>())) {
            None => {}
            Some((_, Err(bad))) => problems.push(problem(&["url"], bad.to_string(), &bad.hint)),
            Some((url, Ok(Location::Local(local)))) if !local.is_absolute() => {
                problems.push(problem(&["url"], format!("{} is not an absolute path", quoted(url)), path));
            }
            Some((_, Ok(Location::Local(_)))) => {}
            Some((url, Ok(Location::Remote(remote)))) => {
                if let Transport::Ssh { .. } = remote.transport() {
                    let missing =
                        |what| format!("{} is asked over ssh, and `source.ssh.{what}` is not set", quoted(url));
                    if self.ssh.known_hosts.is_none() {
                        let hint = "name a file with the server's key, as in `known_hosts: /etc/reconcile/known_hosts`";
                        problems.push(problem(&["ssh"], missing("known_hosts"), hint));
                    }
                    if self.ssh.key.is_none() {
                        let hint = "name the private half of a deploy key, as in `key: /etc/reconcile/id_ed25519`";
                        problems.push(problem(&["ssh"], missing("key"), hint));
                    }
                }
            }
        }
        if self.path.starts_with('/') || self.path.split('/').any(|part| part == "..") {
            let message = format!("{} leads out of the repository", quoted(&self.path));
            problems.push(problem(&["path"], message, "write a folder within the repository, as in `environments`"));
        }
        if self.poll < SHORTEST_POLL {
            let message = format!("`{}` is too short a time between two looks", self.poll);
            problems.push(problem(&["poll"], message, "write `1s` or more; a webhook makes it look at once"));
        }
        if self.verify.mode != VerifyMode::Off && self.verify.allowed_signers.is_none() {
            let message =
                "`verify.mode` wants signed commits, and `verify.allowed_signers` does not say whose".to_owned();
            let hint = "name a file with a line for each who may sign: `ann@example.com ssh-ed25519 AAAA…`";
            problems.push(problem(&["verify"], message, hint));
        }
        problems
    }
}
