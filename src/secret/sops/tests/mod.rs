//! Files are made here from the format's description, by a writer that shares nothing with the reader.

mod alterations;
mod forms;
mod laws;
mod reading;
mod sealing;

use super::{SopsError, open};
use crate::secret::age::Identities;
use std::{error::Error, fs, os::unix::fs::PermissionsExt, sync::LazyLock};

/// A key pair of `age-keygen`'s kind, made anew for each run.
pub struct Pair {
    pub identity: Identities,
    pub recipient: String,
}

pub fn pair() -> Pair {
    let made = ::age::x25519::Identity::generate();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("identity");
    fs::write(&path, format!("# made by a test\n{}\n", secrecy::ExposeSecret::expose_secret(&made.to_string())))
        .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    Pair { identity: Identities::read(&path).unwrap(), recipient: made.to_public().to_string() }
}

/// This host's.
pub fn host() -> &'static Pair {
    static HOST: LazyLock<Pair> = LazyLock::new(pair);
    &HOST
}

impl Default for sealing::Sealing {
    fn default() -> Self {
        Self::to(&host().recipient)
    }
}

/// The value under a key, or what is said instead, causes after a colon.
pub fn value(text: &str, key: &str) -> Result<String, String> {
    told(
        open("s.yaml", text, &host().identity)
            .and_then(|file| file.value(Some(key)))
            .map(|value| String::from_utf8(value.expose().to_vec()).unwrap()),
    )
}

pub fn told(outcome: Result<String, SopsError>) -> Result<String, String> {
    outcome.map_err(|error| {
        let mut line = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            line = format!("{line}: {error}");
            cause = error.source();
        }
        line
    })
}
