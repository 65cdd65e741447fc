//! What lasts: WebSockets, answers without end, and a look through the vhost after a rollout.

use super::{Proxy, Routed, client::status};
use crate::world::{World, app, until};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

stories! {
    both:
        a_websocket_passes_and_outlives_the_rollout_of_another_service,
        a_websocket_passes_through_caddy,
        a_stream_survives_the_rollout_of_another_service_and_is_drained_in_its_own,
        a_stream_through_caddy_survives_the_rollout_of_another_service_and_is_drained_in_its_own,
        a_job_looks_through_the_vhost_and_what_it_does_not_like_is_rolled_back;
    docker: ;
}

const PLAIN: &str = "    tls: {mode: off}\n";

/// It upgrades whoever comes, and says back what it hears.
const SOCKET: &str = r#"
RUN printf '#!/bin/sh\nwhile read -r line; do [ ${#line} -le 1 ] && break; done\n\
printf "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n"\nexec cat\n' \
 > /bin/upgrade && chmod 755 /bin/upgrade
CMD ["nc", "-ll", "-p", "8080", "-e", "/bin/upgrade"]
"#;

/// Its own service, and one beside it that says a word.
fn with_another(routed: &Routed<'_>, service: &str, word: &str) -> String {
    let beside = routed.manifest(word, PLAIN).replace("  web:", "  beside:").replace("hosts: [", "hosts: [beside.");
    format!("{beside}{service}")
}

fn socket_service(routed: &Routed<'_>, image: &str) -> String {
    format!(
        "  web:\n    image: {image}\n    healthcheck: {{tcp: {{port: 8080}}}}\n    stop_grace_period: 1s\n\
         \x20   rollout: {{drain: 0s}}\n    proxy: {{hosts: [{}], port: 8080}}\n{PLAIN}",
        routed.host()
    )
}

/// V9
fn a_websocket_passes_and_outlives_the_rollout_of_another_service(world: &World) {
    let routed = Routed::in_front_of(world);
    let socket = a_websocket(&routed);
    let service = socket_service(&routed, &format!("{}-socket", world.name));
    world.push("web", &with_another(&routed, &service, "two"));
    world.converge();
    says_back(socket, "still there\n");
    says_back(upgraded(&routed), "anew\n");
}

/// V9, N8. It closes WebSockets with each change of its configuration: clients come again (research, proxy §2).
fn a_websocket_passes_through_caddy(world: &World) {
    let routed = Routed::with_caddy(world);
    says_back(a_websocket(&routed), "once more\n");
}

fn a_websocket(routed: &Routed<'_>) -> TcpStream {
    let world = routed.world;
    let service = socket_service(routed, &world.image("socket", SOCKET));
    world.push("web", &with_another(routed, &service, "one"));
    world.converge();
    world.is_synced();
    says_back(upgraded(routed), "hello\n")
}

/// A connection on which both sides speak as they like.
fn upgraded(routed: &Routed<'_>) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", routed.http)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(
        stream,
        "GET /socket HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        routed.host()
    )
    .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    stream
}

#[track_caller]
fn says_back(mut stream: TcpStream, words: &str) -> TcpStream {
    stream.write_all(words.as_bytes()).unwrap();
    let mut heard = vec![0; words.len()];
    stream.read_exact(&mut heard).unwrap();
    assert_eq!(String::from_utf8(heard).unwrap(), words);
    stream
}

/// It says a word and goes on until it is told to end.
fn streaming(routed: &Routed<'_>, word: &str) -> String {
    let script = "echo '#!/bin/sh'; echo 'echo Content-Type: text/plain; echo; echo begun; \
                  while [ ! -f /www/end ]; do sleep 0.2; echo more; done; echo ended'";
    let stream = format!("{{ {script}; }} > /www/cgi-bin/stream; chmod 755 /www/cgi-bin/stream; exec httpd");
    let manifest = routed.manifest(word, PLAIN).replace("exec httpd", &stream).replace("drain: 4s", "drain: 20s");
    manifest.replace("services:\n", "")
}

/// N13
fn a_stream_survives_the_rollout_of_another_service_and_is_drained_in_its_own(world: &World) {
    streams(&Routed::in_front_of(world));
}

fn a_stream_through_caddy_survives_the_rollout_of_another_service_and_is_drained_in_its_own(world: &World) {
    streams(&Routed::with_caddy(world));
}

fn streams(routed: &Routed<'_>) {
    let world = routed.world;
    world.push("web", &with_another(routed, &streaming(routed, "one"), "one"));
    world.converge();
    let web = world.one("web", "web");
    // Of another service: begun before, and under way after.
    let stream = begun(routed);
    world.push("web", &with_another(routed, &streaming(routed, "one"), "two"));
    world.converge();
    stream.goes_on();
    web.exec(&["touch", "/www/end"]);
    stream.ends_well();
    web.exec(&["rm", "/www/end"]);
    // In its own it has the time of the drain.
    let stream = begun(routed);
    world.push("web", &with_another(routed, &streaming(routed, "three"), "two"));
    let mut run = world.start(&[]);
    until("requests go to the next", 60, || routed.get("/").ends_with("three\n"));
    stream.goes_on();
    assert!(!run.is_over(), "nobody waited for it");
    web.exec(&["touch", "/www/end"]);
    stream.ends_well();
    run.finish().expect(0);
}

/// An answer that is under way.
struct Stream {
    lines: Arc<AtomicUsize>,
    last: JoinHandle<String>,
}

/// One of which the first line has come.
fn begun(routed: &Routed<'_>) -> Stream {
    let mut stream = TcpStream::connect(("127.0.0.1", routed.http)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // 1.0: without chunks, to the end of the connection.
    write!(stream, "GET /cgi-bin/stream HTTP/1.0\r\nHost: {}\r\n\r\n", routed.host()).unwrap();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while line != "begun\n" {
        line.clear();
        assert!(stream.read_line(&mut line).unwrap() > 0, "nothing came");
    }
    let lines = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&lines);
    let last = std::thread::spawn(move || {
        let mut last = String::new();
        for line in stream.lines() {
            last = line.unwrap_or_else(|error| error.to_string());
            counted.fetch_add(1, Ordering::SeqCst);
        }
        last
    });
    Stream { lines, last }
}

impl Stream {
    /// It does so for longer than a container has between a stop and its end: five lines a second.
    #[track_caller]
    fn goes_on(&self) {
        let more = self.lines.load(Ordering::SeqCst) + 25;
        until("the stream goes on", 60, || self.lines.load(Ordering::SeqCst) >= more || self.last.is_finished());
        assert!(!self.last.is_finished(), "it was cut");
    }

    #[track_caller]
    fn ends_well(self) {
        assert_eq!(self.last.join().unwrap(), "ended");
    }
}

/// V15
fn a_job_looks_through_the_vhost_and_what_it_does_not_like_is_rolled_back(world: &World) {
    let routed = Routed::in_front_of(world);
    let looked = format!(
        "word=$(wget -qO- --header 'Host: {}' http://$(ip route | grep default | cut -d ' ' -f 3):{}/); \
         echo saw $word; test $word = good$VERSION",
        routed.host(),
        routed.http
    );
    let manifest = |word: &str, version: &str| {
        let service = routed
            .manifest(word, PLAIN)
            .replace("    stop_grace", &format!("    env: {{VERSION: \"{version}\"}}\n    stop_grace"));
        format!(
            "{service}jobs:\n  smoke: {{service: web, command: [sh, -c, \"{looked}\"], when: post_sync, timeout: 20s}}\n"
        )
    };
    for version in ["1", "2"] {
        world.push("web", &manifest(&format!("good{version}"), version));
        world.converge();
        world.is_synced();
    }
    world.push("web", &manifest("bad3", "3"));
    let failed = world.fails().json();
    let told = app(&failed, "web");
    assert_eq!(told["outcome"], "RolledBack", "{failed}");
    assert!(told["error"]["log"].to_string().contains("saw bad3"), "{failed}");
    let answer = routed.get("/");
    assert!(status(&answer) == "200" && answer.ends_with("good2\n"), "{answer}");
    assert!(matches!(routed.proxy, Proxy::Nginx(_)));
}
