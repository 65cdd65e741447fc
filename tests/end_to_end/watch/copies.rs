//! Copies that the daemon makes by itself, and what it says when they stay away.

use super::web;
use crate::world::{World, until};
use serde_json::Value;

stories! {
    both: ;
    docker:
        copies_are_made_when_they_are_due_and_a_killed_daemon_makes_them_again,
        an_app_whose_copies_are_too_old_says_so_until_there_is_a_new_one;
}

/// A web server of which a command's output is copied.
fn copied(section: &str, command: &str) -> String {
    let item = format!("{{name: out, type: exec, service: web, command: [sh, -c, {command:?}]}}");
    format!("{}backup: {{{section}, before_deploy: never, items: [{item}]}}\n", web("one"))
}

/// The verified copies of the app's item.
fn copies(world: &World) -> usize {
    let told = world.run(&["backup", "list", "web", "--output", "json"]).expect(0).json();
    told.as_array().unwrap().iter().filter(|copy| copy["copy"]["verified"] != Value::Null).count()
}

fn copies_are_made_when_they_are_due_and_a_killed_daemon_makes_them_again(world: &World) {
    world.push(
        "web",
        &copied("schedule: \"* * * * *\"", "test -e /www/go || { touch /www/begun; sleep 600; }; echo data"),
    );
    let mut daemon = world.watch(&[]);
    world.answers("web", "web", "one");
    let id = world.one("web", "web").id;
    until("a copy is under way", 120, || {
        world.engine.try_ask(&["exec", &id, "test", "-e", "/www/begun"]).status.success()
    });
    assert_eq!(copies(world), 0);
    daemon.kill();
    world.engine.ask(&["exec", &id, "touch", "/www/go"]);
    let _daemon = world.watch(&[]);
    until("it is made", 120, || copies(world) >= 1);
    let before = copies(world);
    until("and the next at the next minute", 120, || copies(world) > before);
}

fn an_app_whose_copies_are_too_old_says_so_until_there_is_a_new_one(world: &World) {
    world.push("web", &copied("schedule: \"0 0 1 1 *\", catch_up: 0s, max_age: 30s", "echo data"));
    let daemon = world.watch(&[]);
    world.answers("web", "web", "one");
    let account = |world: &World| world.run(&["status", "web", "--output", "json"]).expect(0).json()[0].clone();
    until("it is overdue", 90, || account(world)["health"] == "Degraded");
    let told = account(world);
    assert_eq!((&told["status"], &told["copies"][0]["overdue"]), (&"Synced".into(), &true.into()), "{told}");
    assert_eq!(told["copies"][0]["newest"], Value::Null, "{told}");
    let text = world.run(&["status", "web"]).expect(0).stdout;
    assert!(text.contains("backup of `out` is overdue: it has no verified copy, and `max_age` is 30s"), "{text}");
    daemon.says("Degraded");
    let made = world.run(&["backup", "run", "web", "--output", "json"]).expect(0).json();
    let told = account(world);
    assert_eq!((&told["health"], &told["copies"][0]["newest"]), (&"Healthy".into(), &made[0]["copy"]["id"]), "{told}");
}
