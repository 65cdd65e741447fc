//! The body of a container: what `policy` judges, what `engine` sends, what the spec hash covers.
//!
//! A field that is at its default is left out of the canonical form, so that a release which adds a field changes
//! no hash and recreates no container (the upgrade law).

pub use crate::value::{Protocol, Restart};
use crate::value::{SecretName, ServiceName, Template};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
};

/// SHA-256 of a canonical form, in hex.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SpecHash(String);

impl SpecHash {
    /// The digest of the canonical JSON of `value`: struct fields in order of declaration, maps sorted.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Self {
        // Serialising our own plain data cannot fail: no map here has keys that are not strings.
        let canonical = serde_json::to_vec(value).unwrap_or_default();
        Self::digest(&canonical)
    }

    fn digest(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// A hash as read back from a label; whatever it says, it is only ever compared.
    #[must_use]
    pub fn from_label(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The first eight digits, as they stand in container names.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }

    /// All digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SpecHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The final body of a container, with everything resolved but the image's id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerSpec {
    /// The image's reference as the manifest gives it.
    pub image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<bool>,
    #[serde(skip_serializing_if = "is_default")]
    pub tty: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub stdin_open: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub env: BTreeMap<String, String>,
    /// Labels of the manifest; those of ownership are added when the container is made.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "is_default")]
    pub network: Network,
    #[serde(skip_serializing_if = "is_default")]
    pub ports: BTreeSet<PublishedPort>,
    /// `8080/tcp`
    #[serde(skip_serializing_if = "is_default")]
    pub expose: BTreeSet<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub mounts: Vec<Mount>,
    /// Target path to mount options (`size=64m,mode=1777`), empty for none.
    #[serde(skip_serializing_if = "is_default")]
    pub tmpfs: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "is_default")]
    pub healthcheck: EngineCheck,
    /// Outside the hash: the engine can change these in place.
    #[serde(skip_serializing_if = "is_default")]
    pub adjustable: Adjustable,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shm_size: Option<u64>,
    #[serde(skip_serializing_if = "is_default")]
    pub ulimits: BTreeMap<String, Ulimit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpus: Option<Gpus>,
    #[serde(skip_serializing_if = "is_default")]
    pub devices: Vec<Device>,
    #[serde(skip_serializing_if = "is_default")]
    pub sysctls: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "is_default")]
    pub group_add: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub read_only: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub cap_drop: BTreeSet<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub cap_add: BTreeSet<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub security_opt: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub privileged: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// Seconds between the stop signal and the kill; the engine's default is 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_grace_seconds: Option<u64>,
    /// `name:address`
    #[serde(skip_serializing_if = "is_default")]
    pub extra_hosts: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub dns: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<Logging>,
    /// Secrets as files below `/run/secrets`, by their names there. Their digests are outside the hash: what a change of
    /// one does is the service's to say.
    #[serde(skip_serializing_if = "is_default")]
    pub secrets: BTreeMap<String, SecretFile>,
    /// Variables with secrets in them. Their digests are in the hash: only a new container has another value.
    #[serde(skip_serializing_if = "is_default")]
    pub secret_env: BTreeMap<String, SecretVariable>,
    /// Configs, by their paths in the container.
    #[serde(skip_serializing_if = "is_default")]
    pub configs: BTreeMap<String, ConfigFile>,
    /// Rights an engine reports for which a manifest has no word (`PidMode: host`); a manifest's body has none, so any
    /// entry here is a difference.
    #[serde(skip_serializing_if = "is_default")]
    pub unspoken: BTreeMap<String, String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl ContainerSpec {
    /// The digest of all that needs a new container when it changes.
    #[must_use]
    pub fn hash(&self) -> SpecHash {
        SpecHash::of(&Self { adjustable: Adjustable::default(), ..self.clone() })
    }

    /// The same whatever the values of its secrets are.
    #[must_use]
    pub fn without_digests(&self) -> Self {
        let mut spec = self.clone();
        spec.secret_env.values_mut().for_each(|variable| variable.digests.clear());
        spec
    }

    /// Volumes (by engine name) and host paths this container can write.
    #[must_use]
    pub fn writes(&self) -> BTreeSet<String> {
        self.mounts.iter().filter(|mount| !mount.read_only).map(|mount| mount.source.to_string()).collect()
    }
}

/// What the container is connected to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Networks of the engine by name, with the container's aliases there.
    Networks(BTreeMap<String, BTreeSet<String>>),
    /// The host's own network.
    Host,
    /// None at all.
    None,
    /// The network of another service of the app.
    Service(ServiceName),
}

impl Default for Network {
    fn default() -> Self {
        Self::Networks(BTreeMap::new())
    }
}

/// A port of the host that leads to a port of the container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PublishedPort {
    /// The address it is bound to; loopback unless the manifest says otherwise.
    pub address: IpAddr,
    /// The host's port.
    pub host: u16,
    /// The container's port.
    pub container: u16,
    /// How.
    pub protocol: Protocol,
}

impl PublishedPort {
    /// True when a host cannot give both. Port 0 is any that is free.
    #[must_use]
    pub fn clashes(&self, other: &Self) -> bool {
        self.host != 0
            && self.host == other.host
            && self.protocol == other.protocol
            && (self.address == other.address || self.address.is_unspecified() || other.address.is_unspecified())
    }
}

/// A volume or host path inside the container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mount {
    /// What is mounted.
    pub source: MountSource,
    /// Where.
    pub target: String,
    /// Without the right to write.
    pub read_only: bool,
}

/// What a mount shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MountSource {
    /// A volume, by its name on the engine.
    Volume(String),
    /// An absolute path of the host.
    Bind(String),
}

impl fmt::Display for MountSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Volume(name) => f.write_str(name),
            Self::Bind(path) => f.write_str(path),
        }
    }
}

/// A secret as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretFile {
    pub secret: SecretName,
    #[serde(flatten)]
    pub access: FileAccess,
}

/// A config as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigFile {
    pub content: String,
    #[serde(flatten)]
    pub access: FileAccess,
}

/// Who may read a file in the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileAccess {
    pub uid: u32,
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
}

/// A variable with secrets in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretVariable {
    pub text: Template,
    /// The keyed digests of its secrets, as far as they are known.
    #[serde(default, skip_serializing_if = "is_default")]
    pub digests: BTreeMap<SecretName, String>,
}

/// The check the engine itself runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineCheck {
    /// What the image brings, if anything.
    #[default]
    Inherit,
    /// None, whatever the image brings.
    Disabled,
    /// A command inside the container.
    Test {
        /// As the engine takes it: `CMD`, `CMD-SHELL` first.
        test: Vec<String>,
        /// Milliseconds, as the next two.
        interval: u64,
        timeout: u64,
        start_period: u64,
        retries: u32,
    },
}

/// What Docker can change while a container runs. Podman 4 cannot: there a change needs a new container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Adjustable {
    #[serde(skip_serializing_if = "is_default")]
    pub restart: Restart,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_reservation: Option<u64>,
    /// Billionths of a processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nano_cpus: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpuset: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids_limit: Option<i64>,
}

/// A limit of the kernel for the container's processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    pub soft: i64,
    pub hard: i64,
}

/// GPUs asked of the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gpus {
    All,
    Count(u32),
    Ids(Vec<String>),
}

/// A device of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    pub host: String,
    pub container: String,
    /// Of `rwm`.
    pub permissions: String,
}

/// Where the engine sends the container's output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logging {
    pub driver: String,
    #[serde(skip_serializing_if = "is_default", default)]
    pub options: BTreeMap<String, String>,
}
