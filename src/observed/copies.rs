//! Copies of the app's data that can be relied on, as they were seen where copies lie.

use super::Observed;
use crate::{
    backup::CopyId,
    desired::{Backup, Desired},
    value::{ItemName, ServiceName},
};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeSet, time::Duration};

/// The newest copy of an item that is verified and not suspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewestCopy {
    pub id: CopyId,
    pub taken_at: Timestamp,
}

/// The last drill of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drill {
    pub at: Timestamp,
    /// What went wrong, in a line.
    pub trouble: Option<String>,
}

/// Copies that are to be made before anything that uses the data changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// What is copied, and where to; at least one item.
    pub backup: Backup,
    /// The services that change.
    pub services: BTreeSet<ServiceName>,
}

impl Owed {
    /// The rest, when there are copies of some of it.
    #[must_use]
    pub fn without(mut self, made: &BTreeSet<ItemName>) -> Option<Self> {
        self.backup.items.retain(|item| !made.contains(&item.name));
        (!self.backup.items.is_empty()).then_some(self)
    }
}

/// How an item's copies are, where somebody looks at their age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age<'a> {
    pub item: &'a ItemName,
    pub newest: Option<&'a NewestCopy>,
    /// Why there may be a newer one that nobody sees.
    pub unread: Option<&'a str>,
    pub max_age: Duration,
    /// When it is, or was, older than it may be.
    pub overdue_at: Timestamp,
}

impl<'a> Age<'a> {
    /// Whether it is by now, as far as anybody can tell.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        now >= self.overdue_at && self.unread.is_none()
    }

    /// Why nobody can tell whether it is by now.
    #[must_use]
    pub fn doubt(&self, now: Timestamp) -> Option<&'a str> {
        self.unread.filter(|_| now >= self.overdue_at)
    }
}

/// The ages of an app's copies; empty where its manifest does not say how old they may become. An item that has none yet is
/// as old as what is known of the app.
pub fn ages<'a>(desired: &'a Desired, observed: &'a Observed) -> impl Iterator<Item = Age<'a>> {
    let backup = desired.backup.as_ref();
    let max_age = backup.and_then(|backup| backup.max_age);
    let known_since = observed.applied.known_since.unwrap_or(observed.now);
    max_age.into_iter().flat_map(move |max_age| {
        let items = backup.into_iter().flat_map(|backup| &backup.items);
        items.map(move |item| {
            let newest = observed.copies.get(&item.name);
            let since = newest.map_or(known_since, |newest| newest.taken_at);
            let longest = SignedDuration::try_from(max_age).unwrap_or(SignedDuration::MAX);
            let overdue_at = since.checked_add(longest).unwrap_or(Timestamp::MAX);
            let unread = observed.unread.get(&item.name).map(String::as_str);
            Age { item: &item.name, newest, unread, max_age, overdue_at }
        })
    })
}
