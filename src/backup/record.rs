//! The record of a copy as it lies beside its file: people read it too.

use super::{BackupError, Copy, CopyId, Of, copy::FORMAT};
use std::path::Path;

/// What is not whole yet, and never gets a final name by itself.
pub(super) const PARTIAL: &str = "partial";
/// The record of a copy that is being removed.
pub(super) const REMOVED: &str = "removed";
/// More is no record.
pub(super) const LONGEST: u64 = 64 * 1024;

/// The name of a copy's record.
pub(super) fn name(id: &CopyId) -> String {
    format!("{id}.json")
}

/// The record as it is written.
pub(super) fn text(copy: &Copy, path: &Path) -> Result<Vec<u8>, BackupError> {
    let unwritable = |error: serde_json::Error| BackupError::Record { path: path.to_owned(), why: error.to_string() };
    let mut text = serde_json::to_vec_pretty(copy).map_err(unwritable)?;
    text.push(b'\n');
    Ok(text)
}

/// The copy that a record tells of.
pub(super) fn parse(text: &[u8], path: &Path, of: &Of) -> Result<Copy, BackupError> {
    let bad = |why: String| BackupError::Record { path: path.to_owned(), why };
    let form = serde_json::from_slice::<serde_json::Value>(text).map_err(|error| bad(error.to_string()))?;
    match form.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(format) => return Err(bad(format!("it is of form {format}, and this release reads {FORMAT}"))),
        None => return Err(bad("it tells no form".to_owned())),
    }
    let copy: Copy = serde_json::from_slice(text).map_err(|error| bad(error.to_string()))?;
    let is_plain = copy.file.starts_with(copy.id.as_str()) && !copy.file.contains('/');
    let is_here = (&copy.environment, &copy.app, &copy.item) == (&of.environment, &of.app, &of.item);
    match (is_plain, is_here) {
        (true, true) => Ok(copy),
        (false, _) => Err(bad(format!("`{}` is no file of it", copy.file))),
        (true, false) => Err(bad("it is of another item".to_owned())),
    }
}
