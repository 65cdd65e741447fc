//! A secret changes while requests come.

use crate::{
    secrets::{host, secret},
    world::{World, app, until},
};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

stories! {
    both:
        a_signalled_container_is_started_again_by_its_engine_when_it_dies,
        every_request_is_answered_while_a_signalled_app_takes_a_new_value,
        a_bad_value_condemns_no_revision_that_was_good_and_the_old_value_brings_all_back;
    docker: ;
}

/// It serves what its secret says, read at its start and at each SIGHUP.
const MANIFEST: &str = r#"
secrets: {word: {}}
services:
  web:
    image: bb:1
    command: [sh, -c, "take() { cat /run/secrets/word > /www/new; mv /www/new /www/index.html; }; mkdir -p /www; take; trap take HUP; trap 'exit 0' TERM; httpd -p 8080 -h /www; while true; do sleep 1 & wait; done"]
    secrets: [{source: word, on_change: signal}]
    healthcheck: {http: {path: /index.html, port: 8080}, interval: 200ms}
    stop_grace_period: 1s
"#;

fn every_request_is_answered_while_a_signalled_app_takes_a_new_value(world: &World) {
    host(world, "");
    secret(world, "web", "word", "first");
    world.push("web", MANIFEST);
    world.converge();
    let container = world.one("web", "web");
    let load = Load::on(address(world, &container.id));
    until("requests are answered", 60, || load.seen("first") > 20);
    for word in ["second", "third", "fourth"] {
        secret(world, "web", "word", word);
        assert_eq!(world.changes(), ["service/web update secret"]);
        world.converge();
        until("the new value is answered", 60, || load.seen(word) > 20);
    }
    let answers = load.end();
    let wrong: Vec<&String> = answers.iter().filter(|answer| !WORDS.contains(&answer.as_str())).collect();
    assert!(wrong.is_empty(), "{} of {} requests: {wrong:?}", wrong.len(), answers.len());
    assert_eq!(world.one("web", "web"), container, "it was not to be made anew");
}

/// It does not start with a word that it does not know.
const PICKY: &str = r#"
secrets: {word: {}}
services:
  web:
    image: bb:1
    command: [sh, -c, "grep -q good /run/secrets/word || exit 3; trap 'exit 0' TERM; while true; do sleep 1 & wait; done"]
    secrets: [word]
    restart: "no"
    stop_grace_period: 1s
    rollout: {min_healthy_time: 1s, healthy_deadline: 20s}
"#;

fn a_bad_value_condemns_no_revision_that_was_good_and_the_old_value_brings_all_back(world: &World) {
    host(world, "");
    secret(world, "web", "word", "good");
    world.push("web", PICKY);
    world.converge();
    let history = || world.run(&["history", "web", "--output", "json"]).expect(0).json();

    secret(world, "web", "word", "bad");
    let report = world.fails().json();
    let web = app(&report, "web");
    assert_eq!((&web["outcome"], &web["held"]["by"]), (&"Failed".into(), &"reconcile".into()), "{report:#}");
    let after = history();
    assert_eq!((&after[0]["cause"], &after[0]["outcome"]), (&"secret".into(), &"Failed".into()), "{after:#}");
    assert_eq!(after.as_array().unwrap().len(), 2, "what was good was tried again, with the bad value: {after:#}");
    world.run(&["--output", "json"]);
    assert_eq!(history().as_array().unwrap().len(), 2, "it is not tried by itself");

    secret(world, "web", "word", "good");
    world.converge();
    world.is_synced();
    assert_eq!(world.one("web", "web").exec(&["cat", "/run/secrets/word"]), "good");
    let after = history();
    assert_eq!(after.as_array().unwrap().len(), 2, "{after:#}");
}

/// Docker takes a signal of its own for the wish that the container ends, and forgets its restart policy.
fn a_signalled_container_is_started_again_by_its_engine_when_it_dies(world: &World) {
    host(world, "");
    secret(world, "web", "word", "first");
    world.push("web", &MANIFEST.replace("while true;", "while [ ! -f /dies ];"));
    world.converge();
    let container = world.one("web", "web");
    secret(world, "web", "word", "second");
    world.converge();
    until("it heard", 60, || container.succeeds(&["grep", "-q", "second", "/www/index.html"]));
    let before = container.started_at();
    container.exec(&["touch", "/dies"]);
    until("its engine starts it again", 60, || container.started_at() > before);
}

const WORDS: [&str; 4] = ["first", "second", "third", "fourth"];

fn address(world: &World, id: &str) -> SocketAddr {
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    let address = world.engine.ask(&["inspect", "--format", format, id]);
    SocketAddr::new(address.trim().parse().unwrap(), 8080)
}

/// About two hundred requests a second, each on a connection of its own.
struct Load {
    ends: Arc<AtomicBool>,
    answers: Arc<Mutex<Vec<String>>>,
    thread: JoinHandle<()>,
}

impl Load {
    fn on(address: SocketAddr) -> Self {
        let (ends, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (ended, noted) = (Arc::clone(&ends), Arc::clone(&answers));
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let answer = ask(address).unwrap_or_else(|error| format!("failed: {error}"));
                noted.lock().unwrap().push(answer);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        Self { ends, answers, thread }
    }

    fn seen(&self, word: &str) -> usize {
        self.answers.lock().unwrap().iter().filter(|answer| *answer == word).count()
    }

    fn end(self) -> Vec<String> {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.answers.lock().unwrap().clone()
    }
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET /index.html HTTP/1.0\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text.rsplit("\r\n\r\n").next().unwrap_or_default().to_owned())
}
