//! Copies that were taken before a revision was rolled out, and how one is put back.

use crate::{
    backup::{Copy, CopyId},
    record::Entry,
    value::ItemName,
};
use jiff::Timestamp;
use serde::Serialize;

/// A copy of the data as it was before a revision was rolled out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CopyBefore {
    pub item: ItemName,
    pub id: CopyId,
    pub taken_at: Timestamp,
    /// The revision that was rolled out after it.
    pub before_revision: u32,
    /// The command that puts it back.
    pub restore: String,
}

impl CopyBefore {
    /// None where it was not taken before a rollout.
    #[must_use]
    pub fn of(copy: &Copy) -> Option<Self> {
        Some(Self {
            item: copy.item.clone(),
            id: copy.id.clone(),
            taken_at: copy.taken_at,
            before_revision: copy.before_revision?,
            restore: format!("reconcile restore {} {} {}", copy.app, copy.item, copy.id),
        })
    }

    /// In a line: ``copy 20261129T023000Z of `db`, taken before revision 5: `reconcile restore …` puts it back``.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { item, id, before_revision, restore, taken_at: _ } = self;
        format!("copy {id} of `{item}`, taken before revision {before_revision}: `{restore}` puts it back")
    }
}

/// Those of them that were taken before one entry. Numbers begin anew where the history is lost: what is older than the entry belongs to another life.
#[must_use]
pub fn before<'a>(copies: &'a [CopyBefore], entry: &Entry) -> Vec<&'a CopyBefore> {
    copies.iter().filter(|copy| copy.before_revision == entry.number && copy.taken_at >= entry.origin.at).collect()
}
