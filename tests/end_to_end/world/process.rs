//! A run of the binary.

use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    process::{Child, Command, Stdio},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Longer than any story's pass, shorter than the runner's patience, so that the world is cleaned up.
const LONGEST_RUN: Duration = Duration::from_secs(150);

/// A run that goes on.
pub struct Started {
    child: Child,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

impl Started {
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let (stdout, stderr) = (drain(child.stdout.take().unwrap()), drain(child.stderr.take().unwrap()));
        Self { child, stdout, stderr }
    }

    /// SIGKILL: no handler runs, nothing is put in order.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, by a signal's name.
    pub fn signal(&self, name: &str) {
        let told = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Whether it waits for the lock of an app: it does so in a thread of that name.
    pub fn waits_for_a_lock(&self) -> bool {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten().flatten();
        threads.into_iter().any(|it| fs::read_to_string(it.path().join("comm")).is_ok_and(|name| name == "lock\n"))
    }

    pub fn finish(mut self) -> Ran {
        let deadline = Instant::now() + LONGEST_RUN;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break Some(status);
            }
            if Instant::now() > deadline {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                break None;
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let (stdout, stderr) = (self.stdout.join().unwrap(), self.stderr.join().unwrap());
        let status = status.unwrap_or_else(|| panic!("still running after {LONGEST_RUN:?}:\n{stdout}\n{stderr}"));
        Ran { code: status.code(), stdout, stderr }
    }
}

/// Runs a command that asks, and answers each question when it is asked.
pub fn answered(mut command: Command, question: &str, answers: &[&dyn Fn() -> &'static str]) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the terminal starts");
    let (mut stdout, mut stdin) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
    let stderr = drain(child.stderr.take().unwrap());
    let (mut seen, mut asked, mut bytes) = (Vec::new(), 0, [0; 4096]);
    loop {
        let read = stdout.read(&mut bytes).unwrap_or_default();
        if read == 0 {
            break;
        }
        seen.extend_from_slice(&bytes[..read]);
        let questions = String::from_utf8_lossy(&seen).matches(question).count();
        while asked < questions {
            let answer = answers.get(asked).unwrap_or_else(|| panic!("asked once more than expected"))();
            stdin.write_all(answer.as_bytes()).unwrap();
            asked += 1;
        }
    }
    let code = child.wait().unwrap().code();
    Ran { code, stdout: String::from_utf8_lossy(&seen).into_owned(), stderr: stderr.join().unwrap() }
}

fn drain(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A run that ended.
#[derive(Debug)]
pub struct Ran {
    /// None when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The one line of JSON on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}; stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr))
    }

    /// Both streams, for what a person reads.
    pub fn text(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        assert!(self.text().contains(words), "nothing says `{words}`:\n{}", self.text());
        self
    }
}

/// The report of one app of an environment.
#[track_caller]
pub fn app<'a>(report: &'a Value, name: &str) -> &'a Value {
    let apps = report["apps"].as_array().expect("apps");
    apps.iter().find(|app| app["app"] == name).unwrap_or_else(|| panic!("no app `{name}`: {report:#}"))
}

/// The changes of all apps, as `resource action cause`.
pub fn changes(report: &Value) -> Vec<String> {
    let changes = report["apps"].as_array().expect("apps").iter().flat_map(|app| app["changes"].as_array().unwrap());
    let word = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
    changes.map(|c| format!("{} {} {}", word(c, "resource"), word(c, "action"), word(c, "cause"))).collect()
}
