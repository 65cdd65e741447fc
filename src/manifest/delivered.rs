//! Secrets and configs: what an app declares, and what a service has of it as files.

use super::{
    Text,
    form::{Named, NamedOr, is_default},
    refused,
};
use crate::value::{AbsolutePath, ConfigName, FileMode, FileName, OnChange, RepositoryPath, SecretName, VariableName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A secret of the app: `{}` is one that the host keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Secret", extend("x-refused" = refused::secret()))]
pub struct Secret {
    /// An encrypted file of the repository that holds it. Default: none, the value is in the host's directory of
    /// secrets, `<environment>/<app>/<name>`.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Encrypted file", example = &"secrets/tls.sops.yaml")]
    pub file: Option<RepositoryPath>,
    /// Which value of a file with several. Default: the file is one value.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Key in the file", example = &"tls_key")]
    pub key: Option<Text>,
}

/// A file of the app that is no secret: `content` or `file`. It is a part of the revision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Config", extend("x-refused" = refused::config()))]
pub struct Config {
    /// What stands in it. Default: that of `file`.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Content", example = &"a=1\n")]
    pub content: Option<Text>,
    /// The file of the repository that it is. Default: none, `content` says it.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "File of the repository", example = &"files/app.ini")]
    pub file: Option<RepositoryPath>,
}

/// A secret as a service has it: a file below `/run/secrets`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Secret as a file", inline)]
pub struct SecretUse {
    /// Which secret of the app.
    #[schemars(title = "Secret", example = &"postgres_password")]
    pub source: SecretName,
    /// Its file's name below `/run/secrets`. Default: the secret's own name.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "File name", example = &"password")]
    pub target: Option<FileName>,
    /// The user that the file belongs to. Default: 0.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "User id", example = 1000)]
    pub uid: u32,
    /// The group that the file belongs to. Default: 0.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Group id", example = 1000)]
    pub gid: u32,
    /// Who may read it in the container, in octal. Default: 0444.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Mode", example = &"0400")]
    pub mode: FileMode,
    /// A variable that is set to the file's path, for apps that read a `…_FILE`. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Variable with the path", example = &"POSTGRES_PASSWORD_FILE")]
    pub env: Option<VariableName>,
    /// What happens when the value changes: a new container, the file and SIGHUP, or the file alone. Default: restart.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "On change", example = &"signal")]
    pub on_change: OnChange,
}

/// A config as a service has it: a read-only file anywhere in the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Config as a file", inline)]
pub struct ConfigUse {
    /// Which config of the app.
    #[schemars(title = "Config", example = &"app_ini")]
    pub source: ConfigName,
    /// Its path in the container. Default: the config's name below `/`.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Path", example = &"/etc/app.ini")]
    pub target: Option<AbsolutePath>,
    /// The user that the file belongs to. Default: 0.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "User id", example = 1000)]
    pub uid: u32,
    /// The group that the file belongs to. Default: 0.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Group id", example = 1000)]
    pub gid: u32,
    /// Who may read it in the container, in octal. Default: 0444.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Mode", example = &"0444")]
    pub mode: FileMode,
}

/// Secrets of a service: names, or maps that say more.
pub type ServiceSecret = NamedOr<SecretUse>;
/// Configs of a service: names, or maps that say more.
pub type ServiceConfig = NamedOr<ConfigUse>;

impl SecretUse {
    /// The name of its file below `/run/secrets`.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.target.as_ref().map_or(self.source.as_str(), FileName::as_str)
    }
}

impl ConfigUse {
    /// Its path in the container.
    #[must_use]
    pub fn path(&self) -> String {
        self.target.as_ref().map_or_else(|| format!("/{}", self.source), ToString::to_string)
    }
}

impl Named for SecretUse {
    type Name = SecretName;

    fn named(source: SecretName) -> Self {
        Self {
            source,
            target: None,
            uid: 0,
            gid: 0,
            mode: FileMode::default(),
            env: None,
            on_change: OnChange::default(),
        }
    }

    fn name(&self) -> &SecretName {
        &self.source
    }
}

impl Named for ConfigUse {
    type Name = ConfigName;

    fn named(source: ConfigName) -> Self {
        Self { source, target: None, uid: 0, gid: 0, mode: FileMode::default() }
    }

    fn name(&self) -> &ConfigName {
        &self.source
    }
}
