//! What can go wrong with the record, and what to do about it.

use std::{io, path::PathBuf};

/// Why the record could not be read or written. The world is to blame for each of these.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A file or folder of the state directory.
    #[error("cannot {doing} `{path}`")]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    /// The directory is not one of ours, so its mode is not changed and nothing is put into it.
    #[error("`{path}` cannot be the state directory: {why}")]
    NotOurs { path: PathBuf, why: String },
    /// The database did not do something.
    #[error("cannot {doing} in `{path}`")]
    Database { doing: &'static str, path: PathBuf, source: rusqlite::Error },
    /// The database is damaged or is not one.
    #[error("`{path}` is damaged or is no database of reconcile")]
    Corrupt { path: PathBuf, source: rusqlite::Error },
    /// A newer release wrote it.
    #[error("`{path}` was written by a newer release (version {found}, this one knows {known}): it is only read")]
    Newer { path: PathBuf, found: u32, known: u32 },
    /// It was opened for a look.
    #[error("`{path}` was opened for reading only")]
    ReadOnly { path: PathBuf },
    /// A row cannot be understood.
    #[error("a record of {what} in `{path}` cannot be read")]
    Garbled { what: &'static str, path: PathBuf, source: serde_json::Error },
    /// There is no such revision.
    #[error("{environment}/{app} has no revision {number}")]
    NoRevision { environment: String, app: String, number: u32 },
    /// A file of a revision is not what was written.
    #[error("`{path}` is not what was recorded: its sha256 is {found}, recorded was {recorded}")]
    Altered { path: PathBuf, recorded: String, found: String },
    /// A file of a revision is no YAML or JSON.
    #[error("`{path}` cannot be read as {form}")]
    Unreadable { path: PathBuf, form: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    /// The thread that holds the database is gone.
    #[error("the record in `{path}` is closed")]
    Closed { path: PathBuf },
}
