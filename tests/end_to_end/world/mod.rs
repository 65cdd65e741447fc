//! A small world for one story: a manifests repository, a host file, a state directory and an engine of which it owns
//! one installation. All it made is gone when it is dropped.

mod answering;
mod cleanup;
mod daemon;
mod dockerd;
mod engine;
mod podman;
mod process;
mod registry;
mod tokens;
mod wait;

pub use answering::Answering;
pub use daemon::Daemon;
pub use dockerd::Dockerd;
pub use engine::{Container, Engine};
pub use podman::Podman;
pub use process::{Ran, app};
pub use registry::{PASSWORD, Registry, USER};
pub use tokens::Tokens;
pub use wait::{kills, until};

use process::Started;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};
use tempfile::TempDir;

/// A busybox that ends at once when it is told to.
pub const SLEEPER: &str = r#"[sh, -c, "trap 'exit 0' TERM; sleep 36000 & wait"]"#;

pub struct World {
    pub engine: Engine,
    /// The installation and its environment; no other story has it.
    pub name: String,
    folder: TempDir,
}

impl World {
    pub fn on(engine: Engine) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("e2e{}-{number}", std::process::id());
        engine.demand();
        let world = Self { engine, name, folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(world.manifests()).unwrap();
        world.git(&["init", "-q", "-b", "main"]);
        world.host("");
        world
    }

    pub fn manifests(&self) -> PathBuf {
        self.folder.path().join("manifests")
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A folder on the host, for binds.
    pub fn scratch(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// Where `docker login` would leave its file for whoever runs the binary: the story's own, not this machine's.
    pub fn logins(&self) -> PathBuf {
        self.folder.path().join("logins")
    }

    /// Writes a secret that nobody else can read, and tells where.
    pub fn secret(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// Writes the host file: the installation, and what is given.
    pub fn host(&self, settings: &str) {
        fs::write(self.host_file(), format!("installation: {}\n{settings}", self.name)).unwrap();
    }

    pub fn host_file(&self) -> PathBuf {
        self.folder.path().join("host.yaml")
    }

    /// Writes a file of the manifests repository.
    pub fn put(&self, path: impl AsRef<Path>, text: &str) {
        let path = self.manifests().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes an app's manifest.
    pub fn app(&self, app: &str, manifest: &str) {
        self.put(format!("environments/{}/{app}.yaml", self.name), manifest);
    }

    /// Writes an app's manifest and commits it.
    pub fn push(&self, app: &str, manifest: &str) -> String {
        self.app(app, manifest);
        self.commit(&format!("{app}: changed"))
    }

    /// Commits an app that is of no interest, and tells the commit.
    pub fn push_other(&self) -> String {
        self.app("other", "services: {one: {image: bb:1, command: [sleep, \"36000\"], stop_grace_period: 1s, rollout: {min_healthy_time: 0s}}}\n");
        self.commit("other: first")
    }

    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(self.manifests())
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn command(&self, environment: &str, engine: &str, arguments: &[&str]) -> Command {
        let mut command = self.engine.beside(env!("CARGO_BIN_EXE_reconcile"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("RECONCILE_") {
                command.env_remove(name);
            }
        }
        command
            .env("DOCKER_CONFIG", self.logins())
            .arg("--config")
            .arg(self.host_file())
            .arg("--source")
            .arg(self.manifests())
            .arg("--state-dir")
            .arg(self.state())
            .args(["--environment", environment, "--engine", engine, "--no-color"])
            .args(arguments);
        command
    }

    /// Runs the binary in the world's environment.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.start(arguments).finish()
    }

    /// Runs the binary in other environments of the world, with a comma between them.
    pub fn run_in(&self, environments: &str, arguments: &[&str]) -> Ran {
        Started::spawn(self.command(environments, &self.engine.address(), arguments)).finish()
    }

    /// Runs the binary where no engine answers.
    pub fn run_alone(&self, arguments: &[&str]) -> Ran {
        self.start_alone(arguments).finish()
    }

    /// Starts the binary where no engine answers.
    pub fn start_alone(&self, arguments: &[&str]) -> Started {
        let nowhere = format!("unix://{}", self.folder.path().join("nowhere.sock").display());
        Started::spawn(self.command(&self.name, &nowhere, arguments))
    }

    /// Runs the binary under a umask.
    pub fn run_under(&self, umask: &str, arguments: &[&str]) -> Ran {
        let command = self.command(&self.name, &self.engine.address(), arguments);
        let mut under = Command::new("sh");
        under.args(["-c", &format!("umask {umask}; exec \"$@\""), "sh"]);
        under.arg(command.get_program()).args(command.get_args());
        Started::spawn(under).finish()
    }

    /// Runs the binary with variables of its own.
    pub fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let mut command = self.command(&self.name, &self.engine.address(), arguments);
        command.envs(variables.iter().copied());
        Started::spawn(command).finish()
    }

    /// Runs the binary where the engine sees nothing of what it delivers below `/run/reconcile`.
    pub fn run_apart(&self, arguments: &[&str]) -> Ran {
        let command = self.command(&self.name, &self.engine.address(), arguments);
        let mut apart = Command::new("unshare");
        apart.args(["--mount", "sh", "-c", "mount -t tmpfs tmpfs /run/reconcile && exec \"$@\"", "sh"]);
        apart.arg(command.get_program()).args(command.get_args());
        Started::spawn(apart).finish()
    }

    /// Starts the binary without waiting for its end.
    pub fn start(&self, arguments: &[&str]) -> Started {
        Started::spawn(self.command(&self.name, &self.engine.address(), arguments))
    }

    /// Starts the daemon, on the work tree's repository.
    pub fn watch(&self, variables: &[(&str, &str)]) -> Daemon {
        let mut command =
            self.command(&self.name, &self.engine.address(), &["--ref", "main", "--log-format", "json", "watch"]);
        command.envs(variables.iter().copied());
        Daemon::spawn(command, self.folder.path().join("watch.log"))
    }

    /// Waits until a web server answers with a word.
    #[track_caller]
    pub fn answers(&self, app: &str, service: &str, word: &str) {
        let fetch = ["wget", "-qO-", "http://127.0.0.1:8080/"];
        until(&format!("{app}/{service} answers `{word}`"), 60, || {
            let running = self.running(app, service);
            running.iter().any(|id| {
                let output = self.engine.try_ask(&[&["exec", id.as_str()], &fetch[..]].concat());
                String::from_utf8_lossy(&output.stdout).trim() == word
            })
        });
    }

    /// Waits until a service has exactly one running container other than this one.
    #[track_caller]
    pub fn another(&self, app: &str, service: &str, than: &str) -> Container {
        until(
            &format!("one container of {app}/{service}, and not {than}"),
            60,
            || matches!(self.running(app, service).as_slice(), [one] if one != than),
        );
        self.one(app, service)
    }

    /// Runs the binary where every file is open to everyone unless it says otherwise, and where every log is asked for.
    pub fn run_wide_open(&self, arguments: &[&str]) -> Ran {
        let command = self.command(&self.name, &self.engine.address(), arguments);
        let mut shell = Command::new("sh");
        shell.args(["-c", "umask 000; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
        shell.envs([("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")]);
        Started::spawn(shell).finish()
    }

    /// Runs the binary on a terminal of the kind that is given; both streams come out of it as one.
    pub fn on_terminal(&self, kind: &str, arguments: &[&str]) -> Ran {
        Started::spawn(self.terminal(kind, arguments)).finish()
    }

    /// Runs the binary on a terminal and answers it; an answer may take its time, with what the world does meanwhile.
    pub fn asked(&self, arguments: &[&str], answers: &[&dyn Fn() -> &'static str]) -> Ran {
        process::answered(self.terminal("dumb", arguments), "[y/N]", answers)
    }

    fn terminal(&self, kind: &str, arguments: &[&str]) -> Command {
        let command = self.command(&self.name, &self.engine.address(), arguments);
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let line = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect::<Vec<_>>().join(" ");
        let mut terminal = Command::new("script");
        terminal.env("TERM", kind).args(["-qec", &line, "/dev/null"]);
        terminal
    }

    /// One pass that has to succeed.
    pub fn converge(&self) -> Ran {
        let ran = self.run(&["--output", "json"]);
        // Podman 4.3 cannot make a network in the moment in which another story's network goes. The app is blocked and
        // nothing is condemned, so the next pass does it; so must it here.
        if self.engine == Engine::Podman && ran.stderr.contains("no such network interface") {
            return self.run(&["--output", "json"]).expect(0);
        }
        ran.expect(0)
    }

    /// One pass that has to fail.
    pub fn fails(&self) -> Ran {
        self.run(&["--output", "json"]).expect(1)
    }

    /// What a pass would do.
    pub fn plan(&self) -> serde_json::Value {
        self.run(&["--dry-run", "--output", "json"]).expect(0).json()
    }

    /// The plan's changes, as `resource action cause`.
    pub fn changes(&self) -> Vec<String> {
        process::changes(&self.plan())
    }

    /// The host is as the branch says, and a dry run says so.
    pub fn is_synced(&self) {
        let plan = self.plan();
        assert_eq!(plan["status"], "Synced", "{plan:#}");
        assert_eq!(process::changes(&plan), Vec::<String>::new(), "{plan:#}");
    }

    /// True when a dry run finds all as the branch says. One that looks while the daemon works may find half of it.
    pub fn seems_synced(&self) -> bool {
        let ran = self.run(&["--dry-run", "--output", "json"]);
        ran.code == Some(0) && ran.json()["status"] == "Synced"
    }

    /// The running containers of a service, by id.
    pub fn running(&self, app: &str, service: &str) -> Vec<String> {
        self.engine.list(&self.name, app, &format!("reconcile.service={service}"))
    }

    /// The one running container of a service.
    pub fn one(&self, app: &str, service: &str) -> Container {
        let running = self.running(app, service);
        assert_eq!(running.len(), 1, "running containers of {app}/{service}: {running:?}");
        Container::of(self.engine, &running[0])
    }

    /// What a service answers over HTTP on a port inside its container.
    pub fn answer(&self, app: &str, service: &str) -> String {
        self.one(app, service).exec(&["wget", "-qO-", "http://127.0.0.1:8080/"]).trim().to_owned()
    }

    /// Builds an image of the world's own on the test image, and tells its name.
    pub fn image(&self, name: &str, lines: &str) -> String {
        let (folder, tag) = (self.scratch("image"), format!("{}-{name}", self.name));
        fs::write(folder.join("Dockerfile"), format!("FROM bb:1\n{lines}\n")).unwrap();
        self.engine.ask(&["build", "-q", "-t", &tag, folder.to_str().unwrap()]);
        tag
    }

    /// Every container that carries the world's installation, stopped ones too.
    pub fn everything(&self) -> Vec<String> {
        let filter = format!("label=reconcile.installation={}", self.name);
        self.engine.ask(&["ps", "-aq", "--no-trunc", "--filter", &filter]).lines().map(str::to_owned).collect()
    }

    /// The label by which the world's leavings that the binary did not make are found.
    pub fn label(&self) -> String {
        format!("reconcile.test={}", self.name)
    }
}

/// A web server that answers with a word.
pub fn server(word: &str) -> String {
    format!(r#"[sh, -c, "mkdir -p /www; echo {word} > /www/index.html; exec httpd -f -p 8080 -h /www"]"#)
}
