//! Rollouts that wait for a copy of the data: what is copied, what keeps running without, and what can be put back.

use crate::world::{World, until};
use serde_json::Value;

stories! {
    both:
        a_rollout_copies_first_and_what_it_did_to_the_data_can_be_undone,
        without_a_copy_nothing_is_rolled_out_and_the_old_container_answers_on,
        a_rollout_that_is_killed_while_it_copies_has_one_copy_when_the_next_is_done;
    docker:
        a_copy_that_is_made_by_schedule_or_by_hand_waits_for_the_rollout_s_and_the_other_way_round;
}

/// An app whose versions each write a row, and keep what others wrote.
fn keeping(version: u8) -> String {
    format!(
        r#"
volumes: {{data: {{}}}}
services:
  app:
    image: bb:1
    user: "0"
    command:
      - sh
      - -c
      - |
        sqlite3 /data/app.db "PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES ('v{version}')"
        exec sleep 36000
    volumes: ["data:/data", "/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro"]
    healthcheck: {{test: [CMD-SHELL, "sqlite3 /data/app.db 'select a from t' | grep -q v{version}"], interval: 500ms, retries: 30}}
    rollout: {{healthy_deadline: 30s}}
    stop_grace_period: 0s
backup:
  items: [{{name: db, type: sqlite, volume: data, path: app.db}}]
"#
    )
}

impl World {
    fn rows(&self) -> String {
        let rows = self.one("shop", "app").exec(&["sqlite3", "/data/app.db", "select group_concat(a, ' ') from t"]);
        rows.trim().to_owned()
    }

    /// The verified copies of the app, oldest first.
    fn verified(&self) -> Vec<Value> {
        let listed = self.run_alone(&["backup", "list", "shop", "--output", "json"]).expect(0).json();
        let mut copies: Vec<Value> = listed.as_array().unwrap().iter().map(|it| it["copy"].clone()).collect();
        copies.retain(|copy| !copy["verified"].is_null());
        copies.sort_by_key(|copy| copy["id"].to_string());
        copies
    }

    fn revisions(&self) -> Vec<Value> {
        self.run(&["history", "shop", "--output", "json"]).expect(0).json().as_array().unwrap().clone()
    }
}

fn a_rollout_copies_first_and_what_it_did_to_the_data_can_be_undone(world: &World) {
    world.host("policy: {data_roots: [\"/usr:ro\"]}\n");
    world.push("shop", &keeping(1));
    world.converge();
    assert_eq!((world.rows().as_str(), world.verified().len()), ("v1", 0), "there was nothing to copy");
    world.push("shop", &keeping(2));
    assert_eq!(world.changes(), ["backup/db run commit", "service/app replace commit"]);
    world
        .run(&["--dry-run"])
        .expect(0)
        .says("> backup/db  (run, cause: commit)")
        .says("1 to replace, 0 to delete, 1 to run.");
    assert_eq!(world.verified().len(), 0, "a dry run writes nothing");
    world.converge();
    world.is_synced();
    assert_eq!(world.rows(), "v1 v2");
    let [copy] = &world.verified()[..] else { panic!("{:?}", world.verified()) };
    assert_eq!(copy["before_revision"], 2);
    let restore = format!("reconcile restore shop db {}", copy["id"].as_str().unwrap());

    // Whoever looks for it finds it with the revision.
    let revisions = world.revisions();
    assert_eq!((&revisions[0]["number"], &revisions[0]["copies"][0]["restore"]), (&2.into(), &restore.as_str().into()));
    assert!(revisions[1]["copies"].is_null(), "{revisions:?}");
    world.run(&["history", "shop"]).expect(0).says(&restore);
    world.run(&["show", "shop", "2"]).expect(0).says(&restore);

    // Drift is put right without one.
    world.engine.ask(&["rm", "-f", &world.one("shop", "app").id]);
    world.converge();
    assert_eq!((world.rows().as_str(), world.verified().len()), ("v1 v2 v2", 1));

    let shown = world.run(&["rollback", "shop", "--dry-run"]).expect(0);
    shown.says("> backup/db  (run, cause: rollback)").says("a rollback brings no data back").says(&restore);
    let told = world.run(&["rollback", "shop", "--output", "json"]).expect(0).json();
    assert_eq!(told["apps"][0]["copies"][0]["restore"], restore, "{told:#}");
    let copies = world.verified();
    assert_eq!((copies.len(), &copies[1]["before_revision"]), (2, &3.into()), "{copies:?}");
    assert_eq!(world.rows(), "v1 v2 v2 v1");
    let words: Vec<&str> = restore.split(' ').skip(1).collect();
    world.run(&words).expect(0);
    // What was there when the second version came, and what the first one wrote when it started with it.
    assert_eq!(world.rows(), "v1 v1");
}

/// A web server of which a command's output is copied, once it is allowed to be.
fn allowed(word: &str) -> String {
    let dump = "touch /www/asked; until test -e /www/go -o -e /www/refused; do sleep 0.1; done; \
                test -e /www/go || { echo no room >&2; exit 3; }; cat /www/index.html";
    format!(
        r#"
services:
  app:
    image: bb:1
    command: {}
    healthcheck: {{http: {{path: /index.html, port: 8080}}, interval: 200ms}}
    stop_grace_period: 1s
    rollout: {{healthy_deadline: 30s, drain: 0s}}
backup:
  items: [{{name: out, type: exec, service: app, command: [sh, -c, "{dump}"]}}]
"#,
        crate::world::server(word)
    )
}

fn without_a_copy_nothing_is_rolled_out_and_the_old_container_answers_on(world: &World) {
    world.push("shop", &allowed("one"));
    world.converge();
    let app = world.one("shop", "app");
    let (began, all) = (app.started_at(), world.everything());
    app.exec(&["touch", "/www/refused"]);
    world.push("shop", &allowed("two"));
    for _ in 0..2 {
        let told = world.fails().json();
        let shop = &told["apps"][0];
        assert_eq!((&shop["outcome"], &shop["error"]["blame"]), (&"Blocked".into(), &"world".into()), "{told:#}");
        let summary = shop["error"]["summary"].as_str().unwrap();
        assert!(summary.starts_with("there is no verified copy of `out`"), "{summary}");
        assert!(summary.contains("`sh` in service `app` exited with 3: no room"), "{summary}");
        assert_eq!(world.answer("shop", "app"), "one");
        assert_eq!((world.one("shop", "app").started_at(), world.everything()), (began, all.clone()));
    }
    world.run(&[]).expect(1).says("hint: `backup: {before_deploy: never}` on the branch rolls out without a copy");
    assert_eq!((world.revisions()[0]["outcome"].clone(), world.verified().len()), ("Blocked".into(), 0));

    // It is not the revision's fault: as soon as there is a copy it is rolled out.
    app.exec(&["touch", "/www/go"]);
    world.converge();
    assert_eq!((world.answer("shop", "app").as_str(), world.verified().len()), ("two", 1));

    // A command that comes with the commit is asked of no container that does not know it.
    world.one("shop", "app").exec(&["touch", "/www/go"]);
    world.push("shop", &allowed("three").replace("cat /www/index.html", "not-there-yet"));
    world.converge();
    assert_eq!((world.answer("shop", "app").as_str(), world.verified().len()), ("three", 2));

    // One that is down is not asked, and one that nobody wants is not made.
    world.push("shop", &allowed("four"));
    world.engine.ask(&["stop", "-t", "0", &world.one("shop", "app").id]);
    world.converge();
    world.push("shop", &allowed("five").replace("backup:\n", "backup:\n  before_deploy: never\n"));
    world.converge();
    assert_eq!((world.answer("shop", "app").as_str(), world.verified().len()), ("five", 2));
}

fn a_rollout_that_is_killed_while_it_copies_has_one_copy_when_the_next_is_done(world: &World) {
    world.push("shop", &allowed("one"));
    world.converge();
    let app = world.one("shop", "app");
    world.push("shop", &allowed("two"));
    let run = world.start(&[]);
    until("it copies", 60, || app.succeeds(&["test", "-e", "/www/asked"]));
    run.kill();
    assert_eq!((world.one("shop", "app").id, world.verified().len()), (app.id.clone(), 0));
    app.exec(&["touch", "/www/go"]);
    world.converge();
    assert_eq!(world.answer("shop", "app"), "two");
    let [copy] = &world.verified()[..] else { panic!("{:?}", world.verified()) };
    assert_eq!(copy["before_revision"], 2);

    // Killed after its copy was made, it makes no other.
    world.one("shop", "app").exec(&["touch", "/www/go"]);
    let sick = allowed("three")
        .replace("path: /index.html", "path: /not-there")
        .replace("drain: 0s", "drain: 0s, min_healthy_time: 0s");
    world.push("shop", &sick);
    let run = world.start(&[]);
    until("the next one starts", 60, || world.running("shop", "app").len() == 2);
    run.kill();
    world.fails();
    assert_eq!((world.answer("shop", "app").as_str(), world.verified().len()), ("two", 2), "{:?}", world.verified());
}

fn a_copy_that_is_made_by_schedule_or_by_hand_waits_for_the_rollout_s_and_the_other_way_round(world: &World) {
    world.push("shop", &allowed("one"));
    world.converge();
    let app = world.one("shop", "app");
    let by_hand = world.start(&["backup", "run", "shop"]);
    until("it copies", 60, || app.succeeds(&["test", "-e", "/www/asked"]));
    let second = world.start(&["backup", "run", "shop"]);
    world.push("shop", &allowed("two"));
    let rollout = world.start(&["--output", "json"]);
    until("both wait", 60, || second.waits_for_a_lock() && rollout.waits_for_a_lock());
    app.exec(&["touch", "/www/go"]);
    let holder = by_hand.pid();
    by_hand.finish().expect(0);
    rollout.finish().expect(0);
    // Where the rollout came first, the second copy is of the new container.
    world.one("shop", "app").exec(&["touch", "/www/go"]);
    let told = second.finish().expect(0);
    told.says(&format!("shop: waiting for the pass or copy that is running (process {holder})"));
    let mut before: Vec<Value> = world.verified().iter().map(|copy| copy["before_revision"].clone()).collect();
    before.sort_by_key(|revision| revision.as_u64());
    assert_eq!(before, [Value::Null, Value::Null, 2.into()]);

    // And a daemon goes on by itself as soon as there is a copy.
    let app = world.one("shop", "app");
    app.exec(&["sh", "-c", "rm /www/go; touch /www/refused"]);
    world.push("shop", &allowed("three"));
    let daemon = world.watch(&[]);
    daemon.says("there is no verified copy of `out`");
    assert_eq!(world.answer("shop", "app"), "two");
    app.exec(&["touch", "/www/go"]);
    world.answers("shop", "app", "three");
    assert_eq!(world.verified().iter().filter(|copy| copy["before_revision"] == 3).count(), 1);
}
