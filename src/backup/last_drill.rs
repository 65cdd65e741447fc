//! What came of the last drill of an item, remembered beside what its copies tell: a copy goes when the rules keep it no longer,
//! and a drill that found none has no copy to be noted with.

use super::{BackupError, Copy, CopyId, Drilled};
use crate::cause::whole;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The last drill of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastDrill {
    /// When it was begun.
    pub at: Timestamp,
    /// What was restored; none: there was nothing, or nobody could see what there is.
    pub copy: Option<CopyId>,
    /// How long it took.
    pub seconds: Option<u64>,
    /// What went wrong.
    pub trouble: Option<String>,
}

impl LastDrill {
    /// As a drill ended that was begun then.
    #[must_use]
    pub fn of(drilled: &Result<Copy, BackupError>, at: Timestamp) -> Self {
        match drilled {
            Err(error) => Self { at, copy: None, seconds: None, trouble: Some(whole(error)) },
            Ok(copy) => {
                let drilled = copy.drilled.as_ref();
                let trouble = drilled.and_then(|drilled| drilled.trouble.clone());
                Self {
                    at,
                    copy: Some(copy.id.clone()),
                    seconds: drilled.map(|Drilled { seconds, .. }| *seconds),
                    trouble,
                }
            }
        }
    }

    /// What went wrong, in a line, for people; `of` says of what.
    #[must_use]
    pub fn told(&self, of: &str) -> Option<String> {
        let Self { at, copy, trouble, .. } = self;
        let copy = copy.as_ref().map(|copy| format!(", with copy `{copy}`")).unwrap_or_default();
        trouble.as_ref().map(|why| format!("the last drill{of} failed, at {at:.0}{copy}: {why}"))
    }
}
