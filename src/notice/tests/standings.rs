//! What is news: one story for each row, told as the reports that a daemon sees one after the other.

use super::{ended, well};
use crate::{
    notice::{Standing, between},
    plan::{Action, Cause, Change, Interruption, Resource},
    record::Outcome,
    show::report::{AppReport, HealthWord, HeldReport, Status},
};

fn held(by: &str, revision: Option<u32>) -> AppReport {
    let held = HeldReport { revision, by: by.to_owned(), reason: "r".to_owned(), until: "revision".to_owned() };
    AppReport { status: Status::OutOfSync, outcome: Some(Outcome::Held), held: Some(held), ..well() }
}

fn rolled_back(summary: &str) -> AppReport {
    AppReport { held: held("reconcile", Some(3)).held, ..ended(Outcome::RolledBack, summary) }
}

fn degraded() -> AppReport {
    AppReport { health: HealthWord::Degraded, ..well() }
}

fn with_change(cause: Cause) -> AppReport {
    let change = Change {
        resource: Resource::Service("web".parse().unwrap()),
        action: Action::Replace,
        cause,
        order: None,
        interruption: Interruption::None,
        fields: Vec::new(),
    };
    AppReport { changes: vec![change], ..well() }
}

/// The words that are told in the course of some reports; `-` where nothing is.
fn story(reports: &[AppReport]) -> String {
    let mut standing = Standing::default();
    let mut words = Vec::new();
    for report in reports {
        let (after, told) = between(&standing, report);
        words.push(told.map_or("-", |told| told.event.word()));
        standing = after;
    }
    words.join(" ")
}

#[test]
fn the_same_trouble_is_told_once_and_so_is_its_end() {
    let progressing = AppReport { health: HealthWord::Progressing, ..well() };
    let suspended = AppReport { health: HealthWord::Suspended, ..well() };
    let unknown = AppReport { status: Status::Unknown, health: HealthWord::Unknown, outcome: None, ..well() };
    let failed = || ended(Outcome::Failed, "exited with 1");
    let blocked = |why: &str| ended(Outcome::Blocked, why);
    let table: &[(&[AppReport], &str)] = &[
        (&[well(), well()], "- -"),
        (&[failed(), failed(), well(), well()], "failed - recovered -"),
        (&[blocked("away"), blocked("away"), well()], "blocked - recovered"),
        // A wait that grows is no other trouble, another cause is.
        (&[blocked("no answer in 5 s"), blocked("no answer in 12 s")], "blocked -"),
        (&[blocked("away"), blocked("disk full"), well()], "blocked blocked recovered"),
        (&[degraded(), degraded(), well()], "degraded - recovered"),
        (&[failed(), degraded(), well()], "failed degraded recovered"),
        // Neither on its way nor out of sight nor suspended is well.
        (&[failed(), progressing.clone(), unknown.clone(), suspended, well()], "failed - - - recovered"),
        (&[degraded(), progressing, degraded(), well()], "degraded - - recovered"),
        (&[unknown], "-"),
    ];
    for (reports, expected) in table {
        assert_eq!(story(reports), *expected, "{reports:#?}");
    }
}

#[test]
fn a_rollback_is_told_once_and_each_new_revision_that_fails_again() {
    let back = || rolled_back("exited with 1");
    let auto = || held("reconcile", Some(3));
    assert_eq!(story(&[well(), back(), auto(), auto(), well()]), "- rolled_back - - recovered");
    assert_eq!(story(&[back(), auto(), back(), auto(), well()]), "rolled_back - rolled_back - recovered");
    // With nothing stable to go back to it stays failed.
    let stopped = || held("reconcile", None);
    let failed = || ended(Outcome::Failed, "exited with 1");
    assert_eq!(story(&[failed(), stopped(), stopped(), well()]), "failed - - recovered");
    // A hold in between makes no other trouble of it.
    assert_eq!(story(&[failed(), stopped(), failed(), well()]), "failed - - recovered");
}

#[test]
fn a_daemon_that_begins_again_tells_no_old_hold_but_its_end() {
    assert_eq!(story(&[held("reconcile", Some(3)), held("reconcile", Some(3)), well()]), "- - recovered");
}

#[test]
fn a_hold_by_hand_is_no_trouble() {
    assert_eq!(story(&[held("ann", Some(3)), held("ann", Some(3)), well()]), "- - -");
}

#[test]
fn a_new_revision_in_force_is_news_and_a_repair_is_none() {
    assert_eq!(story(&[with_change(Cause::Commit), well()]), "deployed -");
    assert_eq!(story(&[with_change(Cause::Image)]), "deployed");
    assert_eq!(story(&[with_change(Cause::Drift)]), "-");
    // What was wrong is over: that is the news.
    assert_eq!(story(&[rolled_back("exited"), with_change(Cause::Commit)]), "rolled_back recovered");
}

#[test]
fn what_happened_is_said_in_a_line() {
    let said = |report: &AppReport| between(&Standing::default(), report).1.unwrap().summary;
    assert_eq!(said(&rolled_back("`web` exited with 1\nmore")), "rolled back to revision 3: `web` exited with 1");
    assert_eq!(said(&ended(Outcome::Blocked, "the engine does not answer")), "blocked: the engine does not answer");
    assert_eq!(said(&degraded()), "degraded");
    assert_eq!(said(&with_change(Cause::Commit)), "deployed with 1 change");
    let before = between(&Standing::default(), &rolled_back("x")).0;
    assert_eq!(between(&before, &well()).1.unwrap().summary, "well again, after it was rolled back");
}
