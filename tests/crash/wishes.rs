//! What people write while a pass waits, and an engine that keeps another value than it was asked for.

use crate::rig::{Rig, Watch, app, manifest};
use reconcile::{
    engine::model::{Call, Fate, Faults, Script, When, faults},
    observed::Life,
    record::{Hold, HoldUntil, Outcome, Suspension},
    show::report::AppReport,
};
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// In real time: a pass waits for a container that is never ready, somebody writes a wish, and the pass ends.
async fn while_waiting(wish: impl AsyncFnOnce(&Rig)) -> AppReport {
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    rig.pass(&app(&manifest(1)), watch.faults()).await;
    rig.model.by_hand(|world| world.add_image("db:2", Script::never_healthy()));
    let next = app(&manifest(2));
    let waited_for = next.services["db"].container_name.clone();
    let runs = || rig.model.by_hand(|world| world.find(&waited_for).is_some_and(|it| it.life == Life::Running));
    let wishing = async {
        while !runs() {
            tokio::task::yield_now().await;
        }
        wish(&rig).await;
    };
    let pass = tokio::time::timeout(Duration::from_secs(30), rig.pass(&next, watch.faults()));
    tokio::join!(pass, wishing).0.expect("the wish is seen")
}

#[tokio::test]
async fn a_rollback_is_seen_by_a_pass_that_waits() {
    let report = while_waiting(async |rig| {
        let desired = app(&manifest(2));
        let hold = Hold {
            revision: Some(1),
            by: "somebody".to_owned(),
            reason: "not today".to_owned(),
            until: HoldUntil::Resume,
            at: jiff::Timestamp::now(),
        };
        rig.ledger().await.hold(&desired.environment, &desired.app, hold).await.unwrap();
    })
    .await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
    assert_eq!(report.held.and_then(|held| held.revision), Some(1));
}

#[tokio::test]
async fn a_suspension_is_seen_by_a_pass_that_waits() {
    let report = while_waiting(async |rig| {
        let desired = app(&manifest(2));
        let suspension = Suspension { by: "somebody".to_owned(), reason: None, until: None };
        rig.ledger().await.suspend(&desired.environment, &desired.app, suspension).await.unwrap();
    })
    .await;
    assert_eq!(report.outcome, Some(Outcome::Held), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_keeps_another_value_is_asked_once_and_not_forced() {
    let rig = Rig::new();
    let desired = app(&json!({"services": {"side": {"image": "side:1", "mem_limit": "64m"}}}));
    let asked: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    let stubborn = |rig: &Rig| -> Faults {
        let (model, asked) = (rig.model.clone(), Arc::clone(&asked));
        Arc::new(move |when, call: &Call| {
            if call.effect && when == When::After {
                asked.lock().unwrap().push(call.name);
                model.by_hand(|world| {
                    world.containers.values_mut().for_each(|it| it.spec.adjustable.memory = Some(1 << 20));
                });
            }
            Fate::Go
        })
    };
    let report = rig.pass(&desired, stubborn(&rig)).await;
    assert_eq!(report.outcome, Some(Outcome::NonConvergent), "{report:?}");
    let error = report.error.unwrap().summary;
    assert!(error.contains("services.side.mem_limit"), "{error}");
    asked.lock().unwrap().clear();
    let again = rig.pass(&desired, stubborn(&rig)).await;
    assert_eq!(again.outcome, Some(Outcome::NonConvergent), "{again:?}");
    assert_eq!(*asked.lock().unwrap(), Vec::<&str>::new(), "it is not forced");
    rig.ledger().await.resume(&desired.environment, &desired.app).await.unwrap();
    let healed = rig.pass(&desired, faults::none()).await;
    assert_eq!(healed.outcome, Some(Outcome::Succeeded), "{healed:?}");
    assert_eq!(
        rig.model.by_hand(|world| world.containers.values().next().unwrap().spec.adjustable.memory),
        Some(64 << 20)
    );
}
