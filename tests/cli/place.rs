//! A scratch folder, the binary without surroundings, and what it said.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};
use tempfile::TempDir;

/// A scratch folder, a binary without surroundings, and what it said.
pub struct Place {
    pub folder: TempDir,
}

pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A manifests repository as `init` makes it, committed.
    pub fn with_repository() -> Self {
        let place = Self::new();
        place.run(&["init"]).is(0);
        place.commit("web: begin");
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} has no `{from}`");
        self.write(name, &text.replace(from, to));
    }

    pub fn commit(&self, message: &str) {
        for words in [vec!["add", "-A"], vec!["commit", "-qm", message]] {
            let mut git = Command::new("git");
            git.current_dir(self.folder.path()).args(["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]);
            assert!(git.args(words).status().unwrap().success());
        }
    }

    pub fn run(&self, words: &[&str]) -> Said {
        self.run_with(words, &[])
    }

    pub fn run_with(&self, words: &[&str], variables: &[(&str, &str)]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reconcile"));
        command.current_dir(self.folder.path()).args(words).env_clear().env("HOME", self.folder.path());
        // Nobody lives there: whatever asks an engine all the same fails.
        command.env("DOCKER_HOST", "unix:///nobody/is/there.sock").env("RECONCILE_STATE_DIR", self.path("state"));
        command.envs(variables.iter().copied());
        Said::from(command.output().unwrap())
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Said {
    #[track_caller]
    pub fn is(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    #[track_caller]
    pub fn complains(&self, text: &str) {
        assert!(self.err.contains(text), "`{text}` is not in:\n{}", self.err);
    }
}

pub const WEB: &str = "environments/production/web.yaml";
