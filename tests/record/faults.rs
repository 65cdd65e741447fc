//! Kills, full disks, damage, haste and open umasks.

use crate::{
    kin::{Kin, app, close, environment, fresh, manifest, new, open, place, say, succeed, try_open},
    picture::{key, manual},
};
use reconcile::{
    blame::Blame,
    record::{AppLedger, Outcome, RecordError, StateDir},
};
use rustix::fs::Mode;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::{FileExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

/// Every path below a directory, with its mode.
fn tree(path: &Path) -> BTreeMap<PathBuf, u32> {
    let mut found = BTreeMap::from([(path.to_owned(), fs::symlink_metadata(path).unwrap().mode())]);
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| found.extend(tree(&entry.unwrap().path())));
    }
    found
}

#[test]
#[ignore = "a child of the tests below"]
fn child_records_for_ever() {
    let Some(place) = place() else { return };
    run(async {
        let state = StateDir::open(&place).await.unwrap();
        let recorded = state.ledger().app(&environment(), &app()).await.unwrap().entries.len();
        for n in recorded.. {
            let number = open(&state.ledger(), new(&format!("r{n}"))).await;
            say(&format!("opened {number} r{n}"));
            state.ledger().close(&environment(), &app(), number, close(Outcome::Succeeded, true, false)).await.unwrap();
            say(&format!("closed {number} r{n}"));
            state.ledger().retain(&environment(), &app(), 50).await.unwrap();
        }
    });
}

#[tokio::test]
async fn a_kill_at_any_moment_loses_nothing_that_was_said_and_leaves_nothing_by_halves() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    let mut said: BTreeMap<u32, String> = BTreeMap::new();
    for round in 0..12 {
        let mut child = Kin::start("faults::child_records_for_ever", &path);
        let mut closed = BTreeSet::new();
        // Another number of lines each time, and whatever the child is doing meanwhile is cut off.
        for _ in 0..=(round * 5 % 7) {
            let line = child.hear().expect("it goes on for ever");
            let words: Vec<&str> = line.split(' ').collect();
            let number = words[1].parse().unwrap();
            if words[0] == "closed" {
                closed.insert(number);
            }
            let before = said.insert(number, words[2].to_owned());
            assert!(before.is_none_or(|before| before == words[2]), "number {number} was used twice");
        }
        child.kill();

        let state = StateDir::open(&path).await.unwrap();
        let ledger = state.ledger().app(&environment(), &app()).await.unwrap();
        for (number, letter) in &said {
            let entry = ledger.entry(*number).expect("what was said is there");
            assert_eq!(entry.key, key(letter));
            assert!(!closed.contains(number) || entry.outcome == Some(Outcome::Succeeded));
        }
        for entry in &ledger.entries {
            let stored = state.ledger().stored_manifest(&environment(), &app(), entry.number).await.unwrap();
            assert_eq!(stored, manifest(&entry.key.manifest), "whole and unaltered");
        }
    }
    assert!(said.len() > 12, "{said:?}");
}

#[tokio::test]
async fn a_folder_that_a_kill_left_without_a_row_is_passed_over() {
    let (_directory, state) = fresh().await;
    succeed(&state.ledger(), new("a")).await;
    let folders = state.path().join("revisions/production/web");
    fs::create_dir_all(folders.join("2")).unwrap();
    fs::create_dir_all(folders.join(".unfinished/x")).unwrap();
    assert_eq!(open(&state.ledger(), new("b")).await, 3);
    assert!(!folders.join(".unfinished").exists(), "what was not finished is swept away");
    assert_eq!(state.ledger().app(&environment(), &app()).await.unwrap().entries.len(), 2);
    for letter in ["c", "d"] {
        succeed(&state.ledger(), new(letter)).await;
    }
    state.ledger().retain(&environment(), &app(), 2).await.unwrap();
    assert!(!folders.join("2").exists(), "it goes when it is old");
}

#[tokio::test]
async fn losing_the_database_loses_history_only_and_no_number_comes_twice() {
    let (_directory, state) = fresh().await;
    let path = state.path().to_owned();
    for letter in ["a", "b"] {
        succeed(&state.ledger(), new(letter)).await;
    }
    drop(state);
    fs::remove_file(path.join("state.db")).unwrap();
    let state = StateDir::open(&path).await.unwrap();
    assert_eq!(state.ledger().app(&environment(), &app()).await.unwrap(), AppLedger::default());
    assert_eq!(open(&state.ledger(), new("b")).await, 3);
    assert!(path.join("revisions/production/web/1/manifest.yaml").exists(), "for a look");
}

#[test]
#[ignore = "a child of the test below"]
fn child_fills_its_disk() {
    let Some(place) = place() else { return };
    run(async {
        let path = place.join("state");
        let state = StateDir::open(&path).await.unwrap();
        let ledger = state.ledger();
        succeed(&ledger, new("first")).await;
        let before = ledger.app(&environment(), &app()).await.unwrap();
        let ballast = place.join("ballast");
        let mut kept = before.entries.len();
        // Full in every way: from no room at all to room for all files but not the row.
        for room in (0..40).map(|pages| pages * 4096) {
            fs::write(&ballast, "").unwrap();
            let file = fs::OpenOptions::new().write(true).open(&ballast).unwrap();
            let mut size = 0;
            while file.write_at(&[0; 4096], size).is_ok_and(|written| written == 4096) {
                size += 4096;
            }
            file.set_len(size.saturating_sub(room)).unwrap();
            let letter = format!("r{room}");
            match try_open(&ledger, new(&letter)).await {
                Ok(_) => kept += 1,
                Err(error) => {
                    assert_eq!(error.blame(), Blame::World);
                    assert!(error.hint().unwrap_or_default().starts_with("make room on the disk of `"), "{error:?}");
                    say(&format!("full {room}"));
                }
            }
            let now = ledger.app(&environment(), &app()).await.unwrap();
            assert_eq!(now.entries.len(), kept, "what failed left no row");
            assert_eq!(now.entries[0], before.entries[0]);
        }
        fs::remove_file(&ballast).unwrap();
        succeed(&ledger, new("last")).await;
        drop((ledger, state));
        let state = StateDir::open(&path).await.unwrap();
        for entry in state.ledger().app(&environment(), &app()).await.unwrap().entries {
            state.ledger().stored_manifest(&environment(), &app(), entry.number).await.unwrap();
        }
        assert!(tree(&path).keys().all(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.')));
        say("done");
    });
}

#[test]
fn a_full_disk_is_told_and_gone_on_from_when_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    // A mount namespace of its own: the small disk is gone with the child.
    let script = "mount -t tmpfs -o size=2m tmpfs \"$RECORD_TEST_PLACE\" && exec \"$@\"";
    let wrapper = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"];
    let mut child = Kin::start_in(&wrapper, "faults::child_fills_its_disk", directory.path());
    let mut heard = Vec::new();
    while let Some(said) = child.hear() {
        heard.push(said);
    }
    assert!(child.passed());
    assert_eq!(heard.last().map(String::as_str), Some("done"));
    assert!(heard.len() > 3, "the disk was full several times: {heard:?}");
}

#[tokio::test]
async fn a_database_that_is_none_is_told_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(path.join("state.db"), "this is no database, however long it goes on ".repeat(100)).unwrap();
    for opened in [StateDir::open(&path).await, StateDir::look(&path).await] {
        let Err(error) = opened else { panic!("it is no database") };
        assert!(matches!(error, RecordError::Corrupt { .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!("`{}/state.db` is damaged, or is no database of reconcile", path.display())
        );
        assert!(error.hint().unwrap().contains("what runs is left as it is"));
    }
    let lost = StateDir::lost(&path).await.unwrap();
    assert_eq!(
        lost.ledger().app(&environment(), &app()).await.unwrap(),
        AppLedger::default(),
        "the host can be planned from"
    );
    assert!(matches!(try_open(&lost.ledger(), new("a")).await, Err(RecordError::ReadOnly { .. })));
}

#[tokio::test]
async fn damage_inside_the_database_is_told_when_it_is_met() {
    let (_directory, state) = fresh().await;
    let path = state.path().to_owned();
    for n in 0..30 {
        succeed(&state.ledger(), new(&format!("r{n}"))).await;
    }
    drop(state);
    let file = fs::OpenOptions::new().write(true).open(path.join("state.db")).unwrap();
    let length = file.metadata().unwrap().len();
    for page in 2..length / 4096 {
        file.write_all_at(&[0xA5; 4096], page * 4096).unwrap();
    }
    drop(file);
    let error = match StateDir::open(&path).await {
        Ok(state) => state.ledger().app(&environment(), &app()).await.unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(error, RecordError::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn a_database_of_a_newer_release_is_read_and_not_written() {
    let (_directory, state) = fresh().await;
    let path = state.path().to_owned();
    succeed(&state.ledger(), new("a")).await;
    drop(state);
    let database = rusqlite::Connection::open(path.join("state.db")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let state = StateDir::open(&path).await.unwrap();
    assert_eq!(state.ledger().app(&environment(), &app()).await.unwrap().entries.len(), 1);
    assert_eq!(state.ledger().stored_manifest(&environment(), &app(), 1).await.unwrap(), manifest("a"));
    let error = try_open(&state.ledger(), new("b")).await.unwrap_err();
    assert!(error.to_string().contains("was written by a newer release (version 99, this one knows 3)"), "{error}");
    assert!(!path.join("revisions/production/web/2").exists());
}

#[tokio::test]
async fn a_look_makes_nothing_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    let looked = StateDir::look(&path).await.unwrap();
    assert_eq!(looked.ledger().app(&environment(), &app()).await.unwrap(), AppLedger::default());
    let error = looked.ledger().hold(&environment(), &app(), manual(1)).await.unwrap_err();
    assert!(matches!(error, RecordError::ReadOnly { .. }), "{error}");
    drop(looked);
    assert!(!path.exists());

    let state = StateDir::open(&path).await.unwrap();
    succeed(&state.ledger(), new("a")).await;
    drop(state);
    let (before, bytes) = (tree(&path), fs::read(path.join("state.db")).unwrap());
    let looked = StateDir::look(&path).await.unwrap();
    assert_eq!(looked.ledger().app(&environment(), &app()).await.unwrap().entries.len(), 1);
    assert!(try_open(&looked.ledger(), new("b")).await.is_err());
    drop(looked);
    assert_eq!(tree(&path), before);
    assert_eq!(fs::read(path.join("state.db")).unwrap(), bytes);
}

#[tokio::test]
async fn a_look_beside_a_writer_sees_what_was_committed() {
    let (_directory, state) = fresh().await;
    let looked = StateDir::look(state.path()).await.unwrap();
    succeed(&state.ledger(), new("a")).await;
    assert_eq!(looked.ledger().app(&environment(), &app()).await.unwrap().entries.len(), 1);
}

#[test]
#[ignore = "a child of the test below"]
fn child_records_its_own_revisions() {
    let Some(place) = place() else { return };
    run(async {
        let state = StateDir::open(&place).await.unwrap();
        for n in 0..10 {
            let letter = format!("p{}-{n}", std::process::id());
            say(&succeed(&state.ledger(), new(&letter)).await.to_string());
        }
    });
}

#[tokio::test]
async fn processes_that_begin_at_once_share_one_ledger() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    let mut children: Vec<Kin> = (0..4).map(|_| Kin::start("faults::child_records_its_own_revisions", &path)).collect();
    let mut numbers = BTreeSet::new();
    for child in &mut children {
        while let Some(number) = child.hear() {
            assert!(numbers.insert(number.parse::<u32>().unwrap()), "{number} was given twice");
        }
    }
    assert!(children.into_iter().all(Kin::passed));
    assert_eq!(numbers, (1..=40).collect());
}

#[test]
#[ignore = "a child of the test below"]
fn child_records_under_an_open_umask() {
    let Some(place) = place() else { return };
    rustix::process::umask(Mode::empty());
    run(async {
        let state = StateDir::open(&place.join("var/state")).await.unwrap();
        succeed(&state.ledger(), new("a")).await;
        // While it is open, as the log and its index are gone afterwards.
        let modes = tree(&place.join("var"));
        assert!(modes.keys().any(|path| path.ends_with("state.db-wal")), "{modes:?}");
        assert!(modes.keys().any(|path| path.ends_with("outcome-1.json")), "{modes:?}");
        for (path, mode) in modes {
            let expected = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode & 0o7777, expected, "{}", path.display());
        }
        say("private");
    });
}

#[test]
fn everything_is_private_under_any_umask() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = Kin::start("faults::child_records_under_an_open_umask", directory.path());
    assert_eq!(child.hear().as_deref(), Some("private"));
    assert!(child.passed());
}

#[tokio::test]
async fn an_open_directory_of_ours_is_closed_and_one_of_others_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let ours = directory.path().join("ours");
    drop(StateDir::open(&ours).await.unwrap());
    fs::set_permissions(&ours, fs::Permissions::from_mode(0o755)).unwrap();
    drop(StateDir::open(&ours).await.unwrap());
    assert_eq!(fs::metadata(&ours).unwrap().mode() & 0o7777, 0o700);

    let shared = directory.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::write(shared.join("diary"), "").unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777)).unwrap();
    let Err(error) = StateDir::open(&shared).await else { panic!("it is not ours") };
    assert_eq!(
        error.to_string(),
        format!(
            "`{}` is not taken as a directory of reconcile: it is open to others and there are other things in it",
            shared.display()
        )
    );
    assert_eq!(fs::metadata(&shared).unwrap().mode() & 0o7777, 0o1777);
    assert_eq!(tree(&shared).len(), 2, "nothing was put into it");
}

#[tokio::test]
async fn the_database_of_an_earlier_release_is_looked_at_as_it_is_and_brought_up_to_date_by_a_writer() {
    let (_directory, state) = fresh().await;
    let path = state.path().to_owned();
    succeed(&state.ledger(), new("a")).await;
    drop(state);
    let database = rusqlite::Connection::open(path.join("state.db")).unwrap();
    database
        .execute_batch("DROP TABLE accepted; DROP TABLE retry; DROP TABLE stopped; PRAGMA user_version = 1")
        .unwrap();
    drop(database);
    let looked = StateDir::look(&path).await.unwrap();
    assert_eq!(looked.ledger().applied(&environment(), &app(), "engine 1").await.unwrap().number, Some(1));
    drop(looked);
    let ledger = StateDir::open(&path).await.unwrap().ledger();
    ledger.will_stop(&environment(), &app(), "abc", None).await.unwrap();
    let stopped = ledger.applied(&environment(), &app(), "engine 1").await.unwrap().stopped;
    assert_eq!(stopped.into_iter().collect::<Vec<_>>(), [("abc".to_owned(), None)]);
}
