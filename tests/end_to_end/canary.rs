//! G17, V4: values are planted through every way in, and looked for wherever they could turn up.

use crate::{
    secrets::{host, secret},
    world::{Ran, World, until},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

stories! {
    both:
        a_planted_value_is_nowhere_but_where_it_is_needed,
        a_daemon_that_tells_everything_tells_no_value;
    docker: ;
}

/// The ways in, with what a value looks like that came by each.
const WAYS: [&str; 3] = ["by_file", "by_variable", "by_template"];

pub fn value(way: &str, turn: u8) -> String {
    format!("canary/{way}@{turn}+end")
}

/// What must turn up nowhere: each value, and as it stands in a URL.
fn planted() -> Vec<String> {
    let values = WAYS.iter().flat_map(|way| (1..=3).map(|turn| value(way, turn)));
    values
        .flat_map(|value| [value.clone(), value.replace('/', "%2F").replace('@', "%40").replace('+', "%2B")])
        .collect()
}

pub fn plant(world: &World, turn: u8) {
    for way in WAYS {
        secret(world, "web", way, &format!("{}\n", value(way, turn)));
    }
}

/// An app with all of them; `ends`: it says what it has, and fails.
fn manifest(ends: bool) -> String {
    let does = if ends {
        "env; cat /run/secrets/*; exit 3"
    } else {
        "trap 'exit 0' TERM; while true; do sleep 1 & wait; done"
    };
    format!(
        r#"
secrets: {{by_file: {{}}, by_variable: {{}}, by_template: {{}}}}
services:
  app:
    image: bb:1
    command: [sh, -c, "{does}"]
    secrets: [{{source: by_file, env: BY_FILE}}]
    env:
      BY_VARIABLE: {{secret: by_variable}}
      BY_TEMPLATE: {{template: "scheme://user:${{secret:by_template|urlencode}}@host"}}
    restart: "no"
    stop_grace_period: 1s
    rollout: {{min_healthy_time: 3s, healthy_deadline: 60s}}
"#
    )
}

#[track_caller]
pub fn is_clean(place: &str, bytes: &[u8]) {
    for value in planted() {
        let found = bytes.windows(value.len()).position(|window| window == value.as_bytes());
        assert!(found.is_none(), "`{value}` is in {place} at {found:?}:\n{}", String::from_utf8_lossy(bytes));
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Everything that stays on the host when a command is over, but the secrets themselves.
#[track_caller]
pub fn nothing_is_left(world: &World) {
    for file in files(&world.state()) {
        is_clean(&file.display().to_string(), &fs::read(&file).unwrap_or_default());
    }
    for id in world.everything() {
        let mut inspected = world.engine.ask(&["inspect", "--type", "container", &id]);
        // Its own variables are what it was given them for, and the policy said yes.
        let own = inspected.lines().filter(|line| !line.contains("\"BY_VARIABLE=") && !line.contains("\"BY_TEMPLATE="));
        inspected = own.collect::<Vec<_>>().join("\n");
        is_clean("inspect", inspected.as_bytes());
    }
}

/// Runs the binary with all that it has to tell, and looks at the arguments and variables of all it runs meanwhile.
#[track_caller]
fn run(world: &World, arguments: &[&str], code: i32) -> Ran {
    let mut started = world.start(&[&["-vvv"], arguments].concat());
    let binary = env!("CARGO_BIN_EXE_reconcile");
    while !started.is_over() {
        for process in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
            is_clean("the arguments of a process", &line);
            if String::from_utf8_lossy(&line).contains(binary) {
                is_clean("the variables of the binary", &fs::read(process.path().join("environ")).unwrap_or_default());
            }
        }
        // Others want the processors too.
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let ran = started.finish();
    is_clean(&format!("what {arguments:?} prints"), ran.stdout.as_bytes());
    is_clean(&format!("what {arguments:?} logs"), ran.stderr.as_bytes());
    nothing_is_left(world);
    ran.expect(code)
}

/// Each command that shows something, in turn in each format.
fn looked_at(world: &World, formats: &[&str]) {
    for format in formats {
        for command in [&["--dry-run"][..], &["status"], &["history", "web"], &["show", "web", "1"]] {
            run(world, &[command, &["--output", format]].concat(), 0);
        }
    }
}

fn a_planted_value_is_nowhere_but_where_it_is_needed(world: &World) {
    host(world, "policy: {secret_env: true}\n");
    plant(world, 1);
    world.push("web", &manifest(false));
    run(world, &["--dry-run"], 0);
    run(world, &["--output", "json"], 0);
    let container = world.one("web", "app");
    // The search finds what is there.
    let env = container.env().join("\n");
    assert!(
        env.contains(&value("by_variable", 1)) && env.contains("scheme://user:canary%2Fby_template%401%2Bend@host")
    );
    assert_eq!(container.exec(&["cat", "/run/secrets/by_file"]), value("by_file", 1));
    looked_at(world, &["text", "json", "markdown"]);

    plant(world, 2);
    looked_at(world, &["text"]);
    run(world, &[], 0);
    let rotated = world.another("web", "app", &container.id);
    assert_eq!(rotated.exec(&["cat", "/run/secrets/by_file"]), value("by_file", 2));

    // An app that tells everything it has while it fails.
    world.push("web", &manifest(true));
    let failed = run(world, &["--output", "json"], 1);
    failed.says("[secret by_variable]").says("[secret by_file]").says("[secret by_template]");
    looked_at(world, &["json"]);
    run(world, &["resume", "web"], 0);
    world.push("web", &manifest(false).replace("sleep 1", "sleep 2"));
    run(world, &[], 0);

    run(world, &["rollback", "web"], 0);
    looked_at(world, &["markdown"]);
    run(world, &["resume", "web"], 0);

    // Drift: gone, and another in its place.
    let before = world.running("web", "app");
    world.engine.ask(&["rm", "-f", &before[0]]);
    looked_at(world, &["text"]);
    run(world, &["--output", "json"], 0);

    // A secret that is not there, and one that everybody can read.
    let path = secret(world, "web", "by_file", &value("by_file", 3));
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    run(world, &[], 1);
    fs::remove_file(&path).unwrap();
    run(world, &[], 1);
    world.push("web", "services: {}\n");
    run(world, &[], 1);
}

fn a_daemon_that_tells_everything_tells_no_value(world: &World) {
    host(world, "policy: {secret_env: true}\n");
    plant(world, 1);
    world.push("web", &manifest(false).replace("by_file, env", "by_file, on_change: restart, env"));
    let daemon = world.watch(&[("RECONCILE_VERBOSE", "3")]);
    until("the app runs", 60, || world.running("web", "app").len() == 1);
    let first = world.one("web", "app");
    plant(world, 2);
    let second = world.another("web", "app", &first.id);
    until("it has the new value", 60, || second.exec(&["cat", "/run/secrets/by_file"]) == value("by_file", 2));
    until("the earlier container is gone", 60, || world.everything() == [second.id.clone()]);
    let log = serde_json::to_string(&daemon.log()).unwrap();
    assert!(log.contains("DEBUG"), "it does not tell everything");
    is_clean("the daemon's log", log.as_bytes());
    nothing_is_left(world);
}
