//! A Docker of a story's own, which it may end and kill as it likes: in a network namespace apart, so that the bridges
//! and rules of the one that the other stories use stay as they are.

use super::{Engine, until};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

pub struct Dockerd {
    folder: TempDir,
    /// Holds the network namespace, which outlives a restart of the engine as a host's does.
    space: Child,
    /// Apart from the engine, as Debian has it: containers live on when the engine is killed.
    containerd: Child,
    engine: Option<Child>,
    address: &'static str,
}

impl Dockerd {
    /// Starts it, with the image that stories use.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("own").tempdir().unwrap();
        let at = folder.path();
        let address: &'static str = format!("unix://{}", at.join("docker.sock").display()).leak();
        let configuration = format!(
            "version = 2\nroot = '{0}/containerd'\nstate = '{0}/tasks'\n\
             disabled_plugins = ['io.containerd.grpc.v1.cri', 'io.containerd.internal.v1.opt']\n\
             [grpc]\naddress = '{0}/containerd.sock'\n",
            at.display()
        );
        fs::write(at.join("containerd.toml"), configuration).unwrap();
        let space = spawn(at, "space", Command::new("unshare").args(["--net", "sleep", "infinity"]));
        let own = fs::read_link("/proc/self/ns/net").unwrap();
        let containerd =
            spawn(at, "containerd", Command::new("containerd").arg("--config").arg(at.join("containerd.toml")));
        let mut dockerd = Self { space, containerd, engine: None, address, folder };
        let net = format!("/proc/{}/ns/net", dockerd.space.id());
        until("the namespace is there", 60, || fs::read_link(&net).is_ok_and(|net| net != own));
        until("containerd listens", 60, || dockerd.folder.path().join("containerd.sock").exists());
        dockerd.begin();
        dockerd.build();
        dockerd
    }

    pub fn engine(&self) -> Engine {
        Engine::Own(self.address, self.space.id())
    }

    /// Starts the engine, and waits until it answers.
    pub fn begin(&mut self) {
        assert!(self.engine.is_none(), "it runs already");
        let at = self.folder.path();
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.space.id())).arg("dockerd").args(["--host", self.address]);
        for (option, place) in [
            ("--containerd", "containerd.sock"),
            ("--pidfile", "docker.pid"),
            ("--exec-root", "run"),
            ("--data-root", "data"),
        ] {
            command.arg(option).arg(at.join(place));
        }
        self.engine = Some(spawn(at, "dockerd", &mut command));
        // After a SIGKILL it ends the containers that it finds first, and gives each of them its grace.
        until("the engine answers", 120, || self.engine().try_ask(&["version"]).status.success());
    }

    /// SIGTERM, as a service manager ends it, and waits for its end.
    pub fn end(&mut self) {
        self.finish("TERM");
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.finish("KILL");
    }

    fn finish(&mut self, signal: &str) {
        let Some(mut engine) = self.engine.take() else { return };
        finish(&mut engine, signal);
    }

    fn build(&self) {
        let folder = tempfile::tempdir().unwrap();
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].iter().find(|path| Path::new(path).exists());
        fs::copy(busybox.expect("busybox: `make test` installs it"), folder.path().join("busybox")).unwrap();
        let lines =
            "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n";
        fs::write(folder.path().join("Dockerfile"), lines).unwrap();
        self.engine().ask(&["build", "-q", "--network", "none", "-t", "bb:1", folder.path().to_str().unwrap()]);
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("dockerd.log")).unwrap_or_default();
            let last: Vec<&str> = log.lines().rev().take(15).collect();
            eprintln!("the engine's last words, newest first:\n{}", last.join("\n"));
        }
        self.finish("TERM");
        finish_tasks(self.folder.path());
        finish(&mut self.containerd, "TERM");
        finish(&mut self.space, "KILL");
        for mount in mounts_below(self.folder.path()) {
            let _ = Command::new("umount").arg("--lazy").arg(mount).status();
        }
    }
}

fn spawn(folder: &Path, name: &str, command: &mut Command) -> Child {
    let log = File::options().create(true).append(true).open(folder.join(format!("{name}.log"))).unwrap();
    let errors = log.try_clone().unwrap();
    let child = command.current_dir(folder).stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
    child.unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn finish(child: &mut Child, signal: &str) {
    let _ = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
    let _ = child.wait();
}

/// Containers that an engine left when it was killed, and was not started again.
fn finish_tasks(folder: &Path) {
    let socket = folder.join("containerd.sock");
    let ctr = |arguments: &[&str]| {
        Command::new("ctr").arg("--address").arg(&socket).args(["--namespace", "moby"]).args(arguments).output()
    };
    let Ok(tasks) = ctr(&["tasks", "list", "--quiet"]) else { return };
    for task in String::from_utf8_lossy(&tasks.stdout).lines() {
        let _ = ctr(&["tasks", "delete", "--force", task]);
    }
}

/// What is mounted below a folder, the innermost first.
pub(super) fn mounts_below(folder: &Path) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let places = mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(PathBuf::from);
    let mut below: Vec<PathBuf> = places.filter(|place| place.starts_with(folder)).collect();
    below.sort();
    below.reverse();
    below
}
