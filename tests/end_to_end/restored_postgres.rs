//! A real PostgreSQL with a copy in the place of its database: what an app in another container asks and hears.

use crate::world::{World, kills, until};
use std::{collections::BTreeSet, process::Command};

stories! {
    both:
        a_restored_postgres_answers_from_the_copy_as_the_database_that_it_was;
    docker_and_nightly_podman:
        an_app_that_is_not_well_with_a_dump_asks_the_old_database_again,
        a_restore_of_a_dump_that_is_killed_leaves_one_database_and_it_is_whole;
    docker:
        a_dump_that_does_not_load_changes_nothing;
}

const MANIFEST: &str = r#"
configs: {users: {content: "root:x:0:0::/:/bin/sh\nshop:x:70:70::/tmp:/bin/sh\n"}}
services:
  postgres:
    image: bb:1
    user: "70"
    configs: [{source: users, target: /etc/passwd}]
    env: {PATH: "/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin", POSTGRES_USER: shop, LC_ALL: C}
    command: [sh, -c, "initdb -A trust -U shop -D /tmp/pg >/dev/null && echo 'host all all all trust' >> /tmp/pg/pg_hba.conf && exec postgres -D /tmp/pg -k /var/run/postgresql -c listen_addresses='*' -c fsync=off"]
    volumes: ["/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro"]
    tmpfs: ["/var/run/postgresql:mode=1777", "/tmp:mode=1777"]
    healthcheck: {test: [CMD-SHELL, "pg_isready -U shop && (psql -U shop -d postgres -Atc \"select 1 from pg_database where datname='shop'\" | grep -q 1 || createdb -U shop shop)"], interval: 500ms}
    rollout: {healthy_deadline: 60s}
    stop_grace_period: 0s
  web:
    image: bb:1
    env: {PATH: "/usr/lib/postgresql/15/bin:/usr/bin:/bin", PGHOST: postgres, PGUSER: shop, PGDATABASE: shop}
    command: [sleep, "36000"]
    volumes: ["/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro"]
    healthcheck: {test: [CMD-SHELL, "psql -c 'create schema if not exists a' && psql -c 'select count(*) from a.broken' && exit 1; psql -c 'select 1'"], interval: 500ms, timeout: 15s, retries: 1}
    depends_on: {postgres: {condition: service_healthy}}
    rollout: {healthy_deadline: 25s}
    stop_grace_period: 0s
  worker:
    image: bb:1
    command: [sleep, "36000"]
    stop_grace_period: 0s
    rollout: {min_healthy_time: 0s}
backup:
  before_deploy: never
  items: [{name: pg, type: postgres, service: postgres, database: shop}]
"#;

impl World {
    fn with_postgres(&self) {
        self.host("policy: {data_roots: [\"/usr:ro\"]}\n");
        self.push("shop", MANIFEST);
        self.converge();
        self.asked_of_pg(
            "create role reader; create role clerk; create table t (i int primary key, a text); create view v as select a from t;\
             create function f() returns trigger language plpgsql as 'begin new.a := upper(new.a); return new; end';\
             create trigger up before insert on t for each row execute function f();\
             create sequence s; select nextval('s'), nextval('s'); grant select on v to reader; alter table t owner to clerk;\
             insert into t select i, md5(i::text) from generate_series(1, 20000) i",
        );
        self.asked_of_pg("alter database shop set search_path = \"$user\", public, \"A b\"");
        self.asked_of_pg(
            "alter role reader in database shop set work_mem = '7MB'; alter database shop connection limit 77",
        );
        self.asked_of_pg("revoke connect on database shop from public; grant connect on database shop to reader");
    }

    /// What the app hears.
    fn asked_of_pg(&self, sql: &str) -> String {
        self.one("shop", "web").exec(&["psql", "-v", "ON_ERROR_STOP=1", "-Atqc", sql]).trim().to_owned()
    }

    fn dumped(&self) -> String {
        let made = self.run(&["backup", "run", "shop", "--output", "json"]).expect(0).json();
        made[0]["copy"]["id"].as_str().unwrap().to_owned()
    }

    fn databases(&self) -> String {
        self.asked_of_pg("select string_agg(datname, ' ' order by datname) from pg_database where not datistemplate")
    }

    /// What is to be the same afterwards.
    fn told_of_shop(&self) -> String {
        self.asked_of_pg(
            "select count(*), md5(string_agg(i || a, ',' order by i)) from t;\
             select last_value from s; select count(*) from v; select relowner::regrole from pg_class where relname = 't';\
             select has_table_privilege('reader', 'v', 'select'), pg_get_userbyid(datdba), pg_encoding_to_char(encoding), \
               datcollate, datconnlimit, (select string_agg(x::text, ',' order by x::text) from unnest(datacl) x) from pg_database where datname = 'shop';\
             select setrole::regrole, setconfig from pg_db_role_setting order by setrole",
        )
    }
}

fn a_restored_postgres_answers_from_the_copy_as_the_database_that_it_was(world: &World) {
    world.with_postgres();
    let (before, id) = (world.told_of_shop(), world.dumped());
    assert!(before.contains("20000|") && before.contains("A b") && before.contains("|77|"), "{before}");
    world.asked_of_pg("delete from t where i > 10; drop view v; create table other (a int)");
    // Somebody else is connected, and worker asks without saying so in its manifest.
    let postgres = world.one("shop", "postgres");
    world.engine.ask(&["exec", "-d", &postgres.id, "psql", "-U", "shop", "-d", "shop", "-c", "select pg_sleep(600)"]);
    let (worker, server) = (world.one("shop", "worker").started_at(), postgres.started_at());
    let told = world.run(&["restore", "shop", "pg"]).expect(0);
    told.says(&format!("copy `{id}` is in place")).says("what was there before is copy");
    assert_eq!(world.told_of_shop(), before);
    assert_eq!(world.databases(), "postgres shop");
    assert!(world.one("shop", "worker").started_at() > worker, "whoever may ask was stopped");
    assert_eq!(world.one("shop", "postgres").started_at(), server, "the server went on");
    world.asked_of_pg("insert into t values (20001, 'small')");
    assert_eq!(world.asked_of_pg("select a from t where i = 20001"), "SMALL");
    world.is_synced();

    // And back to what was there.
    let listed = world.run_alone(&["backup", "list", "--output", "json"]).expect(0).json();
    let safety =
        listed.as_array().unwrap().iter().find(|listed| listed["copy"]["pinned"] == true).expect("a safety copy");
    world.run(&["restore", "shop", "pg", safety["copy"]["id"].as_str().unwrap()]).expect(0);
    assert_eq!(world.asked_of_pg("select count(*) from t; select count(*) from other"), "10\n0");

    // By hand, as the page says.
    let file = world.state().join("backups").join(&world.name).join(format!("shop/pg/{id}.dump.zst"));
    let page = include_str!("../../docs/backup.md");
    let written = page.lines().find(|line| line.contains("| docker exec -i POSTGRES pg_restore")).expect("a command");
    let line = written
        .trim_start_matches("$ ")
        .replace("pg/20261129T023002Z.dump.zst", &file.display().to_string())
        .replace(
            "docker exec -i POSTGRES",
            &format!("docker --host {} exec -i {}", world.engine.address(), world.one("shop", "postgres").id),
        )
        .replace("-U postgres -d gateway", "-U shop -d shop");
    let output = Command::new("bash").args(["-euo", "pipefail", "-c", &line]).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(
        world.asked_of_pg("select count(*) from t; select count(*) from v; select count(*) from other"),
        "20000\n20000\n0"
    );
}

fn an_app_that_is_not_well_with_a_dump_asks_the_old_database_again(world: &World) {
    world.with_postgres();
    world.asked_of_pg("create schema if not exists a; create table a.broken (a int)");
    let bad = world.dumped();
    world.asked_of_pg("drop table a.broken; delete from t where i > 7");
    until("the app is well", 60, || world.run(&["status", "--output", "json"]).stdout.contains("Healthy"));
    let told = world.run(&["restore", "shop", "pg", &bad]).expect(1);
    told.says("the app was not well with copy").says("the old bytes are in place again");
    assert_eq!(
        (world.asked_of_pg("select count(*) from t").as_str(), world.databases().as_str()),
        ("7", "postgres shop")
    );
}

fn a_dump_that_does_not_load_changes_nothing(world: &World) {
    world.with_postgres();
    let id = world.dumped();
    world.asked_of_pg("alter table t owner to shop; drop role clerk; delete from t where i > 5");
    let told = world.run(&["restore", "shop", "pg"]).expect(1);
    told.says("role \"clerk\" does not exist");
    assert_eq!(
        (world.asked_of_pg("select count(*) from t").as_str(), world.databases().as_str()),
        ("5", "postgres shop")
    );
    // Users and rights of a whole server have no other name to wait under.
    world.push(
        "shop",
        &MANIFEST.replace(
            "{name: pg, type: postgres, service: postgres, database: shop}",
            "{name: all, type: postgres, service: postgres, database: \"*\"}",
        ),
    );
    world.converge();
    world.dumped();
    world
        .run(&["restore", "shop", "all"])
        .expect(1)
        .says("all databases of a server are put back into an empty one by hand");
    // Nothing is stopped for a server that does not run.
    world.push("shop", MANIFEST);
    let worker = world.one("shop", "worker").started_at();
    world.engine.ask(&["stop", "-t", "0", &world.one("shop", "postgres").id]);
    world.run(&["restore", "shop", "pg", &id]).expect(1).says("there is no running container of service `postgres`");
    assert_eq!(world.one("shop", "worker").started_at(), worker);
}

fn a_restore_of_a_dump_that_is_killed_leaves_one_database_and_it_is_whole(world: &World) {
    world.with_postgres();
    world.dumped();
    world.asked_of_pg("delete from t where i > 1000");
    let mut found = BTreeSet::new();
    for moment in 0..kills(3) {
        let mut started = world.start(&["restore", "shop", "pg"]);
        // As soon as there is a database more, or one less, or somewhat later.
        let server = world.one("shop", "postgres");
        let names = || {
            server.exec(&[
                "psql",
                "-U",
                "shop",
                "-d",
                "postgres",
                "-Atqc",
                "select string_agg(datname, ' ') from pg_database",
            ])
        };
        let mut looks = 0;
        until("it is under way", 60, || {
            let is_begun = match moment % 3 {
                0 => names().contains("reconcile-new"),
                1 => names().contains("reconcile-old"),
                _ => {
                    looks += 1;
                    looks > moment * 3
                }
            };
            is_begun || started.is_over()
        });
        started.kill();
        world.converge();
        until("the app is well", 60, || world.run(&["status", "--output", "json"]).stdout.contains("Healthy"));
        let count = world.asked_of_pg("select count(*) from t");
        assert!(["20000", "1000"].contains(&count.as_str()), "{count} rows after a kill at {moment}");
        found.insert(count);
        world.asked_of_pg("delete from t where i > 1000");
    }
    assert!(found.contains("1000"), "{found:?}");
    world.run(&["restore", "shop", "pg"]).expect(0);
    assert_eq!(
        (world.asked_of_pg("select count(*) from t").as_str(), world.databases().as_str()),
        ("20000", "postgres shop")
    );
}
