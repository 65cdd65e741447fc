//! Rollouts that wait for a copy: killed anywhere, refused a copy, tried again, gone back from.

use crate::rig::{Rig, Watch, app, manifest};
use reconcile::{
    backup::{Copy, Of, Place},
    blame::Blame,
    desired::Desired,
    engine::{
        EngineError,
        model::{Call, Fate, Faults, Script, When, faults},
    },
    observed::Life,
    plan::{Action, Resource},
    record::{Hold, HoldUntil, Outcome},
    show::report::AppReport,
};
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::{Notify, watch};

/// The app of two services, of which a command's output is copied; the command is the version's own.
fn copied(version: u8) -> Desired {
    let mut manifest = manifest(version);
    manifest["backup"] = json!({
        "compression": "none",
        "items": [{"name": "out", "type": "exec", "service": "db", "command": ["dump", version.to_string()]}],
    });
    app(&manifest)
}

/// The copies that are there, oldest first, each with what it is of and before which revision it was taken.
fn copies(rig: &Rig) -> Vec<(String, Option<u32>)> {
    let place = rig.place();
    let of = Of { environment: "test".parse().unwrap(), app: "app".parse().unwrap(), item: "out".parse().unwrap() };
    let mut found = place.copies(&of).unwrap();
    assert!(found.faults.is_empty(), "{:?}", found.faults);
    found.copies.reverse();
    let told = |copy: &Copy| (std::fs::read_to_string(place.path(copy)).unwrap(), copy.before_revision);
    found.copies.iter().filter(|copy| copy.is_good()).map(told).collect()
}

fn dumped(version: u8, before: u32) -> (String, Option<u32>) {
    (format!("what `dump {version}` writes\n"), Some(before))
}

fn is_copy(call: &Call) -> bool {
    call.name == "flow_inside"
}

/// Whoever copies is told that the disk of the engine is gone.
fn no_copy() -> Faults {
    Arc::new(|when, call: &Call| match (is_copy(call), when) {
        (true, When::Before) => Fate::Fail(EngineError::Refused {
            doing: "exec".to_owned(),
            status: 500,
            message: "no space left on device".to_owned(),
        }),
        _ => Fate::Go,
    })
}

async fn first(rig: &Rig, watch: &Watch) {
    let report = rig.pass(&copied(1), watch.faults()).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
    assert_eq!(copies(rig), [], "there was nothing to copy");
}

/// A pass that is killed at the `nth` call that changes something or copies, on one side of it. Nothing is stopped and
/// nothing is started before there is a copy.
async fn killed(rig: &Rig, desired: &Desired, nth: usize, side: When, watch: &Watch) -> bool {
    let (dead, count) = (Arc::new(Notify::new()), Arc::new(Mutex::new(0_usize)));
    let (seen, signal, place) = (watch.clone(), Arc::clone(&dead), rig.copies());
    let faults: Faults = Arc::new(move |when, call: &Call| {
        seen.look(when, call);
        if ["stop", "start", "create"].contains(&call.name) {
            let folder = place.join("test/app/out");
            let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
            let whole = names.filter(|name| name.to_string_lossy().ends_with(".json")).count();
            assert_eq!(whole, 1, "{call:?} with {whole} copies");
        }
        let mut count = count.lock().unwrap();
        if (call.effect || is_copy(call)) && when == side {
            *count += 1;
            if *count == nth {
                signal.notify_one();
            }
        }
        if *count >= nth { Fate::Hang } else { Fate::Go }
    });
    tokio::select! {
        biased;
        () = dead.notified() => true,
        _ = rig.try_pass(desired, faults) => false,
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollout_killed_anywhere_has_one_copy_and_it_is_of_what_ran_before() {
    let desired = copied(2);
    for side in [When::Before, When::After] {
        for nth in 1.. {
            let rig = Rig::new();
            let watch = Watch::on(&rig);
            first(&rig, &watch).await;
            let told = format!("killed {side:?} effect {nth}");
            let killed = killed(&rig, &desired, nth, side, &watch).await;
            let report = rig.pass(&desired, watch.faults()).await;
            assert_eq!(report.outcome, Some(Outcome::Succeeded), "{told}: {report:?}");
            assert_eq!(copies(&rig), [dumped(1, 2)], "{told}");
            rig.assert_converged(&desired, &told).await;
            assert_eq!(copies(&rig), [dumped(1, 2)], "{told}: copied again for nothing");
            if !killed {
                assert!(nth > 6, "hardly anything was done");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_copy_nothing_is_touched() {
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    first(&rig, &watch).await;
    let before = rig.model.by_hand(|world| world.clone());
    for _ in 0..3 {
        let report = rig.pass(&copied(2), no_copy()).await;
        assert_eq!(report.outcome, Some(Outcome::Blocked), "{report:?}");
        assert!(matches!(&report.changes[0].resource, Resource::Backup(item) if item.as_str() == "out"), "{report:?}");
        assert_eq!(report.changes[0].action, Action::Run);
        let error = report.error.unwrap();
        assert_eq!(error.blame, Blame::World);
        assert!(
            error.summary.starts_with("there is no verified copy of `out`, and without one nothing is changed: "),
            "{error:?}"
        );
        assert!(error.summary.contains("no space left on device"), "{error:?}");
        assert!(error.hint.as_ref().unwrap().contains("before_deploy: never"), "{error:?}");
        let after = rig.model.by_hand(|world| world.clone());
        assert_eq!((&after.containers, &after.networks), (&before.containers, &before.networks));
    }
    let report = rig.pass(&copied(2), watch.faults()).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
    assert_eq!(copies(&rig), [dumped(1, 2)]);
}

/// All that lies where copies are made, verified or not.
fn everything(rig: &Rig) -> usize {
    let names = std::fs::read_dir(rig.copies().join("test/app/out")).unwrap();
    names.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|it| it == "json")).count()
}

#[tokio::test(start_paused = true)]
async fn a_suspect_copy_lets_nothing_be_rolled_out_and_is_not_kept_again_and_again() {
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    let writes = |version: u8, command: &str| {
        let mut manifest = copied(version).manifest;
        manifest["backup"]["items"][0]["command"] = json!([command]);
        app(&manifest)
    };
    rig.pass(&writes(1, &"much".repeat(100)), watch.faults()).await;
    rig.pass(&writes(2, "little"), watch.faults()).await;
    assert_eq!(everything(&rig), 1);
    for _ in 0..3 {
        let report = rig.pass(&copied(3), watch.faults()).await;
        assert_eq!(report.outcome, Some(Outcome::Blocked), "{report:?}");
        assert!(report.error.unwrap().summary.contains("is suspect: 21 bytes, and the one before had 415"));
        assert_eq!((copies(&rig).len(), everything(&rig)), (1, 2));
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_asks_for_none_gets_out_of_a_copy_that_cannot_be_made() {
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    first(&rig, &watch).await;
    assert_eq!(rig.pass(&copied(2), no_copy()).await.outcome, Some(Outcome::Blocked));
    let mut without = copied(3).manifest;
    without["backup"]["before_deploy"] = json!("never");
    let (looks, refuses) = (watch.faults(), no_copy());
    let both: Faults = Arc::new(move |when, call: &Call| {
        looks(when, call);
        refuses(when, call)
    });
    let report = rig.pass(&app(&without), both).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_holds_up_no_rollout_that_brings_it_up() {
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    first(&rig, &watch).await;
    let name = copied(1).services["db"].container_name.clone();
    rig.model.by_hand(|world| {
        let it = world.containers.values_mut().find(|it| it.name == name).unwrap();
        (it.life, it.exit_code) = (Life::Exited(1), Some(1));
    });
    let report = rig.pass(&copied(2), watch.faults()).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
    assert_eq!(copies(&rig), []);
}

#[tokio::test(start_paused = true)]
async fn drift_is_put_right_without_a_copy() {
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    first(&rig, &watch).await;
    rig.model.by_hand(|world| world.containers.retain(|_, it| !it.name.contains("web")));
    let report = rig.pass(&copied(1), watch.faults()).await;
    assert_eq!((report.outcome, report.changes.len()), (Some(Outcome::Succeeded), 1), "{report:?}");
    let apps = [copied(1)];
    let replaced = rig.run(&apps, watch.faults(), |wish| {
        wish.replace = vec![("app".parse().unwrap(), None)];
    });
    assert_eq!(replaced.await["app"].outcome, Some(Outcome::Succeeded));
    assert_eq!(copies(&rig), []);
}

/// What the rollout is refused after its copy was made.
fn no_container(watch: &Watch) -> Faults {
    let looks = watch.faults();
    Arc::new(move |when, call: &Call| {
        looks(when, call);
        match (call.name, when) {
            ("create", When::Before) => Fate::Fail(EngineError::Late { doing: "create".to_owned(), seconds: 60 }),
            _ => Fate::Go,
        }
    })
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_made_again_soon_takes_no_further_copy_and_a_late_one_does() {
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    first(&rig, &watch).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    for _ in 0..3 {
        let report = rig.pass(&copied(2), no_container(&watch)).await;
        assert_eq!(report.outcome, Some(Outcome::Blocked), "{report:?}");
        assert_eq!(copies(&rig), [dumped(1, 2)]);
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let report = rig.pass(&copied(2), watch.faults()).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
    assert_eq!(copies(&rig), [dumped(1, 2), dumped(1, 2)]);
}

fn hold(revision: u32) -> Hold {
    Hold {
        revision: Some(revision),
        by: "somebody".to_owned(),
        reason: "not today".to_owned(),
        until: HoldUntil::Resume,
        at: jiff::Timestamp::UNIX_EPOCH,
    }
}

async fn back(rig: &Rig, desired: &Desired, watch: &Watch) -> AppReport {
    rig.ledger().await.hold(&desired.environment, &desired.app, hold(1)).await.unwrap();
    rig.pass(desired, watch.faults()).await
}

#[tokio::test(start_paused = true)]
async fn a_rollback_takes_a_copy_too_and_tells_which_is_of_the_revision_it_goes_back_to() {
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    first(&rig, &watch).await;
    rig.pass(&copied(2), watch.faults()).await;
    let report = back(&rig, &copied(2), &watch).await;
    assert_eq!(report.held.as_ref().and_then(|held| held.revision), Some(1), "{report:?}");
    assert_eq!(copies(&rig), [dumped(1, 2), dumped(2, 3)]);
    let [left] = &report.left[..] else { panic!("{report:?}") };
    assert_eq!((left.item.as_str(), left.before_revision), ("out", 2));
    assert_eq!(left.restore, format!("reconcile restore app out {}", left.id));
    assert!(report.notes.iter().any(|note| note.contains(&left.restore)), "{:?}", report.notes);
    // Held, it is told no more.
    let report = rig.pass(&copied(2), watch.faults()).await;
    assert!(report.left.is_empty() && report.changes.is_empty(), "{report:?}");
    assert_eq!(copies(&rig).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_gone_back_from_at_once() {
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    first(&rig, &watch).await;
    rig.model.by_hand(|world| world.add_image("db:2", Script::never_healthy()));
    let report = rig.pass(&copied(2), watch.faults()).await;
    assert_eq!(report.outcome, Some(Outcome::RolledBack), "{report:?}");
    // What there was before the rollout that failed.
    assert_eq!(copies(&rig), [dumped(1, 2)]);
    assert_eq!(report.left.first().map(|left| left.before_revision), Some(2), "{report:?}");
    // The next one is another rollout.
    let report = rig.pass(&copied(3), watch.faults()).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
    assert_eq!(copies(&rig), [dumped(1, 2), dumped(1, 4)]);
}

/// In real time: who waits for ever is found out.
#[tokio::test]
async fn a_pass_that_is_asked_to_end_gives_up_a_copy_that_hangs() {
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    first(&rig, &watch).await;
    let (end, ending) = watch::channel(false);
    let hangs: Faults = Arc::new(move |_, call: &Call| match is_copy(call) {
        true => {
            end.send_replace(true);
            Fate::Hang
        }
        false => Fate::Go,
    });
    let second = copied(2);
    let pass = rig.pass_ending(&second, hangs, ending);
    let report = tokio::time::timeout(Duration::from_secs(30), pass).await.expect("it ends");
    assert_eq!(report.outcome, Some(Outcome::Blocked), "{report:?}");
    assert!(report.error.unwrap().summary.contains("ended by a signal"));
    let report = rig.pass(&copied(2), watch.faults()).await;
    assert_eq!((report.outcome, copies(&rig)), (Some(Outcome::Succeeded), vec![dumped(1, 2)]));
    assert!(rig.pass(&copied(2), faults::none()).await.changes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_rollout_waits_for_the_copy_at_its_first_place_and_the_others_get_it_afterwards() {
    let in_both = |version: u8| {
        let mut desired = copied(version);
        desired.backup.as_mut().unwrap().repositories.push("usb".parse().unwrap());
        desired
    };
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    assert_eq!(rig.pass(&in_both(1), watch.faults()).await.outcome, Some(Outcome::Succeeded));
    let of = Of { environment: "test".parse().unwrap(), app: "app".parse().unwrap(), item: "out".parse().unwrap() };
    let elsewhere = |rig: &Rig| rig.usb().copies(&of).unwrap().copies;
    // When the first container is stopped, it is at the first place alone.
    let early = Arc::new(Mutex::new(Vec::new()));
    let (seen, usb, looks, other) = (Arc::clone(&early), rig.usb(), watch.clone(), of.clone());
    let faults: Faults = Arc::new(move |when, call: &Call| {
        looks.look(when, call);
        if (call.name, when) == ("stop", When::Before) {
            seen.lock().unwrap().push(usb.copies(&other).unwrap().copies.len());
        }
        Fate::Go
    });
    let report = rig.pass(&in_both(2), faults).await;
    assert_eq!((report.outcome, report.notes.as_slice()), (Some(Outcome::Succeeded), &[][..]), "{report:?}");
    assert_eq!(early.lock().unwrap().first(), Some(&0));
    assert_eq!((copies(&rig).len(), elsewhere(&rig)), (1, rig.place().copies(&of).unwrap().copies));
    assert_eq!(rig.depot().remembered.failures.all(), []);

    // A place that is away blocks no rollout; it is told, and stays told.
    std::fs::remove_dir_all(&rig.usb().root).unwrap();
    std::fs::write(&rig.usb().root, "no folder").unwrap();
    let report = rig.pass(&in_both(3), watch.faults()).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
    assert!(report.notes[0].starts_with("copies are not everywhere that they are to be: "), "{:?}", report.notes);
    let noted = rig.depot().remembered.failures.last(&of).unwrap();
    assert_eq!(noted.behind.as_ref().map(ToString::to_string).as_deref(), Some("usb"));
}
