//! What the daemon asks of the engine.

use crate::house::{House, app, service, services};
use std::{collections::BTreeMap, time::Duration};

fn by_name(calls: &[reconcile::engine::model::Call]) -> BTreeMap<&'static str, usize> {
    let mut names = BTreeMap::new();
    for call in calls {
        *names.entry(call.name).or_default() += 1;
    }
    names
}

/// DESIGN §9: at most four calls whatever the number of services.
#[tokio::test(start_paused = true)]
async fn a_look_at_what_did_not_change_is_four_lists_however_many_services_there_are() {
    for number in [1, 10, 60] {
        let house = House::of(&["test"]).await;
        house.push("c1", &[app("test", "web", &services(number))]);
        house.until("all run", |house| house.running("web").len() == number).await;
        house.quiet().await;
        house.swept().await;
        // A name that means nothing to anybody here: the daemon has to look, and finds nothing.
        let before = house.model.by_hand(|world| world.images.keys().next().unwrap().clone());
        reconcile::engine::Engine::tag(&house.model, &before, "stranger:1").await.unwrap();
        let mut calls = Vec::new();
        // Less than what is left until the next sweep.
        for _ in 0..15 {
            house.pass(Duration::from_secs(2)).await;
            calls.extend(house.calls());
        }
        let names = by_name(&calls);
        assert_eq!(
            names,
            BTreeMap::from([("containers", 1), ("images", 1), ("networks", 1), ("volumes", 1)]),
            "{number} services"
        );
        house.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_hour_costs_a_sweep_a_minute_and_every_container_is_inspected_in_it() {
    let house = House::of(&["test"]).await;
    house.push("c1", &[app("test", "web", &services(40))]);
    house.until("all run", |house| house.running("web").len() == 40).await;
    house.quiet().await;
    house.calls();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let calls = house.calls();
    let names = by_name(&calls);
    assert!(!calls.iter().any(|call| call.effect), "{names:?}");
    assert!((50..=75).contains(&names["containers"]), "{names:?}");
    let inspected: std::collections::BTreeSet<&str> =
        calls.iter().filter(|call| call.name == "container").map(|call| call.about.as_str()).collect();
    assert_eq!(inspected.len(), 40, "{names:?}");
    assert!(names["container"] <= 75 * 2, "{names:?}");
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_fails_by_the_world_is_tried_again_ever_more_rarely() {
    let house = House::of(&["test"]).await;
    let mut missing = service(1);
    missing["services"]["one"]["image"] = "nowhere:1".into();
    house.push("c1", &[app("test", "web", &missing), app("test", "api", &service(1))]);
    house.until("the other runs", |house| house.version("api").is_some()).await;
    house.calls();
    house.pass(Duration::from_secs(3600)).await;
    let pulls = house.calls().iter().filter(|call| call.name == "pull").count();
    // After 1, 2, 4 … 256 seconds, then every 300: about twenty.
    assert!((8..=30).contains(&pulls), "pulled {pulls} times in an hour");
    // A push is a reason to begin anew.
    house.push("c2", &[app("test", "web", &service(1)), app("test", "api", &service(1))]);
    house.until("it runs", |house| house.version("web").is_some()).await;
    house.end().await;
}
