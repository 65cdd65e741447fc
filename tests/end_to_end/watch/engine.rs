//! The engine goes away and comes back while the daemon works on it.

use super::web;
use crate::world::{Dockerd, SLEEPER, World, until};
use std::collections::BTreeSet;

#[test]
fn an_engine_that_is_restarted_is_caught_up_with_and_heard_again() {
    let mut dockerd = Dockerd::start();
    let world = World::on(dockerd.engine());
    world.push("web", &web("one"));
    let mut daemon = world.watch(&[]);
    world.answers("web", "web", "one");
    until("in sync", 60, || world.seems_synced());

    dockerd.end();
    daemon.says("the engine cannot be looked at");
    dockerd.begin();
    daemon.says("the engine can be looked at again");
    world.answers("web", "web", "one");
    until("in sync again", 60, || world.seems_synced());
    assert!(daemon.lives());

    // Heard, and not found by the sweep that comes once in a minute.
    let web_one = world.one("web", "web");
    let removed = std::time::Instant::now();
    world.engine.ask(&["rm", "-f", &web_one.id]);
    world.another("web", "web", &web_one.id);
    let took = removed.elapsed();
    assert!(took < std::time::Duration::from_secs(40), "put right after {took:?}");
    eprintln!("put right {took:?} after `rm -f`");
}

#[test]
fn an_engine_that_is_killed_while_services_are_started_condemns_nothing() {
    let mut dockerd = Dockerd::start();
    let world = World::on(dockerd.engine());
    let services = ["a", "b", "c", "d", "e", "f"];
    let mut daemon = world.watch(&[]);
    for app in ["first", "second", "third"] {
        let service = |name: &str| {
            format!(
                "  {name}: {{image: bb:1, command: {SLEEPER}, stop_grace_period: 1s, rollout: {{min_healthy_time: 0s}}}}\n"
            )
        };
        let pair = match app {
            "first" => &services[..2],
            "second" => &services[2..4],
            _ => &services[4..],
        };
        world.app(app, &format!("services:\n{}", pair.iter().map(|name| service(name)).collect::<String>()));
    }
    world.commit("six services");
    until("some are made", 60, || !world.everything().is_empty());
    dockerd.kill();
    let at_the_kill = daemon.log().len();
    dockerd.begin();

    until("everything runs", 90, || world.everything().len() == 6 && running(&world) == 6);
    until("in sync", 60, || world.seems_synced());
    assert!(daemon.lives());
    for app in ["first", "second", "third"] {
        let status = world.run(&["status", app, "--output", "json"]).expect(0).json();
        assert!(status[0]["held"].is_null(), "{status:#}");
        assert_eq!(status[0]["health"], "Healthy", "{status:#}");
    }
    let outcomes: BTreeSet<String> = daemon
        .log()
        .iter()
        .filter_map(|line| line.pointer("/fields/outcome").or(line.get("outcome"))?.as_str().map(str::to_owned))
        .collect();
    assert!(outcomes.contains("Succeeded"), "{outcomes:?}");
    assert!(!outcomes.contains("Failed") && !outcomes.contains("RolledBack"), "{outcomes:?}");
    eprintln!("{at_the_kill} lines at the kill, {} at the end; outcomes {outcomes:?}", daemon.log().len());
}

fn running(world: &World) -> usize {
    let filter = format!("label=reconcile.installation={}", world.name);
    world.engine.ask(&["ps", "-q", "--filter", &filter]).lines().count()
}
