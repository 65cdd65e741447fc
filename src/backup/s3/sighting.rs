//! What was seen of a bucket last: while nobody answers it is all that anybody knows.

use crate::backup::{BackupError, Copy, Fault};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

/// So long after nobody answered nobody is asked again.
const RECENT: Duration = Duration::from_secs(30);

/// The records of an item by their names, which tell when its copies were taken; those that were not read yet are empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Sighting(BTreeMap<String, Option<Copy>>);

impl Sighting {
    /// As they are listed now: what is no longer there is not seen any more.
    pub(super) fn listed(mut self, names: impl Iterator<Item = String>) -> Self {
        Self(names.map(|name| self.0.remove_entry(&name).unwrap_or((name, None))).collect())
    }

    /// Newest first.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.keys().rev().cloned().collect()
    }

    pub(super) fn read(&mut self, name: String, copy: Copy) {
        self.0.insert(name, Some(copy));
    }

    pub(super) fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The newest that is wanted, if there is one; none where a record stands before it that nobody read.
    pub(super) fn newest(&self, is_wanted: &dyn Fn(&Copy) -> bool) -> Option<Option<Copy>> {
        for copy in self.0.values().rev() {
            let copy = copy.as_ref()?;
            if is_wanted(copy) {
                return Some(Some(copy.clone()));
            }
        }
        Some(None)
    }
}

/// Nobody answered.
#[derive(Debug)]
pub(super) struct Away {
    since: Instant,
    doing: &'static str,
    path: PathBuf,
    said: String,
}

impl Away {
    /// An error that says so.
    pub(super) fn of(error: &BackupError) -> Option<Self> {
        let BackupError::Remote { doing, path, fault: Fault::Away, source } = error else { return None };
        Some(Self { since: Instant::now(), doing, path: path.clone(), said: source.to_string() })
    }

    pub(super) fn is_recent(&self) -> bool {
        self.since.elapsed() < RECENT
    }

    /// The same error again.
    pub(super) fn error(&self) -> BackupError {
        BackupError::Remote {
            doing: self.doing,
            path: self.path.clone(),
            fault: Fault::Away,
            source: self.said.as_str().into(),
        }
    }
}
