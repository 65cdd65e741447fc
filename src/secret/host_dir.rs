//! Secrets of the host: `<dir>/<environment>/<app>/<name>`, one value in each file, taken as it is.

use super::{SecretError, SecretValue};
use crate::{
    closed_file::{ClosedFile, Kept, Unfit},
    value::{AppName, EnvironmentName, SecretName},
};
use std::path::{Path, PathBuf};

/// More is no secret but a mistake.
const LONGEST: u64 = 512 * 1024;

/// Where a secret of an app lies.
#[must_use]
pub fn path(directory: &Path, environment: &EnvironmentName, app: &AppName, name: &SecretName) -> PathBuf {
    directory.join(environment.as_str()).join(app.as_str()).join(name.as_str())
}

/// The value in a file below the folder of secrets. No link is followed there: who may write to the folder of one app
/// would be given the secrets of another.
///
/// # Errors
/// It is not there, cannot be read, is open to others, empty, too long, or no regular file.
pub fn read(directory: &Path, path: &Path, name: &SecretName) -> Result<SecretValue, SecretError> {
    let what = format!("secret `{name}` in");
    let file = ClosedFile { what: &what, path, kept: Kept::Secret, longest: LONGEST };
    let mut bytes = file.read_below(directory).map_err(|error| match error.unfit {
        Unfit::Missing => SecretError::Missing { name: name.clone(), path: path.to_owned() },
        Unfit::Unreadable(_)
        | Unfit::Link
        | Unfit::NotRegular
        | Unfit::Foreign { .. }
        | Unfit::Open { .. }
        | Unfit::Changeable { .. }
        | Unfit::TooLong { .. }
        | Unfit::Growing
        | Unfit::NotText => SecretError::File(error),
    })?;
    if bytes.is_empty() {
        return Err(SecretError::Empty { name: name.clone(), path: path.to_owned() });
    }
    Ok(SecretValue::new(std::mem::take(&mut *bytes)))
}
