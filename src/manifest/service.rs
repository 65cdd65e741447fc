//! A service: every field that is built so far, in Compose's words.

use super::{
    Command, DependsOn, EnvironmentValue, Gpus, Healthcheck, Limit, Logging, OneOrMany, Proxy, Rollout, ServiceConfig,
    ServiceNetworks, ServiceSecret, Text, Tls,
    form::{count, is_count, is_default},
    refused,
    schema::map,
};
use crate::value::{
    AbsolutePath, Address, Capability, Cpus, Cpuset, DeviceMapping, Duration, ExposedPort, HostEntry, HostName,
    ImageReference, NetworkMode, ObjectName, Platform, PortMapping, PullPolicy, Restart, SecurityOption, Signal, Size,
    SysctlName, TmpfsMount, UlimitName, User, VariableName, VolumeMount,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Containers of one image that are kept running.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    title = "Service",
    extend("x-refused" = refused::service())
)]
pub struct Service {
    /// Where the image comes from: tag, digest or both. Without either, `latest`.
    #[schemars(title = "Image", example = &"nginx:1.27")]
    pub image: ImageReference,
    /// When it is pulled: `missing`, `always` (once for each revision), `never`, `daily`, `weekly` or `every_<duration>`.
    /// Default: missing.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Pull policy", example = &"daily")]
    pub pull_policy: PullPolicy,
    /// Replaces the image's command: a list, or a line that is split into words. Default: the image's.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Command", example = ["serve", "--port", "8080"])]
    pub command: Option<Command>,
    /// Replaces the image's entrypoint: a list, or a line that is split into words. Default: the image's.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Entrypoint", example = ["/usr/bin/tini", "--"])]
    pub entrypoint: Option<Command>,
    /// Where the process starts. Default: the image's.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Working directory", example = &"/srv/app")]
    pub working_dir: Option<AbsolutePath>,
    /// Who the process runs as. Default: the image's.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "User", example = &"1000:1000")]
    pub user: Option<User>,
    /// The container's own host name. Default: the engine's choice, its id.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Host name", example = &"gateway")]
    pub hostname: Option<HostName>,
    /// A small init process reaps orphans and passes signals on. Default: the engine's setting.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Init", example = true)]
    pub init: Option<bool>,
    /// Which of an image's platforms is taken. Default: the host's.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Platform", example = &"linux/amd64")]
    pub platform: Option<Platform>,
    /// The process has a terminal. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Terminal", example = true)]
    pub tty: bool,
    /// Standard input is kept open. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Standard input", example = true)]
    pub stdin_open: bool,
    /// The container's name, instead of `<environment>-<app>-<service>-<8 digits>`. The new container of a rollout
    /// takes it once the old one is gone. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Container name", example = &"neuronetz-gateway")]
    pub container_name: Option<ObjectName>,
    /// How many containers: 1, or 0 for a stopped one, which nobody that runs may need. Default: 1.
    #[serde(default = "count::<1>", skip_serializing_if = "is_count::<1>")]
    #[schemars(title = "Scale", example = 0)]
    pub scale: u32,
    /// Environment variables; `environment` says the same. Default: none beside the image's.
    #[serde(default, alias = "environment", skip_serializing_if = "is_default")]
    #[schemars(title = "Environment variables", example = serde_json::json!({"LOG_FORMAT": "json", "PORT": 8080}), schema_with = "map::<VariableName, EnvironmentValue>")]
    pub env: BTreeMap<VariableName, EnvironmentValue>,
    /// Secrets that the container finds as files below `/run/secrets`. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Secrets", example = serde_json::json!(["postgres_password"]))]
    pub secrets: Vec<ServiceSecret>,
    /// Configs that the container finds as read-only files. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Configs", example = serde_json::json!([{"source": "app_ini", "target": "/etc/app.ini"}]))]
    pub configs: Vec<ServiceConfig>,
    /// Networks the container is on: a list, or a map for `aliases`. Default: the app's bridge.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Networks", example = ["backend"])]
    pub networks: Option<ServiceNetworks>,
    /// Instead of networks: `host`, `none`, or `service:<name>` to share that of another service. Default: none of
    /// them.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Network mode", example = &"none")]
    pub network_mode: Option<NetworkMode>,
    /// Ports of the host that lead to the container: `[address:]host:container[/udp]`. Without an address the port is
    /// bound to 127.0.0.1; `*:443:443` is every address, and host policy must allow it. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Published ports", example = ["8000:8000"])]
    pub ports: Vec<PortMapping>,
    /// Ports the container offers to others on its networks; for people and proxies to read. Default: the image's.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Exposed ports", example = [8080])]
    pub expose: Vec<ExposedPort>,
    /// Never reachable from outside its networks: published ports, host mode and external networks are refused, and
    /// repaired when somebody adds them by hand. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Internal only", example = true)]
    pub internal_only: bool,
    /// Volumes and host paths: `name:/path`, `/host/path:/path`, `:ro` after it for reading only. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Volumes", example = ["pgdata:/var/lib/postgresql/data"])]
    pub volumes: Vec<VolumeMount>,
    /// Directories in memory, with options. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Temporary directories", example = ["/tmp:size=64m"])]
    pub tmpfs: OneOrMany<TmpfsMount>,
    /// What must hold before the service starts: a list of services, or a map with conditions. Default: nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Dependencies", example = serde_json::json!({"postgres": {"condition": "service_healthy"}}))]
    pub depends_on: DependsOn,
    /// How readiness and health are judged. Default: the image's own check, if it has one.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Healthcheck", example = serde_json::json!({"http": {"path": "/healthz", "port": 8080}}))]
    pub healthcheck: Option<Healthcheck>,
    /// When the engine starts the container again: `unless-stopped`, `always`, `on-failure[:times]` or `no`. With the
    /// last two, exit code 0 is the end of its work. Default: unless-stopped.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Restart", example = &"on-failure:3")]
    pub restart: Restart,
    /// The most memory it may have, in bytes or with a unit. Default: no limit.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Memory limit", example = &"512m")]
    pub mem_limit: Option<Size>,
    /// Memory it keeps when the host runs short, in bytes or with a unit. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Memory reservation", example = &"256m")]
    pub mem_reservation: Option<Size>,
    /// How many processors it may use, in fractions too. Default: no limit.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Processors", example = 0.5)]
    pub cpus: Option<Cpus>,
    /// Which processors it may use. Default: all.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Processor set", example = &"0-1,3")]
    pub cpuset: Option<Cpuset>,
    /// How many processes it may have; -1 is without limit. Default: the engine's.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Process limit", example = 256, range(min = -1))]
    pub pids_limit: Option<i64>,
    /// Size of /dev/shm, in bytes or with a unit. Default: the engine's, 64m.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Shared memory", example = &"128m")]
    pub shm_size: Option<Size>,
    /// Limits of the kernel: a number, or `soft` and `hard`. Default: the engine's.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Limits", example = serde_json::json!({"nofile": 65536}), schema_with = "map::<UlimitName, Limit>")]
    pub ulimits: BTreeMap<UlimitName, Limit>,
    /// Graphics processors: `all`, a number, or a list of ids. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Graphics processors", example = &"all")]
    pub gpus: Option<Gpus>,
    /// Devices of the host, by host policy. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Devices", example = ["/dev/dri"])]
    pub devices: Vec<DeviceMapping>,
    /// Kernel settings of the container's namespaces. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Kernel settings", example = serde_json::json!({"net.core.somaxconn": 1024}), schema_with = "map::<SysctlName, Text>")]
    pub sysctls: BTreeMap<SysctlName, Text>,
    /// More groups of the process, by name or number. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Groups", example = ["video"])]
    pub group_add: Vec<User>,
    /// The container cannot write its own file system. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Read-only", example = true)]
    pub read_only: bool,
    /// Capabilities taken away. Default: none beside the engine's choice.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Dropped capabilities", example = ["ALL"])]
    pub cap_drop: BTreeSet<Capability>,
    /// Capabilities given, by host policy. Default: none beside the engine's choice.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Added capabilities", example = ["NET_BIND_SERVICE"])]
    pub cap_add: BTreeSet<Capability>,
    /// Options of the engine's security modules. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Security options", example = ["no-new-privileges:true"])]
    pub security_opt: Vec<SecurityOption>,
    /// All rights of the host, by host policy. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Privileged", example = true)]
    pub privileged: bool,
    /// The signal that asks the process to end. Default: the image's, else SIGTERM.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Stop signal", example = &"SIGQUIT")]
    pub stop_signal: Option<Signal>,
    /// How long it may take to end before it is killed, in whole seconds. Default: 10s.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Stop grace period", example = &"30s")]
    pub stop_grace_period: Option<Duration>,
    /// Lines for the container's hosts file: `name:address`, or `name:host-gateway`. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Extra hosts", example = ["db.internal:10.0.0.5"])]
    pub extra_hosts: Vec<HostEntry>,
    /// DNS servers. Default: the engine's.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "DNS servers", example = ["10.0.0.53"])]
    pub dns: OneOrMany<Address>,
    /// Labels, beside those that `reconcile` sets. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Labels", example = serde_json::json!({"team": "web"}))]
    pub labels: BTreeMap<String, Text>,
    /// Where the engine sends the output. Default: the engine's setting.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Logging", example = serde_json::json!({"driver": "json-file", "options": {"max-size": "10m"}}))]
    pub logging: Option<Logging>,
    /// How a change is rolled out. Default: each field's own.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Rollout", example = serde_json::json!({"order": "start-first"}))]
    pub rollout: Rollout,
    /// The names and paths by which the host's proxy leads to the service. Default: none, no proxy leads here.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Proxy", example = serde_json::json!({"hosts": ["api.example.com"], "port": 8080}))]
    pub proxy: Option<Proxy>,
    /// How the way through the proxy is secured. Default: each field's own.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "TLS", example = serde_json::json!({"mode": "acme"}))]
    pub tls: Option<Tls>,
}
