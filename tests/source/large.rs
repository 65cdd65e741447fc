//! Much of it: printed, not judged by the clock of a machine that others use too.

use crate::{
    bare::git,
    sshd::{Sshd, said},
};
use std::{
    fmt::Write as _,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

fn fast_import(bare: &Path, stream: &str) {
    let mut child = Command::new("git")
        .current_dir(bare)
        .args(["fast-import", "--quiet", "--force"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

fn commit(stream: &mut String, number: usize) {
    let message = format!("commit {number}");
    let _ =
        writeln!(stream, "commit refs/heads/main\ncommitter Ann <ann@example.com> {} +0000", 1_700_000_000 + number);
    let _ = writeln!(stream, "data {}\n{message}", message.len());
}

fn file(stream: &mut String, path: &str, text: &str) {
    let _ = writeln!(stream, "M 100644 inline {path}\ndata {}\n{text}", text.len());
}

#[test]
fn ten_thousand_files_are_fetched() {
    let sshd = Sshd::start();
    let mut stream = String::new();
    commit(&mut stream, 0);
    file(&mut stream, "environments/production/web.yaml", "services: {}\n");
    for number in 0..10_000 {
        file(&mut stream, &format!("site/{}/{number}.txt", number % 100), &format!("file {number}\n"));
    }
    fast_import(&sshd.bare.path(), &stream);
    let begun = Instant::now();
    let (repository, commit) = sshd.fetch(Some("main")).unwrap();
    eprintln!("10,000 files: fetched in {:?}", begun.elapsed());
    let begun = Instant::now();
    assert_eq!(repository.files(&commit, "environments").unwrap().len(), 1);
    eprintln!("10,000 files: the manifests read in {:?}", begun.elapsed());
    let begun = Instant::now();
    sshd.id(Some("main"));
    eprintln!("10,000 files: looked again in {:?}", begun.elapsed());
}

#[test]
fn more_than_a_repository_of_manifests_has_is_not_taken() {
    let sshd = Sshd::start();
    let first = sshd.id(Some("main"));
    // Random digits do not become shorter.
    let noise: String = (0..200_000).map(|_| fastrand::alphanumeric()).collect();
    sshd.bare.put("noise", &noise);
    let second = sshd.bare.push("noise");
    let mut access = sshd.access();
    access.patience.bytes = 10_000;
    let error = crate::sshd::remote(&sshd.url(), access, &sshd.state()).fetch(Some("main")).err().unwrap();
    assert!(said(&error).contains("has more than 10000 bytes to fetch"), "{}", said(&error));
    assert!(!error.is_away() && !error.is_absent_branch());
    assert_eq!(sshd.remote().last(Some("main")).unwrap().1.id, first);
    assert_eq!(sshd.id(Some("main")), second);
}

#[test]
fn ten_thousand_commits_are_fetched() {
    let sshd = Sshd::start();
    let mut stream = String::new();
    for number in 0..10_000 {
        commit(&mut stream, number);
        file(
            &mut stream,
            "environments/production/web.yaml",
            &format!("services: {{web: {{image: \"app:{number}\"}}}}\n"),
        );
    }
    fast_import(&sshd.bare.path(), &stream);
    assert_eq!(git(&sshd.bare.path(), &["rev-list", "--count", "main"]), "10000");
    let begun = Instant::now();
    let (repository, tip) = sshd.fetch(Some("main")).unwrap();
    eprintln!("10,000 commits: fetched in {:?}", begun.elapsed());
    let (_, first) = sshd.remote().last(Some("main~9999")).unwrap();
    assert_eq!(first.subject, "commit 0");
    let rules = reconcile::source::trust::Rules { forward_only: true, ..Default::default() };
    let begun = Instant::now();
    reconcile::source::trust::judge(&repository, &tip, Some(&first.id), &rules).unwrap();
    eprintln!("10,000 commits: seen to come after the first in {:?}", begun.elapsed());
    sshd.bare.git(&["fetch", "-q"]);
    sshd.bare.git(&["reset", "-q", "--hard", "origin/main"]);
    sshd.bare.push("one more");
    let begun = Instant::now();
    sshd.id(Some("main"));
    eprintln!("10,000 commits: one more fetched in {:?}", begun.elapsed());
}
