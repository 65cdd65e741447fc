//! Copies that make themselves: when, how often, beside whom, whatever clocks and daemons do.

use crate::{
    house::{House, app, service},
    rig::Rig,
    sink::Sink,
};
use jiff::Timestamp;
use reconcile::engine::{Engine, model::Script};
use serde_json::{Value, json};
use std::{sync::atomic::Ordering, time::Duration};

/// A service whose data is what a command of it writes.
fn copied(version: u8, section: &Value) -> Value {
    let mut manifest = service(version);
    manifest["backup"] = json!({
        "schedule": "30 2 * * *",
        "catch_up": "1h",
        "before_deploy": "never",
        "items": [{"name": "out", "type": "exec", "service": "one", "command": ["dump"]}],
    });
    for (field, value) in section.as_object().unwrap() {
        manifest["backup"][field] = value.clone();
    }
    manifest
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// When the copies of `test/web` were taken, to the minute.
fn taken(house: &House) -> Vec<String> {
    let minute = |copy: &reconcile::backup::Copy| copy.taken_at.strftime("%Y-%m-%dT%H:%M").to_string();
    house.copies("test", "web", "out").iter().map(minute).collect()
}

/// Lets the host's clock come to a moment.
async fn come(house: &House, moment: &str) {
    let wait = Duration::try_from(at(moment).duration_since(house.model.now())).unwrap();
    tokio::time::sleep(wait).await;
    settled(house).await;
}

/// Lets threads that do not know of virtual time do what they began.
async fn settled(house: &House) {
    house.settled().await;
}

/// A daemon at this moment, with an app that runs.
async fn since(moment: &str, section: &Value) -> House {
    since_on(Rig::new(), moment, section).await
}

/// The same on a host that was there before.
async fn since_on(rig: Rig, moment: &str, section: &Value) -> House {
    let house = House::on(rig, &["test"]).await;
    house.model.set_clock(at(moment) - Duration::from_secs(3000));
    house.push("c1", &[app("test", "web", &copied(1, section))]);
    house.until("it runs", |house| house.version("web").is_some()).await;
    house.quiet().await;
    house.model.set_clock(at(moment));
    house
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_made_at_its_minute_and_not_before() {
    let house = since("2026-03-10T00:00:00Z", &json!({})).await;
    come(&house, "2026-03-10T02:29:50Z").await;
    assert_eq!(taken(&house), [""; 0]);
    come(&house, "2026-03-10T02:30:10Z").await;
    assert_eq!(taken(&house), ["2026-03-10T02:30"]);
    come(&house, "2026-03-11T02:29:00Z").await;
    assert_eq!(taken(&house).len(), 1);
    come(&house, "2026-03-11T02:31:00Z").await;
    assert_eq!(taken(&house), ["2026-03-10T02:30", "2026-03-11T02:30"]);
    assert!(house.copies("test", "web", "out").iter().all(reconcile::backup::Copy::is_good));
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_hour_that_is_skipped_or_comes_twice_has_its_copy_once() {
    for (from, until, expected) in [
        // Half past two is not there on this day; on the other it is there twice.
        ("2026-03-28T22:00:00Z", "2026-03-29T06:00:00Z", "2026-03-29T01:00"),
        ("2026-10-24T22:00:00Z", "2026-10-25T06:00:00Z", "2026-10-25T00:30"),
    ] {
        let house = since(from, &json!({"timezone": "Europe/Berlin"})).await;
        come(&house, until).await;
        assert_eq!(taken(&house), [expected]);
        house.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_put_back_copies_nothing_twice_and_one_that_is_put_forward_is_noticed() {
    let house = since("2026-03-10T02:29:00Z", &json!({})).await;
    come(&house, "2026-03-10T02:31:00Z").await;
    assert_eq!(taken(&house).len(), 1);
    house.model.set_clock(at("2026-03-10T02:10:00Z"));
    come(&house, "2026-03-10T02:50:00Z").await;
    assert_eq!(taken(&house).len(), 1, "{:?}", taken(&house));
    house.model.set_clock(at("2026-03-11T02:40:00Z"));
    come(&house, "2026-03-11T02:42:00Z").await;
    assert_eq!(taken(&house).len(), 2, "{:?}", taken(&house));
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_fell_due_while_the_daemon_was_down_is_made_up_for_once_while_it_is_young() {
    let mut house = since("2026-03-10T02:29:00Z", &json!({})).await;
    come(&house, "2026-03-10T02:31:00Z").await;
    for (back, copies) in [("2026-03-13T03:20:00Z", 2), ("2026-03-14T03:40:00Z", 2)] {
        let rig = house.down().await;
        rig.model.set_clock(at(back));
        house = House::on(rig, &["test"]).await;
        house.push("c1", &[app("test", "web", &copied(1, &json!({})))]);
        house.quiet().await;
        tokio::time::sleep(Duration::from_secs(600)).await;
        settled(&house).await;
        assert_eq!(taken(&house).len(), copies, "{:?}", taken(&house));
    }
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn each_environment_has_its_own_copies() {
    let house = House::of(&["test", "staging"]).await;
    house.model.set_clock(at("2026-03-10T02:00:00Z"));
    let other = copied(1, &json!({"schedule": "45 2 * * *"}));
    house.push("c1", &[app("test", "web", &copied(1, &json!({}))), app("staging", "web", &other)]);
    house.until("both run", |house| house.running("web").len() == 2).await;
    house.quiet().await;
    come(&house, "2026-03-10T02:40:00Z").await;
    let count = |house: &House| ["test", "staging"].map(|environment| house.copies(environment, "web", "out").len());
    assert_eq!(count(&house), [1, 0]);
    come(&house, "2026-03-10T02:50:00Z").await;
    assert_eq!(count(&house), [1, 1]);
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_hangs_is_ended_and_tried_again_and_holds_up_no_other_app() {
    let house = House::of(&["test"]).await;
    house.model.set_clock(at("2026-03-10T01:30:00Z"));
    let web = copied(1, &json!({"timeout": "10m"}));
    house.push("c1", &[app("test", "web", &web), app("test", "api", &service(1))]);
    house.until("both run", |house| house.version("web").is_some() && house.version("api").is_some()).await;
    house.quiet().await;
    house.hangs.store(true, Ordering::Relaxed);
    house.calls();
    house.model.set_clock(at("2026-03-10T02:29:50Z"));
    house.until("it is under way", |house| house.calls().iter().any(|call| call.name == "flow_inside")).await;
    let mut second = web.clone();
    second["services"]["one"]["env"]["VERSION"] = "2".into();
    house.push("c2", &[app("test", "web", &second), app("test", "api", &service(2))]);
    house.soon("the other goes on", |house| house.version("api").as_deref() == Some("2")).await;
    house.pass(Duration::from_secs(120)).await;
    assert!(house.model.now() < at("2026-03-10T02:40:00Z"), "{}", house.model.now());
    assert_eq!(house.version("web").as_deref(), Some("1"), "rolled out while it was copied");
    house.until("its time is over, and it goes on", |house| house.version("web").as_deref() == Some("2")).await;
    assert!(house.model.now() >= at("2026-03-10T02:40:00Z"), "{}", house.model.now());
    assert_eq!(taken(&house), [""; 0]);
    house.hangs.store(false, Ordering::Relaxed);
    house.until("it is tried again", |house| taken(house).len() == 1).await;
    assert!(house.files("test", "web", "out").iter().all(|name| !name.ends_with(".partial")));
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_falls_due_in_a_rollout_waits_for_its_end() {
    let house = since("2026-03-10T02:20:00Z", &json!({})).await;
    // Twenty minutes pass before the new one is well.
    let warms_up = Script::healthy_after(Duration::from_secs(1200));
    house.model.by_hand(|world| world.add_image("slow:1", warms_up));
    let mut second = copied(2, &json!({}));
    second["services"]["one"]["image"] = "slow:1".into();
    second["services"]["one"]["rollout"] = json!({"order": "stop-first", "healthy_deadline": "1h"});
    house.push("c2", &[app("test", "web", &second)]);
    house.until("it starts", |house| house.version("web").as_deref() == Some("2")).await;
    house.calls();
    come(&house, "2026-03-10T02:38:00Z").await;
    assert!(!house.calls().iter().any(|call| call.name == "flow_inside"), "copied in the middle of a rollout");
    house.until("it is made", |house| taken(house).len() == 1).await;
    assert!(house.copies("test", "web", "out")[0].taken_at >= at("2026-03-10T02:40:00Z"), "{:?}", taken(&house));
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_is_tried_again_ever_more_rarely_also_when_its_time_is_past() {
    let house = since("2026-03-10T02:29:00Z", &json!({"catch_up": "0s", "timeout": "10s"})).await;
    house.hangs.store(true, Ordering::Relaxed);
    house.calls();
    come(&house, "2026-03-10T08:30:00Z").await;
    let tries = house.calls().iter().filter(|call| call.name == "flow_inside").count();
    // After 1, 2, 4 … 32 minutes, then every hour: ten or so in six hours.
    assert!((7..=14).contains(&tries), "tried {tries} times");
    house.hangs.store(false, Ordering::Relaxed);
    come(&house, "2026-03-10T09:40:00Z").await;
    assert_eq!(taken(&house).len(), 1);
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_place_that_was_away_gets_what_it_missed_and_no_source_is_asked_for_it() {
    let house = since("2026-03-10T02:29:00Z", &json!({"repositories": ["local", "usb"]})).await;
    let usb = house.rig.usb();
    std::fs::write(&usb.root, "no folder").unwrap();
    house.calls();
    come(&house, "2026-03-11T12:00:00Z").await;
    assert_eq!(taken(&house), ["2026-03-10T02:30", "2026-03-11T02:30"]);
    let told = house.failure("test", "web", "out").unwrap();
    assert!(told.starts_with("the last copy did not get to `usb`, at 2026-03-11T1"), "{told}");
    std::fs::remove_file(&usb.root).unwrap();
    // It waits for an hour or so by then, and not for the next copy.
    come(&house, "2026-03-11T14:00:00Z").await;
    let takes = house.calls().iter().filter(|call| call.name == "flow_inside").count();
    assert_eq!(takes, taken(&house).len(), "one for each copy");
    assert_eq!(house.copies_in_usb("test", "web", "out"), house.copies("test", "web", "out"));
    assert_eq!(house.failure("test", "web", "out"), None);
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_begins_anew_knows_which_place_lacks_what_and_hands_it_on() {
    let places = json!({"repositories": ["local", "usb"]});
    let house = since("2026-03-10T02:29:00Z", &places).await;
    std::fs::write(&house.rig.usb().root, "no folder").unwrap();
    come(&house, "2026-03-10T03:00:00Z").await;
    assert!(house.failure("test", "web", "out").is_some());
    let rig = house.down().await;
    std::fs::remove_file(&rig.usb().root).unwrap();
    let house = House::on(rig, &["test"]).await;
    // The branch asks for copies at no time any more: what was made is to be everywhere all the same.
    let mut manifest = copied(1, &places);
    manifest["backup"].as_object_mut().unwrap().remove("schedule");
    house.push("c2", &[app("test", "web", &manifest)]);
    house.calls();
    come(&house, "2026-03-10T03:10:00Z").await;
    assert_eq!(house.copies_in_usb("test", "web", "out"), house.copies("test", "web", "out"));
    assert_eq!((house.failure("test", "web", "out"), taken(&house).len()), (None, 1));
    assert!(!house.calls().iter().any(|call| call.name == "flow_inside"), "no source is asked");
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_place_that_the_branch_names_anew_gets_what_there_is() {
    let house = since("2026-03-10T02:29:00Z", &json!({})).await;
    come(&house, "2026-03-10T03:00:00Z").await;
    assert_eq!((taken(&house).len(), house.copies_in_usb("test", "web", "out").len()), (1, 0));
    house.push("c2", &[app("test", "web", &copied(1, &json!({"repositories": ["local", "usb"]})))]);
    come(&house, "2026-03-10T03:05:00Z").await;
    let is_there = |house: &House| house.copies_in_usb("test", "web", "out") == house.copies("test", "web", "out");
    house.until("it is there", is_there).await;
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_keeps_no_place_from_the_copy_before() {
    let house = since("2026-03-10T02:29:00Z", &json!({"repositories": ["local", "usb"], "timeout": "1m"})).await;
    std::fs::write(&house.rig.usb().root, "no folder").unwrap();
    come(&house, "2026-03-10T03:00:00Z").await;
    house.hangs.store(true, Ordering::Relaxed);
    come(&house, "2026-03-11T03:00:00Z").await;
    assert!(house.failure("test", "web", "out").is_some_and(|told| told.starts_with("the last run made no copy")));
    std::fs::remove_file(&house.rig.usb().root).unwrap();
    come(&house, "2026-03-11T05:00:00Z").await;
    assert_eq!((taken(&house).len(), house.copies_in_usb("test", "web", "out").len()), (1, 1));
    assert!(house.failure("test", "web", "out").is_some_and(|told| told.starts_with("the last run made no copy")));
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_item_that_fails_again_and_again_keeps_no_other_from_its_places() {
    let down = json!({"name": "down", "type": "exec", "service": "two", "command": ["dump"]});
    let section = json!({
        "repositories": ["local", "usb"],
        "items": [{"name": "out", "type": "exec", "service": "one", "command": ["dump"]}, down],
    });
    let house = since("2026-03-10T02:00:00Z", &json!({})).await;
    let mut manifest = copied(1, &section);
    manifest["services"]["two"] = json!({"image": "web:1", "scale": 0});
    house.push("c2", &[app("test", "web", &manifest)]);
    std::fs::write(&house.rig.usb().root, "no folder").unwrap();
    // By then it is tried once an hour.
    come(&house, "2026-03-10T10:00:00Z").await;
    assert!(house.failure("test", "web", "down").is_some_and(|told| told.starts_with("the last run made no copy")));
    assert!(house.failure("test", "web", "out").is_some_and(|told| told.contains("did not get to `usb`")));
    std::fs::remove_file(&house.rig.usb().root).unwrap();
    come(&house, "2026-03-10T11:30:00Z").await;
    let is_there = |house: &House| house.copies_in_usb("test", "web", "out") == house.copies("test", "web", "out");
    house.until("it is there", |house| is_there(house) && house.failure("test", "web", "out").is_none()).await;
    assert!(house.failure("test", "web", "down").is_some());
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_is_killed_in_a_run_makes_it_again_when_it_is_back() {
    let house = since("2026-03-10T02:29:00Z", &json!({})).await;
    house.hangs.store(true, Ordering::Relaxed);
    house.until("it is under way", |house| house.calls().iter().any(|call| call.name == "flow_inside")).await;
    let rig = house.kill().await;
    let house = House::on(rig, &["test"]).await;
    house.push("c1", &[app("test", "web", &copied(1, &json!({})))]);
    house.until("it is made", |house| taken(house).len() == 1).await;
    come(&house, "2026-03-10T04:00:00Z").await;
    assert_eq!(taken(&house).len(), 1);
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_branch_no_longer_asks_for_is_not_copied() {
    let house = since("2026-03-10T02:00:00Z", &json!({})).await;
    house.push("c2", &[app("test", "web", &service(1))]);
    house.quiet().await;
    come(&house, "2026-03-10T03:00:00Z").await;
    assert_eq!(taken(&house), [""; 0]);
    house.push("c3", &[app("test", "web", &copied(1, &json!({"schedule": "15 3 * * *", "catch_up": "0s"})))]);
    house.quiet().await;
    come(&house, "2026-03-10T03:20:00Z").await;
    assert_eq!(taken(&house), ["2026-03-10T03:15"]);
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_app_whose_newest_copy_is_too_old_is_degraded_until_there_is_a_new_one() {
    let overdue = |house: &House| {
        let figures = [
            r#"reconcile_backup_overdue{environment="test",app="web",item="out"}"#,
            r#"reconcile_app_health{environment="test",app="web",health="Degraded"}"#,
        ];
        figures.map(|series| house.figure(series)).map(|figure| figure.as_deref() == Some("1"))
    };
    let house = since("2026-03-10T02:29:00Z", &json!({"max_age": "26h", "timeout": "1m"})).await;
    assert_eq!(overdue(&house), [false, false], "there is nothing to be late with yet");
    come(&house, "2026-03-10T02:32:00Z").await;
    let series = r#"reconcile_backup_last_verified_timestamp_seconds{environment="test",app="web",item="out"}"#;
    let taken_at = house.copies("test", "web", "out")[0].taken_at;
    house.until("it is told", |house| house.figure(series).is_some()).await;
    let told: f64 = house.figure(series).unwrap().parse().unwrap();
    assert_eq!(Timestamp::from_millisecond((told * 1000.0) as i64).unwrap().as_second(), taken_at.as_second());
    house.hangs.store(true, Ordering::Relaxed);
    come(&house, "2026-03-11T04:29:00Z").await;
    assert_eq!(overdue(&house), [false, false]);
    come(&house, "2026-03-11T04:32:00Z").await;
    house.until("it is degraded", |house| overdue(house) == [true, true]).await;
    house.hangs.store(false, Ordering::Relaxed);
    house.until("it is well again", |house| overdue(house) == [false, false]).await;
    assert_eq!(taken(&house).len(), 2);
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn who_asked_for_notices_hears_once_that_copies_fail_and_are_overdue_and_once_of_each_end() {
    let (sink, words) = Sink::begin();
    let mut rig = Rig::new();
    rig.host_file.settings.notify = reconcile::host::read("host.yaml", &words).unwrap().settings.notify;
    let house = since_on(rig, "2026-03-10T02:29:00Z", &json!({"max_age": "26h", "timeout": "1m"})).await;
    come(&house, "2026-03-10T02:32:00Z").await;
    assert_eq!((taken(&house).len(), sink.events()), (1, Vec::new()));
    house.hangs.store(true, Ordering::Relaxed);
    house.calls();
    come(&house, "2026-03-11T04:29:00Z").await;
    let tries = house.calls().iter().filter(|call| call.name == "flow_inside").count();
    assert!(tries > 3, "tried {tries} times");
    house.until("it is told, and that it is overdue too", |_| sink.events().len() > 1).await;
    let [(failed, why), (degraded, late)] = &sink.heard()[..] else { panic!("{:?}", sink.heard()) };
    assert_eq!([failed, degraded], ["backup_failed", "degraded"]);
    assert!(why.contains("there is no new copy of `out`: it was not done after 60 s"), "{why}");
    assert!(late.starts_with("degraded: backup of `out` is overdue"), "{late}");
    house.hangs.store(false, Ordering::Relaxed);
    house.until("and their ends", |_| sink.events().len() >= 4).await;
    settled(&house).await;
    let mut ends = sink.events().split_off(2);
    ends.sort();
    assert_eq!(ends, ["backup_recovered", "recovered"]);
    house.end().await;
}
