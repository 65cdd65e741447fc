//! The host's clock is set back under the daemon (libfaketime; `make test` brings it).

use super::web;
use crate::world::{World, until};
use std::fs;

stories! {
    both: ;
    docker: a_clock_that_is_set_back_stops_nothing;
}

const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// Where Debian puts it, whatever the machine.
fn library() -> String {
    let folders = fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path().join(LIBRARY));
    let found = folders.into_iter().find(|path| path.exists());
    found.expect("libfaketime is missing: run the tests with `make test`").display().to_string()
}

fn a_clock_that_is_set_back_stops_nothing(world: &World) {
    let time = world.scratch("clock").join("offset");
    fs::write(&time, "+0").unwrap();
    world.push("web", &web("one"));
    let mut daemon = world.watch(&[
        ("LD_PRELOAD", &library()),
        ("FAKETIME_TIMESTAMP_FILE", time.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ]);
    world.answers("web", "web", "one");
    fs::write(&time, "-2h").unwrap();
    let at = |line: &serde_json::Value| line["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    world.push("web", &web("two"));
    world.answers("web", "web", "two");
    until("the daemon's clock went back", 60, || !daemon.log().iter().map(at).is_sorted());
    // Drift, a failure with its wait, and a suspension that ends, all in the past.
    until("the old one is gone", 60, || world.running("web", "web").len() == 1);
    let web_two = world.one("web", "web");
    world.engine.ask(&["rm", "-f", &web_two.id]);
    world.another("web", "web", &web_two.id);
    world.push("web", &web("bad").replace("image: bb:1", "image: localhost:1/nowhere:1"));
    daemon.says("Blocked");
    world.push("web", &web("three"));
    world.answers("web", "web", "three");
    // And forward again, further than it was.
    fs::write(&time, "+3h").unwrap();
    world.push("web", &web("four"));
    world.answers("web", "web", "four");
    until("in sync", 60, || world.seems_synced());
    assert!(daemon.lives());
}
