//! Two services swap their pinned names, killed anywhere: both keep running, and each comes to its name.

use crate::rig::{Rig, Watch, app};
use reconcile::{
    desired::Desired,
    engine::model::{Call, Fate, Faults, When, faults},
    observed::Life,
    record::Outcome,
};
use serde_json::json;
use std::sync::Arc;

fn named(one: &str, two: &str) -> Desired {
    app(&json!({"services": {
        "one": {"image": "web:1", "container_name": one},
        "two": {"image": "side:1", "container_name": two},
    }}))
}

/// Sees to it at every call that both run.
fn both_run(rig: &Rig) -> Faults {
    let model = rig.model.clone();
    Arc::new(move |_, call: &Call| {
        model.by_hand(|world| {
            let up = world.containers.values().filter(|it| it.life == Life::Running).count();
            assert_eq!(up, 2, "{call:?}");
        });
        Fate::Go
    })
}

#[tokio::test(start_paused = true)]
async fn a_swap_of_names_stops_nobody_and_is_finished_after_a_kill_anywhere() {
    let (before, after) = (named("red", "blue"), named("blue", "red"));
    for side in [When::Before, When::After] {
        for nth in 1.. {
            let rig = Rig::new();
            rig.pass(&before, faults::none()).await;
            let killed = rig.killed(&after, nth, side, &Watch::on(&rig)).await;
            let report = rig.pass(&after, both_run(&rig)).await;
            assert_eq!(report.outcome, Some(Outcome::Succeeded), "killed {side:?} effect {nth}: {report:?}");
            rig.model.by_hand(|world| {
                for (name, image) in [("blue", "web"), ("red", "side")] {
                    let container = world.find(name).unwrap_or_else(|| panic!("effect {nth}: nobody is `{name}`"));
                    assert_eq!(container.labels["reconcile.service"] == "one", image == "web", "effect {nth}: {name}");
                }
                assert_eq!(world.containers.len(), 2);
            });
            if !killed {
                assert!(nth > 2, "hardly anything was done");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_a_stranger_holds_is_told_with_what_to_do_and_taken_when_it_is_free() {
    let desired = named("red", "blue");
    let rig = Rig::new();
    rig.pass(&desired, faults::none()).await;
    rig.model.by_hand(|world| {
        let mut stranger = world.find("red").unwrap().clone();
        (stranger.id, stranger.labels) = ("of-another".to_owned(), std::collections::BTreeMap::new());
        world.find_mut("red").unwrap().name = "red-by-hand".to_owned();
        world.containers.insert(stranger.id.clone(), stranger);
    });
    let report = rig.pass(&desired, faults::none()).await;
    assert_eq!(report.outcome, Some(Outcome::Blocked), "{report:?}");
    let error = report.error.unwrap();
    assert!(error.summary.contains("the name `red` is taken by a container that is not this app's"), "{error:?}");
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("docker rename red")), "{error:?}");
    rig.model.by_hand(|world| drop(world.containers.remove("of-another")));
    let report = rig.pass(&desired, faults::none()).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
    assert!(rig.model.by_hand(|world| world.find("red").is_some()));
}
