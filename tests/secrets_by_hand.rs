//! What people do with secrets: the real binary, an editor of the test's, and Debian's `age` as a witness.

use std::{
    fs,
    io::Write,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// What must turn up nowhere.
const CANARY: &str = "canary-7f3a";

/// A repository's folder with an age key beside it.
struct Place {
    folder: TempDir,
    recipient: String,
}

/// An exit code, and all that was printed.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        let key = folder.path().join("key");
        let made = Command::new("age-keygen").arg("-o").arg(&key).output().expect("`age-keygen` is needed: make tools");
        assert!(made.status.success());
        let recipient = String::from_utf8(made.stderr).unwrap().replace("Public key: ", "").trim().to_owned();
        Self { folder, recipient }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reconcile"));
        command.current_dir(self.folder.path()).arg("secret").args(words).env_clear().env("PATH", "/usr/bin:/bin");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, words: &[&str]) -> Said {
        said(self.command(words).output().unwrap())
    }

    /// Gives a value by standard input.
    fn pipe(&self, words: &[&str], value: &str) -> Said {
        let mut child = self.command(words).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
        said(child.wait_with_output().unwrap())
    }

    /// Makes an editor of a shell script: `$1` is the file.
    fn editor(&self, script: &str) -> String {
        self.write("editor", &format!("#!/bin/sh\nset -e\n{script}\n"));
        fs::set_permissions(self.path("editor"), fs::Permissions::from_mode(0o755)).unwrap();
        self.path("editor").display().to_string()
    }

    fn edit(&self, file: &str, script: &str) -> Said {
        let editor = self.editor(script);
        said(self.command(&["edit", "--identity", "key", file]).env("EDITOR", editor).output().unwrap())
    }

    /// What `age` finds in an encrypted file.
    fn opened(&self, name: &str) -> String {
        let age = Command::new("age").arg("-d").arg("-i").arg(self.path("key")).arg(self.path(name)).output().unwrap();
        String::from_utf8(age.stdout).unwrap()
    }

    fn sealed(&self, name: &str, value: &str) {
        self.pipe(&["encrypt", "--recipient", &self.recipient, "--out", name, "-"], value).is(0);
    }

    fn with_list(self) -> Self {
        self.write("secrets/recipients.txt", &format!("# the host\n{}\n", self.recipient));
        self
    }
}

fn said(output: Output) -> Said {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let said = Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
    assert!(!format!("{}{}", said.out, said.err).contains(CANARY), "{}{}", said.out, said.err);
    said
}

impl Said {
    #[track_caller]
    fn is(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self
    }

    #[track_caller]
    fn complains(self, text: &str) {
        let said = self.is(1);
        assert!(said.err.contains(text), "`{text}` is not in:\n{}", said.err);
    }
}

fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_value_is_encrypted_from_a_file_or_standard_input() {
    let place = Place::new();
    place.write("value", CANARY);
    let said = place.run(&["encrypt", "--recipient", &place.recipient, "value"]).is(0);
    assert!(said.out.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n") && said.err.is_empty(), "{}", said.err);
    place.write("one.age", &said.out);
    assert_eq!(place.opened("one.age"), CANARY);
    let said =
        place.pipe(&["encrypt", "--recipient", &place.recipient, "--out", "two.age", "-"], &format!("{CANARY}\n"));
    assert!(said.is(0).err.contains("ends with a newline"));
    assert_eq!(place.opened("two.age"), format!("{CANARY}\n"));
    assert_eq!(fs::metadata(place.path("two.age")).unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn the_repository_names_its_recipients() {
    let place = Place::new();
    place.pipe(&["encrypt", "-"], CANARY).complains("nobody is named to encrypt for");
    place.write("secrets/recipients.txt", "# nobody yet\n");
    place.pipe(&["encrypt", "-"], CANARY).complains("there is no recipient in");
    let place = place.with_list();
    fs::create_dir_all(place.path("secrets/production")).unwrap();
    place.pipe(&["encrypt", "--out", "secrets/production/db.age", "-"], CANARY).is(0);
    assert_eq!(place.opened("secrets/production/db.age"), CANARY);
    // A list above the repository is another's.
    fs::create_dir_all(place.path("inner/.git")).unwrap();
    place
        .pipe(&["encrypt", "--out", "inner/db.age", "-"], CANARY)
        .complains("there is no `secrets/recipients.txt` here");
}

#[test]
fn what_cannot_be_encrypted_says_why_and_shows_nothing() {
    let place = Place::new();
    let to = ["encrypt", "--recipient", &place.recipient];
    place.pipe(&[&to[..], &["-"]].concat(), "").complains("the value is empty");
    place.sealed("one.age", CANARY);
    place.run(&[&to[..], &["one.age"]].concat()).complains("this is encrypted already");
    place.run(&[&to[..], &["absent"]].concat()).complains("cannot read `absent`");
    place
        .pipe(&[&to[..], &["--out", "no/such/folder", "-"]].concat(), CANARY)
        .complains("cannot write `no/such/folder`");
    place.pipe(&[&to[..], &["-"]].concat(), &"x".repeat(200_000)).complains("longer than");
    let identity = place.read("key").lines().last().unwrap().to_owned();
    let said = place.pipe(&["encrypt", "--recipient", &identity, "-"], CANARY);
    assert!(!said.err.contains(&identity), "{}", said.err);
    said.complains("`--recipient` number 1 is an identity, the secret half of a key");
    place.pipe(&["encrypt", "--recipient", "ssh-ed25519 AAAA", "-"], CANARY).complains("an SSH key");
}

#[test]
fn an_edited_file_is_encrypted_again_and_clear_text_was_only_in_memory() {
    let place = Place::new().with_list();
    place.sealed("db.conf.age", CANARY);
    fs::set_permissions(place.path("db.conf.age"), fs::Permissions::from_mode(0o640)).unwrap();
    let script = "cat \"$1\" > seen; echo \"$1\" > where; stat -f -c %T \"$1\" > kind\n\
        stat -c %a \"$1\" \"${1%/*}\" > modes; cp \"$1\" \"$1~\"; printf new-canary-7f3a > \"$1\"";
    let said = place.edit("db.conf.age", script).is(0);
    assert!(said.err.contains("db.conf.age is encrypted for 1 recipient"), "{}", said.err);
    assert_eq!((place.read("seen"), place.opened("db.conf.age")), (CANARY.to_owned(), format!("new-{CANARY}")));
    assert_eq!((place.read("kind").trim(), place.read("modes").as_str()), ("tmpfs", "600\n700\n"));
    let place_of_clear_text = place.read("where");
    let clear = Path::new(place_of_clear_text.trim());
    assert!(clear.ends_with("db.conf") && !clear.parent().unwrap().exists(), "{}", clear.display());
    assert_eq!(fs::metadata(place.path("db.conf.age")).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn what_was_not_changed_is_not_touched() {
    let place = Place::new().with_list();
    place.sealed("db.age", CANARY);
    let before = place.read("db.age");
    assert!(place.edit("db.age", "true").is(0).err.contains("db.age is as it was"));
    // Editors end the last line.
    place.edit("db.age", "echo >> \"$1\"").is(0);
    place.edit("db.age", "echo lost > \"$1\"; exit 3").complains("failed (exit status: 3); nothing was changed");
    place.edit("db.age", ": > \"$1\"").complains("the value is empty now");
    place.edit("db.age", "rm \"$1\"").complains("cannot read what was edited");
    let none = place.command(&["edit", "--identity", "key", "db.age"]).output().unwrap();
    said(none).complains("neither `VISUAL` nor `EDITOR` names an editor");
    let absent =
        place.command(&["edit", "--identity", "key", "db.age"]).env("EDITOR", "/nobody/edits").output().unwrap();
    said(absent).complains("cannot run the editor `/nobody/edits`");
    assert_eq!(place.read("db.age"), before);
}

#[test]
fn a_file_that_is_not_there_is_begun() {
    let place = Place::new().with_list();
    place.edit("secrets/new.age", &format!("printf {CANARY} > \"$1\"")).is(0);
    assert_eq!(place.opened("secrets/new.age"), CANARY);
    place.edit("secrets/none.age", "true").is(0);
    assert!(!place.path("secrets/none.age").exists());
}

#[test]
fn only_age_files_for_known_recipients_are_edited() {
    let place = Place::new().with_list();
    place.write("tls.sops.yaml", "a: ENC[x]\nsops: {}\n");
    place.edit("tls.sops.yaml", "true").complains("sops edit tls.sops.yaml");
    place.write("clear", CANARY);
    place.edit("clear", "true").complains("`clear` is not encrypted");
    let other = Place::new();
    let both = ["encrypt", "--recipient", &place.recipient, "--recipient", &other.recipient, "--out", "both.age", "-"];
    place.pipe(&both, CANARY).is(0);
    place.edit("both.age", "true").complains("is for 2 recipients, and `secrets/recipients.txt` has 1");
    place.pipe(&["encrypt", "--recipient", &other.recipient, "--out", "theirs.age", "-"], CANARY).is(0);
    place.edit("theirs.age", "true").complains("it is for other recipients");
    fs::set_permissions(place.path("key"), fs::Permissions::from_mode(0o644)).unwrap();
    place.edit("both.age", "true").complains("is open to others (mode 0644)");
}

#[test]
fn the_host_file_names_the_identity() {
    let place = Place::new().with_list();
    place.sealed("db.age", CANARY);
    place.write("host.yaml", &format!("secrets: {{age_identity: {}}}\n", place.path("key").display()));
    let editor = place.editor("printf changed > \"$1\"");
    let mut edit = place.command(&["edit", "--config", "host.yaml", "db.age"]);
    said(edit.env("EDITOR", editor).env("HOME", place.folder.path()).output().unwrap()).is(0);
    assert_eq!(place.opened("db.age"), "changed");
}

#[test]
fn told_to_end_it_ends_the_editor_and_wipes_the_clear_text() {
    let place = Place::new().with_list();
    place.sealed("db.age", CANARY);
    let before = place.read("db.age");
    let editor = place.editor("echo \"$1\" > where.new; mv where.new where; exec sleep 600");
    let mut child = place.command(&["edit", "--identity", "key", "db.age"]).env("EDITOR", editor).spawn().unwrap();
    wait("the editor begins", || place.path("where").exists());
    let clear = PathBuf::from(place.read("where").trim());
    assert_eq!(fs::read_to_string(&clear).unwrap(), CANARY);
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    wait("the command ends", || child.try_wait().unwrap().is_some());
    said(child.wait_with_output().unwrap()).complains("told to end while the editor ran");
    assert!(!clear.parent().unwrap().exists());
    assert_eq!(place.read("db.age"), before);
}

#[test]
fn no_memory_of_it_is_dumped_and_no_neighbour_looks_in() {
    let place = Place::new().with_list();
    place.sealed("db.age", CANARY);
    // What a process that may not be dumped has in /proc belongs to root, whoever runs it. Root itself tells no difference.
    let binary = place.path("reconcile");
    fs::copy(env!("CARGO_BIN_EXE_reconcile"), &binary).unwrap();
    let editor = place.editor("cat /proc/$PPID/limits; stat -c 'owner %u' /proc/$PPID/environ; id -u");
    let mut command = Command::new(&binary);
    command.current_dir(place.folder.path()).env_clear().env("PATH", "/usr/bin:/bin").env("EDITOR", editor);
    if rustix::process::geteuid().is_root() {
        fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        command.uid(65534).gid(65534);
    }
    let said =
        said(command.args(["secret", "edit", "--recipient", &place.recipient, "begun.age"]).output().unwrap()).is(0);
    let limit = said.out.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(limit.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{limit}");
    assert!(said.out.contains("owner 0\n") && !said.out.ends_with("\n0\n"), "{}", said.out);
}
