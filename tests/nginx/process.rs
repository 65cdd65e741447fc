//! An nginx of the test's own, in a folder of its own; ended by its process id.

use crate::port::free_port;
use std::{
    fs,
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

/// An nginx that runs.
pub struct Process {
    pub folder: tempfile::TempDir,
    master: Child,
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its workers end with it.
        let _ = Command::new("kill").args(["-TERM", &self.master.id().to_string()]).status();
        let _ = self.master.wait();
        if std::thread::panicking() {
            let said = fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default();
            let last: Vec<&str> = said.lines().rev().take(30).collect();
            eprintln!("nginx said at the end:\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
    }
}

impl Process {
    /// Starts one that serves nothing yet but an answer by which its being up is seen.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Its workers are another user.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::create_dir(at("conf.d")).unwrap();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("    {kind}_temp_path {};\n", at(kind)))
            .collect();
        let main = format!(
            "user www-data;\ndaemon off;\npid {};\nerror_log {} info;\nworker_processes 2;\nworker_shutdown_timeout 20s;\n\
             events {{ worker_connections 512; }}\nhttp {{\n    access_log off;\n{temporary}    include {}/*.conf;\n}}\n",
            at("nginx.pid"),
            at("error.log"),
            at("conf.d"),
        );
        fs::write(at("nginx.conf"), main).unwrap();
        let real = "/usr/sbin/nginx";
        assert!(fs::exists(real).unwrap(), "nginx is missing: run the tests with `make test`");
        fs::write(at("nginx"), format!("#!/bin/sh\nexec {real} -c {} \"$@\"\n", at("nginx.conf"))).unwrap();
        fs::set_permissions(at("nginx"), fs::Permissions::from_mode(0o755)).unwrap();
        let up = free_port();
        fs::write(at("conf.d/up.conf"), format!("server {{ listen 127.0.0.1:{up}; return 204; }}\n")).unwrap();
        let master = Command::new(at("nginx")).spawn().unwrap();
        let process = Self { folder, master };
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", up)).is_err() {
            assert!(Instant::now() < deadline, "nginx does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        process
    }

    /// The folder whose files it reads.
    pub fn directory(&self) -> PathBuf {
        self.folder.path().join("conf.d")
    }

    /// A program that is this nginx, whatever it is asked for.
    pub fn program(&self) -> PathBuf {
        self.folder.path().join("nginx")
    }
}
