//! What others do to the host while nobody, or the daemon itself, is at work.

use crate::house::{House, app, service, services};
use reconcile::{engine::Engine, observed::Life};
use std::{sync::atomic::Ordering, time::Duration};

#[tokio::test(start_paused = true)]
async fn a_lost_stream_of_events_is_opened_again_and_what_was_missed_is_found() {
    let house = House::of(&["test"]).await;
    house.push("c1", &[app("test", "web", &service(1))]);
    house.until("it runs", |house| house.version("web").is_some()).await;
    house.quiet().await;
    house.calls();
    house.model.cut_events();
    // Nobody hears of this one.
    house.model.by_hand(|world| world.containers.clear());
    house.until("it is back", |house| house.version("web").is_some()).await;
    // And the new stream is heard.
    assert!(house.calls().iter().any(|call| call.name == "events"), "nobody asked for events again");
    let id = house.running("web").remove(0);
    house.remove(&id).await;
    house.until("it is back at once", |house| house.version("web").is_some() && house.running("web")[0] != id).await;
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_goes_and_comes_back_is_followed_by_a_full_look() {
    let house = House::of(&["test"]).await;
    house.push("c1", &[app("test", "web", &service(1))]);
    house.until("it runs", |house| house.version("web").is_some()).await;
    house.quiet().await;
    house.engine_answers(false);
    house.push("c2", &[app("test", "web", &service(2))]);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(house.version("web").as_deref(), Some("1"));
    house.engine_answers(true);
    house.until("the push is followed", |house| house.version("web").as_deref() == Some("2")).await;
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn two_hundred_meddlings_in_a_row_end_in_sync_and_leave_no_litter() {
    let house = House::of(&["test"]).await;
    house.push("c1", &[app("test", "web", &services(4))]);
    house.until("all run", |house| house.running("web").len() == 4).await;
    let mut dice = fastrand::Rng::with_seed(7);
    for number in 0..200 {
        let all = house.model.by_hand(|world| world.containers.keys().cloned().collect::<Vec<_>>());
        let Some(id) = (!all.is_empty()).then(|| all[dice.usize(..all.len())].clone()) else { continue };
        match dice.u8(..6) {
            0 | 1 => house.remove(&id).await,
            2 => drop(house.model.stop(&id, Duration::ZERO).await),
            3 => drop(house.model.rename(&id, &format!("meddled-{number}")).await),
            4 => drop(house.model.disconnect(&id, "test-web").await),
            // Of these nobody hears.
            _ => house.model.by_hand(|world| {
                if let Some(it) = world.containers.get_mut(&id).filter(|it| it.life == Life::Running) {
                    it.life = Life::Paused;
                }
            }),
        }
        tokio::time::sleep(Duration::from_millis(dice.u64(..400))).await;
    }
    house.quiet().await;
    house.until("all run again", |house| house.running("web").len() == 4).await;
    house.quiet().await;
    let desired = app("test", "web", &services(4));
    house.model.by_hand(|world| {
        let mut names: Vec<&str> = world.containers.values().map(|it| it.name.as_str()).collect();
        let mut wanted: Vec<&str> = desired.services.values().map(|it| it.container_name.as_str()).collect();
        names.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(names, wanted);
        assert_eq!(world.networks.iter().filter(|network| network.name == "test-web").count(), 1);
    });
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_breaks_down_is_tried_again_and_harms_no_other() {
    let house = House::of(&["test"]).await;
    house.broken.store(true, Ordering::Relaxed);
    house.push("c1", &[app("test", "web", &service(1)), app("test", "api", &service(1))]);
    house.until("both run", |house| house.version("web").is_some() && house.version("api").is_some()).await;
    assert!(!house.broken.load(Ordering::Relaxed), "nothing broke down");
    house.end().await;
}
