//! Passes on images that do not come, or keep them waiting.

use crate::rig::{Rig, app, named};
use reconcile::{
    engine::model::{Call, Fate, Faults, Script, When, World, faults},
    observed::Life,
    record::{Outcome, Suspension},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::sync::{Notify, watch};

fn manifest(image: &str, pull: &str) -> Value {
    let check = json!({"test": ["CMD", "true"]});
    json!({"services": {"one": {"image": image, "pull_policy": pull, "healthcheck": check}}})
}

fn runs(rig: &Rig) -> usize {
    rig.model.by_hand(|world| world.containers.values().filter(|it| it.life == Life::Running).count())
}

/// Every pull hangs; tells when one does.
fn stalled() -> (Faults, Arc<Notify>) {
    let tells = Arc::new(Notify::new());
    let told = Arc::clone(&tells);
    let faults: Faults = Arc::new(move |when, call: &Call| {
        if when == When::Before && call.name == "pull" {
            told.notify_one();
            return Fate::Hang;
        }
        Fate::Go
    });
    (faults, tells)
}

#[tokio::test]
async fn an_image_that_is_not_refreshed_is_told_and_the_app_is_kept_in_order() {
    let rig = Rig::new();
    let desired = app(&manifest("web:1", "every_1s"));
    for _ in 0..2 {
        rig.model.by_hand(|world| world.containers.clear());
        let report = rig.pass(&desired, faults::none()).await;
        assert_eq!((report.outcome, runs(&rig)), (Some(Outcome::Blocked), 1), "{report:?}");
        let error = report.error.unwrap();
        assert!(error.summary.starts_with("registry `docker.io` has no image `web:1`"), "{error:?}");
        assert_eq!(report.held, None);
    }
    let new = World::image_id("web:1 anew");
    rig.model.by_hand(|world| {
        world.add_image("web:1 anew", Script::serves());
        let image = world.images[&new].clone();
        world.registry.insert("web:1".to_owned(), (new.clone(), image));
    });
    let report = rig.pass(&desired, faults::none()).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
    assert!(rig.model.by_hand(|world| world.containers.values().all(|it| it.image_id == new)));
}

#[tokio::test]
async fn an_image_that_is_needed_and_does_not_come_blocks_its_app_and_condemns_nothing() {
    let rig = Rig::new();
    rig.pass(&app(&manifest("web:1", "missing")), faults::none()).await;
    for pull in ["missing", "always"] {
        let report = rig.pass(&app(&manifest("far:1", pull)), faults::none()).await;
        assert_eq!((report.outcome, report.held, runs(&rig)), (Some(Outcome::Blocked), None, 1), "{pull}");
    }
    let report = rig.pass(&app(&manifest("web:1", "missing")), faults::none()).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
}

#[tokio::test]
async fn a_pull_that_stalls_is_left_off_at_the_end_of_the_tool() {
    let rig = Rig::new();
    let (end, ending) = watch::channel(false);
    let desired = app(&manifest("far:1", "missing"));
    let (faults, hangs) = stalled();
    let pass = rig.pass_ending(&desired, faults, ending);
    let ends = async {
        hangs.notified().await;
        end.send_replace(true);
    };
    let (report, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(30), pass), ends);
    let error = report.expect("the pass ends").error.unwrap();
    assert_eq!(error.summary, "ended by a signal before it was done");
}

#[tokio::test]
async fn a_pull_that_stalls_is_left_off_when_somebody_wants_something_else() {
    let rig = Rig::new();
    rig.pass(&app(&manifest("web:1", "missing")), faults::none()).await;
    let desired = app(&manifest("far:1", "missing"));
    let (faults, hangs) = stalled();
    let pass = tokio::time::timeout(Duration::from_secs(30), rig.pass(&desired, faults));
    let wish = async {
        let suspension = Suspension { by: "somebody".to_owned(), reason: None, until: None };
        hangs.notified().await;
        rig.ledger().await.suspend(&desired.environment, &desired.app, suspension).await.unwrap();
    };
    let (report, ()) = tokio::join!(pass, wish);
    let report = report.expect("the wish is seen");
    assert_eq!((report.outcome, report.suspended), (Some(Outcome::Held), true), "{report:?}");
}

#[tokio::test]
async fn a_pull_that_stalls_holds_up_no_other_app() {
    let mut rig = Rig::new();
    rig.parallel = 1;
    let apps = [named("far", &manifest("far:1", "missing")), named("near", &manifest("web:1", "missing"))];
    let waits = async {
        while runs(&rig) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        reports = rig.run(&apps, stalled().0, |_| {}) => panic!("the stalled one ends: {reports:?}"),
        () = waits => {}
    }
}
