//! `reconcile watch` as a story has it: started, listened to, told by signals, ended with the story.

use super::wait::until;
use serde_json::Value;
use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    pub fn spawn(mut command: Command, log: PathBuf) -> Self {
        let file = File::create(&log).unwrap();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn().expect("the binary starts");
        Self { child, log }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it said so far, a line each.
    pub fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.log).unwrap();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The lines that say these words, in any field.
    pub fn lines(&self, words: &str) -> Vec<Value> {
        self.log().into_iter().filter(|line| line.to_string().contains(words)).collect()
    }

    /// Waits until it says these words.
    #[track_caller]
    pub fn says(&self, words: &str) {
        until(&format!("the daemon says `{words}`"), 60, || !self.lines(words).is_empty());
    }

    /// Waits until it has said these words so many times.
    #[track_caller]
    pub fn says_times(&self, words: &str, times: usize) {
        until(&format!("the daemon says `{words}` {times} times"), 60, || self.lines(words).len() >= times);
    }

    /// Sends a signal by its name, `TERM`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status().unwrap();
        assert!(status.success(), "kill -{name} {}", self.pid());
    }

    pub fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ends(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the daemon does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGKILL: no handler runs, nothing is put in order.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("the daemon's log:\n{}", fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}
