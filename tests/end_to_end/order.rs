//! Apps that wait for others, and for their windows.

use crate::world::{SLEEPER, World};

stories! {
    both:
        an_app_waits_for_another_and_comes_after_it,
        a_closed_window_lets_nobody_pass_unless_it_says_so;
    docker:
        environments_are_run_in_the_order_of_what_they_depend_on;
}

/// One service, healthy or never, and what its app depends on.
fn app(version: &str, well: bool, others: &str) -> String {
    let (check, deadline) = if well { ("true", "60s") } else { ("false", "4s") };
    format!(
        r#"
services:
  it:
    image: bb:1
    command: {SLEEPER}
    env: {{VERSION: "{version}"}}
    healthcheck: {{test: [CMD, "{check}"], interval: 1s}}
    rollout: {{healthy_deadline: {deadline}, min_healthy_time: 0s, order: stop-first}}
sync: {{depends_on: [{others}]}}
"#
    )
}

/// What each app came to: `app outcome`.
fn outcomes(report: &serde_json::Value) -> Vec<String> {
    let apps = report["apps"].as_array().unwrap().iter();
    apps.map(|app| format!("{} {}", app["app"].as_str().unwrap(), app["outcome"].as_str().unwrap())).collect()
}

fn started_at(world: &World, app: &str) -> String {
    world.one(app, "it").inspect()["State"]["StartedAt"].as_str().unwrap().to_owned()
}

fn an_app_waits_for_another_and_comes_after_it(world: &World) {
    world.app("a-web", &app("1", true, "database"));
    world.push("database", &app("1", false, ""));
    let report = world.fails().json();
    assert_eq!(outcomes(&report), ["a-web Blocked", "database Failed"]);
    let waits = report["apps"][0]["error"]["summary"].as_str().unwrap();
    assert!(waits.starts_with("waits for `database`, which is OutOfSync and "), "{waits}");
    assert_eq!(world.running("a-web", "it"), Vec::<String>::new());

    world.push("database", &app("2", true, ""));
    assert_eq!(outcomes(&world.converge().json()), ["a-web Succeeded", "database Succeeded"]);
    world.is_synced();
    assert!(started_at(world, "a-web") > started_at(world, "database"));

    // In sync stays in sync, whatever the other does; a change of its own waits.
    let web = world.one("a-web", "it");
    world.push("database", &app("3", false, ""));
    assert_eq!(outcomes(&world.fails().json()), ["a-web Succeeded", "database RolledBack"]);
    world.push("a-web", &app("2", true, "database"));
    assert_eq!(outcomes(&world.fails().json()), ["a-web Blocked", "database Held"]);
    assert_eq!(world.one("a-web", "it"), web);
    world.run(&["status"]).expect(0).says("waits for `database`, which is OutOfSync and Healthy");
    world.push("database", &app("4", true, ""));
    assert_eq!(outcomes(&world.converge().json()), ["a-web Succeeded", "database Succeeded"]);

    // A circle is told before anything is touched.
    world.push("database", &app("5", true, "a-web"));
    world.run(&[]).expect(1).says("apps wait for one another in a circle: `a-web → database → a-web`");
}

fn windows(kind: &str, schedule: &str, manual: bool) -> String {
    format!("windows: [{{kind: {kind}, schedule: \"{schedule}\", duration: 1h, manual: {manual}}}]")
}

fn a_closed_window_lets_nobody_pass_unless_it_says_so(world: &World) {
    let with = |version: &str, windows: &str| {
        format!("{}\n  {windows}\n", app(version, true, "").replace("sync: {depends_on: []}", "sync:"))
    };
    world.push("web", &with("1", &windows("deny", "* * * * *", false)));
    let report = world.converge().json();
    assert_eq!((outcomes(&report), report["status"].as_str().unwrap()), (vec!["web Held".to_owned()], "OutOfSync"));
    assert_eq!(world.everything(), Vec::<String>::new());
    world.run(&["--dry-run"]).expect(0).says("nor does a manual run pass");
    world.run(&["status"]).expect(0).says("its windows are closed");

    world.push("web", &with("1", &windows("deny", "* * * * *", true)));
    assert_eq!(outcomes(&world.converge().json()), ["web Succeeded"]);
    world.is_synced();
    // Drift in a window that is closed for everyone stays until it opens.
    world.push("web", &with("1", &windows("allow", "0 0 29 2 *", false)));
    world.converge();
    world.engine.ask(&["rm", "-f", &world.one("web", "it").id]);
    assert_eq!(outcomes(&world.converge().json()), ["web Held"]);
    assert_eq!(world.everything(), Vec::<String>::new());
    world.push("web", &with("1", &windows("allow", "* * * * *", false)));
    assert_eq!(outcomes(&world.converge().json()), ["web Succeeded"]);
    world.is_synced();
}

fn environments_are_run_in_the_order_of_what_they_depend_on(world: &World) {
    let below = format!("{}-z", world.name);
    world.app("web", &app("1", true, &format!("{below}/proxy")));
    world.put(format!("environments/{below}/proxy.yaml"), &app("1", true, ""));
    world.commit("two environments");
    // The run that leaves the other out looks at it.
    let report = world.run(&["--output", "json"]).expect(1).json();
    let waits = report["apps"][0]["error"]["summary"].as_str().unwrap();
    assert_eq!(waits, format!("waits for `{below}/proxy`, which is OutOfSync and Missing"));
    let both = format!("{},{below}", world.name);
    let ran = world.run_in(&both, &["--output", "json"]).expect(0);
    let environments: Vec<String> = ran
        .stdout
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["environment"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(environments, [below.clone(), world.name.clone()]);
    world.is_synced();
}
