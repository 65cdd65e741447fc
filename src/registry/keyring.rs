//! Finds what opens the registry of an image. Files are read at each pull, so that a new password counts at once.

use super::{
    credentials::{Credentials, Proof},
    login::{Login, LoginFile},
};
use crate::{
    closed_file::{ClosedFile, ClosedFileError, Kept, Unfit},
    host::{
        Registries,
        secret_file::{self, SecretFileError},
    },
    value::{ImageReference, RegistryName},
};
use std::{
    error::Error,
    path::{Path, PathBuf},
};

/// A longer file is no login file.
const LONGEST: u64 = 1 << 20;

/// Everybody who may open a registry.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    users: Registries,
    login_files: Vec<PathBuf>,
}

/// What was found for an image.
#[derive(Debug, Default)]
pub struct Found {
    pub credentials: Option<Credentials>,
    /// Where they are from, as the end of a sentence: `/root/.docker/config.json`.
    pub origin: String,
    /// What was passed by because it cannot be used, as sentences. Told when the registry wants a login.
    pub passed_by: Vec<String>,
}

/// A user of the host file whose password is not known.
#[derive(Debug, thiserror::Error)]
#[error("the password of `{username}` for registry `{registry}` is not known")]
pub struct KeyringError {
    registry: RegistryName,
    username: String,
    source: SecretFileError,
}

impl KeyringError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        self.source.hint().unwrap_or_else(|| "write the password into that file, mode 0600".to_owned())
    }
}

impl Keyring {
    /// The users of the host file come first, then the login files in their order.
    #[must_use]
    pub fn new(users: Registries, login_files: Vec<PathBuf>) -> Self {
        Self { users, login_files }
    }

    /// What opens the registry of an image. A login file that cannot be used is passed by: the image may be public.
    ///
    /// # Errors
    /// The host file names a user, and the password's file cannot be read.
    pub fn find(&self, image: &ImageReference) -> Result<Found, KeyringError> {
        let registry = image.registry_name();
        if let Some(user) = self.users.get(&registry) {
            let username = user.username.clone();
            let password = secret_file::read(&user.password_file).map_err(|source| KeyringError {
                registry: registry.clone(),
                username: username.clone(),
                source,
            })?;
            let credentials = Credentials { registry, username, proof: Proof::Password(password) };
            let origin = format!("`registries` in the host file and `{}`", user.password_file);
            return Ok(Found { credentials: Some(credentials), origin, passed_by: Vec::new() });
        }
        let mut found = Found::default();
        for path in &self.login_files {
            match login(path, image) {
                Ok(Login::Known(credentials)) => {
                    let origin = format!("`{}`", path.display());
                    return Ok(Found { credentials: Some(credentials), origin, ..found });
                }
                Ok(Login::None) => {}
                Ok(Login::Helper { name, setting }) => found.passed_by.push(format!(
                    "`{}` leaves it to the credential helper `{name}` (`{setting}`), which is not run",
                    path.display()
                )),
                Ok(Login::Garbled) => found.passed_by.push(format!(
                    "the entry for `{registry}` in `{}` is not as `docker login` writes it",
                    path.display()
                )),
                Err(why) => found.passed_by.push(why),
            }
        }
        Ok(found)
    }
}

fn login(path: &Path, image: &ImageReference) -> Result<Login, String> {
    // Who may read it is for the engine's own command to say, which uses it whatever its mode is.
    let file = ClosedFile { what: "the login file", path, kept: Kept::Trusted, longest: LONGEST };
    let text = match file.read_text() {
        Err(ClosedFileError { unfit: Unfit::Missing, .. }) => return Ok(Login::None),
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            return Err(format!("`{}` {}{cause}{hint}", path.display(), error.unfit));
        }
        Ok(text) => text,
    };
    let read = LoginFile::read(&text).map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
    Ok(read.of(image))
}
