//! Services that are reached through a proxy of the story's own, nginx or Caddy, by the real binary.

mod asked;
mod contained;
mod environments;
mod inside;
mod labelled;
mod load;
mod nginx_proxy;
mod secured;
mod stand_in;
mod streams;
mod switched;

use crate::{port::free_port, world::World};

#[path = "../../certificates/authority.rs"]
#[allow(dead_code, reason = "its own tests ask more of it")]
mod authority;
#[path = "../../caddy/process.rs"]
mod caddy;
#[path = "../../nginx/client.rs"]
mod client;
#[path = "../../nginx/process.rs"]
mod nginx;

/// The proxy.
pub enum Proxy {
    Nginx(nginx::Process),
    Caddy(caddy::Process),
    /// One in a container.
    Contained(contained::Contained),
}

/// A world with a proxy.
pub struct Routed<'a> {
    pub world: &'a World,
    pub proxy: Proxy,
    pub http: u16,
    pub https: u16,
}

impl<'a> Routed<'a> {
    pub fn in_front_of(world: &'a World) -> Self {
        let proxy = Proxy::Nginx(nginx::Process::start());
        Self::with(world, proxy, free_port(), free_port())
    }

    pub fn with_caddy(world: &'a World) -> Self {
        let caddy = caddy::Process::start(free_port);
        let (http, https) = (caddy.http, caddy.https);
        Self::with(world, Proxy::Caddy(caddy), http, https)
    }

    fn with(world: &'a World, proxy: Proxy, http: u16, https: u16) -> Self {
        let routed = Self { world, proxy, http, https };
        world.host(&routed.settings());
        routed
    }

    /// The section of the host file.
    pub fn settings(&self) -> String {
        let driver = match &self.proxy {
            Proxy::Nginx(nginx) => {
                format!("nginx, directory: {}, program: {}", nginx.directory().display(), nginx.program().display())
            }
            Proxy::Caddy(caddy) => format!("caddy, admin: \"{}\"", caddy.admin),
            Proxy::Contained(contained) => contained.driver.clone(),
        };
        format!("proxy: {{driver: {driver}, listen: {{http: {}, https: {}}}}}\n", self.http, self.https)
    }

    /// The folder of an nginx.
    pub fn directory(&self) -> std::path::PathBuf {
        match &self.proxy {
            Proxy::Nginx(nginx) => nginx.directory(),
            Proxy::Contained(contained) => contained.directory.clone(),
            Proxy::Caddy(_) => panic!("a caddy has none"),
        }
    }

    /// All that the proxy was told, as it has it.
    pub fn told(&self) -> String {
        match &self.proxy {
            Proxy::Nginx(_) | Proxy::Contained(_) => std::fs::read_to_string(self.file()).unwrap_or_default(),
            Proxy::Caddy(caddy) => caddy.config(),
        }
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
             \x20   rollout: {{drain: 4s, healthy_deadline: 12s}}\n\
             \x20   proxy: {{hosts: [{}], port: 8080}}\n{more}",
            server(word),
            self.host()
        )
    }

    /// Where the routes of the app `web` are.
    pub fn file(&self) -> std::path::PathBuf {
        self.directory().join(format!("reconcile-{}.web.conf", self.world.name))
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
        self.issuer_of(&self.host())
    }

    pub fn issuer_of(&self, host: &str) -> String {
        let door = format!("127.0.0.1:{}", self.https);
        let shown = openssl(&["s_client", "-connect", &door, "-servername", host]);
        shown.lines().find(|line| line.starts_with("issuer=")).unwrap_or_default().to_owned()
    }

    /// The fingerprint of the certificate that is shown.
    pub fn fingerprint(&self) -> String {
        let door = format!("127.0.0.1:{}", self.https);
        let shown = openssl(&["s_client", "-connect", &door, "-servername", &self.host()]);
        let file = self.world.scratch("shown").join("certificate.pem");
        std::fs::write(&file, shown).unwrap();
        openssl(&["x509", "-noout", "-fingerprint", "-in", file.to_str().unwrap()])
    }

    pub fn get(&self, path: &str) -> String {
        client::curl("http", &self.host(), self.http, path, &[])
    }

    pub fn get_secured(&self, path: &str) -> String {
        client::curl("https", &self.host(), self.https, path, &["--http1.1"])
    }
}

/// What is rolled out one after the other: three words, or as many as `ROLLOUTS` says.
pub fn words() -> Vec<String> {
    let count = std::env::var("ROLLOUTS").map_or(3, |count| count.parse().expect("`ROLLOUTS` is a number"));
    assert!(count >= 2, "a rollback needs one to go back to");
    (1..=count).map(|number: usize| format!("word{number}")).collect()
}

/// A web server that answers with a word, to what is posted to `/cgi-bin/word` too, and after three seconds at
/// `/cgi-bin/slow`.
pub fn server(word: &str) -> String {
    let script = |name: &str, line: &str| {
        let lines = format!("echo '#!/bin/sh'; echo '{line}echo Content-Type: text/plain; echo; echo {word}'");
        format!("{{ {lines}; }} > /www/cgi-bin/{name}; chmod 755 /www/cgi-bin/{name}; ")
    };
    let scripts = script("word", "") + &script("slow", "sleep 3; ");
    format!(
        r#"[sh, -c, "mkdir -p /www/cgi-bin; echo {word} > /www/index.html; {scripts}exec httpd -f -p 8080 -h /www"]"#
    )
}

/// What `openssl` prints.
fn openssl(arguments: &[&str]) -> String {
    let output =
        std::process::Command::new("openssl").args(arguments).stdin(std::process::Stdio::null()).output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
