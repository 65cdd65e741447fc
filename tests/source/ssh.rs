//! Who the server is, and whether it lets us in.

use crate::{
    bare::{fingerprint, key, public},
    sshd::{Sshd, said},
};
use reconcile::source::SourceError;
use std::{fs, os::unix::fs::PermissionsExt, process::Command};

#[test]
fn a_repository_is_fetched_from_the_server_that_is_pinned() {
    let sshd = Sshd::start();
    let (repository, commit) = sshd.fetch(None).unwrap_or_else(|error| panic!("{}", said(&error)));
    assert_eq!(commit.revision(), format!("main@sha1:{}", sshd.bare.git(&["rev-parse", "HEAD"])));
    let files = repository.files(&commit, "environments").unwrap();
    assert_eq!(files.keys().collect::<Vec<_>>(), ["environments/production/web.yaml"]);
    let mirror = sshd.state().join("mirror.git");
    assert_eq!(fs::metadata(&mirror).unwrap().permissions().mode() & 0o777, 0o700);
    let config = fs::read_to_string(mirror.join("config")).unwrap();
    assert!(!config.contains("ssh://") && !config.contains("remote"), "{config}");
}

#[test]
fn a_shorthand_path_is_fetched_as_git_does() {
    // It cannot name a port, so the usual one is tried, where hardly anybody listens: what counts is who is asked.
    let sshd = Sshd::start();
    let shorthand = format!("{}@127.0.0.1:{}", crate::sshd::user(), sshd.bare.path().display());
    let refused = crate::sshd::remote(&shorthand, sshd.access(), &sshd.state()).fetch(None).err().expect("port 22");
    let text = said(&refused);
    assert!(refused.is_away() || text.contains("ssh host `127.0.0.1`"), "{text}");
    assert!(!text.contains("cannot be asked"), "{text}");
}

#[test]
fn an_unknown_host_is_refused_with_the_fingerprint_that_it_shows() {
    let sshd = Sshd::start();
    sshd.known_hosts("# nobody yet\n");
    let text = said(&sshd.refusal());
    let expected = format!("the key of ssh host `{}` is not known", sshd.host());
    assert!(text.contains(&expected), "{text}");
    assert!(text.contains(&fingerprint(&sshd.path("host"))), "{text}");
    assert!(text.contains(&format!("ssh-keyscan -p {} 127.0.0.1", sshd.port)), "{text}");
    assert!(!sshd.state().join("mirror.git/refs/sources").exists(), "something was fetched");
}

#[test]
fn a_changed_host_key_is_refused_with_the_fingerprints_expected_and_seen() {
    let sshd = Sshd::start();
    let first = sshd.id(Some("main"));
    let old = key(&sshd.path("old"), "ed25519");
    sshd.pin(&public(&old));
    sshd.bare.push("second");
    let error = sshd.refusal();
    let text = said(&error);
    assert!(text.contains("is another one: expected"), "{text}");
    let (expected, seen) = text.split_once("; seen").unwrap();
    assert!(expected.contains(&fingerprint(&old)), "{text}");
    assert!(seen.contains(&fingerprint(&sshd.path("host"))), "{text}");
    assert!(text.contains("somebody may stand between"), "{text}");
    assert!(!error.is_away() && !error.is_absent_branch(), "{error:?}");
    assert_eq!(sshd.remote().last(Some("main")).unwrap().1.id, first, "what was fetched before is still there");
}

#[test]
fn a_pinned_key_of_another_kind_is_told_apart_from_a_changed_one() {
    let sshd = Sshd::start();
    sshd.pin(&public(&key(&sshd.path("other"), "ecdsa")));
    let text = said(&sshd.refusal());
    assert!(text.contains("a server may have a key of each kind"), "{text}");
    assert!(text.contains(&format!("ssh-keyscan -p {} -t ed25519 127.0.0.1", sshd.port)), "{text}");
}

#[test]
fn a_server_with_several_keys_whose_first_is_not_pinned_says_which_line_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let other = key(&folder.path().join("other"), "ecdsa");
    let sshd = Sshd::with(&format!("HostKey {}\n", other.display()));
    sshd.id(None);
    sshd.pin(&public(&other));
    let text = said(&sshd.refusal());
    let shown = fingerprint(&sshd.path("host"));
    assert!(text.contains(&shown) && text.contains("a server may have a key of each kind"), "{text}");
    sshd.known_hosts(&format!("{0} {1}\n{0} {2}\n", sshd.host(), public(&sshd.path("host")), public(&other)));
    sshd.id(None);
}

#[test]
fn a_revoked_key_an_authority_and_a_broken_line_are_refused_by_name() {
    let sshd = Sshd::start();
    let (host, key) = (sshd.host(), public(&sshd.path("host")));
    for (lines, expected) in [
        (format!("{host} {key}\n@revoked {host} {key}\n"), "is revoked in line 2"),
        (format!("@cert-authority {host} {key}\n"), "`@cert-authority`) for"),
        (format!("{host} ssh-ed25519 AAAA%\n"), "cannot be read"),
    ] {
        sshd.known_hosts(&lines);
        let text = said(&sshd.refusal());
        assert!(text.contains(expected), "{lines}{text}");
    }
}

#[test]
fn a_hashed_line_of_known_hosts_is_understood() {
    let sshd = Sshd::start();
    let hashed = Command::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(sshd.path("known_hosts")).output().unwrap();
    assert!(hashed.status.success());
    let text = fs::read_to_string(sshd.path("known_hosts")).unwrap();
    assert!(text.starts_with("|1|"), "{text}");
    sshd.id(None);
}

#[test]
fn every_kind_of_host_key_that_a_server_has_can_be_pinned() {
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let folder = tempfile::tempdir().unwrap();
        let other = key(&folder.path().join("other"), kind);
        let sshd = Sshd::with(&format!("HostKeyAlgorithms {}\nHostKey {}\n", algorithms(kind), other.display()));
        if kind != "ed25519" {
            sshd.pin(&public(&other));
        }
        sshd.id(None);
    }
}

fn algorithms(kind: &str) -> &'static str {
    match kind {
        "rsa" => "rsa-sha2-512,rsa-sha2-256",
        "ecdsa" => "ecdsa-sha2-nistp256",
        _ => "ssh-ed25519",
    }
}

#[test]
fn a_key_that_the_server_does_not_know_is_refused_once_and_not_for_ever() {
    let sshd = Sshd::start();
    fs::write(sshd.path("authorized_keys"), "").unwrap();
    let error = sshd.refusal();
    let text = said(&error);
    assert!(text.contains(&format!("does not take the key `{}`", sshd.path("user").display())), "{text}");
    assert!(text.contains("deploy key"), "{text}");
    assert!(!error.is_away());
}

#[test]
fn a_key_that_cannot_be_used_says_why() {
    let sshd = Sshd::start();
    let open = |mode| fs::set_permissions(sshd.path("user"), fs::Permissions::from_mode(mode)).unwrap();
    open(0o644);
    assert!(said(&sshd.refusal()).contains("is open to others (mode 0644)"), "{}", said(&sshd.refusal()));
    open(0o600);
    fs::set_permissions(sshd.path("known_hosts"), fs::Permissions::from_mode(0o666)).unwrap();
    assert!(said(&sshd.refusal()).contains("chmod go-w"), "{}", said(&sshd.refusal()));
    fs::set_permissions(sshd.path("known_hosts"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::rename(sshd.path("known_hosts"), sshd.path("elsewhere")).unwrap();
    assert!(said(&sshd.refusal()).contains("known_hosts` is not there"), "{}", said(&sshd.refusal()));
    fs::rename(sshd.path("elsewhere"), sshd.path("known_hosts")).unwrap();
    let locked = Command::new("ssh-keygen").args(["-q", "-p", "-N", "secret", "-f"]).arg(sshd.path("user")).status();
    assert!(locked.unwrap().success());
    assert!(said(&sshd.refusal()).contains("has a passphrase"), "{}", said(&sshd.refusal()));
    for (access, missing) in [
        (reconcile::source::Access { ssh_key: None, ..sshd.access() }, "source.ssh.key"),
        (reconcile::source::Access { known_hosts: None, ..sshd.access() }, "source.ssh.known_hosts"),
    ] {
        let error: SourceError = crate::sshd::remote(&sshd.url(), access, &sshd.state()).fetch(None).err().unwrap();
        assert!(said(&error).contains(&format!("without `{missing}`")), "{}", said(&error));
    }
}

#[test]
fn a_state_directory_that_others_can_change_is_not_used() {
    let sshd = Sshd::start();
    fs::create_dir(sshd.state()).unwrap();
    fs::set_permissions(sshd.state(), fs::Permissions::from_mode(0o1777)).unwrap();
    let text = said(&sshd.refusal());
    assert!(text.contains("can be changed by others (mode 1777)") && text.contains("--state-dir"), "{text}");
    assert_eq!(fs::read_dir(sshd.state()).unwrap().count(), 0, "something was put there");
}

#[test]
fn a_repository_that_is_not_there_is_no_absent_branch() {
    let sshd = Sshd::start();
    let url = sshd.url().replace("m.git", "gone.git");
    let error = crate::sshd::remote(&url, sshd.access(), &sshd.state()).fetch(None).err().unwrap();
    assert!(!error.is_absent_branch() && !error.is_away(), "{}", said(&error));
    assert!(said(&error).contains("is not there, or not for us"), "{}", said(&error));
    assert!(said(&error).contains("does not appear to be a git repository"), "{}", said(&error));
}
