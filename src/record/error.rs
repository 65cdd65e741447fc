//! What can go wrong with the record, and what to do about it.

use crate::blame::Blame;
use rusqlite::ErrorCode;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why the record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A file or folder of the state directory, or a lock.
    #[error("cannot {doing} `{path}`")]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    /// The directory is not one of ours, so its mode is not changed and nothing is put into it.
    #[error("`{path}` is not taken as a directory of reconcile: {why}")]
    NotOurs { path: PathBuf, why: String },
    /// The database did not do something.
    #[error("cannot {doing} in `{path}`")]
    Database { doing: &'static str, path: PathBuf, source: rusqlite::Error },
    /// The database is damaged or is not one.
    #[error("`{path}` is damaged, or is no database of reconcile")]
    Corrupt { path: PathBuf, source: rusqlite::Error },
    /// A newer release wrote it.
    #[error("`{path}` was written by a newer release (version {found}, this one knows {known}): it is only read")]
    Newer { path: PathBuf, found: u32, known: u32 },
    /// It was opened for a look.
    #[error("`{path}` was opened for reading only")]
    ReadOnly { path: PathBuf },
    /// There is no such revision.
    #[error("`{environment}/{app}` has no revision {number}")]
    NoRevision { environment: String, app: String, number: u32 },
    /// A file of a revision is not what was written.
    #[error("`{path}` is not what was recorded: its sha256 is {found}, and {recorded} was recorded")]
    Altered { path: PathBuf, recorded: String, found: String },
    /// A document cannot be written or read as what it is.
    #[error("`{path}` cannot be {doing}")]
    Document { doing: &'static str, path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    /// The thread that holds the database is gone.
    #[error("the ledger in `{path}` is closed")]
    Closed { path: PathBuf },
}

impl RecordError {
    pub(super) fn of_sql(doing: &'static str, path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt { path, source },
            _ => Self::Database { doing, path, source },
        }
    }

    /// Makes an error of a file operation.
    pub(super) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { doing, path: path.to_owned(), source }
    }

    /// The world's, always: a record that cannot be read or written says nothing about a revision.
    #[must_use]
    pub fn blame(&self) -> Blame {
        Blame::World
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Corrupt { path, .. } => Some(format!(
                "stop reconcile, then `mv {0} {0}.damaged` with the files `-wal` and `-shm` beside it: history and holds begin \
                 anew, what runs is left as it is, and the folders below `revisions` stay for a look",
                path.display()
            )),
            Self::Newer { .. } => {
                Some("run the newer release, or name another directory with `--state-dir`".to_owned())
            }
            Self::NotOurs { .. } => Some("name another directory with `--state-dir`".to_owned()),
            Self::Altered { path, .. } => Some(format!(
                "put back what was recorded from a backup, or choose another revision; `{}` is never applied as it is",
                path.display()
            )),
            Self::NoRevision { app, .. } => Some(format!("`reconcile history {app}` lists what there is")),
            Self::Database { source, path, .. } => match source.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => Some(full(path)),
                Some(ErrorCode::DatabaseBusy) => {
                    Some("another process is writing for too long; try again when it is done".to_owned())
                }
                Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                    Some("run it as the user who owns the directory".to_owned())
                }
                _ => None,
            },
            Self::File { source, path, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(full(path)),
                io::ErrorKind::PermissionDenied => Some("run it as the user who owns the directory".to_owned()),
                _ => None,
            },
            Self::ReadOnly { .. } | Self::Document { .. } | Self::Closed { .. } => None,
        }
    }
}

fn full(path: &Path) -> String {
    format!("make room on the disk of `{}`; the next pass goes on by itself", path.display())
}
