//! Copies of an app's data: real databases under real writes, in containers that have none of the tools.

use crate::world::{World, until};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

stories! {
    both:
        a_database_under_constant_writes_is_copied_whole_again_and_again,
        a_volume_becomes_an_archive_that_tar_reads,
        what_a_command_writes_is_a_copy_only_if_it_ends_well,
        a_database_whose_writer_was_killed_is_copied_and_a_wrong_path_makes_none,
        servers_are_dumped_by_their_own_tools,
        a_mariadb_is_dumped_with_the_password_that_its_container_has,
        what_a_killed_run_left_is_put_away_by_the_next;
    docker:
        a_damaged_database_makes_no_copy_and_costs_none,
        a_copy_is_made_at_the_place_that_the_host_file_names_and_at_no_other;
}

/// What stands in a story's manifest for all that Debian has: its programs and libraries, read-only.
const DEBIAN: &str = r#""/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro""#;
pub const POLICY: &str = "policy: {data_roots: [\"/usr:ro\"]}\n";

/// Runs a command on a copy, by its path as `$1`, and tells what it says.
pub fn on(path: &Path, line: &str) -> String {
    let output = Command::new("bash").args(["-euo", "pipefail", "-c", line, "bash"]).arg(path).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl World {
    fn copies(&self) -> PathBuf {
        self.state().join("backups").join(&self.name)
    }

    /// Makes the copies of an app, all of which have to succeed.
    #[track_caller]
    pub fn copy(&self, app: &str) -> Vec<Value> {
        let made = self.run(&["backup", "run", app, "--output", "json"]).expect(0).json();
        made.as_array().unwrap().clone()
    }

    /// The copies that are listed, without what is told of runs that made none.
    fn all_copies(&self) -> Vec<Value> {
        let listed = self.run(&["backup", "list", "--output", "json"]).expect(0).json();
        listed.as_array().unwrap().iter().filter(|entry| !entry["copy"].is_null()).cloned().collect()
    }

    fn file(&self, made: &Value) -> PathBuf {
        let text = |key: &str| made["copy"][key].as_str().unwrap();
        self.copies().join(text("app")).join(text("item")).join(text("file"))
    }

    /// Containers beside volumes, whoever they are for.
    fn porters(&self) -> String {
        let filter = format!("label=reconcile.porter={}/{}/shop", self.name, self.name);
        self.engine.ask(&["ps", "-aq", "--filter", &filter])
    }
}

/// Writes to two tables in one transaction, as fast as it can, as a user of its own. The image has no `sqlite3`: it comes by a
/// mount that copies know nothing of.
pub fn writer() -> String {
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
        sqlite3 /data/app.db "PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS one (a); CREATE TABLE IF NOT EXISTS two (a)"
        chown -R 1000:1000 /data
        i=0
        while :; do
          i=$((i+1))
          echo "BEGIN; INSERT INTO one VALUES ($i); INSERT INTO two VALUES (hex(randomblob(200))); COMMIT;"
        done | sqlite3 -cmd ".timeout 60000" /data/app.db
    volumes: ["data:/data", {DEBIAN}]
    stop_grace_period: 1s
    rollout: {{min_healthy_time: 0s}}
backup:
  before_deploy: never
  items: [{{name: db, type: sqlite, volume: data, path: app.db}}]
  retention: {{keep_last: 50, keep_daily: 0, keep_weekly: 0}}
"#
    )
}

fn a_database_under_constant_writes_is_copied_whole_again_and_again(world: &World) {
    world.host(POLICY);
    world.push("shop", &writer());
    world.converge();
    let rows = |world: &World| -> u64 {
        let told = world.one("shop", "app").exec(&[
            "sqlite3",
            "-cmd",
            ".timeout 60000",
            "/data/app.db",
            "select count(*) from one",
        ]);
        told.trim().parse().unwrap()
    };
    until("the app writes", 60, || {
        let id = world.running("shop", "app");
        let there = world.engine.try_ask(&["exec", &id[0], "sqlite3", "/data/app.db", "select count(*) from one"]);
        String::from_utf8_lossy(&there.stdout).trim().parse::<u64>().is_ok_and(|rows| rows > 100)
    });
    let mut before = 0;
    for _ in 0..10 {
        let least = rows(world);
        let made = world.copy("shop");
        assert_eq!((made.len(), &made[0]["copy"]["verified"]["level"]), (1, &"content".into()), "{made:?}");
        let path = world.file(&made[0]);
        let told = on(
            &path,
            "zstd -dqc -- \"$1\" > \"$1.db\"; sqlite3 \"$1.db\" 'pragma integrity_check; select (select count(*) from one) = (select count(*) from two), count(*) from one'; rm \"$1.db\"",
        );
        let (state, counts) = told.split_once('\n').unwrap();
        let (same, count) = counts.split_once('|').unwrap();
        assert_eq!((state, same), ("ok", "1"));
        let count: u64 = count.parse().unwrap();
        assert!(count >= least && count > before, "{count} rows, at least {least}, and {before} before");
        before = count;
        assert_eq!((fs::metadata(&path).unwrap().mode() & 0o777, world.porters().as_str()), (0o600, ""));
    }
    assert!(rows(world) > before, "the app writes on");
    let listed = world.run_alone(&["backup", "list", "--output", "json"]).expect(0).json();
    assert_eq!(listed.as_array().unwrap().len(), 10);
    // What the database's log became of being read still belongs to the app.
    let owners = world.one("shop", "app").exec(&["stat", "-c", "%u", "/data/app.db", "/data/app.db-shm"]);
    assert_eq!(owners.split_whitespace().collect::<Vec<_>>(), ["1000", "1000"]);
}

fn a_volume_becomes_an_archive_that_tar_reads(world: &World) {
    world.push(
        "shop",
        r#"
volumes: {files: {}}
services:
  app:
    image: bb:1
    command: [sh, -c, "mkdir -p /files/tmp /files/a; echo one > /files/a/one; echo x > /files/tmp/x; ln -s a/one /files/link; chown 33:44 /files/a/one; chmod 0640 /files/a/one; exec sleep 36000"]
    volumes: ["files:/files"]
    stop_grace_period: 0s
    rollout: {min_healthy_time: 0s}
backup:
  compression: gzip
  items: [{name: files, type: volume, volume: files, exclude: [tmp]}]
"#,
    );
    world.converge();
    let made = world.copy("shop");
    let path = world.file(&made[0]);
    assert!(path.to_string_lossy().ends_with(".tar.gz"), "{path:?}");
    let listed = on(&path, "tar -tvzf \"$1\" --numeric-owner | awk '{print $1, $2, $6, $7, $8}' | sort -k3");
    let expected =
        "drwxr-xr-x 0/0 ./  \ndrwxr-xr-x 0/0 ./a/  \n-rw-r----- 33/44 ./a/one  \nlrwxrwxrwx 0/0 ./link -> a/one";
    assert_eq!(listed, expected);
    assert_eq!(on(&path, "tar -xzOf \"$1\" ./a/one"), "one");
    world.run_alone(&["backup", "verify", "shop"]).expect(0);
    // A bit of the disk flips.
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&path, bytes).unwrap();
    let told = world.run_alone(&["backup", "verify", "shop", "--output", "json"]).expect(1).json();
    assert!(told[0]["error"].as_str().unwrap().contains("is not what was written"), "{told}");
    let listed = world.run_alone(&["backup", "list", "--output", "json"]).expect(0).json();
    assert_eq!(listed[0]["copy"]["verified"], Value::Null);
}

fn what_a_command_writes_is_a_copy_only_if_it_ends_well(world: &World) {
    let manifest = |command: &str| {
        format!(
            "services: {{app: {{image: bb:1, command: [sleep, \"36000\"], stop_grace_period: 0s, rollout: {{min_healthy_time: 0s}}}}}}\n\
             backup: {{items: [{{name: out, type: exec, service: app, command: [sh, -c, \"{command}\"]}}], \
             timeout: 20s, hooks: {{before: [{{service: app, command: [touch, /before]}}], \
             after: [{{service: app, user: \"1000\", command: [sh, -c, \"test $(id -u) = 1000\"]}}, {{service: app, command: [touch, /after]}}]}}}}\n"
        )
    };
    world.push("shop", &manifest("ls /before && seq 1 200000"));
    world.converge();
    let made = world.copy("shop");
    assert_eq!(on(&world.file(&made[0]), "zstd -dqc -- \"$1\" | tail -1"), "200000");
    let after = || world.one("shop", "app").exec(&["sh", "-c", "ls /after; rm -f /after"]);
    assert_eq!(after().trim(), "/after");
    let failing = [
        ("seq 1 1000; echo no space >&2; exit 3", "exited with 3: no space"),
        ("true", "the source is empty"),
        ("seq 1 1000; kill -9 $$", "exited with 137"),
        ("seq 1 1000; exec sleep 600", "it was not done after 20 s"),
    ];
    let there = world.all_copies();
    for (command, expected) in failing {
        world.push("shop", &manifest(command));
        let told = world.run(&["backup", "run", "shop", "--output", "json"]).expect(1).json();
        assert!(told[0]["error"].as_str().unwrap().contains(expected), "{command}: {told}");
        assert_eq!(world.all_copies(), there, "{command}");
        // It is told until there is a copy again.
        world.run(&["backup", "list"]).expect(0).says("the last run made no copy, at ").says(expected);
        world.run(&["status", "shop"]).expect(0).says("the last run of `out` made no copy, at ").says(expected);
        assert_eq!(after().trim(), "/after", "{command}");
    }
    // What it says may hold what it knows.
    let secret = manifest("echo no entry for $PASSWORD >&2; exit 1").replace(
        "services: {app: {",
        "secrets: {db_password: {}}\nservices: {app: {env: {PASSWORD: {secret: db_password}}, ",
    );
    crate::secrets::host(world, "policy: {secret_env: true}\n");
    crate::secrets::secret(world, "shop", "db_password", "hunter2222");
    world.push("shop", &secret);
    // The rollout takes a copy of its own first, by what was in force.
    world.converge();
    let there = world.all_copies();
    let told = world.run(&["-vv", "backup", "run", "shop"]).expect(1);
    told.says("no entry for [secret PASSWORD]");
    assert!(!told.text().contains("hunter2222"), "{}", told.text());
    // The container dies under it.
    world.push("shop", &manifest("seq 1 1000000; exec sleep 600"));
    let id = world.running("shop", "app").remove(0);
    let started = world.start(&["backup", "run", "shop", "--output", "json"]);
    let partial = || on(&world.copies(), "find \"$1\" -name '*.partial' -size +0 | wc -l") == "1";
    until("some of it is there", 60, partial);
    world.engine.ask(&["kill", &id]);
    let told = started.finish().expect(1).json();
    assert!(told[0]["error"].is_string(), "{told}");
    assert_eq!(world.all_copies(), there);
    assert_eq!(on(&world.copies(), "find \"$1\" -name '*.partial'"), "");
    world.push("shop", &manifest("seq 1 200000"));
    world.converge();
    world.copy("shop");
    let listed = world.run(&["backup", "list"]).expect(0).stdout;
    assert!(!listed.contains("made no copy"), "{listed}");
}

fn a_database_whose_writer_was_killed_is_copied_and_a_wrong_path_makes_none(world: &World) {
    world.host(POLICY);
    // All that is written stays in its log.
    world.push("shop", &writer().replace("60000\" /data", "60000\" -cmd \"pragma wal_autocheckpoint=0\" /data"));
    world.converge();
    until("the app writes", 60, || {
        let id = world.running("shop", "app");
        let there = world.engine.try_ask(&["exec", &id[0], "sqlite3", "/data/app.db", "select count(*) from one"]);
        String::from_utf8_lossy(&there.stdout).trim().parse::<u64>().is_ok_and(|rows| rows > 100)
    });
    let id = world.running("shop", "app").remove(0);
    world.run(&["suspend", "shop"]).expect(0);
    world.engine.ask(&["kill", &id]);
    // Its log is there and the index of that is not; the rows that the log alone has are counted elsewhere.
    let script = "rm /data/app.db-shm; cp /data/* /; sqlite3 /app.db 'select count(*) from one'; rm /app.db*; \
                  cp /data/app.db /; sqlite3 /app.db 'select count(*) from one'; ls /data";
    let volume = format!("{0}-shop_data:/data", world.name);
    let mounts =
        [volume.as_str(), "/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro"].map(|mount| ["-v", mount]);
    let label = world.label();
    let run = [&["run", "--rm", "--label", label.as_str()][..], mounts.as_flattened(), &["bb:1", "sh", "-ec", script]]
        .concat();
    let told = world.engine.ask(&run);
    let [rows, "0", "app.db", "app.db-wal"] = told.lines().collect::<Vec<_>>()[..] else { panic!("{told}") };
    let made = world.copy("shop");
    let path = world.file(&made[0]);
    let line = "zstd -dqc -- \"$1\" > \"$1.db\"; sqlite3 \"$1.db\" 'select (select count(*) from one), (select count(*) from two)'; rm \"$1.db\"";
    assert_eq!(on(&path, line), format!("{rows}|{rows}"));

    world.push("shop", &writer().replace("path: app.db", "path: other/ap.db"));
    let told = world.run(&["backup", "run", "shop", "--output", "json"]).expect(1).json();
    assert!(told[0]["error"].as_str().unwrap().contains("cannot open the database `/data/other/ap.db`"), "{told}");
    world.push("shop", &writer().replace("path: app.db", "path: ap.db"));
    world.run(&["backup", "run", "shop", "--output", "json"]).expect(1);
    world.engine.ask(&["start", &id]);
    let names = world.engine.ask(&["exec", &id, "ls", "/data"]);
    assert!(!names.split_whitespace().any(|name| name.starts_with("ap.db")), "{names}");
    let gone = world.push(
        "shop",
        &writer().replace("volume: data, path", "volume: dta, path").replace("data: {}", "data: {}, dta: {}"),
    );
    assert!(!gone.is_empty());
    let told = world.run(&["backup", "run", "shop", "--output", "json"]).expect(1).json();
    assert!(told[0]["error"].as_str().unwrap().contains("there is no volume"), "{told}");
}

/// Real servers of Debian.
fn servers_are_dumped_by_their_own_tools(world: &World) {
    world.host(POLICY);
    world.push(
        "shop",
        &format!(
            r#"
configs: {{users: {{content: "root:x:0:0::/:/bin/sh\nshop:x:70:70::/tmp:/bin/sh\n"}}}}
services:
  postgres:
    image: bb:1
    user: "70"
    configs: [{{source: users, target: /etc/passwd}}]
    env: {{PATH: "/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin", POSTGRES_USER: shop, LC_ALL: C}}
    command: [sh, -c, "initdb -U shop -D /tmp/pg >/dev/null && exec postgres -D /tmp/pg -k /var/run/postgresql -c listen_addresses="]
    volumes: [{DEBIAN}]
    tmpfs: ["/var/run/postgresql:mode=1777", "/tmp:mode=1777"]
    healthcheck: {{test: [CMD, pg_isready, -U, shop], interval: 500ms}}
    rollout: {{healthy_deadline: 60s}}
    stop_grace_period: 0s
  redis:
    image: bb:1
    env: {{PATH: "/usr/bin:/bin", PASSWORD: "se cret"}}
    command: [sh, -c, "exec redis-server --requirepass \"se cret\" --save ''"]
    volumes: [{DEBIAN}]
    healthcheck: {{test: [CMD-SHELL, "REDISCLI_AUTH=\"se cret\" redis-cli ping | grep -q PONG"], interval: 500ms}}
    rollout: {{healthy_deadline: 60s}}
    stop_grace_period: 0s
backup:
  items:
    - {{name: pg, type: postgres, service: postgres, database: shop}}
    - {{name: all, type: postgres, service: postgres, database: "*"}}
    - {{name: cache, type: redis, service: redis, password_from: {{env: PASSWORD}}}}
"#
        ),
    );
    world.converge();
    let sql = |text: &str| world.one("shop", "postgres").exec(&["psql", "-U", "shop", "-d", "postgres", "-c", text]);
    sql("create database shop");
    let insert = "create table t as select i, md5(i::text) from generate_series(1, 50000) i";
    world.one("shop", "postgres").exec(&["psql", "-U", "shop", "-d", "shop", "-c", insert]);
    let redis = world.one("shop", "redis");
    for number in 0..20 {
        redis.exec(&["sh", "-c", &format!("REDISCLI_AUTH='se cret' redis-cli set key{number} value{number}")]);
    }
    let made = world.copy("shop");
    let path = |item: &str| world.file(made.iter().find(|made| made["item"] == item).unwrap());
    assert_eq!(on(&path("pg"), "zstd -dqc -- \"$1\" | pg_restore -f - | grep -c '^[0-9]*\t[0-9a-f]*$'"), "50000");
    assert_eq!(on(&path("all"), "zstd -dqc -- \"$1\" | grep -c 'CREATE ROLE shop'"), "1");
    let checked =
        on(&path("cache"), "zstd -dqc -- \"$1\" > \"$1.rdb\"; redis-check-rdb \"$1.rdb\" | tail -3; rm \"$1.rdb\"");
    assert!(checked.contains("RDB looks OK") || checked.contains("keys read"), "{checked}");
    world.run_alone(&["backup", "verify", "shop"]).expect(0);
    assert!(!world.run(&["-vv", "backup", "run", "shop"]).expect(0).stderr.contains("se cret"));

    // What is sealed is read by its server before it is: afterwards nobody here can.
    let text = fs::read_to_string(world.manifests().join(format!("environments/{}/shop.yaml", world.name))).unwrap();
    let recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    world.push("shop", &text.replace("backup:\n", &format!("backup:\n  encryption: {{age: [{recipient}]}}\n")));
    let sealed = world.run(&["backup", "run", "shop", "--item", "pg", "--output", "json"]).expect(0).json();
    assert_eq!(
        (&sealed[0]["copy"]["sealed_for"][0], &sealed[0]["copy"]["verified"]["level"]),
        (&recipient.into(), &"content".into())
    );
    assert_eq!(on(&world.file(&sealed[0]), "head -c 21 -- \"$1\""), "age-encryption.org/v1");
    world.push("shop", &text);

    // A wrong password is no copy.
    let wrong = fs::read_to_string(world.manifests().join(format!("environments/{}/shop.yaml", world.name))).unwrap();
    world.push("shop", &wrong.replace("{env: PASSWORD}", "{env: PATH}"));
    let told = world.run(&["backup", "run", "shop", "--item", "cache", "--output", "json"]).expect(1).json();
    assert!(told[0]["error"].is_string() && told[0]["copy"].is_null(), "{told}");
}

fn a_mariadb_is_dumped_with_the_password_that_its_container_has(world: &World) {
    world.host(POLICY);
    world.push(
        "shop",
        &format!(
            r#"
configs: {{users: {{content: "root:x:0:0::/:/bin/sh\nmysql:x:70:70::/tmp:/bin/sh\n"}}}}
services:
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
        echo "CREATE DATABASE shop;" > /tmp/init
        echo "CREATE TABLE shop.t (a int, b text);" >> /tmp/init
        echo "ALTER USER root@localhost IDENTIFIED BY 'se cret';" >> /tmp/init
        exec mariadbd --no-defaults --datadir=/tmp/db --socket=/run/mysqld/mysqld.sock --skip-networking --init-file=/tmp/init
    volumes: [{DEBIAN}]
    tmpfs: ["/run/mysqld:mode=1777", "/tmp:mode=1777"]
    healthcheck: {{test: [CMD-SHELL, "MYSQL_PWD='se cret' mariadb --no-defaults -u root shop -e 'select count(*) from t'"], interval: 500ms}}
    rollout: {{healthy_deadline: 90s}}
    stop_grace_period: 0s
backup:
  items:
    - {{name: shop, type: mysql, service: db, database: shop}}
    - {{name: all, type: mysql, service: db, database: "*"}}
"#
        ),
    );
    world.converge();
    let insert = "MYSQL_PWD='se cret' mariadb --no-defaults -u root shop -e \"insert into t select seq, md5(seq) from seq_1_to_20000\"";
    world.one("shop", "db").exec(&["sh", "-c", insert]);
    let made = world.copy("shop");
    let path = |item: &str| world.file(made.iter().find(|made| made["item"] == item).unwrap());
    assert_eq!(on(&path("shop"), "zstd -dqc -- \"$1\" | grep -o '([0-9]*,' | wc -l"), "20000");
    assert_eq!(on(&path("all"), "zstd -dqc -- \"$1\" | grep -c 'CREATE DATABASE.*`shop`'"), "1");
    // Under another password nothing is copied, and neither is told.
    let wrong = fs::read_to_string(world.manifests().join(format!("environments/{}/shop.yaml", world.name))).unwrap();
    world.push(
        "shop",
        &wrong.replace("service: db, database: shop", "service: db, database: shop, password_from: {env: PATH}"),
    );
    let told = world.run(&["backup", "run", "shop", "--item", "shop", "--output", "json"]).expect(1);
    assert!(told.json()[0]["error"].as_str().unwrap().contains("Access denied"), "{}", told.stdout);
    assert!(!told.text().contains("se cret") && !told.text().contains("/usr/sbin:"), "{}", told.text());
}

fn what_a_killed_run_left_is_put_away_by_the_next(world: &World) {
    world.push(
        "shop",
        r#"
volumes: {files: {}}
services:
  app:
    image: bb:1
    command: [sh, -c, "head -c 60000000 /dev/urandom > /files/large; exec sleep 36000"]
    volumes: ["files:/files"]
    stop_grace_period: 0s
    rollout: {min_healthy_time: 0s}
backup: {items: [{name: files, type: volume, volume: files}]}
"#,
    );
    world.converge();
    until("the file is there", 60, || {
        let size = world.one("shop", "app").exec(&["stat", "-c", "%s", "/files/large"]);
        size.trim() == "60000000"
    });
    let started = world.start(&["backup", "run", "shop"]);
    let partial =
        || world.copies().exists() && on(&world.copies(), "find \"$1\" -name '*.partial' -size +1000k | wc -l") == "1";
    until("some of it is there", 60, partial);
    started.kill();
    assert_eq!(world.porters().lines().count(), 1);
    let found = on(&world.copies(), "find \"$1\" -type f");
    assert!(found.ends_with(".partial") && found.lines().count() == 1, "{found}");
    let made = world.copy("shop");
    assert_eq!(on(&world.file(&made[0]), "zstd -dqc -- \"$1\" | tar -xO ./large | wc -c"), "60000000");
    assert_eq!(world.porters(), "");
    assert_eq!(on(&world.copies(), "find \"$1\" -name '*.partial'"), "");
}

fn a_damaged_database_makes_no_copy_and_costs_none(world: &World) {
    world.host(POLICY);
    let quiet = writer().replace("        i=0\n", "        exec sleep 36000\n");
    world.push("shop", &quiet);
    world.converge();
    let app = world.one("shop", "app");
    let fill = "create index on_one on one (a); insert into one select value from generate_series(1, 5000)";
    until("the database is there", 60, || app.exec(&["ls", "/data"]).contains("app.db"));
    app.exec(&["sqlite3", "/data/app.db", fill]);
    let first = world.copy("shop");
    // An index that lacks entries: `quick_check` passes over it.
    app.exec(&["sqlite3", "/data/app.db", "pragma writable_schema=on; update sqlite_master set sql = 'CREATE INDEX on_one ON one (a + 1)' where name = 'on_one'"]);
    let told = world.run(&["backup", "run", "shop", "--output", "json"]).expect(1).json();
    let error = told[0]["error"].as_str().unwrap();
    assert!(error.contains("damaged") && error.contains("missing from index on_one"), "{told}");
    let listed = world.all_copies();
    assert_eq!((listed.len(), &listed[0]["copy"]["id"]), (1, &first[0]["copy"]["id"]));
}

fn a_copy_is_made_at_the_place_that_the_host_file_names_and_at_no_other(world: &World) {
    let manifest = "services: {app: {image: bb:1, command: [sleep, \"36000\"], stop_grace_period: 0s, rollout: {min_healthy_time: 0s}}}\n\
                    backup: {repositories: [usb, local], items: [{name: out, type: exec, service: app, command: [echo, hello]}]}\n";
    world.push("shop", manifest);
    let told = world.run(&[]).expect(1);
    told.says("this host has no place `usb` for copies; it has `local`")
        .says(&format!("environments/{}/shop.yaml:2:", world.name));
    let (usb, local) = (world.scratch("usb").join("copies"), world.scratch("near").join("copies"));
    let places = format!(
        "backup: {{repositories: {{usb: {{type: local, path: {}}}, local: {{type: local, path: {}}}}}}}\n",
        usb.display(),
        local.display()
    );
    world.host(&places);
    world.converge();
    let ran = world.run_wide_open(&["backup", "run", "--output", "json"]).expect(0).json();
    let name = ran[0]["copy"]["file"].as_str().unwrap();
    for place in [&usb, &local] {
        let path = place.join(&world.name).join("shop/out").join(name);
        assert_eq!(on(&path, "zstd -dqc -- \"$1\""), "hello");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(place).unwrap().mode() & 0o777, 0o700);
    }
    // An app that is gone from the branch takes none of its copies with it.
    fs::remove_file(world.manifests().join(format!("environments/{}/shop.yaml", world.name))).unwrap();
    world.commit("shop: gone");
    world.run(&["--allow-empty"]).expect(0);
    assert_eq!(world.run_alone(&["backup", "list", "--output", "json"]).expect(0).json().as_array().unwrap().len(), 2);
}
