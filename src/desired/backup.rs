//! What of an app is copied, with everything filled in: when, how, where to, for how long.
//!
//! Where the places are is the host's to say and no part of this.

use crate::value::{AgeRecipient, Database, ItemName, RepositoryName, Schedule, ServiceName, TimeZoneName, VolumeGlob};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The copies of one app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// What is copied; names are unique.
    pub items: Vec<Item>,
    /// When the daemon makes copies; none where only people do.
    pub schedule: Option<Schedule>,
    /// Whose clock the schedules mean.
    pub timezone: TimeZoneName,
    /// The most by which a run may begin later than scheduled.
    pub jitter: Duration,
    /// How long past a missed time may be and still be made up for.
    pub catch_up: Duration,
    /// How long a run may take.
    pub timeout: Duration,
    /// Commands before the first item.
    pub before: Vec<Hook>,
    /// Commands after the last item, in any case.
    pub after: Vec<Hook>,
    pub compression: Compression,
    /// Whom copies are sealed for; empty: they are not.
    pub recipients: Vec<AgeRecipient>,
    /// The places, by the host's names for them.
    pub repositories: Vec<RepositoryName>,
    pub retention: Retention,
    /// What is copied is judged, and not only what was written.
    pub judges_content: bool,
    /// How old the newest verified copy may become; none where nobody looks.
    pub max_age: Option<Duration>,
    pub before_deploy: BeforeDeploy,
    pub drill: Option<Drill>,
}

/// One thing that is copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its name: a folder of a repository.
    pub name: ItemName,
    /// What it is.
    pub data: Data,
}

/// What an item is, and where it is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Data {
    /// A SQLite database: the volume by its name on the engine, and the path in it.
    Sqlite {
        volume: String,
        path: String,
    },
    Postgres(Server),
    Mysql(Server),
    /// A Redis server, with the password's origin.
    Redis {
        service: ServiceName,
        password: Option<Origin>,
    },
    /// The files of a volume, by its name on the engine.
    Volume {
        volume: String,
        exclude: Vec<VolumeGlob>,
        consistency: Consistency,
    },
    /// What a command writes.
    Exec {
        service: ServiceName,
        command: Vec<String>,
    },
}

impl Data {
    /// What happens to those who use it while it is read.
    #[must_use]
    pub const fn consistency(&self) -> Consistency {
        match self {
            Self::Volume { consistency, .. } => *consistency,
            Self::Sqlite { .. } | Self::Postgres(_) | Self::Mysql(_) | Self::Redis { .. } | Self::Exec { .. } => {
                Consistency::None
            }
        }
    }
}

/// A database of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    pub service: ServiceName,
    pub database: Database,
    /// Who asks; none is who usually does.
    pub user: Option<Origin>,
    /// The password of who asks; none is what the usual images know it by.
    pub password: Option<Origin>,
}

/// Where a text is found in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// In a variable.
    Variable(String),
    /// Alone in a file.
    File(String),
}

/// What happens to the writers of a volume while it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Consistency {
    None,
    Pause,
    Stop,
}

/// A command in a container of the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    pub service: ServiceName,
    /// Who runs it; none is the container's own user.
    pub user: Option<String>,
    pub command: Vec<String>,
}

/// How copies are made smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    Zstd,
    Gzip,
    None,
}

/// Which copies are kept: what any rule keeps stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// The newest, so many.
    pub last: u32,
    /// The newest of each of so many days, weeks (from Monday on), months.
    pub daily: u32,
    pub weekly: u32,
    pub monthly: u32,
    /// All that are not older.
    pub within: Duration,
    /// So many of the newest stay in any case; at least one does.
    pub min_verified: u32,
}

/// Whether a copy comes before a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BeforeDeploy {
    Never,
    /// Where a service that uses what is copied changes.
    Changed,
    Always,
}

/// When copies are restored to see that they can be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    pub schedule: Schedule,
    /// The service must become healthy with the restored data.
    pub healthcheck: bool,
}

impl Data {
    /// The service that is asked for it, where it is what a server has.
    #[must_use]
    pub const fn server(&self) -> Option<&ServiceName> {
        match self {
            Self::Postgres(server) | Self::Mysql(server) => Some(&server.service),
            Self::Redis { service, .. } => Some(service),
            Self::Sqlite { .. } | Self::Volume { .. } | Self::Exec { .. } => None,
        }
    }

    /// The word of the manifest.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres(_) => "postgres",
            Self::Mysql(_) => "mysql",
            Self::Redis { .. } => "redis",
            Self::Volume { .. } => "volume",
            Self::Exec { .. } => "exec",
        }
    }
}
