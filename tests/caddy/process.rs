//! A Caddy of the test's own, with a server of somebody else's in it, on ports of its own; ended by its process id.

use serde_json::json;
use std::{
    fs,
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A Caddy that runs.
pub struct Process {
    pub http: u16,
    pub https: u16,
    /// Its admin interface.
    pub admin: String,
    pub folder: tempfile::TempDir,
    child: Child,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// Starts one on ports that are free, and waits until it listens.
    pub fn start(free_port: fn() -> u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (admin, http, https) = (free_port(), free_port(), free_port());
        let config = json!({
            "admin": {"listen": format!("127.0.0.1:{admin}")},
            "apps": {
                "http": {"http_port": http, "https_port": https, "grace_period": 10_000_000_000u64, "servers": {"srv0": {
                    "listen": [format!(":{https}")],
                    "routes": [{"match": [{"host": ["theirs.example.com"]}],
                        "handle": [{"handler": "static_response", "body": "theirs"}]}],
                }}},
                "tls": {"automation": {"policies": [
                    {"subjects": ["theirs.example.com"], "issuers": [{"module": "internal"}]}]}},
                "pki": {"certificate_authorities": {"local": {"install_trust": false}}},
            },
        });
        let file = folder.path().join("caddy.json");
        fs::write(&file, config.to_string()).unwrap();
        let program = "/usr/bin/caddy";
        assert!(fs::exists(program).unwrap(), "caddy is missing: run the tests with `make test`");
        // As docs/routes.md asks of a host with Caddy: its kernel hands over what waits while Caddy listens anew.
        let handover = "/proc/sys/net/ipv4/tcp_migrate_req";
        if fs::read_to_string(handover).unwrap().trim() == "0" {
            fs::write(handover, "1").unwrap();
        }
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(program)
            .args(["run", "--config"])
            .arg(&file)
            .env("XDG_DATA_HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path())
            .env("HOME", folder.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let process = Self { http, https, admin: format!("http://127.0.0.1:{admin}"), folder, child };
        let deadline = Instant::now() + Duration::from_secs(60);
        while [https, admin].iter().any(|port| TcpStream::connect(("127.0.0.1", *port)).is_err()) {
            assert!(Instant::now() < deadline, "caddy does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        process
    }

    /// What its configuration says, as `curl` has it of the admin interface.
    #[allow(dead_code, reason = "not every test looks")]
    pub fn config(&self) -> String {
        let output = Command::new("curl").args(["-s", &format!("{}/config/", self.admin)]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Changes something by hand.
    #[allow(dead_code, reason = "not every test meddles")]
    pub fn tell(&self, method: &str, path: &str, body: &str) {
        let url = format!("{}{path}", self.admin);
        let words = ["-sf", "-X", method, "-H", "Content-Type: application/json", "-d", body, &url];
        assert!(Command::new("curl").args(words).status().unwrap().success(), "{method} {path}");
    }

    /// Loads what it was started with, as a reload of its own file does.
    #[allow(dead_code, reason = "not every test reloads")]
    pub fn reload(&self) {
        let file = fs::read_to_string(self.folder.path().join("caddy.json")).unwrap();
        self.tell("POST", "/load", &file);
    }
}
