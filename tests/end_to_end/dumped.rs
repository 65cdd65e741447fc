//! Dumps of PostgreSQL: one that its program says is whole and is not, and a server that nobody asks without its password.

use crate::{
    secrets::{host, secret},
    world::{Ran, World},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

stories! {
    both: ;
    docker:
        a_dump_that_its_program_says_is_whole_and_is_not_makes_no_copy_and_costs_none,
        a_server_with_a_password_on_a_network_of_its_own_is_copied_restored_and_drilled_and_it_is_told_nowhere;
}

/// Its `pg_dump` writes what it is told to, and always ends well. It keeps no password.
const LYING: &str = r#"
configs:
  users: {content: "root:x:0:0::/:/bin/sh\nshop:x:70:70::/tmp:/bin/sh\n"}
  liar:
    content: |
      #!/bin/sh
      /usr/lib/postgresql/15/bin/pg_dump "$@" > /tmp/whole
      size=$(stat -c %s /tmp/whole)
      flipped() {
        head -c "$1" /tmp/whole
        byte=$(tail -c "+$(($1 + 1))" /tmp/whole | head -c 1 | od -An -tu1)
        printf "\\$(printf %o $((byte ^ 32)))"
        tail -c "+$(($1 + 2))" /tmp/whole
      }
      case $(cat /tmp/does) in
        cut) head -c $((size * 2 / 3)) /tmp/whole ;;
        flip) flipped $((size * 2 / 3)) ;;
        whole) cat /tmp/whole ;;
      esac
      exit 0
services:
  postgres:
    image: bb:1
    user: "70"
    configs: [{source: users, target: /etc/passwd}, {source: liar, target: /liar/pg_dump, mode: "0755"}]
    env: {PATH: "/liar:/usr/lib/postgresql/15/bin:/usr/bin:/bin", POSTGRES_USER: shop, LC_ALL: C}
    command: [sh, -c, "echo whole > /tmp/does; initdb -A trust -U shop -D /tmp/pg >/dev/null && echo 'create database shop' | postgres --single -D /tmp/pg postgres >/dev/null && exec postgres -D /tmp/pg -k /var/run/postgresql -c listen_addresses= -c fsync=off"]
    volumes: ["/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro"]
    tmpfs: ["/var/run/postgresql:mode=1777", "/tmp:mode=1777"]
    healthcheck: {test: [CMD, pg_isready, -U, shop], interval: 500ms}
    rollout: {healthy_deadline: 60s}
    stop_grace_period: 0s
backup:
  before_deploy: never
  items: [{name: pg, type: postgres, service: postgres, database: shop}]
  retention: {keep_last: 1, keep_daily: 0, keep_weekly: 0}
"#;

impl World {
    fn copies_of_pg(&self) -> Vec<Value> {
        let listed = self.run_alone(&["backup", "list", "--output", "json"]).expect(0).json();
        listed.as_array().unwrap().iter().map(|entry| entry["copy"].clone()).filter(|copy| !copy.is_null()).collect()
    }
}

fn a_dump_that_its_program_says_is_whole_and_is_not_makes_no_copy_and_costs_none(world: &World) {
    world.host("policy: {data_roots: [\"/usr:ro\"]}\n");
    world.push("shop", LYING);
    world.converge();
    let postgres = world.one("shop", "postgres");
    let fill = "create table t as select i, md5(i::text) as word from generate_series(1, 20000) i";
    postgres.exec(&["psql", "-U", "shop", "-d", "shop", "-qc", fill]);
    world.run(&["backup", "run", "shop"]).expect(0);
    let there = world.copies_of_pg();
    assert_eq!((there.len(), &there[0]["verified"]["level"]), (1, &"content".into()), "{there:?}");
    for does in ["cut", "flip"] {
        postgres.exec(&["sh", "-c", &format!("echo {does} > /tmp/does")]);
        let told = world.run(&["backup", "run", "shop", "--output", "json"]).expect(1).json();
        let error = told[0]["error"].as_str().unwrap_or_else(|| panic!("{does} is a copy: {told}"));
        assert!(error.contains("what was copied is damaged: `pg_restore` in service `postgres`"), "{does}: {error}");
        assert_eq!(world.copies_of_pg(), there, "{does}");
    }
    postgres.exec(&["sh", "-c", "echo whole > /tmp/does"]);
    world.run(&["backup", "run", "shop"]).expect(0);
}

/// What the password has in it, whatever quotes it.
const CANARY: &str = "canary-n1";

/// As the gateway has it: nobody but the app reaches the server, and nobody, on its socket neither, without the password.
const CLOSED: &str = r#"
secrets: {db_password: {}}
networks: {backend: {internal: true}}
configs: {users: {content: "root:x:0:0::/:/bin/sh\nshop:x:70:70::/tmp:/bin/sh\n"}}
services:
  postgres:
    image: bb:1
    user: "70"
    internal_only: true
    networks: [backend]
    configs: [{source: users, target: /etc/passwd}]
    secrets: [{source: db_password, uid: 70, gid: 70, mode: "0400", env: POSTGRES_PASSWORD_FILE}]
    env: {PATH: "/usr/lib/postgresql/15/bin:/usr/bin:/bin", POSTGRES_USER: shop, LC_ALL: C}
    command: [sh, -c, "initdb -A scram-sha-256 --pwfile=$POSTGRES_PASSWORD_FILE -U shop -D /tmp/pg >/dev/null && echo 'create database shop' | postgres --single -D /tmp/pg postgres >/dev/null && echo 'host all all all scram-sha-256' >> /tmp/pg/pg_hba.conf && exec postgres -D /tmp/pg -k /var/run/postgresql -c listen_addresses='*' -c fsync=off"]
    volumes: ["/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro"]
    tmpfs: ["/var/run/postgresql:mode=1777", "/tmp:mode=1777"]
    healthcheck: {test: [CMD, pg_isready, -U, shop], interval: 500ms}
    rollout: {healthy_deadline: 60s}
    stop_grace_period: 0s
  gateway:
    image: bb:1
    networks: [backend]
    secrets: [db_password]
    env: {PATH: "/usr/lib/postgresql/15/bin:/usr/bin:/bin"}
    command: [sleep, "36000"]
    volumes: ["/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro"]
    depends_on: {postgres: {condition: service_healthy}}
    stop_grace_period: 0s
    rollout: {min_healthy_time: 0s}
backup:
  before_deploy: never
  items:
    - name: pg
      type: postgres
      service: postgres
      database: shop
      user_from: {env: POSTGRES_USER}
      password_from: {file: /run/secrets/db_password}
"#;

/// What was seen while something ran.
#[derive(Default, Debug)]
struct Seen {
    /// Programs whose arguments were seen at all.
    dump: bool,
    load: bool,
    /// The value, in arguments of a process of this host, in a file of the state directory, or in what is printed.
    in_arguments: bool,
    in_files: Option<PathBuf>,
    in_print: bool,
}

impl Seen {
    fn look(&mut self, state: &Path) {
        for process in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
            self.dump |= has(&line, "pg_dump");
            self.load |= has(&line, "pg_restore");
            self.in_arguments |= has(&line, CANARY);
        }
        // What is compressed shows nothing of what is in it.
        let holds = |path: &PathBuf| {
            path.extension().is_none_or(|it| it != "zst") && has(&fs::read(path).unwrap_or_default(), CANARY)
        };
        self.in_files = self.in_files.take().or_else(|| files(state).into_iter().find(holds));
    }
}

fn has(bytes: &[u8], word: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(word)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Runs the binary with all that it has to tell, and looks meanwhile and afterwards.
#[track_caller]
fn run(world: &World, arguments: &[&str], code: i32) -> (Ran, Seen) {
    let mut started = world.start(&[&["-vvv"], arguments].concat());
    let mut seen = Seen::default();
    while !started.is_over() {
        seen.look(&world.state());
    }
    let ran = started.finish();
    seen.look(&world.state());
    seen.in_print = ran.text().contains(CANARY);
    let is_told = seen.in_arguments || seen.in_files.is_some() || seen.in_print;
    assert!(!is_told, "{arguments:?}: {seen:?}");
    (ran.expect(code), seen)
}

/// N1
fn a_server_with_a_password_on_a_network_of_its_own_is_copied_restored_and_drilled_and_it_is_told_nowhere(
    world: &World,
) {
    host(world, "policy: {data_roots: [\"/usr:ro\"]}\n");
    secret(world, "shop", "db_password", &format!("$HOME {CANARY} isn't a 'word'\n"));
    world.push("shop", CLOSED);
    world.converge();
    let asked = |sql: &str| {
        let line = "PGPASSWORD=$(cat /run/secrets/db_password) exec psql -v ON_ERROR_STOP=1 -h postgres -U shop -d shop -Atqc \"$1\"";
        world.one("shop", "gateway").exec(&["sh", "-c", line, "sh", sql]).trim().to_owned()
    };
    let (postgres, gateway) = (world.one("shop", "postgres"), world.one("shop", "gateway"));
    // It is there to be found, and nobody is let in without it.
    assert!(gateway.exec(&["cat", "/run/secrets/db_password"]).contains(CANARY));
    assert!(!postgres.succeeds(&["psql", "-w", "-U", "shop", "-d", "shop", "-c", "select 1"]));
    asked("create table t as select i, md5(i::text) as word from generate_series(1, 100000) i");

    let (_, seen) = run(world, &["backup", "run", "shop"], 0);
    assert!(seen.dump && seen.load, "nobody was seen at work: {seen:?}");
    let there = world.copies_of_pg();
    assert_eq!((there.len(), &there[0]["verified"]["level"]), (1, &"content".into()), "{there:?}");
    asked("delete from t where i > 10");
    let started = gateway.started_at();
    run(world, &["restore", "shop", "pg"], 0);
    assert_eq!(asked("select count(*), max(word) = max(md5(i::text)) from t"), "100000|t");
    assert!(gateway.started_at() > started, "who asks was not stopped");
    let (drilled, seen) = run(world, &["drill", "shop", "--output", "json"], 0);
    assert!(drilled.json()[0]["error"].is_null() && seen.load, "{seen:?}: {}", drilled.text());
    world.is_synced();

    // The server's is another than the file's: nothing is copied, stopped or lost.
    let there = world.copies_of_pg();
    asked("alter role shop password 'another'");
    let (told, _) = run(world, &["backup", "run", "shop", "--output", "json"], 1);
    let told = told.json();
    let error = told[0]["error"].as_str().unwrap();
    assert!(error.contains("password authentication failed for user \"shop\""), "{told}");
    world.run(&["status", "shop"]).expect(0).says("password authentication failed");
    let started = gateway.started_at();
    run(world, &["restore", "shop", "pg"], 1).0.says("password authentication failed");
    assert_eq!((world.copies_of_pg(), gateway.started_at()), (there.clone(), started));
    // So does who names a variable that is not there.
    world.push("shop", &CLOSED.replace("user_from: {env: POSTGRES_USER}", "user_from: {env: PG_USER}"));
    run(world, &["backup", "run", "shop"], 1).0.says("no variable `PG_USER` in the container");
    assert_eq!(world.copies_of_pg(), there);
}
