//! Repositories elsewhere, as far as the containers of an engine: what is not believed changes nothing there.

use crate::{
    bare::{key, public},
    moved::until,
    run::{Ran, Run, host_file},
    sshd::Sshd,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

struct Host {
    sshd: Sshd,
    /// The installation and its environment.
    name: String,
}

fn docker(arguments: &[&str]) -> String {
    let address = std::env::var("RECONCILE_TEST_DOCKER").expect("an engine's address: run the tests with `make test`");
    let output = Command::new("docker").arg("--host").arg(address).args(arguments).output().unwrap();
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What is printed, also where it fails.
fn try_docker(arguments: &[&str]) -> String {
    let address = std::env::var("RECONCILE_TEST_DOCKER").unwrap();
    let output = Command::new("docker").arg("--host").arg(address).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Host {
    fn start(source: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        docker(&["version"]);
        let name = format!("src{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let host = Self { sshd: Sshd::start(), name };
        host.settings(source);
        host
    }

    /// Writes the host file, with more lines of `source`.
    fn settings(&self, source: &str) {
        let file = format!("{}installation: {1}\nenvironments: [{1}]\n", host_file(&self.sshd, source), self.name);
        fs::write(self.sshd.path("host.yaml"), file).unwrap();
    }

    fn write(&self, word: &str) {
        let manifest = format!(
            "services:\n  web:\n    image: bb:1\n    command: [sleep, \"36000\"]\n    env: {{WORD: {word}}}\n    \
             stop_grace_period: 0s\n    rollout: {{min_healthy_time: 0s}}\n"
        );
        self.sshd.bare.put(&format!("environments/{}/web.yaml", self.name), &manifest);
    }

    fn push(&self, word: &str) -> String {
        self.write(word);
        self.sshd.bare.push(word)
    }

    /// As `push`, signed.
    fn sign(&self, key: &Path, word: &str) {
        self.write(word);
        self.sshd.bare.git(&["add", "-A"]);
        let setting = format!("user.signingkey={}.pub", key.display());
        self.sshd.bare.git(&["-c", &setting, "-c", "gpg.format=ssh", "commit", "-q", "-S", "-m", word]);
        self.sshd.bare.git(&["push", "-q", "origin", "HEAD"]);
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let address = std::env::var("RECONCILE_TEST_DOCKER").unwrap();
        Run::again(&self.sshd.path("")).run(&[&["--engine", &address, "--no-color"], arguments].concat())
    }

    fn containers(&self) -> Vec<String> {
        let filter = format!("label=reconcile.installation={}", self.name);
        docker(&["ps", "-aq", "--no-trunc", "--filter", &filter]).lines().map(str::to_owned).collect()
    }

    /// The word that the one container was given.
    #[track_caller]
    fn word(&self) -> String {
        let words = self.words();
        assert_eq!(words.len(), 1, "{words:?}");
        words[0].clone()
    }

    /// The words of all containers; one that goes meanwhile has none.
    fn words(&self) -> Vec<String> {
        let word = |id: String| {
            let format = "{{range .Config.Env}}{{println .}}{{end}}";
            let env = try_docker(&["inspect", "--format", format, &id]);
            env.lines().find_map(|line| line.strip_prefix("WORD=")).unwrap_or_default().to_owned()
        };
        self.containers().into_iter().map(word).collect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let address = std::env::var("RECONCILE_TEST_DOCKER").unwrap_or_default();
        let try_docker = |words: &[&str]| Command::new("docker").arg("--host").arg(&address).args(words).output();
        let filter = format!("label=reconcile.installation={}", self.name);
        let remove_all = |list: &[&str], remove: &[&str], ours: &dyn Fn(&str) -> bool| {
            let Ok(found) = try_docker(list) else { return };
            for id in String::from_utf8_lossy(&found.stdout).lines().filter(|id| ours(id)) {
                let _ = try_docker(&[remove, &[id]].concat());
            }
        };
        remove_all(&["ps", "-aq", "--filter", &filter], &["rm", "-fv"], &|_| true);
        remove_all(&["network", "ls", "-q", "--filter", &filter], &["network", "rm"], &|_| true);
        remove_all(&["images", "--format", "{{.Repository}}:{{.Tag}}"], &["rmi"], &|tag| tag.contains(&self.name));
    }
}

/// V11
#[test]
fn on_docker_a_changed_host_key_stops_the_pass_and_what_runs_goes_on() {
    let host = Host::start("");
    host.push("one");
    host.run(&["--yes"]).is(0);
    assert_eq!(host.word(), "one");
    host.sshd.pin(&public(&key(&host.sshd.path("old"), "ed25519")));
    host.push("two");
    let before = host.containers();
    host.run(&["--yes"]).is(1).complains("is another one: expected");
    host.run(&["--dry-run"]).is(1).complains("is another one: expected");
    assert_eq!(host.containers(), before);
    // A look goes on, and says what it is a look at.
    let status = host.run(&["status"]).is(0);
    status.complains("stands in for it");
    assert!(status.out.contains("Synced"), "{}", status.out);
    host.sshd.pin(&public(&host.sshd.path("host")));
    host.run(&["--yes"]).is(0);
    assert_eq!(host.word(), "two");
    // And back again although the server is away.
    host.sshd.known_hosts("");
    host.run(&["rollback", "web"]).is(0).complains("stands in for it");
    assert_eq!(host.word(), "one");
}

#[test]
fn on_docker_a_rewound_branch_is_not_followed_until_that_is_accepted() {
    let host = Host::start("");
    let first = host.push("one");
    host.run(&["--yes"]).is(0);
    let second = host.push("two");
    host.run(&["--yes"]).is(0);
    let before = host.containers();
    host.sshd.bare.git(&["reset", "-q", "--hard", &first]);
    let third = host.push("three");
    let words = format!("the branch was rewound: {third} does not come after {second}");
    let plan = host.run(&["--dry-run"]).is(1);
    plan.complains(&words);
    assert!(plan.out.contains("WORD: two → three"), "{}", plan.out);
    host.run(&["--yes"]).is(1).complains(&words).complains(&format!("`reconcile accept-rewind {third}`"));
    host.run(&["--yes"]).is(1).complains(&words);
    assert_eq!(host.containers(), before);
    host.run(&["accept-rewind", &third]).is(0);
    host.run(&["--yes"]).is(0);
    assert_eq!(host.word(), "three");
    // What was accepted is the new beginning.
    host.push("four");
    host.run(&["--yes"]).is(0);
    assert_eq!(host.word(), "four");
    // A branch that is gone removes nothing.
    crate::bare::git(&host.sshd.bare.path(), &["update-ref", "-d", "refs/heads/main"]);
    host.run(&["--yes", "--allow-empty"]).is(1).complains("has no branch and no tag `main`");
    assert_eq!(host.word(), "four");
}

#[test]
fn on_docker_only_signed_commits_are_applied_where_the_host_wants_them() {
    let host = Host::start("");
    let ann = key(&host.sshd.path("ann"), "ed25519");
    let allowed = host.sshd.path("allowed_signers");
    fs::write(&allowed, format!("ann@example.com {}\n", public(&ann))).unwrap();
    host.settings(&format!("  verify: {{mode: strict, allowed_signers: {}}}\n", allowed.display()));
    let sign = |word: &str| host.sign(&ann, word);
    let unsigned = host.push("one");
    host.run(&["--yes"]).is(1).complains(&format!("commit {unsigned} is not signed"));
    assert_eq!(host.containers(), Vec::<String>::new());
    sign("two");
    host.run(&["--yes"]).is(0);
    assert_eq!(host.word(), "two");
    // Unsigned below signed: only the strict look finds it.
    let unsigned = host.push("three");
    sign("four");
    host.run(&["--yes"]).is(1).complains(&format!("commit {unsigned} is not signed"));
    assert_eq!(host.word(), "two");
    // A file of signers that is not understood believes nobody.
    fs::write(&allowed, format!("ann@example.com valid-before=\"20300101\" {}\n", public(&ann))).unwrap();
    host.run(&["--yes"]).is(1).complains("the option `valid-before`, which is not supported");
    assert_eq!(host.word(), "two");
}

/// A daemon, ended with its story.
struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the daemon's log:\n{}", fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

impl Host {
    fn watch(&self) -> Daemon {
        let (address, log) = (std::env::var("RECONCILE_TEST_DOCKER").unwrap(), self.sshd.path("watch.log"));
        let run = Run::again(&self.sshd.path(""));
        let mut command = run.command(&["--engine", &address, "--no-color", "watch"]);
        let file = fs::File::create(&log).unwrap();
        Daemon { child: command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn().unwrap(), log }
    }

    fn becomes(&self, word: &str) {
        until(|| {
            let words = self.words();
            words.len() == 1 && words[0] == word
        });
    }
}

impl Daemon {
    fn says(&self, words: &str) {
        until(|| fs::read_to_string(&self.log).unwrap().contains(words));
    }
}

/// V1, and V11 again: the daemon asks by itself; a key that changes stops it, and nothing else.
#[test]
fn on_docker_a_push_over_ssh_is_live_and_nobody_logs_in() {
    let host = Host::start("  poll: 1s\n");
    host.push("one");
    let daemon = host.watch();
    host.becomes("one");
    host.push("two");
    host.becomes("two");

    host.sshd.pin(&public(&key(&host.sshd.path("old"), "ed25519")));
    daemon.says("is another one: expected");
    host.push("three");
    let kept = host.containers();
    docker(&["rm", "-f", &kept[0]]);
    until(|| host.containers().len() == 1 && host.containers() != kept);
    assert_eq!(host.word(), "two");
    host.sshd.pin(&public(&host.sshd.path("host")));
    host.becomes("three");
}

#[test]
fn on_docker_a_daemon_halts_at_a_commit_that_nobody_signed_and_goes_on_at_one_that_is() {
    let host = Host::start("");
    let ann = key(&host.sshd.path("ann"), "ed25519");
    let allowed = host.sshd.path("allowed_signers");
    fs::write(&allowed, format!("ann@example.com {}\n", public(&ann))).unwrap();
    host.settings(&format!("  poll: 1s\n  verify: {{mode: head, allowed_signers: {}}}\n", allowed.display()));
    let sign = |word: &str| host.sign(&ann, word);
    sign("one");
    let daemon = host.watch();
    host.becomes("one");
    let unsigned = host.push("two");
    daemon.says(&format!("commit {unsigned} is not signed"));
    assert_eq!(host.word(), "one");
    sign("three");
    host.becomes("three");
}
