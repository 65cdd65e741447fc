//! An engine's answer about a container, flattened and normalised, to be compared with its own earlier answer.

use crate::plan::change::FieldChange;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Raised whenever `Projection::of` changes: baselines of another version are learned anew.
pub const VERSION: u32 = 1;

/// Path in the engine's answer to value, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Projection(pub BTreeMap<String, String>);

impl Projection {
    /// What differs between an earlier answer (`self`) and one of now.
    #[must_use]
    pub fn differences(&self, now: &Self) -> Vec<FieldChange> {
        let paths: std::collections::BTreeSet<_> = self.0.keys().chain(now.0.keys()).collect();
        paths
            .into_iter()
            .filter(|path| self.0.get(*path) != now.0.get(*path))
            .map(|path| FieldChange {
                path: path.clone(),
                before: now.0.get(path).cloned(),
                after: self.0.get(path).cloned(),
            })
            .collect()
    }
}
