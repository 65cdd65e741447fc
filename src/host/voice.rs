//! What `watch` tells and hears: where it listens, whose webhooks it takes, who gets notices.

use crate::value::{AbsolutePath, ForgePath, HostName, MailAddress, WebUrl, web::is_loopback};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, num::NonZero};

/// Pushes that forges tell of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Webhook")]
pub struct Webhook {
    /// The file with the secret that signs what comes to `/webhook`; without it there is no such path.
    #[schemars(title = "Secret", example = &"/etc/reconcile/webhook")]
    pub secret_file: Option<AbsolutePath>,
}

/// One target of notices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Webhook(WebhookTarget),
    Email(EmailTarget),
    CommitStatus(CommitStatusTarget),
}

/// A POST of JSON for each notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Webhook target")]
pub struct WebhookTarget {
    /// Where it is sent; what is as good as a password goes into `url_file`.
    #[serde(default)]
    #[schemars(title = "URL", example = &"https://hooks.example.com/deploys")]
    pub url: Option<WebUrl>,
    /// The file with the URL.
    #[serde(default)]
    #[schemars(title = "File with the URL", example = &"/etc/reconcile/slack-url")]
    pub url_file: Option<AbsolutePath>,
    /// The form of the body.
    #[serde(default)]
    #[schemars(title = "Format", example = &"slack")]
    pub format: Format,
    /// What is told.
    #[serde(default = "Event::usual")]
    #[schemars(title = "Events", length(min = 1), example = ["failed", "rolled_back", "recovered"])]
    pub on: Vec<Event>,
}

/// The body of a webhook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(title = "Format", example = &"json")]
pub enum Format {
    /// All that is known, for programs.
    #[default]
    Json,
    /// A text, as Slack and what understands its form take it.
    Slack,
    /// A text, as Matrix and its bridges take it.
    Matrix,
}

/// A mail for each notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "E-mail target")]
pub struct EmailTarget {
    /// The mail server.
    #[schemars(title = "Server", example = &"mail.example.com")]
    pub server: HostName,
    /// Its port. Default: `587`, with `tls: tls` `465`, with `tls: off` `25`.
    #[serde(default)]
    #[schemars(title = "Port", range(max = 65535), example = 587)]
    pub port: Option<NonZero<u16>>,
    /// How the connection is kept private.
    #[serde(default)]
    #[schemars(title = "TLS", example = &"starttls")]
    pub tls: MailTls,
    /// Who logs in; without it nobody does.
    #[serde(default)]
    #[schemars(title = "User", example = &"reconcile@example.com")]
    pub username: Option<String>,
    /// The file with the password.
    #[serde(default)]
    #[schemars(title = "Password", example = &"/etc/reconcile/mail-password")]
    pub password_file: Option<AbsolutePath>,
    /// The sender.
    #[schemars(title = "From", example = &"reconcile@example.com")]
    pub from: MailAddress,
    /// Those who get it.
    #[schemars(title = "To", length(min = 1), example = ["ops@example.com"])]
    pub to: Vec<MailAddress>,
    /// What is told.
    #[serde(default = "Event::usual")]
    #[schemars(title = "Events", length(min = 1), example = ["failed", "rolled_back", "recovered"])]
    pub on: Vec<Event>,
}

impl EmailTarget {
    /// The port that is written, or the usual one.
    #[must_use]
    pub fn port(&self) -> u16 {
        let usual = match self.tls {
            MailTls::Starttls => 587,
            MailTls::Tls => 465,
            MailTls::Off => 25,
        };
        self.port.map_or(usual, NonZero::get)
    }
}

/// How mail travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(title = "TLS of mail", example = &"starttls")]
pub enum MailTls {
    /// Plain at first, then TLS or nothing.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// In the clear: for a relay on this machine.
    Off,
}

/// A mark at each commit on its forge: pending, then success or failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Commit status target")]
pub struct CommitStatusTarget {
    /// The kind of forge; `gitea` is for Forgejo too.
    #[schemars(title = "Forge", example = &"github")]
    pub forge: Forge,
    /// Its REST interface. Default: `https://api.github.com` on GitHub, `https://gitlab.com/api/v4` on GitLab.
    #[serde(default)]
    #[schemars(title = "API", example = &"https://git.example.com/api/v1")]
    pub api: Option<WebUrl>,
    /// The manifests repository there.
    #[schemars(title = "Repository", example = &"ops/manifests")]
    pub repository: ForgePath,
    /// The file with a token that may set statuses.
    #[schemars(title = "Token", example = &"/etc/reconcile/forge-token")]
    pub token_file: AbsolutePath,
}

/// Where repositories live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(title = "Forge", example = &"github")]
pub enum Forge {
    Github,
    Gitlab,
    Gitea,
}

/// What a notice tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(title = "Event", example = &"failed")]
pub enum Event {
    /// An app could not be brought to its revision, which stays where it is.
    Failed,
    /// A revision failed, and the app went back to the last stable one.
    RolledBack,
    /// The host, the engine or a policy is in the way; it is tried again.
    Blocked,
    /// An app that was brought about is not well.
    Degraded,
    /// What was failed, rolled back, blocked or degraded is well again.
    Recovered,
    /// A new revision of an app is in force.
    Deployed,
    /// An environment is left as it is: its history was rewound, or a signature is missing.
    Halted,
    /// An environment that was halted is followed again.
    Resumed,
    /// The repository does not answer.
    SourceLost,
    /// The repository answers again.
    SourceBack,
    /// Copies that were due were not made; it is tried again.
    BackupFailed,
    /// Copies are made again, after they were not.
    BackupRecovered,
}

impl Event {
    /// All but what is news only to those who ask for it.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        vec![
            Self::Failed,
            Self::RolledBack,
            Self::Blocked,
            Self::Degraded,
            Self::Recovered,
            Self::Halted,
            Self::Resumed,
            Self::SourceLost,
            Self::SourceBack,
            Self::BackupFailed,
            Self::BackupRecovered,
        ]
    }

    /// The word in the host file and in the bodies of webhooks.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
            Self::Blocked => "blocked",
            Self::Degraded => "degraded",
            Self::Recovered => "recovered",
            Self::Deployed => "deployed",
            Self::Halted => "halted",
            Self::Resumed => "resumed",
            Self::SourceLost => "source_lost",
            Self::SourceBack => "source_back",
            Self::BackupFailed => "backup_failed",
            Self::BackupRecovered => "backup_recovered",
        }
    }
}

// By hand: as one mapping of which one key is written, a mistake inside it is told where it stands.
impl JsonSchema for Target {
    fn schema_name() -> Cow<'static, str> {
        "Target".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mail = serde_json::json!({
            "server": "mail.example.com", "from": "reconcile@example.com", "to": ["ops@example.com"],
        });
        let status = serde_json::json!({
            "forge": "github", "repository": "ops/manifests", "token_file": "/etc/reconcile/forge-token",
        });
        json_schema!({
            "title": "Target of notices",
            "description": "Where notices go: one of these.",
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": false,
            "properties": {
                "webhook": {
                    "title": "Webhook", "description": "A POST of JSON for each notice.",
                    "examples": [{"url": "https://hooks.example.com/deploys", "format": "slack"}],
                    "allOf": [generator.subschema_for::<WebhookTarget>()],
                },
                "email": {
                    "title": "E-mail", "description": "A mail for each notice.", "examples": [mail],
                    "allOf": [generator.subschema_for::<EmailTarget>()],
                },
                "commit_status": {
                    "title": "Commit status",
                    "description": "A mark at each commit on its forge: pending, then success or failure.",
                    "examples": [status],
                    "allOf": [generator.subschema_for::<CommitStatusTarget>()],
                },
            },
        })
    }
}

/// Something that the shape cannot say, of a key of one target.
pub(super) struct Fault {
    pub kind: &'static str,
    pub key: &'static str,
    pub message: String,
    pub hint: &'static str,
}

impl Target {
    /// What is wrong with it.
    pub(super) fn faults(&self) -> Vec<Fault> {
        match self {
            Self::Webhook(target) => target.fault().into_iter().collect(),
            Self::Email(target) => target.faults(),
            Self::CommitStatus(target) => target.fault().into_iter().collect(),
        }
    }
}

impl WebhookTarget {
    fn fault(&self) -> Option<Fault> {
        let (key, message) = match (&self.url, &self.url_file) {
            (Some(_), Some(_)) => ("url_file", "`url` says it already"),
            (None, None) => ("url", "neither `url` nor `url_file` says where it goes"),
            (Some(_), None) | (None, Some(_)) => return None,
        };
        Some(Fault { kind: "webhook", key, message: message.to_owned(), hint: "write one of the two" })
    }
}

impl EmailTarget {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |key, message: &str, hint| {
            faults.push(Fault { kind: "email", key, message: message.to_owned(), hint });
        };
        match (&self.username, &self.password_file) {
            (Some(_), None) => fault("username", "a user without a password", "name its file with `password_file`"),
            (None, Some(_)) => fault("password_file", "a password without a user", "name the user with `username`"),
            (Some(_), Some(_)) if self.tls == MailTls::Off && !is_loopback(self.server.as_str()) => fault(
                "tls",
                "a password would travel in the clear",
                "write `starttls` or `tls`; `off` with a password is for a server on this machine",
            ),
            (Some(_), Some(_)) | (None, None) => {}
        }
        faults
    }
}

impl CommitStatusTarget {
    fn fault(&self) -> Option<Fault> {
        let (message, hint) = match (&self.api, self.forge) {
            (None, Forge::Gitea) => ("`gitea` has no usual `api`", "write it, as in `https://git.example.com/api/v1`"),
            (Some(api), _) if !api.is_private() => ("a token would travel in the clear", "write an `https://` URL"),
            (None, Forge::Github | Forge::Gitlab) | (Some(_), _) => return None,
        };
        Some(Fault { kind: "commit_status", key: "api", message: message.to_owned(), hint })
    }
}
