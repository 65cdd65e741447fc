//! The real binary, with a host file that names a repository elsewhere.

use crate::sshd::Sshd;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

pub struct Run {
    place: PathBuf,
}

pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
    pub took: Duration,
}

impl Run {
    /// With the host file that a folder has.
    pub fn in_folder(place: &Path, host_file: &str) -> Self {
        fs::write(place.join("host.yaml"), host_file).unwrap();
        Self { place: place.to_owned() }
    }

    /// With the host file that is there.
    pub fn again(place: &Path) -> Self {
        Self { place: place.to_owned() }
    }

    pub fn of(sshd: &Sshd) -> Self {
        Self::in_folder(&sshd.path(""), &host_file(sshd, ""))
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reconcile"));
        command.env_clear().env("HOME", &self.place).env("DOCKER_HOST", "unix:///nobody/is/there.sock");
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.arg("--config").arg(self.place.join("host.yaml")).arg("--state-dir").arg(self.place.join("state"));
        command.args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(&mut self.command(arguments))
    }

    /// What reads the repository and needs no engine.
    pub fn reads(&self) -> Ran {
        self.run(&["--dry-run", "--against", "HEAD"])
    }
}

/// A host file for a repository behind an sshd, with more lines of `source`.
pub fn host_file(sshd: &Sshd, lines: &str) -> String {
    format!(
        "source:\n  url: {}\n  branch: main\n  ssh: {{key: {}, known_hosts: {}}}\n{lines}",
        sshd.url(),
        sshd.path("user").display(),
        sshd.path("known_hosts").display()
    )
}

pub fn ran(command: &mut Command) -> Ran {
    let begun = Instant::now();
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        took: begun.elapsed(),
    }
}

impl Ran {
    #[track_caller]
    pub fn is(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn complains(&self, words: &str) -> &Self {
        assert!(self.err.contains(words), "nothing says `{words}`:\n{}", self.err);
        self
    }
}
