//! What a restore has begun, noted on the host's disk before anything of the app has another name: whoever comes after a kill
//! makes it whole before the app runs with half of it.

use super::{BackupError, CopyId, Sources, Targets, driver::Taking, folder, patience::patiently, restore::told};
use crate::value::{AppName, EnvironmentName, ItemName};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// The form of notes that this release writes and reads.
const FORMAT: u32 = 1;

/// What was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// The form of this note.
    pub format: u32,
    pub item: ItemName,
    pub copy: CopyId,
    /// What makes it whole, the old or the new.
    pub settle: Taking,
}

impl Begun {
    /// A note of this release.
    #[must_use]
    pub const fn new(item: ItemName, copy: CopyId, settle: Taking) -> Self {
        Self { format: FORMAT, item, copy, settle }
    }
}

/// Where the note of an app is. Whoever reads or writes it has the app's lock.
#[derive(Clone, Debug)]
pub struct Journal {
    path: PathBuf,
}

impl Journal {
    /// That of an app, in the folder of all.
    #[must_use]
    pub fn of(restores: &Path, environment: &EnvironmentName, app: &AppName) -> Self {
        Self { path: restores.join(environment.as_str()).join(format!("{app}.json")) }
    }

    /// What was begun and not ended.
    ///
    /// # Errors
    /// The disk; a newer release wrote it.
    pub fn begun(&self) -> Result<Option<Begun>, BackupError> {
        let text = match fs::read(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.map_err(BackupError::file("read", &self.path))?,
        };
        let unread = |why: String| BackupError::Record { path: self.path.clone(), why };
        let begun: Begun = serde_json::from_slice(&text).map_err(|error| unread(error.to_string()))?;
        match begun.format {
            FORMAT => Ok(Some(begun)),
            format => Err(unread(format!("it is of form {format}, and this release reads {FORMAT}"))),
        }
    }

    /// Notes what is begun: it is on the disk when this is done.
    ///
    /// # Errors
    /// The disk.
    pub fn begin(&self, begun: &Begun) -> Result<(), BackupError> {
        folder::make(self.path.parent().unwrap_or(Path::new("/")))?;
        let unwritable =
            |error: serde_json::Error| BackupError::Record { path: self.path.clone(), why: error.to_string() };
        folder::put(&self.path, &serde_json::to_vec_pretty(begun).map_err(unwritable)?)
    }

    /// It is ended.
    ///
    /// # Errors
    /// The disk.
    pub fn end(&self) -> Result<(), BackupError> {
        folder::remove(&self.path)
    }

    /// Makes whole what a restore that was killed left half done, where there is such; tells of which item.
    ///
    /// # Errors
    /// What is there cannot be told or made whole: nothing of the app should run before.
    pub async fn settle<S: Sources + Targets>(&self, sources: &S) -> Result<Option<ItemName>, BackupError> {
        let Some(begun) = self.begun()? else { return Ok(None) };
        // What was begun may go on in a container of its own.
        sources.sweep().await?;
        let users = match &begun.settle {
            Taking::Inside { service, .. } => {
                // Where it has to be made first, the pass after that finds this.
                if !sources.wake(service).await? {
                    return Ok(None);
                }
                Vec::new()
            }
            // An engine that began anew may have started them.
            Taking::Beside { volume, .. } => sources.users(volume).await?,
        };
        for user in &users {
            sources.stop(user).await?;
        }
        let whole = match &begun.settle {
            Taking::Inside { .. } => patiently(sources, &begun.settle).await,
            Taking::Beside { .. } => told(sources.give(&begun.settle, None).await?.await),
        };
        whole.map_err(|error| {
            let (item, note) = (&begun.item, self.path.display());
            let doing = format!("cannot make whole what a restore of `{item}` left half done, as `{note}` notes");
            BackupError::Container { doing, source: error.into() }
        })?;
        self.end()?;
        for user in &users {
            sources.start(user).await?;
        }
        Ok(Some(begun.item))
    }
}

#[cfg(test)]
mod tests {
    use super::{Begun, Journal};
    use crate::backup::{CopyId, driver::Taking};
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn what_is_begun_is_found_until_it_is_ended_and_what_a_newer_release_noted_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let restores = folder.path().join("restores");
        let journal = Journal::of(&restores, &"production".parse().unwrap(), &"web".parse().unwrap());
        assert_eq!(journal.begun().unwrap(), None);
        journal.end().unwrap();
        let settle = Taking::Beside {
            volume: "data".to_owned(),
            writes: true,
            errand: vec!["settle".to_owned(), "a".to_owned()],
        };
        let begun = Begun::new("db".parse().unwrap(), CopyId::taken(jiff::Timestamp::UNIX_EPOCH, 0), settle);
        journal.begin(&begun).unwrap();
        journal.begin(&begun).unwrap();
        assert_eq!(journal.begun().unwrap(), Some(begun));
        let path = restores.join("production/web.json");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let newer = fs::read_to_string(&path).unwrap().replace("\"format\": 1", "\"format\": 2");
        fs::write(&path, newer).unwrap();
        let told = journal.begun().unwrap_err().to_string();
        assert!(told.contains("form 2"), "{told}");
        journal.end().unwrap();
        assert_eq!(journal.begun().unwrap(), None);
    }
}
