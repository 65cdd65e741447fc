//! Files of the repository beside its manifests.

use std::{fmt, sync::Arc};

/// Reads a file by its path in the repository; an error says why it cannot be read, as the end of a sentence.
pub type Read = dyn Fn(&str) -> Result<Vec<u8>, String>;
type Open = dyn Fn() -> Result<Box<Read>, String> + Send + Sync;

/// Files of one commit, or of a folder: of what was accepted last, where secrets are concerned.
#[derive(Clone)]
pub struct RepositoryFiles(Arc<Open>);

impl RepositoryFiles {
    /// Files of a repository that `open` opens: it cannot move between threads itself.
    #[must_use]
    pub fn new(open: impl Fn() -> Result<Box<Read>, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }

    /// Opens the repository for several files.
    ///
    /// # Errors
    /// Why it cannot be opened, as the end of a sentence.
    pub fn open(&self) -> Result<Box<Read>, String> {
        (self.0)()
    }

    /// One file.
    ///
    /// # Errors
    /// Why it cannot be read, as the end of a sentence: `it is not there`.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.open()?(path)
    }
}

impl Default for RepositoryFiles {
    /// No file at all.
    fn default() -> Self {
        Self::new(|| Err("there is no repository here".to_owned()))
    }
}

impl fmt::Debug for RepositoryFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RepositoryFiles")
    }
}
