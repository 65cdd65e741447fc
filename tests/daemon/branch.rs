//! What the branch does, and what the daemon makes of it.

use crate::house::{House, app, service};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_push_is_followed_and_what_it_leaves_alone_is_not_touched() {
    let house = House::of(&["test"]).await;
    house.push("c1", &[app("test", "web", &service(1)), app("test", "api", &service(1))]);
    house.until("both run", |house| house.version("web").is_some() && house.version("api").is_some()).await;
    let api = house.running("api");
    house.push("c2", &[app("test", "web", &service(2)), app("test", "api", &service(1))]);
    house.until("the new one runs", |house| house.version("web").as_deref() == Some("2")).await;
    house.quiet().await;
    assert_eq!(house.running("api"), api);
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_branch_that_is_gone_takes_nothing_along_and_drift_is_still_repaired() {
    let house = House::of(&["test"]).await;
    house.push("c1", &[app("test", "web", &service(1))]);
    house.until("it runs", |house| house.version("web").is_some()).await;
    house.branch.vanish();
    house.nudge();
    house.quiet().await;
    let before = house.running("web");
    assert_eq!(before.len(), 1);
    house.remove(&before[0]).await;
    house.until("it is back", |house| house.version("web").is_some()).await;
    house.push("c2", &[app("test", "web", &service(2))]);
    house.until("the branch is followed again", |house| house.version("web").as_deref() == Some("2")).await;
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_halted_environment_stays_where_it_is_until_the_branch_is_good_again() {
    let house = House::of(&["test"]).await;
    house.push("c1", &[app("test", "web", &service(1))]);
    house.until("it runs", |house| house.version("web").is_some()).await;
    house.branch.halt("c2", "test");
    house.nudge();
    house.quiet().await;
    assert_eq!(house.version("web").as_deref(), Some("1"));
    house.push("c3", &[app("test", "web", &service(3))]);
    house.until("it is followed again", |house| house.version("web").as_deref() == Some("3")).await;
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_away_is_asked_ever_more_rarely() {
    let house = House::of(&["test"]).await;
    house.branch.vanish();
    house.nudge();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let asked = *house.branch.asked.lock().unwrap();
    // 1, 2, 4 … 256 seconds, then every 300: about twenty in an hour.
    assert!((12..=30).contains(&asked), "asked {asked} times in an hour");
    house.end().await;
}
