//! What is remembered of items on this host: a file for each, below the state directory. It decides nothing that cannot be seen
//! elsewhere; losing it loses lines that people read.

use super::{BackupError, Failure, LastDrill, Of, folder};
use crate::value::{AppName, EnvironmentName, ItemName};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeSet,
    fs,
    marker::PhantomData,
    path::{Path, PathBuf},
};

/// The form of these files.
const FORMAT: u32 = 1;

/// A note as it is written.
#[derive(Serialize, Deserialize)]
struct Form<N> {
    format: u32,
    #[serde(flatten)]
    note: N,
}

/// Notes of one kind, in a folder of their own.
#[derive(Clone, Debug)]
pub struct Notes<N> {
    root: PathBuf,
    kind: PhantomData<fn() -> N>,
}

/// All that is remembered of copies.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// Runs that made no copy, or one that did not get everywhere.
    pub failures: Notes<Failure>,
    /// What came of the last drills.
    pub drills: Notes<LastDrill>,
}

impl Remembered {
    /// In a state directory.
    #[must_use]
    pub fn under(state_dir: &Path) -> Self {
        Self {
            failures: Notes::in_folder(state_dir.join("backup-failures")),
            drills: Notes::in_folder(state_dir.join("backup-drills")),
        }
    }

    /// Forgets those of an app's items that are none of these.
    ///
    /// # Errors
    /// The disk.
    pub fn forget_others(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        items: &BTreeSet<&ItemName>,
    ) -> Result<(), BackupError> {
        self.failures.forget_others(environment, app, items)?;
        self.drills.forget_others(environment, app, items)
    }
}

impl<N: Serialize + DeserializeOwned> Notes<N> {
    const fn in_folder(root: PathBuf) -> Self {
        Self { root, kind: PhantomData }
    }

    fn path(&self, of: &Of) -> PathBuf {
        self.root.join(of.environment.as_str()).join(of.app.as_str()).join(format!("{}.json", of.item))
    }

    /// Remembers it of an item, in the place of what was remembered before; none forgets that.
    ///
    /// # Errors
    /// The disk.
    pub fn note(&self, of: &Of, note: Option<&N>) -> Result<(), BackupError> {
        let path = self.path(of);
        let Some(note) = note else { return folder::remove(&path) };
        for part in [self.root.as_path(), path.parent().unwrap_or(&self.root)] {
            folder::make(part)?;
        }
        let text = serde_json::to_vec_pretty(&Form { format: FORMAT, note })
            .map_err(|error| BackupError::Record { path: path.clone(), why: error.to_string() })?;
        folder::put(&path, &text)
    }

    /// What is remembered of an item; none where nothing is, or nobody can read it.
    #[must_use]
    pub fn last(&self, of: &Of) -> Option<N> {
        let form: Form<N> = serde_json::from_slice(&fs::read(self.path(of)).ok()?).ok()?;
        (form.format == FORMAT).then_some(form.note)
    }

    fn forget_others(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        items: &BTreeSet<&ItemName>,
    ) -> Result<(), BackupError> {
        for item in self.items(environment, app).into_iter().filter(|item| !items.contains(item)) {
            let of = Of { environment: environment.clone(), app: app.clone(), item };
            folder::remove(&self.path(&of))?;
        }
        Ok(())
    }

    fn items(&self, environment: &EnvironmentName, app: &AppName) -> Vec<ItemName> {
        let files = names(&self.root.join(environment.as_str()).join(app.as_str()));
        files.iter().filter_map(|file| file.strip_suffix(".json")?.parse().ok()).collect()
    }

    /// All that are remembered, of every environment and app.
    #[must_use]
    pub fn all(&self) -> Vec<(Of, N)> {
        let mut all = Vec::new();
        for name in names(&self.root) {
            let Ok(environment) = name.parse::<EnvironmentName>() else { continue };
            for app in names(&self.root.join(&name)).iter().filter_map(|app| app.parse::<AppName>().ok()) {
                for item in self.items(&environment, &app) {
                    let of = Of { environment: environment.clone(), app: app.clone(), item };
                    all.extend(self.last(&of).map(|note| (of, note)));
                }
            }
        }
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::CopyId;
    use jiff::Timestamp;

    #[test]
    fn a_failure_is_remembered_until_there_is_a_copy() {
        let folder = tempfile::tempdir().unwrap();
        let remembered = Remembered::under(folder.path());
        let failures = &remembered.failures;
        let of =
            Of { environment: "production".parse().unwrap(), app: "web".parse().unwrap(), item: "db".parse().unwrap() };
        assert_eq!(failures.all(), []);
        failures.note(&of, None).unwrap();
        let at = "2026-11-29T02:30:00Z".parse().unwrap();
        for error in [BackupError::Empty, BackupError::Late { seconds: 20 }] {
            failures.note(&of, Some(&Failure::of(&error, at))).unwrap();
            let last = failures.last(&of).unwrap();
            assert_eq!((last.why, last.hint, last.at), (error.to_string(), error.hint(), at));
            assert_eq!(failures.all().len(), 1);
        }
        failures.note(&of, None).unwrap();
        assert_eq!((failures.all(), failures.last(&of)), (Vec::new(), None));
    }

    #[test]
    fn what_the_app_has_no_longer_is_not_told_of_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let remembered = Remembered::under(folder.path());
        let of =
            Of { environment: "production".parse().unwrap(), app: "web".parse().unwrap(), item: "db".parse().unwrap() };
        let at = "2026-11-29T02:30:00Z".parse().unwrap();
        remembered.failures.note(&of, Some(&Failure::of(&BackupError::Empty, at))).unwrap();
        let drill = LastDrill { at, copy: CopyId::taken(at, 0), trouble: Some("it never came".to_owned()) };
        remembered.drills.note(&of, Some(&drill)).unwrap();
        remembered.forget_others(&of.environment, &of.app, &BTreeSet::from([&of.item])).unwrap();
        assert_eq!((remembered.failures.all().len(), remembered.drills.last(&of)), (1, Some(drill)));
        remembered.forget_others(&of.environment, &of.app, &BTreeSet::new()).unwrap();
        assert_eq!((remembered.failures.all(), remembered.drills.all()), (Vec::new(), Vec::new()));
    }

    #[test]
    fn what_a_newer_release_noted_is_not_understood() {
        let folder = tempfile::tempdir().unwrap();
        let failures = Remembered::under(folder.path()).failures;
        let of =
            Of { environment: "production".parse().unwrap(), app: "web".parse().unwrap(), item: "db".parse().unwrap() };
        failures.note(&of, Some(&Failure::of(&BackupError::Empty, Timestamp::UNIX_EPOCH))).unwrap();
        let path = failures.path(&of);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"format\": 1", "\"format\": 2")).unwrap();
        assert_eq!(failures.last(&of), None);
    }
}
