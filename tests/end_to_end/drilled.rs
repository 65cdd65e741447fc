//! Copies restored where they harm nobody: what is told of them, and that nothing is left.

use crate::world::{World, until};
use serde_json::Value;
use std::fs;

stories! {
    both:
        a_drill_restores_files_and_databases_and_leaves_the_app_and_the_host_as_they_were;
    docker_and_nightly_podman:
        a_drill_of_servers_loads_each_copy_into_one_of_its_own;
    docker:
        a_copy_that_no_app_would_be_well_with_fails_its_drill_and_harms_nobody,
        what_a_killed_drill_left_is_thrown_away_by_the_next,
        the_daemon_drills_at_the_times_of_the_schedule_and_tells_of_a_drill_that_failed;
}

const DEBIAN: &str = r#""/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro""#;

/// Serves its volume, beside a database in another.
fn manifest() -> String {
    format!(
        r#"
volumes: {{files: {{}}, data: {{}}}}
services:
  web:
    image: bb:1
    user: "1000"
    command: [sh, -c, "until [ -e /www/index.html ]; do sleep 0.1; done; exec httpd -f -p 8080 -h /www"]
    volumes: ["files:/www"]
    healthcheck: {{http: {{path: /index.html, port: 8080}}, interval: 500ms}}
    rollout: {{healthy_deadline: 25s}}
    stop_grace_period: 0s
  app:
    image: bb:1
    user: "0"
    command: [sh, -c, "[ -e /data/app.db ] || sqlite3 /data/app.db 'PRAGMA journal_mode=WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)'; [ -e /files/index.html ] || {{ chmod 777 /files; echo first > /files/index.html; }}; exec sleep 36000"]
    volumes: ["data:/data", "files:/files", {DEBIAN}]
    healthcheck: {{test: [CMD-SHELL, "sqlite3 /data/app.db 'select a from t limit 1'"], interval: 500ms, retries: 1}}
    rollout: {{healthy_deadline: 25s}}
    stop_grace_period: 0s
backup:
  before_deploy: never
  items:
    - {{name: db, type: sqlite, volume: data, path: app.db}}
    - {{name: files, type: volume, volume: files}}
    - {{name: out, type: exec, service: app, command: [echo, hello]}}
"#
    )
}

impl World {
    fn with_data(&self) {
        self.host("policy: {data_roots: [\"/usr:ro\"]}\n");
        self.push("shop", &manifest());
        self.converge();
        self.run(&["backup", "run", "shop"]).expect(0);
    }

    fn drilled(&self, code: i32) -> Vec<Value> {
        let told = self.run(&["drill", "shop", "--output", "json"]).expect(code).json();
        told.as_array().unwrap().clone()
    }

    /// What `status` tells of the copies of the database.
    fn told_of_db(&self) -> Value {
        let told = self.run(&["status", "shop", "--output", "json"]).expect(0).json();
        let copies = told[0]["copies"].as_array().unwrap().iter();
        copies.clone().find(|copy| copy["item"] == "db").cloned().unwrap_or_default()
    }

    /// Containers and volumes of drills.
    fn left(&self) -> String {
        let label = format!("label=reconcile.porter={0}/{0}/shop/drill", self.name);
        let containers = self.engine.ask(&["ps", "-aq", "--filter", &label]);
        containers + &self.engine.ask(&["volume", "ls", "-q", "--filter", &label])
    }

    /// Since when the containers of the app have run.
    fn since(&self) -> Vec<String> {
        let seen = |id: &String| self.engine.ask(&["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", id]);
        let mut since: Vec<String> = self.everything().iter().map(seen).collect();
        since.sort();
        since
    }
}

fn a_drill_restores_files_and_databases_and_leaves_the_app_and_the_host_as_they_were(world: &World) {
    world.with_data();
    let before = (world.since(), world.engine.ask(&["volume", "ls", "-q"]).lines().count());
    let drilled = world.drilled(0);
    let told: Vec<(&str, bool, bool)> = drilled
        .iter()
        .map(|told| (told["item"].as_str().unwrap(), told["error"].is_null(), told["left_out"] == true))
        .collect();
    assert_eq!(told, [("db", true, false), ("files", true, false), ("out", true, true)], "{drilled:?}");
    assert_eq!((world.left().as_str(), world.since()), ("", before.0));
    world.is_synced();
    let listed = world.run_alone(&["backup", "list", "--output", "json"]).expect(0).json();
    for listed in listed.as_array().unwrap() {
        let is_drilled = listed["copy"]["drilled"]["at"].is_string() && listed["copy"]["drilled"]["trouble"].is_null();
        assert_eq!(is_drilled, listed["copy"]["item"] != "out", "{listed}");
    }
    world.run_alone(&["backup", "list"]).expect(0).says("verified, drilled");
    world.run(&["drill", "shop", "fils"]).expect(1).says("did you mean `files`?");
}

fn a_copy_that_no_app_would_be_well_with_fails_its_drill_and_harms_nobody(world: &World) {
    world.with_data();
    world.one("shop", "app").exec(&["sqlite3", "/data/app.db", "alter table t rename to other"]);
    world.run(&["backup", "run", "shop", "--item", "db"]).expect(0);
    world.one("shop", "app").exec(&["sqlite3", "/data/app.db", "alter table other rename to t"]);
    let since = world.since();
    let drilled = world.drilled(1);
    let error = drilled[0]["error"].as_str().unwrap();
    assert!(error.contains("service `app` is not well with it"), "{drilled:?}");
    assert!(drilled[1]["error"].is_null(), "{drilled:?}");
    world.run_alone(&["backup", "list"]).expect(0).says("a drill of it failed");
    let told = world.run(&["status", "shop", "--output", "json"]).expect(0).json();
    assert_eq!((&told[0]["health"], &told[0]["status"]), (&"Degraded".into(), &"Synced".into()), "{told}");
    let trouble = world.told_of_db()["trouble"].clone();
    assert!(trouble.as_str().unwrap().contains("the last drill of `db` failed"), "{trouble}");
    world.run(&["status", "shop"]).expect(0).says("drill failed").says("is not well with it");
    assert_eq!((world.left().as_str(), world.since()), ("", since));

    // What a disk made of it is told as well.
    let listed = world.run_alone(&["backup", "list", "shop", "--item", "files", "--output", "json"]).expect(0).json();
    let file = listed[0]["copy"]["file"].as_str().unwrap();
    let path = world.state().join("backups").join(&world.name).join("shop/files").join(file);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let drilled = world.drilled(1);
    assert!(drilled[1]["error"].as_str().unwrap().contains("is not what was written"), "{drilled:?}");
}

fn what_a_killed_drill_left_is_thrown_away_by_the_next(world: &World) {
    world.with_data();
    let started = world.start(&["drill", "shop"]);
    until("it has made something", 60, || !world.left().is_empty());
    started.kill();
    assert!(!world.left().is_empty());
    world.is_synced();
    world.drilled(0);
    assert_eq!(world.left(), "");
}

fn a_drill_of_servers_loads_each_copy_into_one_of_its_own(world: &World) {
    world.host("policy: {data_roots: [\"/usr:ro\"]}\n");
    world.push(
        "shop",
        &format!(
            r#"
volumes: {{cache: {{}}}}
configs: {{users: {{content: "root:x:0:0::/:/bin/sh\nshop:x:70:70::/tmp:/bin/sh\n"}}}}
services:
  postgres:
    image: bb:1
    user: "70"
    configs: [{{source: users, target: /etc/passwd}}]
    env: {{PATH: "/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin", POSTGRES_USER: shop, LC_ALL: C}}
    command: [sh, -c, "initdb -U shop -D /tmp/pg >/dev/null && exec postgres -D /tmp/pg -k /var/run/postgresql -c listen_addresses= -c fsync=off"]
    volumes: [{DEBIAN}]
    tmpfs: ["/var/run/postgresql:mode=1777", "/tmp:mode=1777"]
    healthcheck: {{test: [CMD, pg_isready, -U, shop], interval: 500ms}}
    rollout: {{healthy_deadline: 60s}}
    stop_grace_period: 0s
  redis:
    image: bb:1
    user: "70"
    env: {{PATH: "/usr/bin:/bin", PASSWORD: "se cret"}}
    command: [sh, -c, "exec redis-server --dir /data --requirepass \"se cret\" --appendonly yes"]
    volumes: ["cache:/data", {DEBIAN}]
    healthcheck: {{test: [CMD-SHELL, "REDISCLI_AUTH=\"se cret\" redis-cli ping | grep -q PONG"], interval: 500ms}}
    rollout: {{healthy_deadline: 60s}}
    stop_grace_period: 0s
    depends_on: {{folder: {{condition: service_healthy}}}}
  folder:
    image: bb:1
    user: "0"
    command: [sh, -c, "chown 70:70 /data; touch /ready; exec sleep 36000"]
    healthcheck: {{test: [CMD, test, -e, /ready], interval: 500ms}}
    volumes: ["cache:/data"]
    stop_grace_period: 0s
  db:
    image: bb:1
    user: "70"
    configs: [{{source: users, target: /etc/passwd}}]
    env: {{PATH: "/usr/sbin:/usr/bin:/bin", MARIADB_ROOT_PASSWORD: "se cret"}}
    command:
      - sh
      - -c
      - |
        mariadb-install-db --no-defaults --auth-root-authentication-method=normal --datadir=/tmp/db --skip-test-db >/dev/null
        echo "ALTER USER root@localhost IDENTIFIED BY 'se cret';" > /tmp/init
        exec mariadbd --no-defaults --datadir=/tmp/db --socket=/run/mysqld/mysqld.sock --skip-networking --init-file=/tmp/init
    volumes: [{DEBIAN}]
    tmpfs: ["/run/mysqld:mode=1777", "/tmp:mode=1777"]
    healthcheck: {{test: [CMD-SHELL, "MYSQL_PWD='se cret' mariadb --no-defaults -u root -e 'select 1'"], interval: 500ms}}
    rollout: {{healthy_deadline: 90s}}
    stop_grace_period: 0s
backup:
  before_deploy: never
  items:
    - {{name: pg, type: postgres, service: postgres, database: shop}}
    - {{name: pgall, type: postgres, service: postgres, database: "*"}}
    - {{name: cache, type: redis, service: redis, password_from: {{env: PASSWORD}}}}
    - {{name: sql, type: mysql, service: db, database: shop}}
    - {{name: sqlall, type: mysql, service: db, database: "*"}}
"#
        ),
    );
    world.converge();
    let postgres = world.one("shop", "postgres");
    postgres.exec(&["psql", "-U", "shop", "-d", "postgres", "-c", "create database shop"]);
    let fill =
        "create role clerk; create table t as select i from generate_series(1, 1000) i; alter table t owner to clerk";
    postgres.exec(&["psql", "-U", "shop", "-d", "shop", "-c", fill]);
    world.one("shop", "redis").exec(&["sh", "-c", "REDISCLI_AUTH='se cret' redis-cli set key value"]);
    let fill = "MYSQL_PWD='se cret' mariadb --no-defaults -u root -e 'create database shop; create table shop.t (a int); insert into shop.t values (1)'";
    world.one("shop", "db").exec(&["sh", "-c", fill]);
    world.run(&["backup", "run", "shop"]).expect(0);
    let since = world.since();
    let ran = world.run(&["drill", "shop", "--output", "json"]);
    assert!(!ran.text().contains("se cret"));
    let told = ran.expect(0).json();
    for told in told.as_array().unwrap() {
        assert!(told["error"].is_null() && told["copy"].is_string() && told["left_out"] == false, "{told}");
    }
    assert_eq!((world.left().as_str(), world.since()), ("", since));
}

fn the_daemon_drills_at_the_times_of_the_schedule_and_tells_of_a_drill_that_failed(world: &World) {
    world.with_data();
    world.push("shop", &manifest().replace("backup:\n", "backup:\n  drill: {schedule: \"* * * * *\"}\n"));
    let drilled = |item: &str| -> Vec<Value> {
        let listed = world.run_alone(&["backup", "list", "shop", "--item", item, "--output", "json"]).expect(0).json();
        listed.as_array().unwrap().iter().map(|listed| listed["copy"]["drilled"].clone()).collect()
    };
    let mut daemon = world.watch(&[]);
    until("both are drilled", 180, || drilled("db")[0]["at"].is_string() && drilled("files")[0]["at"].is_string());
    assert_eq!((&drilled("db")[0]["trouble"], &drilled("files")[0]["trouble"]), (&Value::Null, &Value::Null));
    let first = drilled("files")[0]["at"].clone();
    daemon.kill();
    world.one("shop", "app").exec(&["sqlite3", "/data/app.db", "alter table t rename to other"]);
    world.run(&["backup", "run", "shop", "--item", "db"]).expect(0);
    world.one("shop", "app").exec(&["sqlite3", "/data/app.db", "alter table other rename to t"]);
    let daemon = world.watch(&[]);
    until("the next time has come", 240, || {
        drilled("files")[0]["at"] != first && drilled("db")[0]["trouble"].is_string()
    });
    daemon.says("a drill failed: copy");
    until("it is degraded for it", 90, || world.told_of_db()["drill_failed"] == true);
}
