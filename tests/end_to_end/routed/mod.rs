//! Services that are reached through an nginx of the story's own, by the real binary.

mod load;
mod secured;
mod switched;

use crate::world::World;

#[path = "../../certificates/authority.rs"]
#[allow(dead_code, reason = "its own tests ask more of it")]
mod authority;
#[path = "../../nginx/client.rs"]
mod client;
#[path = "../../nginx/process.rs"]
mod process;

use process::{Process, free_port};

/// A world with a proxy.
pub struct Routed<'a> {
    pub world: &'a World,
    pub nginx: Process,
    pub http: u16,
    pub https: u16,
}

impl<'a> Routed<'a> {
    pub fn in_front_of(world: &'a World) -> Self {
        let (nginx, http, https) = (Process::start(), free_port(), free_port());
        let routed = Self { world, nginx, http, https };
        world.host(&routed.settings());
        routed
    }

    /// The section of the host file.
    pub fn settings(&self) -> String {
        let (directory, program) = (self.nginx.directory(), self.nginx.program());
        format!(
            "proxy: {{driver: nginx, directory: {}, program: {}, listen: {{http: {}, https: {}}}}}\n",
            directory.display(),
            program.display(),
            self.http,
            self.https
        )
    }

    /// The name that only this story answers to.
    pub fn host(&self) -> String {
        format!("{}.example.com", self.world.name)
    }

    /// A service that says a word, reached by the host's name.
    pub fn manifest(&self, word: &str, more: &str) -> String {
        format!(
            "services:\n  web:\n    image: bb:1\n    command: {}\n    stop_grace_period: 2s\n\
             \x20   healthcheck: {{http: {{path: /index.html, port: 8080}}, interval: 500ms}}\n\
             \x20   rollout: {{drain: 3s, healthy_deadline: 8s}}\n\
             \x20   proxy: {{hosts: [{}], port: 8080}}\n{more}",
            crate::world::server(word),
            self.host()
        )
    }

    /// Where the routes of the app `web` are.
    pub fn file(&self) -> std::path::PathBuf {
        self.nginx.directory().join(format!("reconcile-{}.web.conf", self.world.name))
    }

    /// Whether a word comes back, whatever is under way.
    pub fn answers(&self, word: &str) -> bool {
        let to = format!("{}:{}:127.0.0.1", self.host(), self.http);
        let url = format!("http://{}:{}/", self.host(), self.http);
        let output =
            std::process::Command::new("curl").args(["-sS", "--max-time", "5", "--resolve", &to, &url]).output();
        output.is_ok_and(|output| output.stdout == format!("{word}\n").as_bytes())
    }

    /// Who issued the certificate that is shown.
    pub fn issuer(&self) -> String {
        let door = format!("127.0.0.1:{}", self.https);
        let shown = openssl(&["s_client", "-connect", &door, "-servername", &self.host()]);
        shown.lines().find(|line| line.starts_with("issuer=")).unwrap_or_default().to_owned()
    }

    pub fn get(&self, path: &str) -> String {
        client::curl("http", &self.host(), self.http, path, &[])
    }

    pub fn get_secured(&self, path: &str) -> String {
        client::curl("https", &self.host(), self.https, path, &["--http1.1"])
    }
}

/// What `openssl` prints.
fn openssl(arguments: &[&str]) -> String {
    let output =
        std::process::Command::new("openssl").args(arguments).stdin(std::process::Stdio::null()).output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
