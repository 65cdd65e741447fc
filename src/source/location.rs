//! What people write as a source: a path, a `file://` URL, or a remote that is refused by name.

use super::SourceError;
use std::path::PathBuf;

/// The path of a local repository.
///
/// # Errors
/// `Remote` for every other scheme, and for the `host:path` form of ssh.
pub fn local(location: &str) -> Result<PathBuf, SourceError> {
    let remote = || SourceError::Remote { location: without_password(location) };
    match location.split_once("://") {
        Some(("file", path)) => path
            .strip_prefix("localhost")
            .filter(|path| path.starts_with('/'))
            .or(path.starts_with('/').then_some(path))
            .map(PathBuf::from)
            .ok_or_else(remote),
        Some(_) => Err(remote()),
        None if is_ssh_shorthand(location) => Err(remote()),
        None => Ok(PathBuf::from(location)),
    }
}

/// `user@host:path`, by git's own rule: a colon before the first slash.
fn is_ssh_shorthand(location: &str) -> bool {
    match (location.find(':'), location.find('/')) {
        (Some(colon), Some(slash)) => colon < slash,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// A URL may carry a password or a token before its host; no message shows it.
fn without_password(location: &str) -> String {
    let Some((scheme, rest)) = location.split_once("://") else { return location.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{path}"),
        None => location.to_owned(),
    }
}
