//! What these tests share: names, entries, and children of this very program.

use crate::picture::{key, ledger};
use reconcile::{
    plan::Cause,
    record::{Close, Documents, Ledger, NewEntry, Outcome, Provenance, StateDir},
    value::{AppName, EnvironmentName},
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};
use tempfile::TempDir;

pub fn environment() -> EnvironmentName {
    "production".parse().expect("a name")
}

pub fn app() -> AppName {
    "web".parse().expect("a name")
}

pub fn at(second: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_700_000_000 + second).expect("a time")
}

pub async fn fresh() -> (TempDir, StateDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let state = StateDir::open(&directory.path().join("state")).await.expect("a state directory");
    (directory, state)
}

pub fn new(letter: &str) -> NewEntry {
    let like = ledger("a open").entries.remove(0);
    let origin = Provenance { at: at(0), cause: Cause::Commit, reason: None, ..like.origin };
    NewEntry { restores: None, key: key(letter), digests: std::collections::BTreeMap::new(), delivered: None, origin }
}

pub fn back(letter: &str, original: u32) -> NewEntry {
    let new = new(letter);
    NewEntry { restores: Some(original), origin: Provenance { cause: Cause::Rollback, ..new.origin }, ..new }
}

pub fn manifest(letter: &str) -> Value {
    json!({"services": {"web": {"image": "app:1", "env": {"VERSION": letter, "ODD": "no", "PORT": "0080"}}}})
}

pub fn close(outcome: Outcome, stable: bool, condemned: bool) -> Close {
    Close { outcome, stable, condemned, hold: None, detail: json!({"outcome": outcome}) }
}

pub async fn open(ledger: &Ledger, new: NewEntry) -> u32 {
    try_open(ledger, new).await.expect("an entry")
}

pub async fn try_open(ledger: &Ledger, new: NewEntry) -> Result<u32, reconcile::record::RecordError> {
    let (manifest, spec, plan) = (manifest(&new.key.manifest), json!({"spec": 1}), json!([]));
    let documents = Documents { manifest: &manifest, spec: &spec, plan: &plan };
    ledger.open(&environment(), &app(), new, documents).await
}

/// Opens an entry and ends it well.
pub async fn succeed(ledger: &Ledger, new: NewEntry) -> u32 {
    let number = open(ledger, new).await;
    ledger.close(&environment(), &app(), number, close(Outcome::Succeeded, true, false)).await.expect("closed");
    number
}

/// Opens an entry and ends it by its own fault.
pub async fn fail(ledger: &Ledger, new: NewEntry) -> u32 {
    let number = open(ledger, new).await;
    ledger.close(&environment(), &app(), number, close(Outcome::Failed, false, true)).await.expect("closed");
    number
}

/// This program again, running one of its ignored tests on a directory.
pub struct Kin {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// The variable that names the directory to a child.
const PLACE: &str = "RECORD_TEST_PLACE";

impl Kin {
    pub fn start(test: &str, place: &Path) -> Self {
        Self::start_in(&[], test, place)
    }

    /// As `start`, by way of another command, which runs what is appended to it.
    pub fn start_in(wrapper: &[&str], test: &str, place: &Path) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut words: Vec<String> = wrapper.iter().map(|word| (*word).to_owned()).collect();
        words.push(program.to_string_lossy().into_owned());
        words.extend(["--ignored", "--exact", "--nocapture", "--test-threads=1", test].map(str::to_owned));
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .env(PLACE, place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, lines }
    }

    /// The next thing it says: what follows `say:` in its output. None when it is over.
    pub fn hear(&mut self) -> Option<String> {
        self.lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("say:").map(|(_, said)| said.to_owned()))
    }

    /// Closes its input, for which it may wait.
    pub fn release(&mut self) {
        drop(self.child.stdin.take());
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("waited for");
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end and tells whether its test passed.
    pub fn passed(mut self) -> bool {
        while self.hear().is_some() {}
        self.child.wait().expect("waited for").success()
    }
}

impl Drop for Kin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In a child: where to work. None when somebody runs ignored tests by hand.
pub fn place() -> Option<std::path::PathBuf> {
    std::env::var_os(PLACE).map(Into::into)
}

/// In a child: tells the parent something.
pub fn say(text: &str) {
    println!("say:{text}");
}
