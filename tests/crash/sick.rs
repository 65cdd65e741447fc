//! Revisions that fail, and people who hold passes up.

use crate::rig::{Rig, Watch, app, manifest};
use reconcile::{
    engine::model::{Script, faults},
    record::{Outcome, Suspension},
    show::report::Status,
};
use serde_json::json;
use std::time::Duration;

async fn goes_back_and_on(sicken: impl FnOnce(&Rig, &Watch)) {
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    let (first, sick, fixed) = (app(&manifest(1)), app(&manifest(2)), app(&manifest(3)));
    rig.pass(&first, watch.faults()).await;
    sicken(&rig, &watch);
    let report = rig.pass(&sick, watch.faults()).await;
    assert_eq!(report.outcome, Some(Outcome::RolledBack), "{report:?}");
    assert!(report.error.is_some() && report.held.is_some(), "{report:?}");
    let names = |rig: &Rig| -> Vec<String> {
        rig.model
            .by_hand(|world| world.containers.values().filter(|it| it.life.is_up()).map(|it| it.name.clone()).collect())
    };
    let mut wanted: Vec<String> = first.services.values().map(|service| service.container_name.clone()).collect();
    let mut up = names(&rig);
    wanted.sort();
    up.sort();
    assert_eq!(up, wanted);
    let again = rig.pass(&sick, watch.faults()).await;
    assert_eq!((again.outcome, again.status), (Some(Outcome::Held), Status::OutOfSync), "{again:?}");
    *watch.job_code.lock().unwrap() = 0;
    let report = rig.pass(&fixed, watch.faults()).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
    rig.assert_converged(&fixed, "fixed").await;
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_is_never_healthy_goes_back_and_a_fixed_one_goes_through() {
    goes_back_and_on(|rig, _| {
        rig.model.by_hand(|world| world.add_image("db:2", Script::never_healthy()));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_exits_goes_back_and_a_fixed_one_goes_through() {
    goes_back_and_on(|rig, _| {
        let dies =
            Script { exits: Some((Duration::from_millis(10), 3)), ..Script::healthy_after(Duration::from_secs(1)) };
        rig.model.by_hand(|world| world.add_image("db:2", dies));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_revision_whose_job_fails_goes_back_and_a_fixed_one_goes_through() {
    goes_back_and_on(|_, watch| *watch.job_code.lock().unwrap() = 1).await;
}

/// A job that only the revision which fails has, and then one that has another, or none.
async fn a_failed_job_is_kept_until(next_job: Option<&str>) {
    let with = |version: u8, job: Option<&str>| {
        let mut manifest = manifest(version);
        manifest["jobs"] = job.map_or_else(|| json!({}), |word| json!({"seed": {"service": "db", "command": [word]}}));
        app(&manifest)
    };
    let (first, sick, fixed) = (with(1, None), with(2, Some("seed")), with(3, next_job));
    let failed = sick.jobs["seed"].container_name.clone();
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    let is_there = || rig.model.by_hand(|world| world.find(&failed).is_some());
    rig.pass(&first, watch.faults()).await;
    *watch.job_code.lock().unwrap() = 1;
    let report = rig.pass(&sick, watch.faults()).await;
    assert_eq!(report.outcome, Some(Outcome::RolledBack), "{report:?}");
    for pass in ["after the rollback", "a pass later"] {
        assert!(is_there(), "{pass}");
        let hint = rig.status(&sick).await.error.and_then(|error| error.hint).unwrap_or_default();
        assert!(hint.contains(&format!("`{failed}` is kept until a revision succeeds")), "{pass}: {hint}");
        assert_eq!(rig.pass(&sick, watch.faults()).await.outcome, Some(Outcome::Held));
    }
    *watch.job_code.lock().unwrap() = 0;
    let report = rig.pass(&fixed, watch.faults()).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
    assert!(!is_there(), "kept after a success");
    rig.assert_converged(&fixed, "fixed").await;
}

#[tokio::test(start_paused = true)]
async fn the_container_of_a_job_that_failed_is_kept_and_named_until_a_revision_succeeds() {
    a_failed_job_is_kept_until(Some("sow")).await;
    a_failed_job_is_kept_until(None).await;
}

#[tokio::test(start_paused = true)]
async fn a_first_revision_that_fails_is_stopped_and_kept_for_a_look() {
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    rig.model.by_hand(|world| world.add_image("db:1", Script::never_healthy()));
    let report = rig.pass(&app(&manifest(1)), watch.faults()).await;
    assert_eq!(report.outcome, Some(Outcome::Failed), "{report:?}");
    rig.model.by_hand(|world| {
        assert!(world.containers.values().all(|it| !it.life.is_up()));
        assert!(world.containers.values().any(|it| it.name.contains("db")));
    });
}

#[tokio::test(start_paused = true)]
async fn a_suspended_app_is_left_until_it_is_resumed() {
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    let (first, next) = (app(&manifest(1)), app(&manifest(2)));
    rig.pass(&first, watch.faults()).await;
    let suspension = Suspension { by: "somebody".to_owned(), reason: None, until: None };
    let ledger = rig.ledger().await;
    ledger.suspend(&next.environment, &next.app, suspension).await.unwrap();
    let before = rig.model.by_hand(|world| world.clone());
    assert_eq!(rig.pass(&next, watch.faults()).await.outcome, Some(Outcome::Held));
    assert_eq!(rig.model.by_hand(|world| world.clone()), before);
    ledger.resume(&next.environment, &next.app).await.unwrap();
    assert_eq!(rig.pass(&next, watch.faults()).await.outcome, Some(Outcome::Succeeded));
    rig.assert_converged(&next, "resumed").await;
}

#[tokio::test(start_paused = true)]
async fn two_hundred_services_complete_with_two_slots() {
    let mut rig = Rig::new();
    rig.parallel = 2;
    let services: serde_json::Map<String, serde_json::Value> =
        (0..200).map(|at| (format!("s{at}"), json!({"image": "side:1"}))).collect();
    let desired = app(&json!({"services": services}));
    let report = rig.pass(&desired, faults::none()).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{:?}", report.error);
    assert_eq!(rig.model.by_hand(|world| world.containers.len()), 200);
}

#[tokio::test(start_paused = true)]
async fn two_passes_at_once_do_the_work_of_one() {
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    let desired = app(&manifest(1));
    let (one, other) = tokio::join!(rig.pass(&desired, watch.faults()), rig.pass(&desired, watch.faults()));
    assert_eq!((one.outcome, other.outcome), (Some(Outcome::Succeeded), Some(Outcome::Succeeded)));
    assert_eq!(watch.jobs_started(), 1);
    rig.assert_converged(&desired, "two at once").await;
}
