//! Tables of `target`, `previous` and `opening`.

use crate::picture::{automatic, key, ledger, manual, until_commit};
use reconcile::{
    plan::Cause,
    record::{
        AppLedger, Hold, HoldUntil, NewEntry, Provenance, RevisionKey,
        opening::{Opening, opening},
        target::{Target, condemned, in_force, newest_stable, previous, target},
    },
};
use std::collections::BTreeMap;

fn held(picture: &str, hold: Hold) -> AppLedger {
    AppLedger { hold: Some(hold), ..ledger(picture) }
}

#[test]
fn the_head_is_the_target_unless_it_is_condemned() {
    let table = [
        ("", Target::Head),
        ("a stable", Target::Head),
        ("a stable | b stable", Target::Head),
        ("a stable | b open", Target::Head),
        ("a stable | b blocked", Target::Head),
        ("a stable | b succeeded", Target::Head),
        ("a stable | b condemned", Target::Revision(1)),
        ("b condemned", Target::Nothing),
        ("a succeeded | b condemned", Target::Nothing),
        ("a condemned | b condemned", Target::Nothing),
        ("a stable | c condemned", Target::Head),
        ("a stable | c stable | b condemned", Target::Revision(2)),
        ("a stable | c succeeded | b condemned", Target::Revision(1)),
        ("a stable | c stable | a<1 stable | b condemned", Target::Revision(1)),
        ("a stable | b condemned | b^2 open", Target::Head),
        ("a stable | b condemned | b^2 stable", Target::Head),
        ("a stable | b condemned | b^2 condemned", Target::Revision(1)),
    ];
    for (picture, expected) in table {
        assert_eq!(target(&key("b"), &ledger(picture)), expected, "{picture}");
    }
}

#[test]
fn a_condemned_original_is_never_gone_back_to() {
    let table = [
        // The stable one failed when it was tried again, or was repeated by a revert that failed.
        ("a stable | c stable | a<1 condemned | c^2 stable | b condemned", Target::Revision(2)),
        ("a stable | c stable | a condemned | b condemned", Target::Revision(2)),
        ("a stable | a condemned | b condemned", Target::Nothing),
        ("a stable | a<1 stable | a<1 condemned | d stable | b condemned", Target::Revision(4)),
    ];
    for (picture, expected) in table {
        assert_eq!(target(&key("b"), &ledger(picture)), expected, "{picture}");
    }
}

#[test]
fn a_rollback_that_failed_is_tried_once_and_then_the_app_stays() {
    let table = [
        ("a stable | c stable | b condemned | c<2 open", Target::Revision(2)),
        ("a stable | c stable | b condemned | c<2 blocked", Target::Revision(2)),
        ("a stable | c stable | b condemned | c<2 stable", Target::Revision(2)),
        ("a stable | c stable | b condemned | c<2 condemned", Target::Stay),
    ];
    for (picture, expected) in table {
        assert_eq!(target(&key("b"), &held(picture, automatic(Some(2), "b"))), expected, "held: {picture}");
        assert_eq!(target(&key("b"), &ledger(picture)), expected, "killed before it was held: {picture}");
        assert_eq!(target(&key("b"), &held(picture, manual(2))), expected, "by hand: {picture}");
    }
}

/// Every revision is given today's values: to go back would be to try the same once more, and to blame it as well.
#[test]
fn a_bad_value_of_a_secret_is_gone_back_from_by_nobody_and_the_old_value_is_good_again() {
    let with = |value: &str| RevisionKey {
        secrets: BTreeMap::from([("web/password".to_owned(), value.to_owned())]),
        ..key("b")
    };
    let mut ledger = ledger("a stable | b stable | b condemned");
    ledger.entries[1].key = with("good");
    ledger.entries[2].key = with("bad");
    assert_eq!(target(&with("bad"), &ledger), Target::Stay);
    assert_eq!(target(&with("good"), &ledger), Target::Head);
    assert_eq!(target(&with("another"), &ledger), Target::Head);
    let halted = AppLedger { hold: Some(automatic(Some(3), "b")), ..ledger.clone() };
    assert_eq!((target(&with("bad"), &halted), target(&key("c"), &halted)), (Target::Stay, Target::Head));
    // A manifest that changed as well is gone back from as ever.
    let changed = RevisionKey { manifest: key("c").manifest, ..with("bad") };
    let mut failed = ledger;
    failed.entries[2].key = changed.clone();
    assert_eq!(target(&changed, &failed), Target::Revision(2));
}

#[test]
fn a_head_that_failed_as_a_rollback_before_is_gone_back_from() {
    assert_eq!(target(&key("a"), &ledger("a stable | b stable | a<1 condemned")), Target::Revision(2));
}

#[test]
fn a_new_revision_after_a_failed_rollback_is_tried() {
    let failed = held("a stable | b condemned | a<1 condemned", automatic(Some(1), "b"));
    assert_eq!(target(&key("c"), &failed), Target::Head);
    // It fails too: there is nothing left to go back to, and what failed before is not gone back to.
    assert_eq!(target(&key("c"), &ledger("a stable | b condemned | a<1 condemned | c condemned")), Target::Nothing);
}

#[test]
fn a_hold_lasts_as_long_as_it_says() {
    let stable = "a stable | b stable";
    for head in ["b", "c"] {
        assert_eq!(target(&key(head), &held(stable, manual(1))), Target::Revision(1), "until resume, head {head}");
    }
    assert_eq!(target(&key("b"), &held(stable, until_commit(1, "b"))), Target::Revision(1));
    assert_eq!(target(&key("c"), &held(stable, until_commit(1, "b"))), Target::Head);
    let failed = "a stable | b condemned";
    assert_eq!(target(&key("b"), &held(failed, automatic(Some(1), "b"))), Target::Revision(1));
    assert_eq!(target(&key("c"), &held(failed, automatic(Some(1), "b"))), Target::Head);
    assert_eq!(target(&key("b"), &held("b condemned", automatic(None, "b"))), Target::Nothing);
    assert_eq!(target(&key("c"), &held("b condemned", automatic(None, "b"))), Target::Head);
}

#[test]
fn a_hold_until_the_commit_outlasts_a_moved_tag_and_an_automatic_one_does_not() {
    let moved = RevisionKey { images: BTreeMap::from([("app:1".to_owned(), "sha256:new".to_owned())]), ..key("b") };
    let picture = "a stable | b condemned";
    assert_eq!(target(&moved, &held(picture, until_commit(1, "b"))), Target::Revision(1));
    assert_eq!(target(&moved, &held(picture, automatic(Some(1), "b"))), Target::Head);
}

#[test]
fn an_image_that_is_not_known_yet_makes_no_new_revision() {
    let unknown = RevisionKey { images: BTreeMap::new(), ..key("b") };
    assert_eq!(target(&unknown, &ledger("a stable | b condemned")), Target::Revision(1));
    assert_eq!(target(&unknown, &held("a stable | b condemned", automatic(Some(1), "b"))), Target::Revision(1));
}

#[test]
fn an_app_that_halts_on_failure_stays() {
    let halted = held("a stable | b condemned", automatic(Some(2), "b"));
    assert_eq!(target(&key("b"), &halted), Target::Stay);
    assert_eq!(target(&key("c"), &halted), Target::Head);
}

#[test]
fn going_forward_after_a_lifted_condemnation_tries_the_head() {
    assert_eq!(target(&key("b"), &ledger("a stable | b blocked | a<1 stable")), Target::Head);
}

#[test]
fn rollback_goes_to_the_newest_stable_one_before_the_one_in_force() {
    let table = [
        ("", None),
        ("a stable", None),
        ("a condemned | b stable", None),
        ("a stable | b stable", Some(1)),
        ("a stable | b condemned | c stable", Some(1)),
        ("a stable | b succeeded | c stable", Some(1)),
        ("a stable | b stable | c condemned", Some(1)),
        ("a stable | b stable | c blocked", Some(1)),
        ("a stable | b stable | c open", Some(1)),
        // What was proved by a rollback counts as its original.
        ("a succeeded | b stable | a<1 stable | b<2 stable", Some(1)),
        // Two rollbacks go back twice, a third finds nothing.
        ("a stable | b stable | c stable | b<2 stable", Some(1)),
        ("a stable | b stable | c stable | b<2 stable | a<1 stable", None),
        // Forward again stands where that head stands.
        ("a stable | b stable | a<1 stable | b^2 stable", Some(1)),
        // A revert is a commit like any other: back from it is what it reverted.
        ("a stable | b stable | a stable", Some(2)),
        ("a stable | b stable | a<1 condemned", None),
    ];
    for (picture, expected) in table {
        assert_eq!(previous(&ledger(picture)), expected, "{picture}");
    }
}

#[test]
fn in_force_is_the_newest_that_succeeded() {
    let table = [("a stable | b condemned", Some(1)), ("a stable | b succeeded", Some(2)), ("a blocked", None)];
    for (picture, expected) in table {
        assert_eq!(in_force(&ledger(picture)).map(|entry| entry.number), expected, "{picture}");
    }
}

#[test]
fn the_newest_attempt_at_a_revision_decides_whether_it_is_condemned() {
    assert!(condemned(&key("a"), &ledger("a stable | a<1 condemned")));
    assert!(!condemned(&key("a"), &ledger("a condemned | a<1 stable")));
    assert!(!condemned(&key("z"), &ledger("a condemned")));
    assert_eq!(newest_stable(&ledger("a stable | a<1 condemned")), None);
}

fn new(letter: &str, restores: Option<u32>) -> NewEntry {
    let like = ledger("a open").entries.remove(0);
    let cause = if restores.is_some() { Cause::Rollback } else { Cause::Commit };
    NewEntry {
        restores,
        key: key(letter),
        digests: BTreeMap::new(),
        delivered: None,
        origin: Provenance { cause, ..like.origin },
    }
}

#[test]
fn an_entry_is_opened_once_for_each_revision_and_each_rollback() {
    let table = [
        ("", "a", None, "new"),
        ("a open", "a", None, "again 1"),
        ("a blocked", "a", None, "again 1"),
        ("a condemned", "a", None, "again 1"),
        ("a stable", "a", None, "again 1"),
        ("a stable", "b", None, "new"),
        ("a stable | b stable", "a", Some(1), "new restores 1"),
        ("a stable | b stable | a<1 open", "a", Some(1), "again 3"),
        // A rollback to a rollback is one to its original.
        ("a stable | b stable | a<1 stable | c stable", "a", Some(3), "new restores 1"),
        // Forward again, and once more.
        ("a stable | b condemned | a<1 stable", "b", None, "new restores 2"),
        ("a stable | b condemned | a<1 stable | b^2 open", "b", None, "again 4"),
        ("a stable | b stable | a<1 stable | b^2 stable | a<1 stable", "b", None, "new restores 2"),
        // A revert is new, also while the app is rolled back to the same thing.
        ("a stable | b stable", "a", None, "new"),
        ("a stable | b stable | a<1 stable", "a", None, "new"),
        ("a stable | b stable | a<1 stable", "c", None, "new"),
    ];
    for (picture, letter, restores, expected) in table {
        let ledger = ledger(picture);
        let found = match opening(&new(letter, restores), &ledger) {
            Opening::Again(entry) => format!("again {}", entry.number),
            Opening::New { restores: None } => "new".to_owned(),
            Opening::New { restores: Some(original) } => format!("new restores {original}"),
        };
        assert_eq!(found, expected, "{picture}, then {letter} {restores:?}");
    }
}

#[test]
fn a_hold_until_resume_does_not_look_at_the_head() {
    let ledger = held("a stable | b stable", crate::picture::hold(Some(1), HoldUntil::Resume));
    assert_eq!(
        target(&RevisionKey { manifest: String::new(), images: BTreeMap::new(), secrets: BTreeMap::new() }, &ledger),
        Target::Revision(1)
    );
}
