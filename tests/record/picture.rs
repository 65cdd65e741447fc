//! Ledgers as text: `a stable | b condemned | a<1 stable`, numbered from 1.
//!
//! A word is a key; `<1` is a rollback to revision 1; `^2` is the head of revision 2 again. Then how it ended.

use reconcile::{
    plan::Cause,
    record::{AppLedger, Entry, Hold, HoldUntil, Outcome, Provenance, RevisionKey},
};
use std::collections::BTreeMap;

/// The revision of that letter.
pub fn key(letter: &str) -> RevisionKey {
    RevisionKey {
        manifest: letter.to_owned(),
        images: BTreeMap::from([("app:1".to_owned(), format!("sha256:{letter}"))]),
        secrets: BTreeMap::new(),
    }
}

/// The ledger of that picture.
pub fn ledger(picture: &str) -> AppLedger {
    let words = picture.split('|').map(str::trim).filter(|word| !word.is_empty());
    let entries = (1..).zip(words).map(|(number, word)| entry(number, word)).collect();
    AppLedger { entries, hold: None, suspended: None }
}

fn entry(number: u32, word: &str) -> Entry {
    let (what, ended) = word.split_once(' ').unwrap_or((word, "open"));
    let (letter, restores, cause) = match (what.split_once('<'), what.split_once('^')) {
        (Some((letter, original)), _) => (letter, Some(original), Cause::Rollback),
        (None, Some((letter, original))) => (letter, Some(original), Cause::Commit),
        (None, None) => (what, None, Cause::Commit),
    };
    let (outcome, stable, condemned) = match ended {
        "open" => (None, false, false),
        "stable" => (Some(Outcome::Succeeded), true, false),
        "succeeded" => (Some(Outcome::Succeeded), false, false),
        "blocked" => (Some(Outcome::Blocked), false, false),
        "condemned" => (Some(Outcome::Failed), false, true),
        other => panic!("`{other}` is no end of an entry"),
    };
    Entry {
        number,
        restores: restores.map(|original| original.parse().expect("a number")),
        key: key(letter),
        digests: BTreeMap::new(),
        delivered: Vec::new(),
        origin: Provenance {
            commit: "0".repeat(40),
            author: "Ada <ada@example.com>".to_owned(),
            subject: "app: change".to_owned(),
            at: jiff::Timestamp::from_second(1_700_000_000 + i64::from(number)).expect("a time"),
            cause,
            by: "ada".to_owned(),
            reason: None,
        },
        outcome,
        stable,
        condemned,
    }
}

/// A hold on a revision.
pub fn hold(revision: Option<u32>, until: HoldUntil) -> Hold {
    Hold {
        revision,
        by: "ada".to_owned(),
        reason: "because".to_owned(),
        until,
        at: jiff::Timestamp::from_second(1_700_000_000).expect("a time"),
    }
}

/// A person's, until `resume`.
pub fn manual(revision: u32) -> Hold {
    hold(Some(revision), HoldUntil::Resume)
}

/// A person's, until the app's manifest is no longer that of the letter.
pub fn until_commit(revision: u32, letter: &str) -> Hold {
    hold(Some(revision), HoldUntil::Commit { manifest: letter.to_owned() })
}

/// The tool's own, until the app has another revision than that of the letter.
pub fn automatic(revision: Option<u32>, letter: &str) -> Hold {
    hold(revision, HoldUntil::Revision { key: key(letter) })
}
