//! A copy as its own record tells it: the sidecar that lies beside the file, from which alone it can be restored.

use crate::{
    desired::backup::Compression,
    value::{AgeRecipient, AppName, EnvironmentName, ItemName},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The form of records that this release writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// Names a copy among those of its item: when it was taken, in UTC, as `20261129T023000Z`; with a number after it where
/// several were taken in one second.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CopyId(String);

/// What is no copy's name.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no copy's name: they are as in `20261129T023000Z`")]
pub struct BadCopyId(String);

impl CopyId {
    /// The name of the copy that was taken then; `again` tells it from others of the same second.
    #[must_use]
    pub fn taken(at: Timestamp, again: u32) -> Self {
        let second = at.strftime("%Y%m%dT%H%M%SZ");
        if again == 0 { Self(second.to_string()) } else { Self(format!("{second}-{again}")) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CopyId {
    type Err = BadCopyId;

    fn from_str(text: &str) -> Result<Self, BadCopyId> {
        let (second, number) = text.split_once('-').map_or((text, None), |(second, number)| (second, Some(number)));
        let shape = second.bytes().enumerate().all(|(at, byte)| match at {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
        let numbered = number.is_none_or(|number| (1..=9).contains(&number.len()) && number.parse::<u32>().is_ok());
        if shape && second.len() == 16 && numbered {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadCopyId(text.to_owned()))
        }
    }
}

impl TryFrom<String> for CopyId {
    type Error = BadCopyId;

    fn try_from(text: String) -> Result<Self, BadCopyId> {
        text.parse()
    }
}

impl From<CopyId> for String {
    fn from(id: CopyId) -> Self {
        id.0
    }
}

impl fmt::Display for CopyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many bytes, and their SHA-256.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    pub bytes: u64,
    /// In hexadecimal.
    pub sha256: String,
}

/// What was seen to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What was written is what is there.
    Checksum,
    /// What was copied was judged as well.
    Content,
}

/// When a copy was seen to be right, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    pub at: Timestamp,
    pub level: Level,
}

/// A copy was restored where it harms nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drilled {
    pub at: Timestamp,
    /// How long it took.
    pub seconds: u64,
    /// What went wrong; none where nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// A copy, and all that restoring it needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// The form of this record.
    pub format: u32,
    pub id: CopyId,
    pub environment: EnvironmentName,
    pub app: AppName,
    pub item: ItemName,
    /// What it is a copy of: `sqlite`, `postgres` and so on.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was begun.
    pub taken_at: Timestamp,
    /// The name of its file, beside this record.
    pub file: String,
    /// What was copied.
    pub content: Sum,
    /// What lies in the file.
    pub stored: Sum,
    pub compression: Compression,
    /// Who can open it; empty: anybody who can read the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sealed_for: Vec<AgeRecipient>,
    /// None: it is not, or no longer, known to restore.
    pub verified: Option<Verified>,
    /// Why nobody should rely on it, although it was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspect: Option<String>,
    /// No rule removes it: a safety copy that a restore took.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// The revision before whose rollout it was taken, by its number in the app's history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_revision: Option<u32>,
    /// The release that took it.
    pub taken_by: String,
    /// What came of it when it was restored to see that it can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drilled: Option<Drilled>,
}

impl Drilled {
    #[must_use]
    pub const fn went_well(&self) -> bool {
        self.trouble.is_none()
    }
}

impl Copy {
    /// Whether it is one to rely on: what retention counts, and what a restore takes by itself.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.verified.is_some() && self.suspect.is_none()
    }
}

/// The ending of a copy's file by what it holds and how that is packed: `db.zst`.
#[must_use]
pub fn ending(kind: &str, compression: Compression, is_sealed: bool) -> String {
    let content = match kind {
        "sqlite" => "db",
        "postgres" => "dump",
        "mysql" => "sql",
        "redis" => "rdb",
        "volume" => "tar",
        _ => "out",
    };
    let packed = match compression {
        Compression::Zstd => ".zst",
        Compression::Gzip => ".gz",
        Compression::None => "",
    };
    format!("{content}{packed}{}", if is_sealed { ".age" } else { "" })
}
