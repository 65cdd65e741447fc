//! What the ledger keeps of an app.

use crate::{
    observed::projection::Projection,
    plan::{Cause, FieldChange},
    value::ServiceName,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What makes a revision: nothing else does, so a commit that touches other apps is none here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RevisionKey {
    /// SHA-256 of the merged manifest.
    pub manifest: String,
    /// Image references with the ids they resolved to.
    pub images: BTreeMap<String, String>,
    /// Keyed digests of the secrets, by `<service>/<secret>`; none in what an earlier release wrote.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
}

impl RevisionKey {
    /// True unless the two are known to differ: an image that one of them does not know yet is no difference.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        let known = |name: &String, digest: &String| other.secrets.get(name).is_none_or(|known| known == digest);
        self.manifest == other.manifest
            && self.secrets.iter().all(|(name, digest)| known(name, digest))
            && self.images.iter().all(|(reference, id)| other.images.get(reference).is_none_or(|known| known == id))
    }

    /// True when the two are the same but for the values of secrets. A revision is always given the values of today, so
    /// going from one to the other changes nothing.
    #[must_use]
    pub fn differs_in_secrets_alone(&self, other: &Self) -> bool {
        let without = |key: &Self| Self { secrets: BTreeMap::new(), ..key.clone() };
        !self.agrees_with(other) && without(self).agrees_with(&without(other))
    }
}

/// What containers were delivered of their secrets. The folders they are shown are named after it, so it is told by no
/// [`RevisionKey`]: a revision that is gone back to is given the values of today.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Delivered {
    /// What tells the host key of the digests from another; none where an earlier release wrote the entry.
    pub host_key: Option<String>,
    /// Keyed digests of the secrets, by `<service>/<secret>`.
    pub digests: BTreeMap<String, String>,
}

/// Where an entry came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The commit it came from, 40 hex digits.
    pub commit: String,
    pub author: String,
    /// First line of the commit's message.
    pub subject: String,
    pub at: Timestamp,
    pub cause: Cause,
    /// Who wanted it: the commit's author, the user who said `rollback`, or `reconcile`.
    pub by: String,
    pub reason: Option<String>,
}

/// One entry of an app's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts from 1 in each app of an environment.
    pub number: u32,
    /// The original this entry brings back, when it is a rollback.
    pub restores: Option<u32>,
    pub key: RevisionKey,
    /// Image references with the digests by which their registries have them, `repository@sha256:…`: what a rollback
    /// fetches where an image is gone from the host.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub digests: BTreeMap<String, String>,
    /// What its containers were delivered, newest last: one, and while that changes each that may still be shown. None
    /// where it has no secrets, and in what an earlier release wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delivered: Vec<Delivered>,
    #[serde(flatten)]
    pub origin: Provenance,
    /// None while it is being applied, and after the tool was killed meanwhile.
    pub outcome: Option<Outcome>,
    /// It ran for `min_healthy_time`, so it may be gone back to.
    pub stable: bool,
    /// It failed by its own fault and is not tried again by itself.
    pub condemned: bool,
}

impl Entry {
    /// The number of the revision itself: its own, or that of the one it brings back.
    #[must_use]
    pub fn original(&self) -> u32 {
        self.restores.unwrap_or(self.number)
    }

    /// What its containers were delivered, newest last, as far as it is known: of an entry of an earlier release, what
    /// made the revision.
    #[must_use]
    pub fn delivered(&self) -> Vec<Delivered> {
        if self.delivered.is_empty() && !self.key.secrets.is_empty() {
            return vec![Delivered { host_key: None, digests: self.key.secrets.clone() }];
        }
        self.delivered.clone()
    }

    /// The entry while its containers are about to be delivered this: what they have may still be shown.
    #[must_use]
    pub fn delivering(mut self, next: Option<Delivered>) -> Self {
        if let Some(next) = next {
            let mut delivered = self.delivered();
            delivered.retain(|before| *before != next);
            delivered.push(next);
            self.delivered = delivered;
        }
        self
    }

    /// True when the newest attempt at it came to no end: what was begun may still be there.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        match self.outcome {
            None | Some(Outcome::Blocked) => true,
            Some(
                Outcome::Succeeded | Outcome::Failed | Outcome::RolledBack | Outcome::Held | Outcome::NonConvergent,
            ) => false,
        }
    }
}

/// What is known of an entry before its first effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// The revision to bring back, for a rollback (its `cause` says so too); none for the head.
    pub restores: Option<u32>,
    pub key: RevisionKey,
    /// As in [`Entry`].
    pub digests: BTreeMap<String, String>,
    /// What its containers are about to be delivered; none where it has no secrets.
    pub delivered: Option<Delivered>,
    pub origin: Provenance,
}

/// What is written once into the folder of a revision.
#[derive(Clone, Copy, Debug)]
pub struct Documents<'a> {
    /// The merged manifest: what a rollback resolves again.
    pub manifest: &'a serde_json::Value,
    /// The bodies it was resolved to, for a look.
    pub spec: &'a serde_json::Value,
    /// The plan that was applied, for a look.
    pub plan: &'a serde_json::Value,
}

/// How an attempt at an entry ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Close {
    pub outcome: Outcome,
    /// It ran for `min_healthy_time`, so it may be gone back to.
    pub stable: bool,
    /// It failed by its own fault.
    pub condemned: bool,
    /// The hold that follows from it, recorded in the same transaction; none leaves the hold as it is.
    pub hold: Option<Hold>,
    /// The whole report of the attempt, for `outcome-<attempt>.json`.
    pub detail: serde_json::Value,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    Succeeded,
    Failed,
    RolledBack,
    Held,
    Blocked,
    NonConvergent,
}

/// An app that stays on a revision although the head is another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Number of the original revision it stays on; none: nothing was stable, what failed is stopped.
    pub revision: Option<u32>,
    /// A user, or `reconcile`.
    pub by: String,
    pub reason: String,
    pub until: HoldUntil,
    pub at: Timestamp,
}

/// What ends a hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldUntil {
    /// `reconcile resume`.
    Resume,
    /// The app's manifest differs from the one whose digest is given.
    Commit { manifest: String },
    /// The app has a new revision: an automatic hold.
    Revision { key: RevisionKey },
}

/// A user's wish that the app is left as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    pub by: String,
    pub reason: Option<String>,
    /// None: until `resume`.
    pub until: Option<Timestamp>,
}

/// All of an app's ledger that decides what happens next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppLedger {
    /// Oldest first.
    pub entries: Vec<Entry>,
    pub hold: Option<Hold>,
    pub suspended: Option<Suspension>,
}

impl Suspension {
    /// True unless its time is over.
    #[must_use]
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl AppLedger {
    /// The entry of that number.
    #[must_use]
    pub fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.number == number)
    }

    /// The suspension, unless its time is over.
    #[must_use]
    pub fn suspended_at(&self, now: Timestamp) -> Option<&Suspension> {
        self.suspended.as_ref().filter(|suspension| suspension.holds_at(now))
    }
}

/// Something that happened to an app without a new revision: a repair, a prune.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub at: Timestamp,
    /// One word: `repair`, `prune`.
    pub kind: String,
    pub text: String,
}

/// A revision that did not settle: a pass after a pass still saw these fields differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NonConvergence {
    pub key: RevisionKey,
    pub fields: Vec<FieldChange>,
}

/// What a container looked like when it was accepted, to be remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    pub service: ServiceName,
    /// The run that was accepted.
    pub started_at: Option<Timestamp>,
    pub projection: Projection,
    /// The engine that gave the projection, with its version: another one's answers are not compared with it.
    pub engine_version: String,
}
