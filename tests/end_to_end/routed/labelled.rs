//! Routes by labels, for a stand-in of Traefik that does with them what its documentation says: it leads to a running
//! container on its network whose rule names the host, unless the engine's own check says that it is not healthy.

use super::client::{curl, status};
use crate::world::{Engine, World, server};
use serde_json::Value;
use std::{
    io::{Read, Write, copy},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

stories! {
    both: ;
    docker:
        a_container_says_its_route_in_labels_and_takes_the_place_of_the_one_before,
        a_host_that_somebody_elses_container_answers_at_is_left_to_it;
}

/// What stands in for Traefik, until it is dropped.
struct Proxy {
    port: u16,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    fn start(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, ended) = (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let (over, engine, network) = (Arc::clone(&ended), world.engine, network(world));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let (stream, network) = (stream.unwrap(), network.clone());
                thread::spawn(move || drop(answer(stream, engine, &network)));
            }
        });
        Self { port, ended, thread: Some(thread) }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn network(world: &World) -> String {
    format!("{}-proxy", world.name)
}

fn answer(mut client: TcpStream, engine: Engine, network: &str) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head).to_lowercase();
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let Some(to) = led_to(engine, network, host) else {
        let body = "404 page not found\n";
        return write!(client, "HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    };
    let Ok(mut service) = TcpStream::connect(to) else {
        return write!(client, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    };
    service.write_all(&head)?;
    copy(&mut service, &mut client)?;
    client.shutdown(Shutdown::Both)
}

/// Where a host leads.
fn led_to(engine: Engine, network: &str, host: &str) -> Option<String> {
    let filter = format!("network={network}");
    let found = engine.ask(&["ps", "-q", "--filter", &filter, "--filter", "label=traefik.enable=true"]);
    found.lines().find_map(|id| {
        let inspect: Value = serde_json::from_str(&engine.ask(&["inspect", id])).ok()?;
        let container = &inspect[0];
        let labels = container["Config"]["Labels"].as_object()?;
        let of = |end: &str| labels.iter().find(|(key, _)| key.ends_with(end)).and_then(|(_, value)| value.as_str());
        let is_meant = of(".rule").is_some_and(|rule| rule.contains(&format!("Host(`{host}`)")));
        let health = &container["State"]["Health"]["Status"];
        let address = container["NetworkSettings"]["Networks"][network]["IPAddress"].as_str()?;
        (is_meant && (health.is_null() || health == "healthy"))
            .then(|| format!("{address}:{}", of(".server.port").unwrap_or("80")))
    })
}

fn in_front_of(world: &World) -> Proxy {
    let proxy = Proxy::start(world);
    world.host(&format!(
        "proxy: {{driver: traefik, network: {}, listen: {{http: {}, https: 1}}}}\n",
        network(world),
        proxy.port
    ));
    proxy
}

fn make_network(world: &World) {
    world.engine.ask(&["network", "create", "--label", &world.label(), &network(world)]);
}

fn manifest(word: &str, host: &str) -> String {
    format!(
        "services:\n  web:\n    image: bb:1\n    command: {}\n    stop_grace_period: 1s\n\
         \x20   healthcheck: {{http: {{path: /index.html, port: 8080}}, interval: 500ms}}\n\
         \x20   rollout: {{drain: 1s, healthy_deadline: 20s}}\n\
         \x20   proxy: {{hosts: [{host}], port: 8080}}\n    tls: {{mode: off}}\n",
        server(word)
    )
}

fn a_container_says_its_route_in_labels_and_takes_the_place_of_the_one_before(world: &World) {
    let proxy = in_front_of(world);
    let get = |host: &str| curl("http", host, proxy.port, "/", &[]);
    world.push("web", &manifest("one", "a.example.com"));
    world.run(&[]).expect(1).says(&network(world));
    assert!(world.everything().is_empty(), "something was made although the proxy's network is missing");
    make_network(world);
    world.converge();
    world.is_synced();
    assert!(get("a.example.com").ends_with("one\n"), "{}", get("a.example.com"));
    assert_eq!(status(&get("b.example.com")), "404");

    world.push("web", &manifest("two", "a.example.com"));
    let plan = world.run(&["--dry-run", "--output", "json"]).expect(0).json();
    let change = &plan["apps"][0]["changes"][0];
    assert_eq!((&change["order"], &change["interruption"]), (&"stop-first".into(), &"brief".into()), "{plan}");
    world.converge();
    world.is_synced();
    assert!(get("a.example.com").ends_with("two\n"));

    let moved = manifest("two", "b.example.com");
    world.push("web", &moved.replace("rollout: {", "rollout: {order: start-first, "));
    world.run(&[]).expect(1).says("this host's proxy leads to a container as soon as it starts, ready or not");
    assert!(get("a.example.com").ends_with("two\n"), "what serves goes on serving");
    world.push("web", &moved);
    world.converge();
    world.is_synced();
    assert!(get("b.example.com").ends_with("two\n"));
    assert_eq!(status(&get("a.example.com")), "404");
    world.push("web", &manifest("three", "b.example.com").replace("httpd -f -p 8080", "httpd -f -p 8081"));
    assert_eq!(world.fails().json()["apps"][0]["outcome"], "RolledBack");
    assert!(get("b.example.com").ends_with("two\n"));

    let is_about_the_route = |line: &str| line.contains("proxy:") || line.contains("tls:");
    let plain: Vec<&str> = moved.lines().filter(|line| !is_about_the_route(line)).collect();
    world.push("web", &format!("{}\n", plain.join("\n")));
    world.converge();
    world.is_synced();
    assert_eq!(status(&get("b.example.com")), "404");
    let labels = world.one("web", "web").inspect()["Config"]["Labels"].to_string();
    assert!(!labels.contains("traefik"), "{labels}");
}

fn a_host_that_somebody_elses_container_answers_at_is_left_to_it(world: &World) {
    let proxy = in_front_of(world);
    make_network(world);
    let (theirs, network) = (format!("{}-theirs", world.name), network(world));
    let rule = "traefik.http.routers.theirs.rule=Host(`a.example.com`)";
    let words = ["run", "-d", "--name", &theirs, "--label", &world.label(), "--label", rule, "--network", &network];
    world.engine.ask(&[&words[..], &["bb:1", "sleep", "36000"]].concat());
    world.push("web", &manifest("one", "a.example.com"));
    let error = world.fails().json()["apps"][0]["error"].clone();
    assert_eq!(error["blame"], "world", "{error}");
    let summary = error["summary"].as_str().unwrap();
    assert!(summary.contains(&format!("container `{theirs}` answers at `a.example.com` already")), "{summary}");
    assert!(world.everything().is_empty(), "something was made all the same");
    world.engine.ask(&["rm", "-f", &theirs]);
    world.converge();
    assert!(curl("http", "a.example.com", proxy.port, "/", &[]).ends_with("one\n"));
}
