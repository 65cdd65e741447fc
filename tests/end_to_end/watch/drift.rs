//! What is changed by hand is put right at once, and what keeps dying is left time.

use super::web;
use crate::world::{World, until};

stories! {
    both:
        every_kind_of_drift_is_put_right_at_once,
        what_keeps_dying_is_not_hammered;
    docker: drift_is_only_told_where_the_host_says_so;
}

fn every_kind_of_drift_is_put_right_at_once(world: &World) {
    world.push("web", &web("one"));
    let _daemon = world.watch(&[]);
    world.answers("web", "web", "one");
    let first = world.one("web", "web");
    let name = first.name();
    let network = format!("{}-web", world.name);

    world.engine.ask(&["rm", "-f", &first.id]);
    let web = world.another("web", "web", &first.id);
    world.engine.ask(&["stop", "-t", "1", &web.id]);
    until("it runs again", 60, || world.running("web", "web").len() == 1);
    let web = world.one("web", "web");
    world.engine.ask(&["pause", &web.id]);
    until("it runs on", 60, || web.inspect()["State"]["Paused"] == false);
    world.engine.ask(&["rename", &web.id, &format!("{}-renamed", world.name)]);
    until("it has its name", 60, || world.one("web", "web").name() == name);
    world.engine.ask(&["network", "disconnect", "-f", &network, &web.id]);
    until("it is on its network", 60, || {
        matches!(world.running("web", "web").as_slice(), [_]) && world.one("web", "web").networks() == [network.clone()]
    });
    world.answers("web", "web", "one");
    until("in sync", 60, || world.seems_synced());
}

fn what_keeps_dying_is_not_hammered(world: &World) {
    // The engine is told not to start it again, and it dies of itself: each start is the daemon's.
    let dying = r#"
services:
  one:
    image: bb:1
    command: [sh, -c, "[ -e /data/die ] && exit 3; touch /data/die; exec sleep 36000"]
    volumes: ["data:/data"]
    restart: "no"
    rollout: {min_healthy_time: 0s}
volumes: {data: {}}
"#;
    world.push("dying", dying);
    world.push("web", &web("one"));
    let daemon = world.watch(&[]);
    world.answers("web", "web", "one");
    until("it runs", 60, || world.running("dying", "one").len() == 1);
    let one = world.one("dying", "one");
    world.engine.ask(&["kill", &one.id]);
    daemon.says("exited with 3");
    // Thirty seconds of dying: backed off, it was tried a handful of times.
    let tried = || daemon.lines("\"outcome\":\"Failed\"").len();
    let begun = std::time::Instant::now();
    // A busy machine, and a sweep where an event was lost.
    while tried() < 4 {
        let log = daemon.log();
        assert!(begun.elapsed() < std::time::Duration::from_secs(180), "tried {} times: {log:#?}", tried());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let four = begun.elapsed();
    // It waits a second, two, four, each a tenth more or less.
    assert!(four > std::time::Duration::from_secs(4), "tried four times within {four:?}");
    // Between two tries it waits, and says so.
    until("status tells that it is ill, and when it is tried again", 60, || {
        let status = world.run(&["status", "dying", "--output", "json"]).expect(0).json();
        status[0]["health"] == "Degraded" && status[0]["retry_at"].is_string()
    });
    // The other app is as fast as ever.
    world.push("web", &web("two"));
    world.answers("web", "web", "two");
}

fn drift_is_only_told_where_the_host_says_so(world: &World) {
    world.host("drift: report\n");
    world.push("web", &web("one"));
    let daemon = world.watch(&[]);
    world.answers("web", "web", "one");
    let web = world.one("web", "web");
    world.engine.ask(&["rename", &web.id, &format!("{}-renamed", world.name)]);
    daemon.says("drift");
    assert_eq!(web.name(), format!("{}-renamed", world.name));
}
