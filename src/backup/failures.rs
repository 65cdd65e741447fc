//! What did not become a copy, remembered until there is one: a file for each item, below the state directory. It decides
//! nothing; losing it loses a line that people read.

use super::{BackupError, Copy, Of, folder, others::Behind, run::Made};
use crate::{
    cause::whole,
    value::{AppName, EnvironmentName, ItemName, RepositoryName},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The form of these files.
const FORMAT: u32 = 1;

/// The last run of an item made no copy, or one that did not get everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    format: u32,
    /// When that was.
    pub at: Timestamp,
    /// Why.
    pub why: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The place that lacks the copy; none: there is no copy at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<RepositoryName>,
}

impl Failure {
    /// As an error tells it.
    #[must_use]
    pub fn of(error: &BackupError, at: Timestamp) -> Self {
        Self { format: FORMAT, at, why: whole(error), hint: error.hint(), behind: None }
    }

    /// In a line, for people; `of` is what they are not told by what stands around it: `` of `db` ``.
    #[must_use]
    pub fn told(&self, of: &str) -> String {
        let Self { at, why, .. } = self;
        match &self.behind {
            None => format!("the last run{of} made no copy, at {at:.0}: {why}"),
            Some(place) => format!("the last copy{of} did not get to `{place}`, at {at:.0}: {why}"),
        }
    }

    /// What became of an item, where that is no copy to rely on.
    #[must_use]
    pub fn of_made(made: &Made, at: Timestamp) -> Option<Self> {
        match &made.outcome {
            Err(error) => Some(Self::of(error, at)),
            Ok(Copy { suspect: Some(suspect), .. }) => Some(Self {
                format: FORMAT,
                at,
                why: format!("the copy is suspect: {suspect}"),
                hint: None,
                behind: None,
            }),
            Ok(_) => made
                .behind
                .first()
                .map(|Behind { place, error }| Self { behind: Some(place.clone()), ..Self::of(error, at) }),
        }
    }
}

/// Where they are remembered.
#[derive(Clone, Debug, Default)]
pub struct Failures {
    /// A folder of its own.
    pub root: PathBuf,
}

impl Failures {
    fn path(&self, of: &Of) -> PathBuf {
        self.root.join(of.environment.as_str()).join(of.app.as_str()).join(format!("{}.json", of.item))
    }

    /// Remembers what became of the last run of an item; none is a good copy, or nobody to tell.
    ///
    /// # Errors
    /// The disk.
    pub fn note(&self, of: &Of, failure: Option<&Failure>) -> Result<(), BackupError> {
        let path = self.path(of);
        let Some(failure) = failure else { return folder::remove(&path) };
        for part in [self.root.as_path(), path.parent().unwrap_or(&self.root)] {
            folder::make(part)?;
        }
        let partial = path.with_extension("partial");
        let text = serde_json::to_vec_pretty(failure)
            .map_err(|error| BackupError::Record { path: path.clone(), why: error.to_string() })?;
        folder::remove(&partial)?;
        folder::write(&partial, &text)?;
        folder::replace(&partial, &path)
    }

    /// How the last run of an item failed; none where it did not, or nobody remembers.
    #[must_use]
    pub fn last(&self, of: &Of) -> Option<Failure> {
        read(&self.path(of))
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
    pub fn all(&self) -> Vec<(Of, Failure)> {
        let mut all = Vec::new();
        for name in names(&self.root) {
            let Ok(environment) = name.parse::<EnvironmentName>() else { continue };
            for app in names(&self.root.join(&name)).iter().filter_map(|app| app.parse::<AppName>().ok()) {
                for item in self.items(&environment, &app) {
                    let of = Of { environment: environment.clone(), app: app.clone(), item };
                    all.extend(self.last(&of).map(|failure| (of, failure)));
                }
            }
        }
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all
    }
}

fn read(path: &Path) -> Option<Failure> {
    let failure: Failure = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    (failure.format == FORMAT).then_some(failure)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_remembered_until_there_is_a_copy() {
        let folder = tempfile::tempdir().unwrap();
        let failures = Failures { root: folder.path().join("failures") };
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
        // An item that the app has no longer is not told of for ever.
        failures.note(&of, Some(&Failure::of(&BackupError::Empty, at))).unwrap();
        failures.forget_others(&of.environment, &of.app, &BTreeSet::from([&of.item])).unwrap();
        assert_eq!(failures.all().len(), 1);
        failures.forget_others(&of.environment, &of.app, &BTreeSet::new()).unwrap();
        assert_eq!(failures.all(), []);
    }

    #[test]
    fn a_place_that_lacks_a_copy_is_told_as_such() {
        let at = "2026-11-29T02:30:00Z".parse().unwrap();
        let failure = Failure::of(&BackupError::Empty, at);
        assert_eq!(failure.told(""), "the last run made no copy, at 2026-11-29T02:30:00Z: the source is empty");
        let failure = Failure { behind: Some("away".parse().unwrap()), ..failure };
        assert_eq!(
            failure.told(" of `db`"),
            "the last copy of `db` did not get to `away`, at 2026-11-29T02:30:00Z: the source is empty"
        );
    }
}
