//! Commits that somebody signed, did not sign, or changed.

use crate::bare::{Bare, key, public};
use reconcile::source::{
    Commit, Repository,
    trust::{self, Distrust, Mode, Rules, Signers},
};
use std::{fs, path::PathBuf, process::Command};
use tempfile::TempDir;

struct Signed {
    folder: TempDir,
    bare: Bare,
    /// A line for each who may sign.
    allowed: String,
}

impl Signed {
    /// Ann may sign; the first commit is hers.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bare = Bare::in_folder(folder.path());
        let ann = key(&folder.path().join("ann"), "ed25519");
        let allowed = format!("ann@example.com {}\n", public(&ann));
        let signed = Self { folder, bare, allowed };
        signed.sign("ann", "signed");
        signed
    }

    fn key(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A commit that the key of that name signs.
    fn sign(&self, name: &str, message: &str) -> String {
        self.commit(&["-c", &format!("user.signingkey={}.pub", self.key(name).display())], &["-S", "-m", message])
    }

    fn commit(&self, settings: &[&str], words: &[&str]) -> String {
        self.bare.put("note", words.last().unwrap());
        self.bare.git(&["add", "-A"]);
        let words = [settings, &["-c", "gpg.format=ssh", "commit", "-q", "--allow-empty"], words].concat();
        self.bare.git(&words);
        self.bare.git(&["rev-parse", "HEAD"])
    }

    fn judged(&self, mode: Mode, accepted: Option<&str>) -> Result<(), Distrust> {
        let repository = Repository::at(&self.bare.clone()).unwrap();
        let tip: Commit = repository.commit(Some("HEAD")).unwrap();
        let rules = Rules { mode, signers: Signers::read(&self.allowed).unwrap(), forward_only: true };
        trust::judge(&repository, &tip, accepted, &rules)
    }

    #[track_caller]
    fn refused(&self, mode: Mode, accepted: Option<&str>, words: &str) -> String {
        let error = self.judged(mode, accepted).expect_err("the commit is believed");
        let text = format!("{error}\n{}", error.hint().unwrap_or_default());
        assert!(text.contains(words), "{text}");
        text
    }
}

#[test]
fn a_commit_of_somebody_who_may_sign_is_believed_as_git_does() {
    let signed = Signed::new();
    signed.judged(Mode::Head, None).unwrap();
    let file = signed.key("allowed_signers");
    fs::write(&file, &signed.allowed).unwrap();
    let setting = format!("gpg.ssh.allowedSignersFile={}", file.display());
    signed.bare.git(&["-c", &setting, "verify-commit", "HEAD"]);
}

#[test]
fn an_ecdsa_key_may_sign_too_and_an_rsa_key_is_refused_by_name() {
    let mut signed = Signed::new();
    for kind in ["ecdsa", "rsa"] {
        let key = key(&signed.key(kind), kind);
        signed.allowed += &format!("ann@example.com namespaces=\"git\" {}\n", public(&key));
    }
    signed.sign("ecdsa", "by ecdsa");
    signed.judged(Mode::Head, None).unwrap();
    let id = signed.sign("rsa", "by rsa");
    signed.refused(Mode::Head, None, &format!("commit {id} is signed with an `ssh-rsa` key, which is not supported"));
}

#[test]
fn an_unsigned_commit_is_refused_by_its_id_where_one_must_be_signed() {
    let signed = Signed::new();
    let id = signed.commit(&[], &["-m", "in a hurry"]);
    signed.judged(Mode::Off, None).unwrap();
    signed.refused(Mode::Head, None, &format!("commit {id} is not signed"));
    signed.refused(Mode::Strict, None, &format!("commit {id} is not signed"));
}

#[test]
fn an_altered_commit_is_refused() {
    let signed = Signed::new();
    let text = signed.bare.git(&["cat-file", "commit", "HEAD"]);
    let tree = text.lines().next().unwrap().to_owned();
    signed.bare.put("environments/production/web.yaml", "services: {web: {image: \"evil:1\"}}\n");
    signed.bare.git(&["add", "-A"]);
    let other = signed.bare.git(&["write-tree"]);
    for altered in [text.replace(&tree, &format!("tree {other}")), text.replace("\nsigned", "\nsigned by me")] {
        assert_ne!(altered, text);
        let path = signed.key("altered");
        fs::write(&path, format!("{altered}\n")).unwrap();
        let id = signed.bare.git(&["hash-object", "-t", "commit", "-w", path.to_str().unwrap()]);
        signed.bare.git(&["update-ref", "refs/heads/main", &id]);
        signed.refused(Mode::Head, None, &format!("commit {id} was altered after it was signed by SHA256:"));
    }
}

#[test]
fn a_key_that_is_not_allowed_and_one_under_another_address_are_told_apart() {
    let signed = Signed::new();
    key(&signed.key("mallory"), "ed25519");
    let id = signed.sign("mallory", "by mallory");
    let text =
        signed.refused(Mode::Head, None, &format!("commit {id} is signed by a key that is not allowed: SHA256:"));
    assert!(text.contains(&crate::bare::fingerprint(&signed.key("mallory"))), "{text}");
    let setting = format!("user.signingkey={}.pub", signed.key("ann").display());
    let id = signed.commit(&["-c", &setting, "-c", "user.email=bob@example.com"], &["-S", "-m", "as bob"]);
    let text = signed.refused(Mode::Head, None, &format!("commit {id} is signed by SHA256:"));
    assert!(text.contains("is allowed for `ann@example.com`, and its committer is `bob@example.com`"), "{text}");
}

#[test]
fn a_signature_for_other_things_than_git_is_refused() {
    let signed = Signed::new();
    // The commit as it would be signed, signed for something else.
    let unsigned: String = {
        let mut skip = false;
        let text = signed.bare.git(&["cat-file", "commit", "HEAD"]) + "\n";
        text.split_inclusive('\n')
            .filter(|line| {
                skip = line.starts_with("gpgsig ") || (skip && line.starts_with(' '));
                !skip
            })
            .collect()
    };
    let path = signed.key("content");
    fs::write(&path, &unsigned).unwrap();
    let words = ["-Y", "sign", "-q", "-n", "file", "-f"];
    let made = Command::new("ssh-keygen").args(words).arg(signed.key("ann")).arg(&path).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let signature = fs::read_to_string(signed.key("content.sig")).unwrap();
    let (head, message) = unsigned.split_once("\n\n").unwrap();
    let text = format!("{head}\ngpgsig {}\n\n{message}", signature.trim_end().replace('\n', "\n "));
    fs::write(&path, text).unwrap();
    let id = signed.bare.git(&["hash-object", "-t", "commit", "-w", path.to_str().unwrap()]);
    signed.bare.git(&["update-ref", "refs/heads/main", &id]);
    signed.refused(Mode::Head, None, &format!("the signature of commit {id} was made for `file`, not for git"));
}

#[test]
fn what_is_no_ssh_signature_is_refused_by_its_kind() {
    let signed = Signed::new();
    let text = signed.bare.git(&["cat-file", "commit", "HEAD"]) + "\n";
    let begin = text.find("gpgsig ").unwrap();
    let end = text.find("\n\n").unwrap();
    for (signature, words) in [
        ("gpgsig -----BEGIN PGP SIGNATURE-----\n abc\n -----END PGP SIGNATURE-----", "is signed with OpenPGP"),
        ("gpgsig -----BEGIN SSH SIGNATURE-----\n abc\n -----END SSH SIGNATURE-----", "cannot be read"),
        ("gpgsig x", "cannot be read"),
    ] {
        let path = signed.key("other");
        fs::write(&path, format!("{}{signature}{}", &text[..begin], &text[end..])).unwrap();
        let id = signed.bare.git(&["hash-object", "-t", "commit", "-w", path.to_str().unwrap()]);
        signed.bare.git(&["update-ref", "refs/heads/main", &id]);
        signed.refused(Mode::Head, None, words);
    }
}

#[test]
fn strict_looks_at_every_commit_since_the_last_that_was_accepted() {
    let signed = Signed::new();
    let accepted = signed.bare.git(&["rev-parse", "HEAD"]);
    let unsigned = signed.commit(&[], &["-m", "in a hurry"]);
    let tip = signed.sign("ann", "on top");
    signed.judged(Mode::Head, Some(&accepted)).unwrap();
    signed.refused(Mode::Strict, Some(&accepted), &format!("commit {unsigned} is not signed"));
    signed.judged(Mode::Strict, Some(&unsigned)).unwrap();
    signed.judged(Mode::Strict, Some(&tip)).unwrap();
    signed.judged(Mode::Strict, None).unwrap();
}

#[test]
fn strict_looks_at_what_a_signed_merge_brings() {
    let signed = Signed::new();
    let accepted = signed.bare.git(&["rev-parse", "HEAD"]);
    signed.bare.git(&["checkout", "-q", "-b", "topic"]);
    let unsigned = signed.commit(&[], &["-m", "of somebody"]);
    signed.bare.git(&["checkout", "-q", "main"]);
    signed.sign("ann", "meanwhile");
    let setting = format!("user.signingkey={}.pub", signed.key("ann").display());
    let settings = ["-c", &setting, "-c", "gpg.format=ssh"];
    signed
        .bare
        .git(&[&settings[..], &["merge", "-q", "-S", "--no-ff", "-X", "ours", "-m", "merged", "topic"]].concat());
    signed.judged(Mode::Head, Some(&accepted)).unwrap();
    signed.refused(Mode::Strict, Some(&accepted), &format!("commit {unsigned} is not signed"));
}

#[test]
fn a_branch_that_goes_back_or_aside_is_rewound_and_one_that_goes_on_is_not() {
    let signed = Signed::new();
    let first = signed.bare.git(&["rev-parse", "HEAD"]);
    let second = signed.sign("ann", "second");
    for mode in [Mode::Off, Mode::Head, Mode::Strict] {
        signed.judged(mode, Some(&first)).unwrap();
        signed.judged(mode, Some(&second)).unwrap();
    }
    signed.bare.git(&["reset", "-q", "--hard", &first]);
    signed.refused(Mode::Head, Some(&second), &format!("`reconcile accept-rewind {first}`"));
    let aside = signed.sign("ann", "another second");
    signed.refused(Mode::Off, Some(&second), &format!("{aside} does not come after {second}"));
    // One that is nowhere any more.
    let gone = "0123456789012345678901234567890123456789";
    signed.refused(Mode::Off, Some(gone), &format!("{aside} does not come after {gone}"));
}
