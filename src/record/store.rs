//! The state directory.

use super::{Ledger, RecordError};
use std::path::Path;

/// The state directory (0700) with its database and the folders of revisions.
pub struct StateDir {}

impl StateDir {
    /// Opens the state directory, making it when it is not there.
    ///
    /// # Errors
    /// It cannot be made, is not ours, or its database is damaged.
    pub async fn open(path: &Path) -> Result<Self, RecordError> {
        todo!("{path:?}")
    }

    /// Opens the state directory for reading: nothing is made, and where nothing is, nothing was recorded yet.
    ///
    /// # Errors
    /// Its database is damaged.
    pub async fn look(path: &Path) -> Result<Self, RecordError> {
        todo!("{path:?}")
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        todo!()
    }

    /// The ledger in it; cheap to clone.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        todo!()
    }
}
