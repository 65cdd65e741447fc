//! What was accepted, and `accept-rewind`: the ledger and the real binary.

use crate::{
    run::{Run, host_file},
    sshd::Sshd,
};
use reconcile::record::{Accepted, Followed, StateDir};
use std::{os::unix::fs::PermissionsExt, path::Path};

fn followed(sshd: &Sshd, environment: &str) -> Followed {
    Followed { source: sshd.url(), reference: "main".to_owned(), environment: environment.parse().unwrap() }
}

async fn accepted(sshd: &Sshd, environment: &str) -> Option<String> {
    let ledger = StateDir::look(&sshd.state()).await.unwrap().ledger();
    ledger.accepted(&followed(sshd, environment)).await.unwrap().map(|accepted| accepted.commit)
}

fn accepting(commit: &str) -> Accepted {
    Accepted { commit: commit.to_owned(), at: jiff::Timestamp::now(), by: None }
}

#[tokio::test]
async fn the_ledger_keeps_what_was_accepted_for_each_source_branch_and_environment() {
    let folder = tempfile::tempdir().unwrap();
    let path: &Path = folder.path();
    let of = |source: &str, reference: &str, environment: &str| Followed {
        source: source.to_owned(),
        reference: reference.to_owned(),
        environment: environment.parse().unwrap(),
    };
    let all = [of("a", "main", "one"), of("b", "main", "one"), of("a", "next", "one"), of("a", "main", "two")];
    let ledger = StateDir::open(path).await.unwrap().ledger();
    for (number, followed) in all.iter().enumerate() {
        assert_eq!(ledger.accepted(followed).await.unwrap(), None);
        ledger.accept(followed, accepting(&number.to_string())).await.unwrap();
    }
    ledger.accept(&all[0], accepting("again")).await.unwrap();
    drop(ledger);
    let ledger = StateDir::look(path).await.unwrap().ledger();
    let mut found = Vec::new();
    for followed in &all {
        found.push(ledger.accepted(followed).await.unwrap().unwrap().commit);
    }
    assert_eq!(found, ["again", "1", "2", "3"]);
}

#[tokio::test]
async fn accept_rewind_wants_the_commit_that_the_branch_is_at() {
    let sshd = Sshd::start();
    let run = Run::of(&sshd);
    let first = sshd.bare.git(&["rev-parse", "HEAD"]);
    let second = sshd.bare.push("second");
    let ran = run.run(&["accept-rewind", &first]).is(1);
    ran.complains(&format!("`{first}` is not what `main` is at: {second}"));
    ran.complains(&format!("reconcile accept-rewind {second}"));
    assert_eq!(accepted(&sshd, "production").await, None, "something was accepted");
    for wrong in ["main", "123456", "0123456789abcdef0123456789abcdef012345678", "zzzzzzz"] {
        run.run(&["accept-rewind", wrong]).is(1).complains("write 7 to 40 hex digits");
    }
    run.run(&["accept-rewind", "0000000"]).is(1).complains("is not what `main` is at");
}

#[tokio::test]
async fn the_ledger_begins_where_a_mirror_was_made_first() {
    let sshd = Sshd::start();
    let run = Run::of(&sshd);
    // As systemd makes one.
    std::fs::create_dir(sshd.state()).unwrap();
    std::fs::set_permissions(sshd.state(), std::fs::Permissions::from_mode(0o755)).unwrap();
    run.reads().is(0);
    run.run(&["accept-rewind", &sshd.bare.git(&["rev-parse", "HEAD"])]).is(0);
    assert!(accepted(&sshd, "production").await.is_some());
}

#[tokio::test]
async fn accept_rewind_is_recorded_for_the_environments_of_the_run() {
    let sshd = Sshd::start();
    let run = Run::in_folder(&sshd.path(""), &format!("{}environments: [production, staging]\n", host_file(&sshd, "")));
    let second = sshd.bare.push("second");
    run.run(&["accept-rewind", &second[..7], "--environment", "staging"]).is(0).complains("staging follows main@sha1:");
    assert_eq!((accepted(&sshd, "production").await, accepted(&sshd, "staging").await), (None, Some(second.clone())));
    sshd.bare.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "another second"]);
    let third = sshd.bare.push("third");
    let ran = run.run(&["accept-rewind", &third.to_uppercase()]).is(0);
    ran.complains(&format!("staging follows main@sha1:{third} in place of {second}, from the next pass on"));
    ran.complains(&format!("production follows main@sha1:{third}, from the next pass on"));
    assert_eq!(accepted(&sshd, "production").await, Some(third.clone()));
    assert_eq!(accepted(&sshd, "staging").await, Some(third));
}
