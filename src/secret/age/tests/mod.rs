//! Files of ours and of Debian's `age`; keys that are kept as they should be.

mod identities;
mod opening;

use super::{Identities, IdentityError};
use secrecy::ExposeSecret;
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};
use tempfile::TempDir;

/// A file of a test.
pub struct File {
    folder: TempDir,
}

impl File {
    pub fn holding(content: &[u8], mode: u32) -> Self {
        let file = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(file.path(), content).unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("file")
    }
}

pub fn read(content: &str, mode: u32) -> Result<Identities, IdentityError> {
    Identities::read(&File::holding(content.as_bytes(), mode).path())
}

/// A new identity and its recipient, as texts.
pub fn pair() -> (String, String) {
    let identity = ::age::x25519::Identity::generate();
    (identity.to_string().expose_secret().to_owned(), identity.to_public().to_string())
}
