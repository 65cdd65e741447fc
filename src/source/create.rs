//! A new repository, for `reconcile init`.

use super::SourceError;
use git2::{Repository, RepositoryInitOptions};
use std::path::Path;

/// Makes a repository with the branch `main` in a folder, unless the folder is in one; true when it was made.
///
/// # Errors
/// What git says.
pub fn create(folder: &Path) -> Result<bool, SourceError> {
    if Repository::discover(folder).is_ok() {
        return Ok(false);
    }
    let mut options = RepositoryInitOptions::new();
    options.initial_head("main");
    match Repository::init_opts(folder, &options) {
        Ok(_) => Ok(true),
        Err(source) => {
            Err(SourceError::Git { doing: format!("make a git repository in `{}`", folder.display()), source })
        }
    }
}
