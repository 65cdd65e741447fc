//! What a branch does while nobody looks, and while somebody does.

use crate::{
    bare::{git, public},
    sshd::{Sshd, remote, said},
};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

/// Every file of a folder with the time of its last change.
fn files(folder: &Path) -> Vec<(PathBuf, SystemTime)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let what = entry.metadata().unwrap();
            if what.is_dir() {
                folders.push(entry.path())
            } else {
                found.push((entry.path(), what.modified().unwrap()))
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_branch_that_did_not_move_is_not_fetched_again() {
    let sshd = Sshd::start();
    let first = sshd.id(Some("main"));
    // A server that gives nothing out any more, and still tells its references.
    sshd.git_config("[uploadpack]\n\tpackObjectsHook = /bin/false\n");
    let before = files(&sshd.state().join("mirror.git/objects"));
    assert_eq!(sshd.id(Some("main")), first);
    assert_eq!(files(&sshd.state().join("mirror.git/objects")), before);
    sshd.bare.push("second");
    assert!(sshd.refusal().is_away(), "the second commit came from nowhere");
    sshd.git_config("");
    assert_eq!(sshd.id(Some("main")), sshd.bare.git(&["rev-parse", "HEAD"]));
}

#[test]
fn a_force_push_is_followed_by_the_mirror() {
    let sshd = Sshd::start();
    let first = sshd.id(Some("main"));
    sshd.bare.push("second");
    let second = sshd.id(Some("main"));
    sshd.bare.git(&["reset", "-q", "--hard", &first]);
    let other = sshd.bare.push("another second");
    assert_eq!(sshd.id(Some("main")), other);
    assert_ne!(other, second);
}

#[test]
fn a_deleted_branch_is_told_apart_from_a_server_that_is_away() {
    let sshd = Sshd::start();
    let first = sshd.id(Some("main"));
    git(&sshd.bare.path(), &["update-ref", "-d", "refs/heads/main"]);
    git(&sshd.bare.path(), &["update-ref", "refs/heads/other", &first]);
    git(&sshd.bare.path(), &["update-ref", "refs/tags/main", &first]);
    let error = sshd.refusal();
    assert!(error.is_absent_branch() && !error.is_away(), "{}", said(&error));
    assert!(said(&error).contains("has no branch and no tag `main`"), "{}", said(&error));
    git(&sshd.bare.path(), &["update-ref", "-d", "refs/heads/other"]);
    let error = sshd.fetch(None).err().unwrap();
    assert!(error.is_absent_branch(), "{}", said(&error));
    assert_eq!(sshd.remote().last(Some("main")).unwrap().1.id, first, "for a look it is still known");
}

#[test]
fn a_branch_is_found_by_its_exact_name_and_before_a_tag() {
    let sshd = Sshd::start();
    let first = sshd.bare.git(&["rev-parse", "HEAD"]);
    sshd.bare.git(&["tag", "main"]);
    sshd.bare.git(&["tag", "-a", "v1", "-m", "tagged"]);
    sshd.bare.git(&[
        "push",
        "-q",
        "origin",
        "refs/tags/main",
        "v1",
        "HEAD:refs/heads/team/main",
        "HEAD:refs/heads/main2",
    ]);
    let second = sshd.bare.push_branch("second");
    for (reference, id, shown) in [
        (Some("main"), &second, "main"),
        (Some("refs/heads/main"), &second, "main"),
        (Some("refs/tags/main"), &first, "main"),
        (Some("v1"), &first, "v1"),
        (Some("team/main"), &first, "team/main"),
        (Some("main~1"), &first, "main~1"),
        (Some("HEAD~1"), &first, "HEAD~1"),
        (Some(&first[..9]), &first, &first[..9]),
        (None, &second, "main"),
    ] {
        let (_, commit) = sshd.fetch(reference).unwrap_or_else(|error| panic!("{reference:?}: {}", said(&error)));
        assert_eq!((&commit.id, commit.reference.as_str()), (id, shown), "{reference:?}");
        assert_eq!(&sshd.remote().last(reference).unwrap().1, &commit, "{reference:?}");
    }
    for absent in ["mai", "team", "refs/heads/team", "HEAD~7", "0123456"] {
        assert!(sshd.fetch(Some(absent)).err().expect(absent).is_absent_branch(), "{absent}");
    }
}

#[test]
fn references_of_another_repository_in_the_same_mirror_are_never_taken() {
    let (one, two) = (Sshd::start(), Sshd::start());
    two.bare.push("of the other one");
    let in_one_state = remote(&two.url(), two.access(), &one.state());
    let (first, second) = (one.id(Some("main")), in_one_state.fetch(Some("main")).unwrap().1.id);
    assert_ne!(first, second);
    assert_eq!(one.remote().last(Some("main")).unwrap().1.id, first);
    assert_eq!(in_one_state.last(Some("main")).unwrap().1.id, second);
    two.bare.git(&["push", "-q", "origin", "HEAD:refs/heads/only-there"]);
    in_one_state.fetch(Some("only-there")).unwrap();
    assert!(one.remote().last(Some("only-there")).err().unwrap().is_absent_branch());
}

/// A program in the way of every pack that the server sends.
fn in_the_way(sshd: &Sshd, lines: &str) {
    let script = sshd.path("hook");
    fs::write(&script, format!("#!/bin/sh\n{lines}\nexec \"$@\"\n")).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    sshd.git_config(&format!("[uploadpack]\n\tpackObjectsHook = {}\n", script.display()));
}

#[test]
fn a_push_in_the_middle_of_a_fetch_is_seen_by_the_next_one() {
    let sshd = Sshd::start();
    let first = sshd.bare.git(&["rev-parse", "HEAD"]);
    let second = sshd.bare.commit("second");
    sshd.bare.git(&["push", "-q", "origin", "HEAD:refs/heads/next"]);
    let update = format!("git --git-dir={} update-ref refs/heads/main {second}", sshd.bare.path().display());
    in_the_way(&sshd, &update);
    assert_eq!(sshd.id(Some("main")), first, "what was told before the push is what is read");
    assert_eq!(git(&sshd.bare.path(), &["rev-parse", "main"]), second, "nothing was pushed meanwhile");
    assert_eq!(sshd.id(Some("main")), second);
}

#[test]
fn a_fetch_that_is_killed_leaves_the_mirror_usable() {
    let sshd = Sshd::start();
    let first = sshd.id(Some("main"));
    sshd.bare.push("second");
    in_the_way(&sshd, &format!("touch {0}/begun\nwhile [ ! -e {0}/go ]; do sleep 0.1; done", sshd.path("").display()));
    let mut run = crate::run::Run::of(&sshd).command(&["--dry-run", "--against", "HEAD"]);
    let mut child = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until(|| sshd.path("begun").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    fs::write(sshd.path("go"), "").unwrap();
    sshd.git_config("");
    // What a kill leaves at a worse moment.
    let mirror = sshd.state().join("mirror.git");
    let lines = Command::new("find").arg(mirror.join("refs")).args(["-name", "main"]).output().unwrap();
    let reference = PathBuf::from(String::from_utf8(lines.stdout).unwrap().trim());
    let litter = [
        reference.with_extension("lock"),
        mirror.join("config.lock"),
        mirror.join("packed-refs.lock"),
        mirror.join("objects/pack/pack_git2_0123ab"),
    ];
    for path in &litter {
        fs::write(path, "half").unwrap();
    }
    assert_eq!(sshd.remote().last(Some("main")).unwrap().1.id, first, "litter is in the way of a look");
    let same = fs::metadata(&mirror).unwrap().ino();
    assert_eq!(sshd.id(Some("main")), sshd.bare.git(&["rev-parse", "HEAD"]));
    for path in &litter {
        assert!(!path.exists(), "{} is left", path.display());
    }
    assert_eq!(fs::metadata(&mirror).unwrap().ino(), same, "all of it was fetched anew");
}

#[test]
fn a_damaged_mirror_is_made_anew_and_a_server_that_is_away_does_not_cost_it() {
    let sshd = Sshd::start();
    let first = sshd.id(Some("main"));
    let mirror = sshd.state().join("mirror.git");
    for damage in [
        |mirror: &Path| fs::write(mirror.join("config"), "[core\n").unwrap(),
        |mirror: &Path| fs::remove_file(mirror.join("HEAD")).unwrap(),
        |mirror: &Path| {
            for (path, _) in files(&mirror.join("objects/pack")) {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
                fs::write(path, "no pack").unwrap();
            }
        },
        |mirror: &Path| {
            fs::remove_dir_all(mirror).unwrap();
            fs::write(mirror, "a file").unwrap();
        },
    ] {
        damage(&mirror);
        sshd.known_hosts("");
        assert!(said(&sshd.refusal()).contains("is not known"));
        assert!(mirror.exists(), "what is damaged is kept until there is something better");
        sshd.pin(&public(&sshd.path("host")));
        assert_eq!(sshd.id(Some("main")), first);
        assert_eq!(sshd.remote().last(Some("main")).unwrap().1.id, first);
        let names: Vec<_> = fs::read_dir(sshd.state()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "litter: {names:?}");
    }
}

#[test]
fn a_mirror_that_lacks_a_file_says_what_to_remove() {
    let sshd = Sshd::start();
    let run = crate::run::Run::of(&sshd);
    run.reads().is(0);
    let mirror = sshd.state().join("mirror.git");
    // One object for each file, less one.
    for (pack, _) in files(&mirror.join("objects/pack")) {
        let beside = sshd.path("pack");
        fs::rename(&pack, &beside).unwrap();
        if pack.extension().is_some_and(|ending| ending == "pack") {
            let mut unpack = Command::new("git");
            unpack.current_dir(&mirror).args(["unpack-objects", "-q"]).stdin(fs::File::open(&beside).unwrap());
            assert!(unpack.status().unwrap().success());
        }
    }
    run.reads().is(0);
    let file = sshd.bare.git(&["rev-parse", "HEAD:environments/production/web.yaml"]);
    fs::remove_file(mirror.join("objects").join(&file[..2]).join(&file[2..])).unwrap();
    run.reads().is(1).complains(&format!("remove `{}`, it is a copy", mirror.display()));
    fs::remove_dir_all(&mirror).unwrap();
    run.reads().is(0);
}

#[test]
fn another_branch_of_the_same_repository_is_compared_with() {
    let sshd = Sshd::start();
    sshd.bare.git(&["checkout", "-q", "-b", "topic"]);
    sshd.bare.put("environments/production/web.yaml", "services: {web: {image: \"app:2\"}}\n");
    sshd.bare.push("newer");
    let ran = crate::run::Run::of(&sshd).run(&["--dry-run", "--against", "topic"]).is(0);
    assert!(ran.out.contains("app:2 → app:1"), "{}", ran.out);
}

#[test]
fn many_fetches_do_not_leave_many_packs() {
    let sshd = Sshd::start();
    let mut last = sshd.id(Some("main"));
    let most = 56;
    for number in 0..most {
        sshd.bare.put("environments/production/web.yaml", &format!("services: {{web: {{image: \"app:{number}\"}}}}\n"));
        sshd.bare.push("next");
        last = sshd.id(Some("main"));
    }
    let packs = files(&sshd.state().join("mirror.git/objects/pack"));
    let packs = packs.iter().filter(|(path, _)| path.extension().is_some_and(|ending| ending == "pack")).count();
    assert!((1..most / 2).contains(&packs), "{packs} packs");
    let (repository, commit) = sshd.remote().last(Some(&format!("main~{}", most - 1))).unwrap();
    assert_eq!(repository.files(&commit, "environments").unwrap().len(), 1, "an old commit is still whole");
    assert_eq!(sshd.remote().last(Some("main")).unwrap().1.id, last);
}

#[test]
fn two_at_once_wait_for_each_other() {
    let sshd = Sshd::start();
    let expected = sshd.bare.git(&["rev-parse", "HEAD"]);
    thread::scope(|scope| {
        let fetches: Vec<_> = (0..4).map(|_| scope.spawn(|| sshd.id(Some("main")))).collect();
        for fetch in fetches {
            assert_eq!(fetch.join().unwrap(), expected);
        }
    });
}

#[track_caller]
pub fn until(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "not within 30 s");
        thread::sleep(Duration::from_millis(20));
    }
}
