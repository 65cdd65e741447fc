//! What files of users are called: by whose route it is, and by the keyed digest of what is in them. So another secret is
//! another file, and what a proxy was given is known by its name.

use super::SiteName;
use crate::value::ServiceName;
use std::path::{Path, PathBuf};

/// What they end with: no proxy reads it as its own configuration.
const ENDING: &str = ".users";

/// The file of a service's users in a folder.
#[must_use]
pub fn file(folder: &Path, name: &SiteName, service: &ServiceName, digest: &str) -> PathBuf {
    folder.join(format!("{}{service}.{digest}{ENDING}", prefix(name)))
}

/// The digest by which a file is called; none where it is none of ours.
#[must_use]
pub fn digest(file: &Path) -> Option<&str> {
    file.file_name()?.to_str()?.strip_suffix(ENDING)?.rsplit_once('.').map(|(_, digest)| digest)
}

/// True for the name of a file of an app's users.
#[must_use]
pub fn is_of(name: &SiteName, file: &str) -> bool {
    file.starts_with(&prefix(name)) && file.ends_with(ENDING)
}

/// A dot is in no name.
fn prefix(name: &SiteName) -> String {
    format!("reconcile-{}.{}.", name.environment, name.app)
}
