//! Windows, `sync.automated` and suspensions: when an app is left as it is, and what passes all the same.

use crate::rig::{Rig, app};
use jiff::{Timestamp, ToSpan};
use reconcile::{
    desired::Desired,
    engine::{
        Engine,
        model::{Call, Fate, Faults, Script, When, faults},
    },
    observed::Life,
    pass::{Asker, Mode, Wish},
    record::{Outcome, Suspension},
    show::report::{AppReport, Status},
};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

fn with(version: u8, sync: &Value) -> Desired {
    let service = json!({
        "image": format!("db:{version}"),
        "healthcheck": {"test": ["CMD", "true"]},
        "rollout": {"healthy_deadline": "5m"},
    });
    app(&json!({"services": {"it": service}, "sync": sync}))
}

/// Closed from the minute that is running for so long.
fn closed(rig: &Rig, duration: &str, manual: bool) -> Value {
    let schedule = rig.model.now().strftime("%-M %-H %-d %-m *").to_string();
    json!({"windows": [{"kind": "deny", "schedule": schedule, "duration": duration, "manual": manual}]})
}

async fn pass(rig: &Rig, desired: &Desired, by: Asker, faults: Faults) -> AppReport {
    let ask = |wish: &mut Wish| wish.by = by;
    rig.run(std::slice::from_ref(desired), faults, ask).await.remove("app").unwrap()
}

/// Sees to it that nothing is done; a name of ours for an image changes nothing.
fn nothing() -> Faults {
    Arc::new(|_, call: &Call| {
        assert!(!call.effect || call.name == "tag", "{call:?}");
        Fate::Go
    })
}

fn minute(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second() / 60 * 60).unwrap()
}

#[tokio::test(start_paused = true)]
async fn in_a_closed_window_nothing_is_done_by_itself_until_it_opens() {
    let rig = Rig::new();
    pass(&rig, &with(1, &json!({})), Asker::Daemon, faults::none()).await;
    let sync = closed(&rig, "1h", true);
    let opens = minute(rig.model.now()) + 1.hour();
    // A new revision, and drift.
    for (version, drift) in [(2, false), (1, true)] {
        if drift {
            rig.model.by_hand(|world| world.containers.clear());
        }
        let report = pass(&rig, &with(version, &sync), Asker::Daemon, nothing()).await;
        assert_eq!((report.outcome, report.status), (Some(Outcome::Held), Status::OutOfSync), "{report:?}");
        assert_eq!((report.wakes_at, report.failed()), (Some(opens), false));
        let [note] = &report.notes[..] else { panic!("{report:?}") };
        assert!(note.starts_with(&format!("left as it is: its windows are closed until {opens} (`")), "{note}");
        assert!(note.ends_with("` for 1h in UTC denies); a manual run passes"), "{note}");
    }
    tokio::time::advance(Duration::from_secs(3600)).await;
    let report = pass(&rig, &with(2, &sync), Asker::Daemon, faults::none()).await;
    assert_eq!((report.outcome, report.status, report.wakes_at), (Some(Outcome::Succeeded), Status::Synced, None));
    assert_eq!(report.notes, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_manual_run_passes_where_the_window_says_so() {
    let rig = Rig::new();
    for (manual, outcome) in [(false, Outcome::Held), (true, Outcome::Succeeded)] {
        let desired = with(1, &closed(&rig, "1h", manual));
        let report = pass(&rig, &desired, Asker::Person, faults::none()).await;
        assert_eq!(report.outcome, Some(outcome), "{report:?}");
        assert_eq!(report.notes.iter().any(|note| note.ends_with("nor does a manual run pass")), !manual, "{report:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_in_sync_is_in_sync_in_a_closed_window_too() {
    let rig = Rig::new();
    let open = with(1, &json!({}));
    pass(&rig, &open, Asker::Daemon, faults::none()).await;
    let report = pass(&rig, &with(1, &closed(&rig, "1h", false)), Asker::Daemon, nothing()).await;
    assert_eq!((report.outcome, report.status), (Some(Outcome::Succeeded), Status::Synced), "{report:?}");
    assert_eq!(report.notes, Vec::<String>::new());
    assert!(report.wakes_at.is_some());
    // One that was restarted is seen to be well again, which changes nothing.
    tokio::time::advance(Duration::from_secs(60)).await;
    let now = rig.model.now();
    rig.model.by_hand(|world| world.containers.values_mut().for_each(|it| it.started_at = Some(now)));
    let report = pass(&rig, &with(1, &closed(&rig, "1h", false)), Asker::Daemon, nothing()).await;
    assert_eq!((report.outcome, report.status), (Some(Outcome::Succeeded), Status::Synced), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn without_automated_only_a_person_changes_it() {
    let rig = Rig::new();
    let desired = with(1, &json!({"automated": false}));
    let report = pass(&rig, &desired, Asker::Daemon, nothing()).await;
    assert_eq!((report.outcome, report.status), (Some(Outcome::Held), Status::OutOfSync));
    assert_eq!(report.notes, ["left as it is: `sync.automated` is false, a manual run applies it"]);
    assert_eq!(pass(&rig, &desired, Asker::Person, faults::none()).await.outcome, Some(Outcome::Succeeded));
    assert_eq!(pass(&rig, &desired, Asker::Daemon, nothing()).await.outcome, Some(Outcome::Succeeded));
    rig.model.by_hand(|world| world.containers.clear());
    let report = pass(&rig, &desired, Asker::Daemon, nothing()).await;
    assert_eq!(report.outcome, Some(Outcome::Held), "drift is left too: {report:?}");
}

/// Takes so many minutes to be healthy, or never is.
fn slow(rig: &Rig, version: u8, minutes: Option<u64>) {
    let script = match minutes {
        Some(minutes) => Script::healthy_after(Duration::from_secs(60 * minutes)),
        None => Script::never_healthy(),
    };
    rig.model.by_hand(|world| world.add_image(&format!("db:{version}"), script));
}

/// Closed from the minute after next.
fn soon(rig: &Rig) -> Value {
    let begins = rig.model.now() + 2.minutes();
    let schedule = begins.strftime("%-M %-H %-d %-m *").to_string();
    json!({"windows": [{"kind": "deny", "schedule": schedule, "duration": "10h", "manual": false}]})
}

#[tokio::test(start_paused = true)]
async fn what_runs_when_a_window_begins_is_brought_to_its_end() {
    let rig = Rig::new();
    let sync = soon(&rig);
    pass(&rig, &with(1, &sync), Asker::Daemon, faults::none()).await;
    slow(&rig, 2, Some(4));
    let report = pass(&rig, &with(2, &sync), Asker::Daemon, faults::none()).await;
    assert_eq!((report.outcome, report.status), (Some(Outcome::Succeeded), Status::Synced), "{report:?}");
    assert!(report.wakes_at.is_some(), "it ended in the window");

    // What fails in the window goes back in it.
    let rig = Rig::new();
    let sync = soon(&rig);
    pass(&rig, &with(1, &sync), Asker::Daemon, faults::none()).await;
    slow(&rig, 2, None);
    let report = pass(&rig, &with(2, &sync), Asker::Daemon, faults::none()).await;
    assert_eq!(report.outcome, Some(Outcome::RolledBack), "{report:?}");
    assert!(report.wakes_at.is_some(), "it ended in the window");
    let up = rig.model.by_hand(|world| {
        let up = world.containers.values().filter(|it| it.life == Life::Running);
        up.map(|it| it.spec.image.clone()).collect::<Vec<_>>()
    });
    assert_eq!(up, ["db:1"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_before_a_window_is_finished_in_it_after_a_kill() {
    for nth in 1.. {
        let rig = Rig::new();
        let sync = soon(&rig);
        pass(&rig, &with(1, &sync), Asker::Daemon, faults::none()).await;
        let next = with(2, &sync);
        let killed = rig.run_killed(std::slice::from_ref(&next), nth, |wish| wish.by = Asker::Daemon).await;
        tokio::time::advance(Duration::from_secs(180)).await;
        let report = pass(&rig, &next, Asker::Daemon, faults::none()).await;
        assert_eq!((report.outcome, report.status), (Some(Outcome::Succeeded), Status::Synced), "{nth}: {report:?}");
        // The next one is another change.
        assert_eq!(pass(&rig, &with(3, &sync), Asker::Daemon, nothing()).await.outcome, Some(Outcome::Held));
        if !killed {
            assert!(nth > 3, "hardly anything was done");
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_suspension_that_ends_tells_when_to_look_again() {
    let rig = Rig::new();
    let desired = with(1, &json!({}));
    let until = rig.model.now() + 2.hours();
    let suspension = Suspension { by: "somebody".to_owned(), reason: None, until: Some(until) };
    rig.ledger().await.suspend(&desired.environment, &desired.app, suspension).await.unwrap();
    let report = pass(&rig, &desired, Asker::Daemon, nothing()).await;
    assert_eq!((report.outcome, report.wakes_at, report.suspended), (Some(Outcome::Held), Some(until), true));
    tokio::time::advance(Duration::from_secs(7200)).await;
    let report = pass(&rig, &desired, Asker::Daemon, faults::none()).await;
    assert_eq!((report.outcome, report.wakes_at), (Some(Outcome::Succeeded), None), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_and_status_tell_of_closed_windows() {
    let rig = Rig::new();
    let desired = with(1, &closed(&rig, "1h", false));
    let dry = |wish: &mut Wish| wish.mode = Mode::DryRun;
    let report = rig.run(std::slice::from_ref(&desired), faults::none(), dry).await.remove("app").unwrap();
    assert!(report.notes.iter().any(|note| note.contains("its windows are closed until")), "{report:?}");
    assert_eq!(report.error, None);
    let status = rig.status(&desired).await;
    assert_eq!(status.retry_at, Some(minute(rig.model.now()) + 1.hour()));
    assert!(status.left.iter().any(|left| left.contains("its windows are closed until")), "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_due_is_not_pulled_in_a_closed_window() {
    let rig = Rig::new();
    let daily = |rig: &Rig, sync: Value| {
        let service = json!({"image": "db:1", "pull_policy": "every_30m"});
        let _ = rig;
        app(&json!({"services": {"it": service}, "sync": sync}))
    };
    let pulls: Arc<Mutex<usize>> = Arc::default();
    let counting = || -> Faults {
        let pulls = Arc::clone(&pulls);
        Arc::new(move |when, call: &Call| {
            *pulls.lock().unwrap() += usize::from(call.name == "pull" && when == When::Before);
            Fate::Go
        })
    };
    rig.model.by_hand(|world| {
        let image = world.images.iter().find(|(_, image)| image.references.contains("db:1"));
        let (id, image) = image.map(|(id, image)| (id.clone(), image.clone())).unwrap();
        world.registry.insert("db:1".to_owned(), (id, image));
    });
    let report = pass(&rig, &daily(&rig, json!({})), Asker::Daemon, counting()).await;
    assert_eq!((report.outcome, *pulls.lock().unwrap()), (Some(Outcome::Succeeded), 1), "{report:?}");
    tokio::time::advance(Duration::from_secs(3600)).await;
    let report = pass(&rig, &daily(&rig, closed(&rig, "1h", true)), Asker::Daemon, counting()).await;
    assert_eq!((report.outcome, *pulls.lock().unwrap()), (Some(Outcome::Held), 1), "{report:?}");
    let report = pass(&rig, &daily(&rig, closed(&rig, "1h", true)), Asker::Person, counting()).await;
    assert_eq!((report.outcome, *pulls.lock().unwrap()), (Some(Outcome::Succeeded), 2), "{report:?}");
}
