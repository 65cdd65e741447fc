//! Where a local repository keeps its references: what changes when somebody pushes.

use super::Repository;
use std::path::PathBuf;

/// A folder to be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    pub folder: PathBuf,
    /// With all folders below it.
    pub deep: bool,
}

impl Repository {
    /// The folders in which a push changes something: `HEAD` and `packed-refs` lie in the first, loose references in
    /// the second. A file is never watched itself, since git renames a new one over it (research, trust §3).
    #[must_use]
    pub fn references(&self) -> Vec<Watched> {
        let (own, common) = (self.git.path(), self.git.commondir());
        let mut folders = vec![Watched { folder: common.to_owned(), deep: false }];
        if own != common {
            // A linked work tree has a HEAD of its own.
            folders.push(Watched { folder: own.to_owned(), deep: false });
        }
        folders.push(Watched { folder: common.join("refs"), deep: true });
        folders
    }
}
