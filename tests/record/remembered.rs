//! Baselines, jobs, pulls, events, and what did not settle.

use crate::{
    kin::{app, at, environment, fresh},
    picture::key,
};
use reconcile::{
    observed::{JobKey, projection::Projection},
    plan::FieldChange,
    record::{Event, Learned, NonConvergence},
};
use std::collections::{BTreeMap, BTreeSet};

fn learned(engine: &str) -> Learned {
    Learned {
        service: "web".parse().unwrap(),
        started_at: Some("2026-11-20T20:37:13.123456789Z".parse().unwrap()),
        projection: Projection(BTreeMap::from([("Config.Image".to_owned(), "app:1".to_owned())])),
        engine_version: engine.to_owned(),
    }
}

#[tokio::test]
async fn a_container_is_compared_only_with_what_the_same_engine_said() {
    let (_directory, state) = fresh().await;
    let (ledger, environment, app) = (state.ledger(), environment(), app());
    ledger.learn(&environment, &app, "c1", learned("20.10")).await.unwrap();
    ledger.learn(&environment, &app, "c2", learned("19.03")).await.unwrap();
    let baselines = ledger.applied(&environment, &app, "20.10").await.unwrap().baselines;
    assert_eq!(baselines["c1"].projection, Some(learned("20.10").projection));
    assert_eq!(baselines["c2"].projection, None);
    assert_eq!(
        baselines["c2"].started_at,
        learned("").started_at,
        "the run it was proved in is known, to the nanosecond"
    );
}

#[tokio::test]
async fn a_container_that_is_gone_is_forgotten() {
    let (_directory, state) = fresh().await;
    let (ledger, environment, app) = (state.ledger(), environment(), app());
    for container in ["c1", "c2", "c3"] {
        ledger.learn(&environment, &app, container, learned("20.10")).await.unwrap();
    }
    ledger.learn(&environment, &"other".parse().unwrap(), "c4", learned("20.10")).await.unwrap();
    ledger.forget_others(&environment, &app, &BTreeSet::from(["c2".to_owned(), "c9".to_owned()])).await.unwrap();
    let left =
        async |app| ledger.applied(&environment, app, "20.10").await.unwrap().baselines.into_keys().collect::<Vec<_>>();
    assert_eq!(left(&app).await, ["c2"]);
    assert_eq!(left(&"other".parse().unwrap()).await, ["c4"]);
}

#[tokio::test]
async fn jobs_and_pulls_are_remembered_and_bounded() {
    let (_directory, state) = fresh().await;
    let (ledger, environment, app) = (state.ledger(), environment(), app());
    let job = "migrate".parse().unwrap();
    for n in 0..105 {
        ledger.job_done(&environment, &app, &job, &JobKey(format!("k{n}")), at(n)).await.unwrap();
        ledger.pulled(&environment, &app, &format!("app:{n}"), at(n)).await.unwrap();
    }
    ledger.pulled(&environment, &app, "app:104", at(500)).await.unwrap();
    let applied = ledger.applied(&environment, &app, "20.10").await.unwrap();
    assert_eq!((applied.jobs_done.len(), applied.pulls.len()), (100, 100));
    assert!(applied.jobs_done.contains(&(job.clone(), JobKey("k104".to_owned()))));
    assert!(!applied.jobs_done.contains(&(job, JobKey("k4".to_owned()))), "the oldest go");
    assert_eq!(applied.pulls["app:104"], at(500), "the last pull counts");
}

#[tokio::test]
async fn the_newest_events_are_kept() {
    let (_directory, state) = fresh().await;
    let (ledger, environment, app) = (state.ledger(), environment(), app());
    let event = |n: i64| Event { at: at(n), kind: "repair".to_owned(), text: format!("started web again ({n})") };
    for n in 0..203 {
        ledger.event(&environment, &app, event(n)).await.unwrap();
    }
    assert_eq!(ledger.events(&environment, &app, 2).await.unwrap(), [event(202), event(201)]);
    let all = ledger.events(&environment, &app, 1000).await.unwrap();
    assert_eq!((all.len(), all.last()), (200, Some(&event(3))));
}

#[tokio::test]
async fn what_does_not_settle_is_remembered_until_it_is_forgotten() {
    let (_directory, state) = fresh().await;
    let (ledger, environment, app) = (state.ledger(), environment(), app());
    let field = FieldChange { path: "services.web.user".to_owned(), before: None, after: Some("1".to_owned()) };
    let found = NonConvergence { key: key("a"), fields: vec![field] };
    assert_eq!(ledger.nonconvergence(&environment, &app).await.unwrap(), None);
    ledger.set_nonconvergence(&environment, &app, Some(found.clone())).await.unwrap();
    assert_eq!(ledger.nonconvergence(&environment, &app).await.unwrap(), Some(found.clone()));
    ledger.set_nonconvergence(&environment, &app, None).await.unwrap();
    assert_eq!(ledger.nonconvergence(&environment, &app).await.unwrap(), None);
    ledger.set_nonconvergence(&environment, &app, Some(found)).await.unwrap();
    ledger.resume(&environment, &app).await.unwrap();
    assert_eq!(ledger.nonconvergence(&environment, &app).await.unwrap(), None, "resume forgets it");
}
