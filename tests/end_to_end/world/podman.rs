//! A Podman of a story's own, which takes a registry on loopback without TLS. Its containers have no network: those of the
//! Podman that other stories use stay as they are.

use super::{Engine, wait::until};
use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

pub struct Podman {
    folder: TempDir,
    service: Child,
    address: &'static str,
}

impl Podman {
    /// Starts it. `registries` are hosts with ports, asked in the clear.
    pub fn start(registries: &[String]) -> Self {
        let folder = tempfile::Builder::new().prefix("own").tempdir().unwrap();
        let at = folder.path();
        let address: &'static str = format!("unix://{}", at.join("podman.sock").display()).leak();
        let insecure = registries.iter().map(|host| format!("[[registry]]\nlocation = \"{host}\"\ninsecure = true\n"));
        fs::write(at.join("registries.conf"), insecure.collect::<String>()).unwrap();
        // As in `scripts/engines`.
        fs::write(
            at.join("containers.conf"),
            "[containers]\ndefault_ulimits = [\"nofile=4096:4096\", \"nproc=4096:4096\"]\n\
             [network]\nnetwork_backend = \"netavark\"\n\
             [engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\nruntime = \"runc\"\n",
        )
        .unwrap();
        let log = File::create(at.join("log")).unwrap();
        let mut command = Command::new("/usr/bin/podman");
        command
            .env("PATH", "/usr/sbin:/sbin")
            .env("CONTAINERS_CONF", at.join("containers.conf"))
            .env("CONTAINERS_REGISTRIES_CONF", at.join("registries.conf"))
            .current_dir(at)
            .arg("--root")
            .arg(at.join("root"))
            .arg("--runroot")
            .arg(at.join("run"))
            .args(["--storage-driver", driver(at), "system", "service", "--time=0", address]);
        let service = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn();
        let podman = Self { service: service.expect("podman: `make test` installs it"), address, folder };
        until("the engine answers", 60, || podman.engine().try_ask(&["version"]).status.success());
        podman
    }

    pub fn engine(&self) -> Engine {
        Engine::OwnPodman(self.address)
    }
}

/// Overlay cannot lie on overlay.
fn driver(folder: &Path) -> &'static str {
    let output = Command::new("stat").args(["-f", "-c", "%T"]).arg(folder).output().unwrap();
    if String::from_utf8_lossy(&output.stdout).trim() == "overlayfs" { "vfs" } else { "overlay" }
}

impl Drop for Podman {
    fn drop(&mut self) {
        // What the world did not remove would hold its mounts.
        let left = self.engine().try_ask(&["ps", "-aq"]);
        for id in String::from_utf8_lossy(&left.stdout).lines() {
            self.engine().try_ask(&["rm", "-fv", id]);
        }
        let _ = Command::new("kill").arg(self.service.id().to_string()).status();
        let _ = self.service.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            eprintln!("the engine's last words:\n{log}");
        }
        for mount in super::dockerd::mounts_below(self.folder.path()) {
            let _ = Command::new("umount").arg("--lazy").arg(mount).status();
        }
    }
}
