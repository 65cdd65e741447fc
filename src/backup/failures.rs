//! What did not become a copy, remembered until there is one.

use super::{
    BackupError, Copy,
    others::Behind,
    run::{Account, Made},
};
use crate::{
    cause::whole,
    value::{ItemName, RepositoryName},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The last run of an item made no copy, or one that did not get everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
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
        Self { at, why: whole(error), hint: error.hint(), behind: None }
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

    /// What became of an item in a run, where that is no copy to rely on in every place.
    #[must_use]
    pub fn of_run(item: &ItemName, ran: &Result<Account, BackupError>, at: Timestamp) -> Option<Self> {
        match ran {
            Err(error) => Some(Self::of(error, at)),
            Ok(account) => match account.items.iter().find(|made| made.item == *item) {
                Some(made) => Self::of_made(made, at),
                // Nothing was begun: a hook failed before.
                None => account.hooks.first().map(|error| Self::of(error, at)),
            },
        }
    }

    /// What became of an item where places took over what they lacked: that there is no new copy stays told.
    #[must_use]
    pub fn of_catching_up(
        item: &ItemName,
        ran: &Result<Account, BackupError>,
        at: Timestamp,
        before: Option<Self>,
    ) -> Option<Self> {
        match (&before, ran) {
            (Some(Self { behind: None, .. }), _) | (_, Err(_)) => before,
            (Some(Self { behind: Some(_), .. }) | None, Ok(_)) => Self::of_run(item, ran, at),
        }
    }

    fn of_made(made: &Made, at: Timestamp) -> Option<Self> {
        match &made.outcome {
            Err(error) => Some(Self::of(error, at)),
            Ok(Copy { suspect: Some(suspect), .. }) => {
                Some(Self { at, why: format!("the copy is suspect: {suspect}"), hint: None, behind: None })
            }
            Ok(_) => made
                .behind
                .first()
                .map(|Behind { place, error }| Self { behind: Some(place.clone()), ..Self::of(error, at) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
