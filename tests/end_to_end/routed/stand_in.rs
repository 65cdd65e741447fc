//! A stand-in of nginx-proxy: Debian's nginx in a container, and a thread that makes its configuration of what containers
//! say of themselves, as the contract has it (research, proxy §1).
//!
//! What runs and shares its network is led to, ready or not. It looks again when a container starts, dies, joins or leaves
//! a network, and when its own container is sent SIGHUP. What a file of ours is called, it asks the folders.

use super::contained;
use crate::world::{Engine, World, until};
use serde_json::Value;
use sha1::{Digest, Sha1};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, channel},
    },
    thread::{JoinHandle, sleep},
    time::Duration,
};

/// As the image of the real one waits before it renders: some changes come at once.
const WAIT: Duration = Duration::from_millis(300);

/// One that runs.
pub struct StandIn {
    pub container: String,
    pub network: String,
    folders: PathBuf,
    events: Option<Child>,
    ended: Arc<AtomicBool>,
    player: Option<JoinHandle<()>>,
}

/// Which it is.
#[derive(Clone, Copy)]
pub enum Kind {
    New,
    /// One that does not see who joins or leaves a network.
    Old,
    /// No stand-in: a program and a template of the real one, of this host.
    Real {
        program: &'static str,
        template: &'static str,
    },
}

/// What the thread needs.
struct Player {
    engine: Engine,
    container: String,
    network: String,
    folders: PathBuf,
    /// Others' containers may say something too.
    host: String,
}

impl StandIn {
    /// Starts one that leads to hosts which end with `host`.
    pub fn start(world: &World, host: &str, ports: (u16, u16), kind: Kind) -> Self {
        let (container, network) = (format!("{}-nginx-proxy", world.name), format!("{}-proxy", world.name));
        let folders = world.scratch("nginx-proxy");
        for folder in ["conf.d", "vhost.d", "htpasswd", "certs", "heard"] {
            fs::create_dir_all(folders.join(folder)).unwrap();
        }
        let main = contained::main_file(world);
        let there =
            ["conf.d", "vhost.d", "htpasswd", "certs"].map(|name| (folders.join(name), format!("/etc/nginx/{name}")));
        let heard = folders.join("heard");
        let mut shown: Vec<(&Path, &str)> =
            there.iter().map(|(here, there)| (here.as_path(), there.as_str())).collect();
        shown.extend([(main.as_path(), "/etc/nginx/nginx.conf"), (heard.as_path(), "/heard")]);
        let (program, template) = match kind {
            Kind::New | Kind::Old => ("", ""),
            Kind::Real { program, template } => (program, template),
        };
        let (socket, made) = (world.engine.address(), world.scratch("template").join("nginx.tmpl"));
        let socket = socket.trim_start_matches("unix://");
        if !program.is_empty() {
            // Debian's nginx says HTTP/2 otherwise.
            let lines = fs::read_to_string(template).unwrap();
            let ours = |line: &&str| line.trim() != "http2 on;";
            fs::write(&made, lines.lines().filter(ours).map(|line| format!("{line}\n")).collect::<String>()).unwrap();
            let more = [(program, "/bin/docker-gen"), (socket, "/var/run/docker.sock")];
            shown.extend(more.map(|(here, there)| (Path::new(here), there)));
            shown.push((made.as_path(), "/nginx.tmpl"));
            let line = "nginx -g 'daemon off;' & exec docker-gen -watch -wait 200ms:1s -notify 'nginx -s reload' \
                        /nginx.tmpl /etc/nginx/conf.d/default.conf";
            contained::run(world, (&container, &network), ports, &shown, &["sh", "-c", line]);
            let stand_in = Self { container, network, folders, events: None, ended: Arc::default(), player: None };
            until("it serves", 60, || stand_in.configuration().contains("server"));
            return stand_in;
        }
        let line =
            "trap 'echo hup >> /heard/hup' HUP; trap 'exit 0' TERM; nginx -g 'daemon off;' & while :; do wait; done";
        contained::run(world, (&container, &network), ports, &shown, &["sh", "-c", line]);
        let (events, told) = events(world.engine, matches!(kind, Kind::Old));
        let player = Player {
            engine: world.engine,
            container: container.clone(),
            network: network.clone(),
            folders: folders.clone(),
            host: host.to_owned(),
        };
        let ended = Arc::new(AtomicBool::new(false));
        let until_then = Arc::clone(&ended);
        let thread = std::thread::spawn(move || player.play(&told, &until_then));
        let stand_in = Self { container, network, folders, events: Some(events), ended, player: Some(thread) };
        until("the stand-in serves", 60, || stand_in.configuration().contains("server"));
        stand_in
    }

    pub fn folder(&self, name: &str) -> PathBuf {
        self.folders.join(name)
    }

    /// What was made last.
    pub fn configuration(&self) -> String {
        fs::read_to_string(self.folder("conf.d").join("default.conf")).unwrap_or_default()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(events) = &mut self.events {
            let _ = events.kill();
            let _ = events.wait();
        }
        let _ = self.player.take().map(JoinHandle::join);
    }
}

/// What happens on the engine, as far as the real one asks.
fn events(engine: Engine, is_old: bool) -> (Child, Receiver<()>) {
    let kinds: &[&str] = if is_old { &["start", "die"] } else { &["start", "die", "connect", "disconnect"] };
    let mut command = Command::new("docker");
    command.args(["--host", &engine.address(), "events", "--format", "{{.Action}}"]);
    command.args(kinds.iter().flat_map(|kind| ["--filter".to_owned(), format!("event={kind}")]));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for _ in lines.map_while(Result::ok) {
            if tell.send(()).is_err() {
                return;
            }
        }
    });
    (child, told)
}

/// A container that is led to.
struct Backend {
    name: String,
    env: BTreeMap<String, String>,
    /// None where it shares no network with the proxy.
    address: Option<String>,
}

impl Player {
    fn play(&self, told: &Receiver<()>, ended: &AtomicBool) {
        let (mut heard, mut is_due) = (0, true);
        while !ended.load(Ordering::SeqCst) {
            let hups = fs::read_to_string(self.folders.join("heard/hup")).unwrap_or_default().len();
            is_due |= hups != heard;
            heard = hups;
            is_due |= told.try_recv().is_ok();
            if !is_due {
                sleep(Duration::from_millis(20));
                continue;
            }
            sleep(WAIT);
            while told.try_recv().is_ok() {}
            is_due = false;
            self.make();
        }
    }

    /// Renders, and lets nginx read it where it is another one.
    fn make(&self) {
        let file = self.folders.join("conf.d/default.conf");
        let text = self.render(&self.backends());
        if fs::read_to_string(&file).is_ok_and(|before| before == text) {
            return;
        }
        fs::write(&file, text).unwrap();
        // As the real one: what nginx does not take, it does not read, and nobody is told.
        let _ = self.engine.try_ask(&["exec", &self.container, "nginx", "-s", "reload"]);
    }

    fn backends(&self) -> Vec<Backend> {
        let ids = self.engine.try_ask(&["ps", "-q", "--no-trunc"]);
        let ids = String::from_utf8_lossy(&ids.stdout).into_owned();
        let mut words = vec!["inspect", "--type", "container"];
        words.extend(ids.lines());
        // Of one that went away meanwhile nothing is said, of the others all.
        let said = self.engine.try_ask(&words);
        let said: Value = serde_json::from_slice(&said.stdout).unwrap_or_default();
        let mut all: Vec<Backend> =
            said.as_array().into_iter().flatten().filter_map(|said| self.backend(said)).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    fn backend(&self, said: &Value) -> Option<Backend> {
        let env = said["Config"]["Env"].as_array()?.iter().filter_map(|pair| pair.as_str()?.split_once('='));
        let env: BTreeMap<String, String> = env.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let is_ours = env.get("VIRTUAL_HOST").is_some_and(|hosts| hosts.ends_with(&self.host));
        let runs = said["State"]["Running"] == true;
        let address = said["NetworkSettings"]["Networks"][&self.network]["IPAddress"].as_str();
        (is_ours && runs).then(|| Backend {
            name: said["Name"].as_str().unwrap_or_default().to_owned(),
            env,
            address: address.filter(|address| !address.is_empty()).map(str::to_owned),
        })
    }

    fn render(&self, backends: &[Backend]) -> String {
        let mut text = String::from(
            "server {\n    listen 80 default_server;\n    return 503;\n}\n\
             map $http_upgrade $proxy_connection { default upgrade; '' ''; }\n\
             proxy_http_version 1.1;\nproxy_set_header Host $host;\nproxy_set_header Upgrade $http_upgrade;\n\
             proxy_set_header Connection $proxy_connection;\nproxy_buffering off;\n",
        );
        let hosts: BTreeSet<&str> =
            backends.iter().flat_map(|backend| backend.env["VIRTUAL_HOST"].split(',')).collect();
        for host in hosts {
            let of_host: Vec<&Backend> =
                backends.iter().filter(|it| it.env["VIRTUAL_HOST"].split(',').any(|name| name == host)).collect();
            self.host(&mut text, host, &of_host);
        }
        text
    }

    fn host(&self, text: &mut String, host: &str, backends: &[&Backend]) {
        let mut paths: BTreeMap<&str, Vec<&Backend>> = BTreeMap::new();
        for backend in backends {
            paths.entry(backend.env.get("VIRTUAL_PATH").map_or("/", String::as_str)).or_default().push(backend);
        }
        let mut locations = String::new();
        for (path, backends) in &paths {
            let upstream = format!("{host}-{}", sha1(path));
            self.upstream(text, &upstream, backends);
            self.location(&mut locations, (host, path), &upstream, backends);
        }
        // Which of two values counts is chance.
        let said = |name: &str| {
            let values: Vec<&String> = backends.iter().filter_map(|backend| backend.env.get(name)).collect();
            (!values.is_empty()).then(|| values[fastrand::usize(..values.len())].as_str())
        };
        let base = said("CERT_NAME").unwrap_or(host);
        let has_certificate = self.folders.join(format!("certs/{base}.crt")).exists();
        let method = said("HTTPS_METHOD").unwrap_or("redirect");
        let must_redirect = said("ENABLE_HTTP_ON_MISSING_CERT") == Some("false");
        let redirects = method == "redirect" && (has_certificate || must_redirect);
        let _ = writeln!(text, "server {{\n    server_name {host};\n    listen 80;");
        if redirects {
            text.push_str("    location / { return 301 https://$host$request_uri; }\n}\n");
        } else {
            let _ = writeln!(text, "{locations}}}");
        }
        if has_certificate && method != "nohttps" {
            let _ = writeln!(
                text,
                "server {{\n    server_name {host};\n    listen 443 ssl;\n    ssl_certificate /etc/nginx/certs/{base}.crt;\n\
                 \x20   ssl_certificate_key /etc/nginx/certs/{base}.key;"
            );
            let hsts = said("HSTS").unwrap_or("max-age=31536000");
            if hsts != "off" && method != "noredirect" {
                let _ = writeln!(text, "    add_header Strict-Transport-Security \"{hsts}\" always;");
            }
            let _ = writeln!(text, "{locations}}}");
        }
    }

    fn upstream(&self, text: &mut String, name: &str, backends: &[&Backend]) {
        let _ = writeln!(text, "upstream {name} {{");
        for backend in backends {
            let port = backend.env.get("VIRTUAL_PORT").map_or("80", String::as_str);
            let _ = writeln!(text, "    # Container: {}", backend.name);
            match &backend.address {
                Some(address) => drop(writeln!(text, "    server {address}:{port};")),
                None => text.push_str("    # (unreachable)\n"),
            }
        }
        if backends.iter().all(|backend| backend.address.is_none()) {
            text.push_str("    server 127.0.0.1 down;\n");
        }
        let _ = writeln!(text, "    keepalive {};\n}}", 2 * backends.len());
    }

    fn location(&self, text: &mut String, (host, path): (&str, &str), upstream: &str, backends: &[&Backend]) {
        let _ = writeln!(text, "    location {path} {{");
        let first = |names: [String; 2], folder: &str| {
            names.into_iter().find(|name| self.folders.join(folder).join(name).exists())
        };
        if let Some(file) = first([format!("{host}_{}", sha1(path)), host.to_owned()], "htpasswd") {
            let _ = writeln!(
                text,
                "        auth_basic \"restricted\";\n        auth_basic_user_file /etc/nginx/htpasswd/{file};"
            );
        }
        if let Some(file) = first([format!("{host}_{}_location", sha1(path)), format!("{host}_location")], "vhost.d") {
            let _ = writeln!(text, "        include /etc/nginx/vhost.d/{file};");
        }
        let said = |name: &str| backends.iter().find_map(|backend| backend.env.get(name)).map_or("", String::as_str);
        let scheme = if said("VIRTUAL_PROTO").is_empty() { "http" } else { said("VIRTUAL_PROTO") };
        let _ = writeln!(text, "        proxy_pass {scheme}://{upstream}{};\n    }}", said("VIRTUAL_DEST"));
    }
}

pub fn sha1(text: &str) -> String {
    Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
