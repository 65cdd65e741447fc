//! What came of the last drill of an item, remembered beside what its copies tell: a copy goes when the rules keep it no longer.

use super::{Copy, CopyId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The last drill of an item in which a copy was restored, or was to be. One that found no copy, or a place that was away, says
/// nothing of what copies are good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastDrill {
    /// When it was begun.
    pub at: Timestamp,
    /// What was restored.
    pub copy: CopyId,
    /// What went wrong.
    pub trouble: Option<String>,
}

impl LastDrill {
    /// As a copy tells it; none where it was not drilled.
    #[must_use]
    pub fn of(copy: &Copy) -> Option<Self> {
        let drilled = copy.drilled.as_ref()?;
        Some(Self { at: drilled.at, copy: copy.id.clone(), trouble: drilled.trouble.clone() })
    }

    /// What went wrong, in a line, for people; `of` says of what.
    #[must_use]
    pub fn told(&self, of: &str) -> Option<String> {
        let Self { at, copy, trouble } = self;
        trouble.as_ref().map(|why| format!("the last drill{of} failed, at {at:.0}, with copy `{copy}`: {why}"))
    }
}
