//! The state directory.

use super::{
    Ledger, RecordError,
    database::{Access, Database},
    private,
};
use std::{
    fs::File,
    path::{Path, PathBuf},
};

const DATABASE: &str = "state.db";
const REVISIONS: &str = "revisions";

/// The state directory (0700) with its database and the folders of revisions.
#[derive(Clone)]
pub struct StateDir {
    path: PathBuf,
    ledger: Ledger,
}

impl StateDir {
    /// Opens the state directory, making it when it is not there. The database of a newer release is opened too, and
    /// only its writes fail.
    ///
    /// # Errors
    /// It cannot be made, is not ours, or its database is damaged.
    pub async fn open(path: &Path) -> Result<Self, RecordError> {
        let directory = path.to_owned();
        let made = tokio::task::spawn_blocking(move || make(&directory)).await;
        // Held until the tables are there: two processes may begin at once.
        let beginning = made.map_err(|_| RecordError::Closed { path: path.to_owned() })??;
        let database = Database::open(path.join(DATABASE), Access::Write).await?;
        drop(beginning);
        Ok(Self::with(path, database))
    }

    /// Opens the state directory for reading: nothing is made, and where nothing is, nothing was recorded yet.
    ///
    /// # Errors
    /// Its database cannot be read or is damaged.
    pub async fn look(path: &Path) -> Result<Self, RecordError> {
        let database = Database::open(path.join(DATABASE), Access::Look).await?;
        Ok(Self::with(path, database))
    }

    /// A state directory whose database is lost: nothing is known, nothing is taken. With it the host can still be
    /// compared with the branch while the database is damaged.
    ///
    /// # Errors
    /// There is no memory for an empty database.
    pub async fn lost(path: &Path) -> Result<Self, RecordError> {
        let database = Database::open(path.join(DATABASE), Access::Lost).await?;
        Ok(Self::with(path, database))
    }

    fn with(path: &Path, database: Database) -> Self {
        Self { path: path.to_owned(), ledger: Ledger::new(database, path.join(REVISIONS)) }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The ledger in it; cheap to clone.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }
}

fn make(path: &Path) -> Result<File, RecordError> {
    private::own_directory(path, private::READABLE, DATABASE)?;
    let directory = File::open(path).map_err(RecordError::file("open", path))?;
    directory.lock().map_err(RecordError::file("lock", path))?;
    private::make_file(&path.join(DATABASE))?;
    private::make_directory(&path.join(REVISIONS))?;
    Ok(directory)
}
