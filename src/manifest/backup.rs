//! Which of the app's data is copied, when, where to, and for how long it is kept.

use super::{
    Command, Text,
    form::{count, is_count, is_default, is_seconds, is_yes, seconds, yes},
    refused,
};
use crate::value::{
    AbsolutePath, AgeRecipient, Database, Duration, ItemName, RepositoryName, ResourceKey, Schedule, ServiceName,
    TimeZoneName, VariableName, VolumeGlob, VolumePath,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const DAY: u64 = 24 * 60 * 60;

/// Copies of the app's data that are known to restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Backup", extend("x-refused" = refused::backup()))]
pub struct Backup {
    /// What is copied, each under a name that is its own.
    #[schemars(
        title = "Items",
        length(min = 1),
        example = serde_json::json!([{"name": "db", "type": "sqlite", "volume": "data", "path": "app.db"}])
    )]
    pub items: Vec<Item>,
    /// When `watch` makes copies: five fields of cron, or `@daily`. Default: none, only when somebody asks.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Schedule", example = &"30 2 * * *")]
    pub schedule: Option<Schedule>,
    /// The time zone of the schedule, by its IANA name. Default: UTC.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Time zone", example = &"Europe/Berlin")]
    pub timezone: TimeZoneName,
    /// How much later than the schedule says it may be, the same for an app every time: apps of one hour do not begin
    /// together. Default: 0s.
    #[serde(default = "seconds::<0>", skip_serializing_if = "is_seconds::<0>")]
    #[schemars(title = "Jitter", example = &"10m")]
    pub jitter: Duration,
    /// A time that was missed, as the host was off, is made up for once if it is no longer past than this. Default: 24h.
    #[serde(default = "seconds::<DAY>", skip_serializing_if = "is_seconds::<DAY>")]
    #[schemars(title = "Catch up", example = &"12h")]
    pub catch_up: Duration,
    /// How long all items together may take. Default: 1h.
    #[serde(default = "seconds::<3600>", skip_serializing_if = "is_seconds::<3600>")]
    #[schemars(title = "Timeout", example = &"30m")]
    pub timeout: Duration,
    /// Commands in the app's containers, before and after. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Hooks", example = serde_json::json!({"before": [{"service": "web", "command": ["maintenance", "on"]}]}))]
    pub hooks: Hooks,
    /// How copies are made smaller. Default: zstd.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Compression", example = &"gzip")]
    pub compression: Compression,
    /// For whom copies are sealed. Default: nobody, they are not.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Encryption", example = serde_json::json!({"age": ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]}))]
    pub encryption: Encryption,
    /// Where copies go, by the names that the host file gives to places. Default: `local`.
    #[serde(default = "local", skip_serializing_if = "is_local")]
    #[schemars(title = "Repositories", length(min = 1), example = ["local"])]
    pub repositories: Vec<RepositoryName>,
    /// Which copies are kept. What no rule keeps is removed after a run in which everything was verified. Default: each
    /// field's own.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Retention", example = serde_json::json!({"keep_daily": 14}))]
    pub retention: Retention,
    /// What makes a copy a verified one: `content` has what was copied judged (a database's own check, every entry of an
    /// archive), `checksum` only what was written. Default: content.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Verify", example = &"checksum")]
    pub verify: Verify,
    /// How old the newest verified copy may become before the app counts as degraded. Default: none, it is not looked at.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Greatest age", example = &"26h")]
    pub max_age: Option<Duration>,
    /// Whether a verified copy must be made before the app is changed: `changed` where a service that uses the data
    /// changes. Default: changed.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Before a deploy", example = &"always")]
    pub before_deploy: BeforeDeploy,
    /// When the newest copy is restored into containers of its own, to see that it can be. Default: never.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Drill", example = serde_json::json!({"schedule": "@monthly"}))]
    pub drill: Option<Drill>,
}

fn local() -> Vec<RepositoryName> {
    vec![RepositoryName::local()]
}

fn is_local(repositories: &[RepositoryName]) -> bool {
    *repositories == local()
}

/// One thing that is copied, with the fields of its type and no other's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Item", inline)]
pub struct Item {
    /// Its name: a folder of the repository.
    #[schemars(title = "Name", example = &"db")]
    pub name: ItemName,
    /// What it is: a database in a file (`sqlite`), of a server (`postgres`, `mysql`, `redis`), the files of a volume, or
    /// what a command writes (`exec`).
    #[serde(rename = "type")]
    #[schemars(title = "Type", example = &"sqlite")]
    pub kind: ItemType,
    /// Of `sqlite` and `volume`: a volume of the app. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Volume", example = &"data")]
    pub volume: Option<ResourceKey>,
    /// Of `sqlite`: the database's file in the volume. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Path", example = &"app.db")]
    pub path: Option<VolumePath>,
    /// Of `postgres`, `mysql`, `redis` and `exec`: the service in whose container it runs. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Service", example = &"postgres")]
    pub service: Option<ServiceName>,
    /// Of `postgres` and `mysql`: a database, or `"*"` for all with users and rights. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Database", example = &"app")]
    pub database: Option<Database>,
    /// Of `postgres` and `mysql`: who asks. Default: the container's `POSTGRES_USER` and then `postgres`; `root`.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "User", example = serde_json::json!({"env": "POSTGRES_USER"}))]
    pub user_from: Option<Origin>,
    /// Of `postgres`, `mysql` and `redis`: the password of who asks. Default: what the images of the type know by.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Password", example = serde_json::json!({"file": "/run/secrets/db_password"}))]
    pub password_from: Option<Origin>,
    /// Of `volume`: what is left out. Default: nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Exclude", example = ["tmp/**"])]
    pub exclude: Vec<VolumeGlob>,
    /// Of `volume`: what happens to containers that write the volume while it is read. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Consistency", example = &"pause")]
    pub consistency: Consistency,
    /// Of `exec`: the command whose output is the copy; exit code 0 is success. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Command", example = ["dump.sh"])]
    pub command: Option<Command>,
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum ItemType {
    Sqlite,
    Postgres,
    Mysql,
    Redis,
    Volume,
    Exec,
}

impl ItemType {
    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Redis => "redis",
            Self::Volume => "volume",
            Self::Exec => "exec",
        }
    }
}

/// Where a text is found in a container: one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Origin", inline, extend("minProperties" = 1, "maxProperties" = 1))]
pub struct Origin {
    /// A variable of the container. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Variable", example = &"POSTGRES_USER")]
    pub env: Option<VariableName>,
    /// A file in the container, which holds it alone. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "File", example = &"/run/secrets/db_password")]
    pub file: Option<AbsolutePath>,
}

/// What happens to the writers of a volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Consistency {
    /// Nothing: files are read while others write them.
    #[default]
    None,
    /// They are frozen meanwhile.
    Pause,
    /// They are stopped meanwhile.
    Stop,
}

/// Commands before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Hooks")]
pub struct Hooks {
    /// Before the first item; one that fails ends the run. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Before", example = serde_json::json!([{"service": "web", "command": ["maintenance", "on"]}]))]
    pub before: Vec<Hook>,
    /// After the last item, in any case. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "After", example = serde_json::json!([{"service": "web", "command": ["maintenance", "off"]}]))]
    pub after: Vec<Hook>,
}

/// A command in a container of the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Hook", inline)]
pub struct Hook {
    /// The service in whose container it runs.
    #[schemars(title = "Service", example = &"web")]
    pub service: ServiceName,
    /// Who runs it there. Default: the container's own user.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "User", example = &"www-data")]
    pub user: Option<Text>,
    /// What it runs; exit code 0 is success.
    #[schemars(title = "Command", example = ["maintenance", "on"])]
    pub command: Command,
}

/// How copies are made smaller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Compression {
    #[default]
    Zstd,
    Gzip,
    None,
}

/// For whom copies are sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Encryption")]
pub struct Encryption {
    /// Age recipients: each can open every copy, and this host cannot unless it has one of their identities.
    /// Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Age recipients", example = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"])]
    pub age: Vec<AgeRecipient>,
}

/// Which copies of an item are kept. A copy that any rule keeps stays; only verified ones count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Retention")]
pub struct Retention {
    /// The newest, so many. Default: 3.
    #[serde(default = "count::<3>", skip_serializing_if = "is_count::<3>")]
    #[schemars(title = "Last", example = 3, range(max = 100_000))]
    pub keep_last: u32,
    /// The newest of each of the last so many days that have one. Default: 7.
    #[serde(default = "count::<7>", skip_serializing_if = "is_count::<7>")]
    #[schemars(title = "Daily", example = 7, range(max = 100_000))]
    pub keep_daily: u32,
    /// The newest of each of the last so many weeks, from Monday on. Default: 4.
    #[serde(default = "count::<4>", skip_serializing_if = "is_count::<4>")]
    #[schemars(title = "Weekly", example = 4, range(max = 100_000))]
    pub keep_weekly: u32,
    /// The newest of each of the last so many months. Default: 0.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Monthly", example = 12, range(max = 100_000))]
    pub keep_monthly: u32,
    /// All that are not older than this. Default: 0s.
    #[serde(default = "seconds::<0>", skip_serializing_if = "is_seconds::<0>")]
    #[schemars(title = "Within", example = &"2d")]
    pub keep_within: Duration,
    /// So many of the newest are never removed, whatever else is said. Default: 1.
    #[serde(default = "count::<1>", skip_serializing_if = "is_count::<1>")]
    #[schemars(title = "Fewest", example = 2, range(min = 1, max = 100_000))]
    pub min_verified: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            keep_last: count::<3>(),
            keep_daily: count::<7>(),
            keep_weekly: count::<4>(),
            keep_monthly: 0,
            keep_within: seconds::<0>(),
            min_verified: count::<1>(),
        }
    }
}

/// What makes a copy a verified one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Verify {
    Checksum,
    #[default]
    Content,
}

/// Whether a copy comes before a deploy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum BeforeDeploy {
    Never,
    #[default]
    Changed,
    Always,
}

/// When copies are restored to see that they can be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Drill")]
pub struct Drill {
    /// When, as `backup.schedule`, in its time zone.
    #[schemars(title = "Schedule", example = &"@monthly")]
    pub schedule: Schedule,
    /// The service is started with the restored data and must become healthy. Default: true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    #[schemars(title = "Healthcheck", example = false)]
    pub healthcheck: bool,
}
