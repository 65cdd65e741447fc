//! Killed between our own stop and the start that was to follow: the next pass knows whose stop it was.

use crate::rig::{Rig, Watch, app};
use reconcile::{
    desired::Desired,
    engine::model::{Call, Fate, Faults, Script, When, faults},
    observed::Life,
    record::Outcome,
};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Notify;

/// `web` ends when told to, with exit code 0, and starts anew after each new `db`.
fn manifest(db: u8, restart: &str, self_heal: bool) -> Value {
    json!({
        "services": {
            "db": {"image": format!("db:{db}"), "healthcheck": {"test": ["CMD", "true"]}},
            "web": {
                "image": "web:1",
                "restart": restart,
                "depends_on": {"db": {"condition": "service_healthy", "restart": true}},
            },
        },
        "sync": {"self_heal": self_heal},
    })
}

/// As a branch has it: what a manifest says of `sync` is taken from the head.
fn desired(db: u8, restart: &str, self_heal: bool) -> Desired {
    let desired = app(&manifest(db, restart, self_heal));
    assert_eq!(desired.sync.self_heal, self_heal);
    desired
}

fn life_of(rig: &Rig, desired: &Desired, service: &str) -> Option<Life> {
    let name = &desired.services[service].container_name;
    rig.model.by_hand(|world| world.find(name).map(|it| it.life.clone()))
}

async fn goes_on(rig: &Rig, desired: &Desired, told: &str) {
    let report = rig.pass(desired, faults::none()).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{told}: {report:?}");
    for service in ["db", "web"] {
        assert_eq!(life_of(rig, desired, service), Some(Life::Running), "{told}: {service}: {report:?}");
    }
    let after = rig.pass(desired, faults::none()).await;
    assert!(after.changes.is_empty(), "{told}: {:?}", after.changes);
}

/// From the first version of `db` to the second, killed at every place.
async fn killed_everywhere(restart: &str, self_heal: bool) {
    let (old, new) = (desired(1, restart, self_heal), desired(2, restart, self_heal));
    for side in [When::Before, When::After] {
        for nth in 1.. {
            let rig = Rig::new();
            rig.pass(&old, faults::none()).await;
            let killed = rig.killed(&new, nth, side, &Watch::on(&rig)).await;
            goes_on(&rig, &new, &format!("killed {side:?} effect {nth}")).await;
            if !killed {
                assert!(nth > 5, "hardly anything was done");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_completes_and_was_stopped_by_us_is_run_again() {
    killed_everywhere("on-failure", true).await;
}

#[tokio::test(start_paused = true)]
async fn what_we_stopped_is_started_also_where_drift_is_left_alone() {
    killed_everywhere("unless-stopped", false).await;
    killed_everywhere("on-failure", false).await;
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_we_stopped_for_a_drifted_host_is_started() {
    // No revision is in progress here: drift is repaired without an entry.
    let desired = app(&json!({"services": {
        "db": {"image": "db:1"},
        "web": {"image": "web:1", "restart": "on-failure", "network_mode": "service:db"},
    }}));
    for nth in 1.. {
        let rig = Rig::new();
        rig.pass(&desired, faults::none()).await;
        rig.model.by_hand(|world| {
            let host = world.containers.values_mut().find(|it| it.name.contains("db")).unwrap();
            host.life = Life::Exited(137);
        });
        let killed = rig.killed(&desired, nth, When::After, &Watch::on(&rig)).await;
        goes_on(&rig, &desired, &format!("killed after effect {nth}")).await;
        if !killed {
            assert!(nth > 2, "hardly anything was done");
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_hand_stopped_is_left_alone_where_drift_is_also_after_a_kill() {
    let (old, new) = (desired(1, "unless-stopped", false), desired(2, "unless-stopped", false));
    let rig = Rig::new();
    rig.pass(&old, faults::none()).await;
    rig.killed(&new, 1, When::After, &Watch::on(&rig)).await;
    goes_on(&rig, &new, "after a kill").await;
    rig.model.by_hand(|world| {
        world.containers.values_mut().find(|it| it.name.contains("web")).unwrap().life = Life::Exited(0);
    });
    for pass in ["the next pass", "one more"] {
        let report = rig.pass(&new, faults::none()).await;
        assert_eq!(life_of(&rig, &new, "web"), Some(Life::Exited(0)), "{pass}: {report:?}");
        assert_eq!(report.changes.len(), 1, "{pass}: {report:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_ended_well_by_itself_is_not_run_again_though_a_stop_of_it_was_planned_once() {
    let (old, new) = (desired(1, "on-failure", true), desired(2, "on-failure", true));
    let rig = Rig::new();
    rig.pass(&old, faults::none()).await;
    // Killed when the stop of `web` is written down and not yet sent.
    let (dead, model) = (Arc::new(Notify::new()), rig.model.clone());
    let (web, signal) = (old.services["web"].container_name.clone(), Arc::clone(&dead));
    let dies: Faults = Arc::new(move |when, call: &Call| {
        let of_web = model.by_hand(|world| world.find(&web).is_some_and(|it| it.id == call.about));
        if when == When::Before && call.name == "stop" && of_web {
            signal.notify_one();
            return Fate::Hang;
        }
        Fate::Go
    });
    tokio::select! {
        biased;
        () = dead.notified() => {}
        report = rig.try_pass(&new, dies) => panic!("`web` is never stopped: {report:?}"),
    }
    // The old revision comes back: nobody is to be stopped any more.
    rig.pass(&old, faults::none()).await;
    rig.model.by_hand(|world| {
        world.containers.values_mut().find(|it| it.name.contains("web")).unwrap().life = Life::Exited(0);
    });
    let report = rig.pass(&old, faults::none()).await;
    assert_eq!(life_of(&rig, &old, "web"), Some(Life::Exited(0)), "{report:?}");
    assert!(report.changes.is_empty(), "{:?}", report.changes);
}

#[tokio::test(start_paused = true)]
async fn what_was_scaled_to_nothing_runs_again_when_it_is_wanted_again() {
    let with = |scale: u8| app(&json!({"services": {"web": {"image": "web:1", "restart": "no", "scale": scale}}}));
    let rig = Rig::new();
    for (scale, life) in [(1, Life::Running), (0, Life::Exited(0)), (1, Life::Running)] {
        let report = rig.pass(&with(scale), faults::none()).await;
        assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
        assert_eq!(life_of(&rig, &with(scale), "web"), Some(life), "scale {scale}");
    }
}

#[tokio::test(start_paused = true)]
async fn going_back_runs_again_what_made_room_for_the_revision_that_failed() {
    let worker = |version: u8| {
        app(&json!({
            "services": {"web": {
                "image": format!("db:{version}"),
                "restart": "on-failure",
                "volumes": ["data:/data"],
                "healthcheck": {"test": ["CMD", "true"]},
            }},
            "volumes": {"data": {}},
        }))
    };
    let (good, sick) = (worker(1), worker(2));
    let rig = Rig::new();
    rig.pass(&good, faults::none()).await;
    rig.model.by_hand(|world| world.add_image("db:2", Script::never_healthy()));
    let report = rig.pass(&sick, faults::none()).await;
    assert_eq!(report.outcome, Some(Outcome::RolledBack), "{report:?}");
    assert_eq!(life_of(&rig, &good, "web"), Some(Life::Running), "{report:?}");
}
