//! Volumes that are copied while their users are held still: everybody goes on afterwards, whatever happens to the tool.

use crate::world::{Dockerd, Engine, World, until};
use std::{
    fs,
    path::PathBuf,
    process::{Child, Command},
};

stories! {
    both:
        users_are_held_still_and_the_archive_is_of_one_moment,
        who_is_asked_to_end_lets_users_go_on_and_runs_the_hooks_after;
    docker_and_nightly_podman:
        whoever_is_killed_while_users_are_held_leaves_them_to_the_next_run_or_pass;
    docker:
        nobody_stays_held_where_the_manifests_say_no_more_of_it,
        a_daemon_lets_go_of_whom_a_killed_run_held_though_nobody_serves_the_manifests,
        what_a_person_paused_stays_paused;
}

/// Writes the same number into one file after the other, with much to read between the two.
fn app(consistency: &str) -> String {
    format!(
        r#"
volumes: {{files: {{}}}}
services:
  app:
    image: bb:1
    command:
      - sh
      - -c
      - |
        test -e /files/m || head -c 60000000 /dev/urandom > /files/m
        i=0
        while :; do i=$((i+1)); echo $i > /files/a; echo $i > /files/z; sleep 0.01; done
    volumes: ["files:/files"]
    stop_grace_period: 1s
    rollout: {{min_healthy_time: 0s}}
backup:
  before_deploy: never
  items: [{{name: files, type: volume, volume: files, consistency: {consistency}}}]
  compression: none
  hooks: {{after: [{{service: app, command: [touch, /after]}}]}}
"#
    )
}

impl World {
    /// How the container is, in the engine's word.
    fn state_of(&self, id: &str) -> String {
        self.engine.ask(&["inspect", "--format", "{{.State.Status}}", id])
    }

    fn begin_still(&self, consistency: &str) -> String {
        self.push("shop", &app(consistency));
        self.converge();
        let id = self.one("shop", "app").id;
        until("the app writes", 60, || self.engine.try_ask(&["exec", &id, "test", "-e", "/files/z"]).status.success());
        id
    }

    /// What lies where the copies of its volume do, by the ends of the names.
    fn lying(&self, end: &str) -> usize {
        let folder = self.state().join("backups").join(&self.name).join("shop/files");
        let names = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().ends_with(end)).count()
    }

    fn porters_left(&self) -> String {
        let filter = format!("label=reconcile.porter={}/{}/shop", self.name, self.name);
        self.engine.ask(&["ps", "-aq", "--filter", &filter])
    }
}

/// What the engine says of a container that is held.
fn held(engine: Engine, consistency: &str) -> &'static [&'static str] {
    match (consistency, engine) {
        ("pause", _) => &["paused"],
        _ => &["exited", "stopped"],
    }
}

/// What the engine tells of a container while it happens: what is past it forgets soon.
struct Heard {
    child: Child,
    lines: PathBuf,
}

impl Heard {
    fn of(world: &World, id: &str) -> Self {
        let lines = world.scratch("events").join(id);
        let child = Command::new("docker")
            .args(["--host", &world.engine.address(), "events", "--filter", &format!("container={id}")])
            .stdout(fs::File::create(&lines).unwrap())
            .spawn()
            .unwrap();
        let heard = Self { child, lines };
        until("events are heard", 60, || {
            world.engine.ask(&["exec", id, "true"]);
            !heard.text().is_empty()
        });
        heard
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.lines).unwrap()
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn users_are_held_still_and_the_archive_is_of_one_moment(world: &World) {
    for consistency in ["pause", "stop"] {
        let id = world.begin_still(consistency);
        let started = world.one("shop", "app").started_at();
        let heard = Heard::of(world, &id);
        let made = world.run(&["backup", "run", "shop", "--output", "json"]).expect(0).json();
        let words: &[&str] = if consistency == "pause" { &[" unpause "] } else { &[" die ", " died "] };
        until("the engine has told that it was held", 60, || words.iter().any(|word| heard.text().contains(word)));
        assert_eq!((world.state_of(&id).as_str(), world.porters_left().as_str()), ("running", ""));
        // A pause is no new start.
        assert_eq!(world.one("shop", "app").started_at() == started, consistency == "pause");
        let text = |key: &str| made[0]["copy"][key].as_str().unwrap().to_owned();
        let path = world.state().join("backups").join(&world.name).join("shop/files").join(text("file"));
        let of = |name: &str| -> u64 {
            let output = Command::new("tar").arg("-xOf").arg(&path).arg(name).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or(0)
        };
        // Between the two there are 60 MB, and yet at most one write.
        let (a, z) = (of("./a"), of("./z"));
        assert!(a == z || a == z + 1 || a == 0 || z == 0, "{a} and {z}");
        world.is_synced();
    }
}

fn whoever_is_killed_while_users_are_held_leaves_them_to_the_next_run_or_pass(world: &World) {
    world.host("drift: report\n");
    for consistency in ["pause", "stop"] {
        let id = world.begin_still(consistency);
        let words = held(world.engine, consistency);
        for round in 0..4 {
            let run = world.start(&["backup", "run", "shop"]);
            if round == 0 {
                // Before anybody is held: what is about to be done is written down.
                until("it is written down", 60, || !world.porters_left().is_empty());
            } else {
                until("it is held", 60, || words.contains(&world.state_of(&id).as_str()));
            }
            run.kill();
            match round {
                0 | 1 => drop(world.run(&["backup", "run", "shop"]).expect(0)),
                2 => drop(world.run(&[])),
                _ => {
                    let mut daemon = world.watch(&[]);
                    until("it goes on", 60, || world.state_of(&id) == "running" && world.porters_left().is_empty());
                    daemon.kill();
                }
            }
            until("it goes on", 60, || world.state_of(&id) == "running");
            assert_eq!(world.porters_left(), "", "{consistency}, round {round}");
            assert_eq!(world.one("shop", "app").id, id);
        }
    }
}

fn nobody_stays_held_where_the_manifests_say_no_more_of_it(world: &World) {
    world.host("drift: report\n");
    let quiet = app("stop").split("backup:").next().unwrap().to_owned();
    for (manifest, code) in [(quiet.as_str(), 0), ("services: {app: {image: [bb]}}", 1)] {
        let id = world.begin_still("stop");
        let run = world.start(&["backup", "run", "shop"]);
        until("it is held", 60, || held(world.engine, "stop").contains(&world.state_of(&id).as_str()));
        run.kill();
        world.push("shop", manifest);
        world.run(&[]).expect(code);
        until("it goes on", 60, || world.state_of(&id) == "running");
        assert_eq!(world.porters_left(), "");
    }
}

fn a_daemon_lets_go_of_whom_a_killed_run_held_though_nobody_serves_the_manifests(world: &World) {
    world.host("drift: report\n");
    for consistency in ["pause", "stop"] {
        let id = world.begin_still(consistency);
        let run = world.start(&["backup", "run", "shop"]);
        until("it is held", 60, || held(world.engine, consistency).contains(&world.state_of(&id).as_str()));
        run.kill();
        let away = world.manifests().with_extension("away");
        fs::rename(world.manifests(), &away).unwrap();
        let mut daemon = world.watch(&[]);
        until("it goes on", 60, || world.state_of(&id) == "running" && world.porters_left().is_empty());
        daemon.kill();
        fs::rename(&away, world.manifests()).unwrap();
    }
}

fn what_a_person_paused_stays_paused(world: &World) {
    for consistency in ["pause", "stop"] {
        let id = world.begin_still(consistency).clone();
        let quiet = app(consistency).replace("  hooks: {after: [{service: app, command: [touch, /after]}]}\n", "");
        world.push("shop", &quiet);
        world.converge();
        world.engine.ask(&["pause", &id]);
        world.run(&["backup", "run", "shop"]).expect(0);
        assert_eq!(world.state_of(&id), "paused", "{consistency}");
        world.engine.ask(&["unpause", &id]);
    }
}

fn who_is_asked_to_end_lets_users_go_on_and_runs_the_hooks_after(world: &World) {
    for (consistency, signal) in [("pause", "INT"), ("stop", "TERM")] {
        let id = world.begin_still(consistency);
        let _ = world.engine.try_ask(&["exec", &id, "rm", "-f", "/after"]);
        let words = held(world.engine, consistency);
        let run = world.start(&["backup", "run", "shop"]);
        until("it is held", 60, || words.contains(&world.state_of(&id).as_str()));
        run.signal(signal);
        run.finish().expect(1);
        assert_eq!((world.state_of(&id).as_str(), world.porters_left().as_str()), ("running", ""));
        assert!(world.one("shop", "app").succeeds(&["test", "-e", "/after"]), "{consistency}");
    }
}

/// An engine that is killed while it reads for a copy: the copy fails and says so, and whoever was held goes on.
#[test]
fn an_engine_that_is_killed_in_the_middle_of_a_copy_costs_that_copy_alone() {
    let mut dockerd = Dockerd::start();
    for consistency in ["pause", "stop"] {
        let world = World::on(dockerd.engine());
        let id = world.begin_still(consistency);
        let words = held(Engine::Docker, consistency);
        let run = world.start(&["backup", "run", "shop"]);
        until("it is read while it is held", 60, || {
            words.contains(&world.state_of(&id).as_str()) && world.lying(".partial") > 0
        });
        dockerd.kill();
        dockerd.begin();
        run.finish().expect(1);
        assert_eq!(world.lying(".json"), 0, "{consistency}");
        world.converge();
        assert_eq!(world.state_of(&world.one("shop", "app").id), "running", "{consistency}");
        world.run(&["backup", "run", "shop"]).expect(0);
        assert_eq!((world.lying(".json"), world.porters_left().as_str()), (1, ""), "{consistency}");
    }
}
