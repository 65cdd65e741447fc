//! A running pass sees what another process wrote.

use crate::{
    kin::{Kin, app, environment, fresh, new, place, say, succeed},
    picture::manual,
};
use futures_util::FutureExt;
use reconcile::record::StateDir;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use std::{
    os::unix::fs::MetadataExt,
    time::{Duration, Instant},
};

const LONG_AGO: Timespec = Timespec { tv_sec: 1_000_000_000, tv_nsec: 0 };

#[tokio::test]
async fn a_watch_sees_what_another_connection_wrote() {
    let (_directory, state) = fresh().await;
    let other = StateDir::open(state.path()).await.unwrap();
    let mut watch = state.ledger().intents(&environment(), &app()).await.unwrap();
    assert!(!watch.has_changed().await.unwrap());
    other.ledger().hold(&environment(), &app(), manual(1)).await.unwrap();
    assert!(watch.has_changed().await.unwrap());
    assert!(!watch.has_changed().await.unwrap(), "it was told once");
    assert_eq!(state.ledger().app(&environment(), &app()).await.unwrap().hold, Some(manual(1)));
}

#[tokio::test]
async fn a_watch_does_not_see_what_its_own_pass_wrote() {
    let (_directory, state) = fresh().await;
    let mut watch = state.ledger().intents(&environment(), &app()).await.unwrap();
    succeed(&state.ledger(), new("a")).await;
    state.ledger().hold(&environment(), &app(), manual(1)).await.unwrap();
    assert!(!watch.has_changed().await.unwrap());
    assert!(watch.changed().now_or_never().is_none());
}

#[tokio::test]
async fn what_other_passes_write_wakes_nobody() {
    let (_directory, state) = fresh().await;
    let other = StateDir::open(state.path()).await.unwrap();
    let mut watch = state.ledger().intents(&environment(), &app()).await.unwrap();
    other.ledger().hold(&environment(), &"other".parse().unwrap(), manual(1)).await.unwrap();
    succeed(&other.ledger(), new("a")).await;
    assert!(!watch.has_changed().await.unwrap());
    other.ledger().hold(&environment(), &app(), manual(1)).await.unwrap();
    assert!(watch.has_changed().await.unwrap());
    other.ledger().resume(&environment(), &app()).await.unwrap();
    assert!(watch.has_changed().await.unwrap());
}

#[tokio::test]
async fn each_watch_is_told() {
    let (_directory, state) = fresh().await;
    let other = StateDir::open(state.path()).await.unwrap();
    let mut watches = Vec::new();
    for _ in 0..3 {
        watches.push(state.ledger().intents(&environment(), &app()).await.unwrap());
    }
    other.ledger().hold(&environment(), &app(), manual(1)).await.unwrap();
    for watch in &mut watches {
        watch.changed().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_intent_wakes_by_its_event() {
    let (_directory, state) = fresh().await;
    let other = StateDir::open(state.path()).await.unwrap();
    let mut watch = state.ledger().intents(&environment(), &app()).await.unwrap();
    let mut late = 0;
    for number in 1..=100 {
        let waiting = tokio::spawn(async move {
            watch.changed().await.unwrap();
            (watch, Instant::now())
        });
        other.ledger().hold(&environment(), &app(), manual(number)).await.unwrap();
        let committed = Instant::now();
        let woken;
        (watch, woken) = waiting.await.unwrap();
        late += u32::from(woken.saturating_duration_since(committed) >= Duration::from_millis(500));
    }
    // Without events each would wait for the question that is asked once a second.
    assert!(late < 20, "{late} of 100 came late");
}

#[tokio::test]
async fn a_commit_is_announced_once_it_can_be_read() {
    let (_directory, state) = fresh().await;
    let file = state.path().join("state.db");
    let long_ago = Timestamps { last_access: LONG_AGO, last_modification: LONG_AGO };
    // By path: closing the file in this process would drop SQLite's locks.
    utimensat(CWD, &file, &long_ago, AtFlags::empty()).unwrap();
    state.ledger().hold(&environment(), &app(), manual(1)).await.unwrap();
    // The commit is in the log and touches only that; what is seen here is the sign that follows it.
    assert!(file.metadata().unwrap().mtime() > LONG_AGO.tv_sec);
}

#[tokio::test]
async fn a_wait_that_was_dropped_loses_nothing() {
    let (_directory, state) = fresh().await;
    let other = StateDir::open(state.path()).await.unwrap();
    let mut watch = state.ledger().intents(&environment(), &app()).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(20), watch.changed()).await.is_err());
    other.ledger().hold(&environment(), &app(), manual(1)).await.unwrap();
    watch.changed().await.unwrap();
}

#[test]
#[ignore = "a child of the test below"]
fn child_writes_an_intent() {
    let Some(place) = place() else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let state = StateDir::open(&place).await.unwrap();
        say("ready");
        // The parent closes our input when it waits.
        std::io::stdin().lines().for_each(drop);
        state.ledger().hold(&environment(), &app(), manual(1)).await.unwrap();
    });
}

#[tokio::test]
async fn a_wait_is_woken_by_another_process_at_once() {
    let (_directory, state) = fresh().await;
    let mut watch = state.ledger().intents(&environment(), &app()).await.unwrap();
    let mut child = Kin::start("intents::child_writes_an_intent", state.path());
    assert_eq!(child.hear().as_deref(), Some("ready"));
    // Opening is no writing once the tables are there.
    assert!(!watch.has_changed().await.unwrap());
    let waiting = tokio::spawn(async move { watch.changed().await.map(|()| Instant::now()) });
    tokio::task::yield_now().await;
    child.release();
    assert!(child.passed());
    let committed = Instant::now();
    let woken = waiting.await.unwrap().unwrap();
    // By the event and not by the question that is asked each second for file systems without events.
    let late = woken.saturating_duration_since(committed);
    assert!(late < Duration::from_millis(500), "{late:?}");
    assert_eq!(state.ledger().app(&environment(), &app()).await.unwrap().hold, Some(manual(1)));
}
