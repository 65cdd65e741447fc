//! One pass at a time for each engine, environment and app.

use crate::kin::{Kin, app, environment, place, say};
use reconcile::record::{AppLock, RecordError, lock::Attempt};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::id};

const ENGINE: &str = "unix:///var/run/docker.sock";

fn attempt(directory: &Path) -> Attempt {
    AppLock::attempt(directory, ENGINE, &environment(), &app()).expect("an answer")
}

#[tokio::test]
async fn a_second_pass_waits_for_the_first_and_knows_who_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let Attempt::Acquired(first) = attempt(directory.path()) else { panic!("nobody holds it") };
    let Attempt::Busy(waiting) = attempt(directory.path()) else { panic!("it is held") };
    assert_eq!(waiting.holder(), Some(id()));
    let second = tokio::spawn(waiting.acquired());
    drop(first);
    let second = second.await.unwrap().unwrap();
    assert!(matches!(attempt(directory.path()), Attempt::Busy(_)));
    drop(second);
    assert!(matches!(attempt(directory.path()), Attempt::Acquired(_)));
}

#[tokio::test]
async fn locks_of_other_engines_environments_and_apps_are_free() {
    let directory = tempfile::tempdir().unwrap();
    let _held =
        AppLock::acquire(directory.path(), ENGINE, &"a-b".parse().unwrap(), &"c".parse().unwrap()).await.unwrap();
    let others = [(ENGINE, "a", "b-c"), ("unix:///run/podman/podman.sock", "a-b", "c"), (ENGINE, "a-b", "d")];
    for (engine, environment, app) in others {
        let attempt =
            AppLock::attempt(directory.path(), engine, &environment.parse().unwrap(), &app.parse().unwrap()).unwrap();
        assert!(matches!(attempt, Attempt::Acquired(_)), "{engine} {environment} {app}");
    }
}

#[tokio::test]
async fn leaving_the_queue_leaves_the_lock_to_others() {
    let directory = tempfile::tempdir().unwrap();
    let Attempt::Acquired(first) = attempt(directory.path()) else { panic!("nobody holds it") };
    let Attempt::Busy(waiting) = attempt(directory.path()) else { panic!("it is held") };
    let given_up = tokio::spawn(waiting.acquired());
    tokio::task::yield_now().await;
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    drop(first);
    AppLock::acquire(directory.path(), ENGINE, &environment(), &app()).await.unwrap();
}

#[test]
#[ignore = "a child of the test below"]
fn child_holds_a_lock() {
    let Some(place) = place() else { return };
    let Attempt::Acquired(_lock) = attempt(&place) else { panic!("nobody holds it") };
    say("held");
    std::thread::park();
}

#[tokio::test]
async fn the_lock_of_a_killed_process_is_free() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = Kin::start("locks::child_holds_a_lock", directory.path());
    assert_eq!(child.hear().as_deref(), Some("held"));
    let Attempt::Busy(waiting) = attempt(directory.path()) else { panic!("the child holds it") };
    assert_eq!(waiting.holder(), Some(child.id()));
    child.kill();
    waiting.acquired().await.unwrap();
}

#[tokio::test]
async fn a_runtime_ends_although_somebody_waits_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let Attempt::Acquired(_first) = attempt(directory.path()) else { panic!("nobody holds it") };
    let Attempt::Busy(waiting) = attempt(directory.path()) else { panic!("it is held") };
    // Were the wait a task of the runtime's own threads, this would never come back.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.spawn(waiting.acquired());
    })
    .join()
    .unwrap();
}

#[test]
fn a_directory_that_others_can_write_to_holds_no_locks() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("other"), "").unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = AppLock::attempt(directory.path(), ENGINE, &environment(), &app()).unwrap_err();
    assert!(matches!(error, RecordError::NotOurs { .. }), "{error}");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(attempt(directory.path()), Attempt::Acquired(_)), "reading is no harm");
}
