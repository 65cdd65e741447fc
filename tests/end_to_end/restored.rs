//! Copies back in their apps: what the app itself answers afterwards, and what is left where it does not.

use crate::world::{World, kills, until};
use serde_json::Value;
use std::{fs, path::PathBuf};

stories! {
    both:
        a_restored_app_answers_from_the_copy_and_what_was_there_is_a_copy_too;
    docker_and_nightly_podman:
        an_app_that_is_not_well_with_a_copy_has_its_old_bytes_again,
        a_restore_that_is_killed_leaves_a_whole_database;
    docker:
        what_cannot_be_restored_stops_nothing;
}

/// Answers while its table is there.
const MANIFEST: &str = r#"
volumes: {data: {}}
services:
  app:
    image: bb:1
    user: "0"
    command:
      - sh
      - -c
      - |
        [ -e /data/app.db ] || sqlite3 /data/app.db "PRAGMA journal_mode=WAL; CREATE TABLE t (a)"
        chown -R 1000:1000 /data
        exec sleep 36000
    volumes: ["data:/data", "/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro"]
    healthcheck: {test: [CMD-SHELL, "sqlite3 /data/app.db 'select a from t limit 1'"], interval: 500ms, retries: 1}
    rollout: {healthy_deadline: 25s}
    stop_grace_period: 0s
backup:
  before_deploy: never
  items: [{name: db, type: sqlite, volume: data, path: app.db}]
"#;

impl World {
    fn with_a_database(&self) {
        self.host("policy: {data_roots: [\"/usr:ro\"]}\n");
        self.push("shop", MANIFEST);
        self.converge();
    }

    /// What the app's database answers.
    fn sql(&self, line: &str) -> String {
        self.one("shop", "app").exec(&["sqlite3", "-cmd", ".timeout 10000", "/data/app.db", line]).trim().to_owned()
    }

    /// Makes a copy, and tells its id.
    fn kept(&self) -> String {
        let made = self.run(&["backup", "run", "shop", "--output", "json"]).expect(0).json();
        made[0]["copy"]["id"].as_str().unwrap().to_owned()
    }

    fn listed(&self) -> Vec<Value> {
        let listed = self.run_alone(&["backup", "list", "--output", "json"]).expect(0).json();
        listed.as_array().unwrap().iter().map(|listed| listed["copy"].clone()).collect()
    }

    fn file_of(&self, id: &str) -> PathBuf {
        self.state().join("backups").join(&self.name).join(format!("shop/db/{id}.db.zst"))
    }
}

fn a_restored_app_answers_from_the_copy_and_what_was_there_is_a_copy_too(world: &World) {
    world.with_a_database();
    world.sql("insert into t values ('before')");
    let id = world.kept();
    world.sql("update t set a = 'after'");
    let shown = world.run(&["restore", "shop", "db", "--dry-run"]).expect(0);
    shown.says(&format!("copy `{id}` is right")).says("a safety copy is taken first");
    assert_eq!((world.sql("select a from t").as_str(), world.listed().len()), ("after", 1));

    let told = world.run(&["restore", "shop", "db"]).expect(0);
    told.says(&format!("copy `{id}` is in place"));
    assert_eq!(world.sql("select a from t"), "before");
    let listed = world.listed();
    let safety = listed.iter().find(|copy| copy["pinned"] == true).expect("a safety copy");
    told.says(&format!("what was there before is copy `{}`", safety["id"].as_str().unwrap()));
    let app = world.one("shop", "app");
    assert_eq!(app.exec(&["stat", "-c", "%u:%g", "/data/app.db"]).trim(), "1000:1000");
    let names = app.exec(&["ls", "-A", "/data"]);
    assert!(!names.contains("reconcile"), "{names}");
    world.is_synced();

    // And back to what was there.
    world.run(&["restore", "shop", "db", safety["id"].as_str().unwrap()]).expect(0);
    assert_eq!(world.sql("select a from t"), "after");
}

fn an_app_that_is_not_well_with_a_copy_has_its_old_bytes_again(world: &World) {
    world.with_a_database();
    world.sql("alter table t rename to other");
    let bad = world.kept();
    world.sql("alter table other rename to t; insert into t values ('good')");
    until("the app is well again", 60, || world.run(&["status", "--output", "json"]).stdout.contains("Healthy"));
    let told = world.run(&["restore", "shop", "db", &bad]).expect(1);
    told.says("the app was not well with copy").says("the old bytes are in place again");
    assert_eq!(world.sql("select a from t"), "good");
    let names = world.one("shop", "app").exec(&["ls", "-A", "/data"]);
    assert!(!names.contains("reconcile"), "{names}");
}

fn what_cannot_be_restored_stops_nothing(world: &World) {
    world.with_a_database();
    world.sql("insert into t values ('before')");
    let id = world.kept();
    let started = || world.one("shop", "app").inspect()["State"]["StartedAt"].clone();
    let before = started();
    world.run(&["restore", "shop", "db", "20200101T000000Z"]).expect(1).says("there is no copy");
    world.run(&["restore", "shop", "files"]).expect(1).says("did you mean `db`?");
    let right = fs::read(world.file_of(&id)).unwrap();
    let mut wrong = right.clone();
    let middle = wrong.len() / 2;
    wrong[middle] ^= 1;
    fs::write(world.file_of(&id), wrong).unwrap();
    world.run(&["restore", "shop", "db"]).expect(1).says("is not what was written");
    assert_eq!((world.sql("select a from t").as_str(), started()), ("before", before));
    fs::write(world.file_of(&id), right).unwrap();

    // No safety copy can be taken of what is damaged: an index lacks entries. The app comes back, and every byte is as it was.
    world.sql("create index on_t on t (a); insert into t values ('since')");
    world.sql("pragma writable_schema=on; update sqlite_master set sql = 'CREATE INDEX on_t ON t (a + 1)' where name = 'on_t'");
    let bytes = || world.one("shop", "app").exec(&["sh", "-c", "cd /data; sha256sum *; stat -c '%n %u %a' *"]);
    let before = bytes();
    world.run(&["restore", "shop", "db"]).expect(1).says("is damaged").says("missing from index on_t");
    assert_eq!(bytes(), before);
    assert_eq!(world.sql("select a from t not indexed"), "before\nsince");
    assert_eq!(world.listed().len(), 1, "no copy was made");

    // Nor of what is gone.
    world.one("shop", "app").exec(&["sh", "-c", "rm /data/app.db*"]);
    world.run(&["restore", "shop", "db"]).expect(1).says("has no tables");
    assert_eq!(world.one("shop", "app").exec(&["ls", "-A", "/data"]).trim(), "app.db");
    world.one("shop", "app").exec(&["sh", "-c", "rm /data/app.db*"]);
    world.run(&["restore", "shop", "db", "--no-safety"]).expect(0);
    assert_eq!(world.sql("select a from t"), "before");

    // Somebody else has the volume.
    let volume = format!("{0}-shop_data:/data", world.name);
    let other = world.engine.ask(&["run", "-d", "--label", &world.label(), "-v", &volume, "bb:1", "sleep", "36000"]);
    let told = world.run(&["restore", "shop", "db"]).expect(1);
    told.says("which is none of the app's");
    world.engine.ask(&["rm", "-f", other.trim()]);
    let exec = "type: exec, service: app, command: [cat, /data/app.db]";
    world.push("shop", &MANIFEST.replace("type: sqlite, volume: data, path: app.db", exec));
    world.run(&["restore", "shop", "db", &id]).expect(1).says("there is no copy of `exec`");
}

fn a_restore_that_is_killed_leaves_a_whole_database(world: &World) {
    world.with_a_database();
    world.sql("insert into t select hex(randomblob(500)) from generate_series(1, 20000)");
    world.sql("insert into t values ('before')");
    world.kept();
    world.sql("insert into t values ('after')");
    let porters =
        || world.engine.ask(&["ps", "-aq", "--filter", &format!("label=reconcile.porter={0}/{0}/shop", world.name)]);
    // Killed at different moments: by how many containers beside the volume there have been.
    for moment in 1..=kills(3) {
        let mut started = world.start(&["restore", "shop", "db"]);
        let mut seen = std::collections::BTreeSet::new();
        until("it is under way", 60, || {
            seen.extend(porters().lines().map(str::to_owned));
            seen.len() >= moment || started.is_over()
        });
        started.kill();
        world.converge();
        let count = world.sql("select count(*) from t");
        assert!(["20001", "20002"].contains(&count.as_str()), "{count} rows after a kill at {moment}");
        assert_eq!(world.sql("pragma integrity_check"), "ok");
    }
    world.run(&["restore", "shop", "db"]).expect(0);
    assert_eq!(world.sql("select count(*) from t where a in ('before', 'after')"), "1");
    assert_eq!(porters(), "");
    let names = world.one("shop", "app").exec(&["ls", "-A", "/data"]);
    assert!(!names.contains("reconcile"), "{names}");
}
