//! What somebody at a terminal sees while a pass runs, and what nobody else sees.

use crate::world::World;

stories! {
    both: ;
    docker:
        steps_are_told_on_a_terminal_and_nowhere_else,
        a_terminal_that_takes_lines_back_shows_one_that_lives,
        what_was_agreed_to_is_done_and_nothing_else;
}

fn manifest(word: &str) -> String {
    format!(
        r#"
services:
  web:
    image: bb:1
    command: [sh, -c, "sleep 2; touch /{word}; sleep 36000"]
    healthcheck: {{test: [CMD, test, -e, /{word}], interval: 1s, start_interval: 1s}}
    rollout: {{min_healthy_time: 0s, healthy_deadline: 20s}}
    stop_grace_period: 1s
"#
    )
}

fn steps_are_told_on_a_terminal_and_nowhere_else(world: &World) {
    world.push("web", &manifest("one"));
    let seen = world.on_terminal("dumb", &["--yes"]).expect(0).stdout;
    let lines: Vec<&str> = seen.lines().map(str::trim_end).collect();
    let at = |begin: &str| {
        let found = lines.iter().position(|line| line.starts_with(begin));
        found.unwrap_or_else(|| panic!("no line begins `{begin}`:\n{seen}"))
    };
    let container = format!("{}-web-web-", world.name);
    assert!(at(&format!("web: created `{container}")) < at("web: waiting until `web` is ready…"), "{seen}");
    assert!(at("web: waiting until `web` is ready…") < at("web: `web` is ready ("), "{seen}");
    assert!(at("web: `web` is ready (") < at("Applied: "), "{seen}");

    world.push("web", &manifest("two"));
    let ran = world.run(&[]).expect(0);
    assert_eq!(ran.stderr, "");
    assert!(!ran.stdout.contains("is ready"), "{}", ran.stdout);
    world.push("web", &manifest("three"));
    let seen = world.on_terminal("dumb", &["--yes", "--output", "json"]).expect(0);
    assert_eq!(seen.json()["apps"][0]["outcome"], "Succeeded", "{}", seen.stdout);
    world.push("web", &manifest("four"));
    let ran = world.run(&["--verbose"]).expect(0);
    assert!(ran.stderr.contains("web: `web` is ready ("), "{}", ran.stderr);
    assert!(!ran.stdout.contains("is ready"), "{}", ran.stdout);
}

fn a_terminal_that_takes_lines_back_shows_one_that_lives(world: &World) {
    world.push("web", &manifest("one"));
    let seen = world.on_terminal("xterm", &["--yes"]).expect(0).stdout;
    let waiting = seen.matches("web: waiting until `web` is ready…").count();
    assert!(waiting > 3, "drawn {waiting} times only:\n{seen:?}");
    assert!(seen.contains("web: `web` is ready ("), "{seen:?}");
    // The line is taken back before the result.
    let (_, after) = seen.rsplit_once("waiting until").unwrap();
    assert!(after.contains("\u{1b}[2K") && after.contains("Applied: "), "{seen:?}");

    // Of a copy it tells how much is there, a million bytes at a time.
    let dump = "for i in 1 2 3 4; do head -c 1000000 /dev/zero; sleep 0.4; done";
    let item = format!("{{name: out, type: exec, service: web, command: [sh, -c, \"{dump}\"]}}");
    world.push("web", &format!("{}backup: {{items: [{item}]}}\n", manifest("one")));
    let seen = world.on_terminal("xterm", &["backup", "run", "web"]).expect(0).stdout;
    let mut so_far: Vec<&str> =
        seen.split("web: copying `out`, ").filter_map(|it| it.split('…').next()).skip(1).collect();
    so_far.dedup();
    assert!(so_far.len() > 1 && so_far.iter().all(|size| size.ends_with("iB")), "{so_far:?} in {seen:?}");
    assert!(seen.contains("web: copying `out` is done (3.8 MiB, "), "{seen:?}");
}

fn what_was_agreed_to_is_done_and_nothing_else(world: &World) {
    world.push("web", &manifest("one"));
    world.converge();
    let one = world.one("web", "web");
    world.push("web", &manifest("two"));
    // Between the plan and the answer somebody takes the container away: that is another plan.
    let meddle = || {
        world.engine.ask(&["rm", "-f", &one.id]);
        "y\n"
    };
    let seen = world.asked(&[], &[&meddle, &|| "n\n"]).expect(0).stdout;
    assert!(seen.contains("the host has changed meanwhile, and so has the plan"), "{seen}");
    assert!(seen.contains("nothing was done"), "{seen}");
    assert_eq!(world.running("web", "web"), Vec::<String>::new());
    let seen = world.asked(&[], &[&|| "y\n"]).expect(0).stdout;
    assert!(seen.contains("Applied: 1 created"), "{seen}");
    assert_eq!(world.running("web", "web").len(), 1);
}
