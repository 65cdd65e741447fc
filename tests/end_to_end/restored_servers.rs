//! Real servers of Redis and MariaDB with a copy in the place of what they have: what an app in another container hears.

use crate::world::{World, until};
use std::collections::BTreeSet;

stories! {
    both:
        a_redis_that_keeps_a_log_answers_from_the_copy_and_goes_on_with_its_log,
        a_restored_mariadb_answers_from_the_copy_with_views_triggers_and_routines;
    docker_and_nightly_podman:
        a_mariadb_comes_back_where_the_app_is_not_well_and_is_made_whole_by_the_next_pass_where_a_restore_is_killed,
        a_redis_that_keeps_no_log_answers_from_the_copy_and_the_old_one_comes_back_where_the_app_is_not_well;
    docker:
        what_a_command_wrote_is_put_back_by_hand_and_told_how;
}

const REDIS: &str = r#"
volumes: {data: {}}
services:
  redis:
    image: bb:1
    user: "70"
    env: {PATH: "/usr/bin:/bin", PASSWORD: "se cret"}
    command: [sh, -c, "exec redis-server --dir /data/db --bind 0.0.0.0 --requirepass \"se cret\" LOG"]
    volumes: ["data:/data", "/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro"]
    depends_on: {folder: {condition: service_healthy}}
    healthcheck: {test: [CMD-SHELL, "REDISCLI_AUTH=\"se cret\" redis-cli ping | grep -q PONG"], interval: 500ms}
    rollout: {healthy_deadline: 60s}
    stop_grace_period: 5s
  folder:
    image: bb:1
    user: "0"
    command: [sh, -c, "mkdir -p /data/db; echo config > /data/db/other; chown -R 70:70 /data; exec sleep 36000"]
    healthcheck: {test: [CMD, test, -e, /data/db/other], interval: 500ms}
    volumes: ["data:/data"]
    stop_grace_period: 0s
  web:
    image: bb:1
    env: {PATH: "/usr/bin:/bin", REDISCLI_AUTH: "se cret"}
    command: [sleep, "36000"]
    volumes: ["/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro"]
    healthcheck: {test: [CMD-SHELL, "redis-cli -h redis ping | grep -q PONG && redis-cli -h redis exists broken | grep -q 0"], interval: 500ms, timeout: 15s, retries: 1}
    rollout: {healthy_deadline: DEADLINE}
    stop_grace_period: 0s
backup:
  before_deploy: never
  items: [{name: cache, type: redis, service: redis, password_from: {env: PASSWORD}}]
"#;

impl World {
    fn with_redis(&self, log: &str, deadline: &str) {
        self.host("policy: {data_roots: [\"/usr:ro\"]}\n");
        self.push("shop", &REDIS.replace("LOG", log).replace("DEADLINE", deadline));
        self.converge();
    }

    /// What the app hears.
    fn asked_of_redis(&self, words: &[&str]) -> String {
        self.one("shop", "web").exec(&[&["redis-cli", "-h", "redis", "--raw"], words].concat()).trim().to_owned()
    }

    fn copied(&self) -> String {
        let made = self.run(&["backup", "run", "shop", "--output", "json"]).expect(0).json();
        made[0]["copy"]["id"].as_str().unwrap().to_owned()
    }

    fn safety(&self) -> String {
        let listed = self.run_alone(&["backup", "list", "--output", "json"]).expect(0).json();
        let safety = listed.as_array().unwrap().iter().find(|listed| listed["copy"]["pinned"] == true);
        safety.expect("a safety copy")["copy"]["id"].as_str().unwrap().to_owned()
    }

    fn is_well(&self) {
        until("the app is well", 60, || self.run(&["status", "--output", "json"]).stdout.contains("Healthy"));
    }
}

fn a_redis_that_keeps_a_log_answers_from_the_copy_and_goes_on_with_its_log(world: &World) {
    world.with_redis("--appendonly yes --save ''", "60s");
    world.asked_of_redis(&["eval", "for i = 1, 1000 do redis.call('set', 'key' .. i, i) end", "0"]);
    world.asked_of_redis(&["set", "word", "before"]);
    let id = world.copied();
    world.asked_of_redis(&["flushall"]);
    world.asked_of_redis(&["set", "word", "after"]);
    let told = world.run(&["restore", "shop", "cache"]).expect(0);
    told.says(&format!("copy `{id}` is in place")).says("what was there before is copy");
    assert!(!told.text().contains("se cret"));
    assert_eq!(
        (world.asked_of_redis(&["get", "word"]).as_str(), world.asked_of_redis(&["dbsize"]).as_str()),
        ("before", "1001")
    );
    let folder = world.one("shop", "folder");
    assert_eq!(
        folder
            .exec(&["sh", "-c", "cat /data/db/other; stat -c %u:%g /data/db/*; ls -A /data/db | sort | xargs"])
            .trim(),
        "config\n70:70\n70:70\n70:70\nappendonlydir dump.rdb other"
    );
    // What is written since is in the log, and there after the server was killed.
    world.asked_of_redis(&["set", "since", "yes"]);
    let server = world.one("shop", "redis").id;
    world.engine.ask(&["kill", &server]);
    world.converge();
    world.is_well();
    assert_eq!(
        (world.asked_of_redis(&["get", "since"]).as_str(), world.asked_of_redis(&["dbsize"]).as_str()),
        ("yes", "1002")
    );
    world.is_synced();
    world.run(&["restore", "shop", "cache", &world.safety()]).expect(0);
    assert_eq!(
        (world.asked_of_redis(&["get", "word"]).as_str(), world.asked_of_redis(&["dbsize"]).as_str()),
        ("after", "1")
    );
}

fn a_redis_that_keeps_no_log_answers_from_the_copy_and_the_old_one_comes_back_where_the_app_is_not_well(world: &World) {
    world.with_redis("--appendonly no --save 3600 1", "20s");
    world.asked_of_redis(&["set", "word", "before"]);
    let good = world.copied();
    world.asked_of_redis(&["set", "broken", "yes"]);
    let bad = world.copied();
    world.asked_of_redis(&["del", "broken"]);
    world.asked_of_redis(&["set", "word", "after"]);
    world.is_well();
    let told = world.run(&["restore", "shop", "cache", &bad]).expect(1);
    told.says("the app was not well with copy").says("the old bytes are in place again");
    assert_eq!(world.asked_of_redis(&["mget", "word", "broken"]).trim(), "after");
    world.run(&["restore", "shop", "cache", &good]).expect(0);
    assert_eq!(world.asked_of_redis(&["get", "word"]), "before");

    // What lies in no volume has no place to come back to.
    let layer = REDIS
        .replace("LOG", "")
        .replace("DEADLINE", "20s")
        .replace("--dir /data/db", "--dir /")
        .replace("user: \"70\"", "user: \"0\"");
    world.push("shop", &layer);
    world.converge();
    let started = world.one("shop", "web").started_at();
    world.run(&["restore", "shop", "cache"]).expect(1).says("keeps its data in `/`, which is in no volume");
    assert_eq!(world.one("shop", "web").started_at(), started);
}

const MARIADB: &str = r#"
configs: {users: {content: "root:x:0:0::/:/bin/sh\nmysql:x:70:70::/tmp:/bin/sh\n"}}
services:
  db:
    image: bb:1
    user: "70"
    configs: [{source: users, target: /etc/passwd}]
    env: {PATH: "/usr/sbin:/usr/bin:/bin", MARIADB_ROOT_PASSWORD: "se cret"}
    command:
      - sh
      - -c
      - |
        [ -d /tmp/db ] || mariadb-install-db --no-defaults --auth-root-authentication-method=normal --datadir=/tmp/db --skip-test-db >/dev/null
        echo "CREATE DATABASE IF NOT EXISTS shop CHARACTER SET latin1;" > /tmp/init
        echo "CREATE OR REPLACE USER web@'%' IDENTIFIED BY 'web';" >> /tmp/init
        echo "GRANT ALL ON shop.* TO web@'%';" >> /tmp/init
        echo "ALTER USER root@localhost IDENTIFIED BY 'se cret';" >> /tmp/init
        exec mariadbd --no-defaults --datadir=/tmp/db --socket=/run/mysqld/mysqld.sock --bind-address=0.0.0.0 --init-file=/tmp/init
    volumes: ["/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro"]
    tmpfs: ["/run/mysqld:mode=1777", "/tmp:mode=1777"]
    healthcheck: {test: [CMD-SHELL, "MYSQL_PWD='se cret' mariadb --no-defaults -u root shop -e 'select 1'"], interval: 500ms}
    rollout: {healthy_deadline: 90s}
    stop_grace_period: 0s
  web:
    image: bb:1
    env: {PATH: "/usr/bin:/bin", MYSQL_PWD: web}
    command: [sleep, "36000"]
    volumes: ["/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro"]
    healthcheck: {test: [CMD-SHELL, "mariadb --no-defaults -h db -u web shop -e 'select a from broken' && exit 1; mariadb --no-defaults -h db -u web shop -e 'select 1'"], interval: 500ms, timeout: 15s, retries: 1}
    depends_on: {db: {condition: service_healthy}}
    rollout: {healthy_deadline: DEADLINE}
    stop_grace_period: 0s
backup:
  before_deploy: never
  items: [{name: shop, type: mysql, service: db, database: shop}]
"#;

impl World {
    fn with_mariadb(&self, deadline: &str) {
        self.host("policy: {data_roots: [\"/usr:ro\"]}\n");
        self.push("shop", &MARIADB.replace("DEADLINE", deadline));
        self.converge();
        self.asked_of_db(
            "create table t (i int primary key, a text); create table p (i int, foreign key (i) references t (i)); \
             create view v as select count(*) as n from t; create function f() returns int deterministic return 42; \
             create trigger up before insert on t for each row set new.a = upper(new.a); \
             insert into t select seq, md5(seq) from seq_1_to_20000; insert into p values (7)",
        );
    }

    /// What the app hears.
    fn asked_of_db(&self, sql: &str) -> String {
        let asked = ["mariadb", "--no-defaults", "-h", "db", "-u", "web", "shop", "-N", "-B", "-e", sql];
        self.one("shop", "web").exec(&asked).trim().to_owned()
    }

    /// What the server has, asked as who may see all of it.
    fn schemas(&self) -> String {
        let line = "MYSQL_PWD='se cret' mariadb --no-defaults -u root -N -B -e \"select schema_name from information_schema.schemata where schema_name like 'shop%' order by 1\" | xargs";
        self.one("shop", "db").exec(&["sh", "-c", line]).trim().to_owned()
    }
}

fn a_restored_mariadb_answers_from_the_copy_with_views_triggers_and_routines(world: &World) {
    world.with_mariadb("60s");
    let told_of = "select n from v; select f(); select i from p; select md5(group_concat(a order by i)) from (select * from t limit 500) x; \
                   select default_character_set_name from information_schema.schemata where schema_name = 'shop'";
    let (before, id) = (world.asked_of_db(told_of), world.copied());
    assert!(before.starts_with("20000\n42\n7\n") && before.ends_with("latin1"), "{before}");
    world.asked_of_db("delete from p; delete from t where i > 5; drop view v; create table other (a int)");
    let server = world.one("shop", "db").started_at();
    let told = world.run(&["restore", "shop", "shop"]).expect(0);
    told.says(&format!("copy `{id}` is in place"));
    assert!(!told.text().contains("se cret"));
    assert_eq!((world.asked_of_db(told_of), world.schemas().as_str()), (before, "shop"));
    assert_eq!(
        world.asked_of_db(
            "insert into t values (20001, 'small'); select a from t where i = 20001; show tables like 'other'"
        ),
        "SMALL"
    );
    assert_eq!(world.one("shop", "db").started_at(), server);
    world.run(&["restore", "shop", "shop", &world.safety()]).expect(0);
    assert_eq!(world.asked_of_db("select count(*) from t; select count(*) from other"), "5\n0");
}

fn a_mariadb_comes_back_where_the_app_is_not_well_and_is_made_whole_by_the_next_pass_where_a_restore_is_killed(
    world: &World,
) {
    world.with_mariadb("10s");
    let good = world.copied();
    world.asked_of_db("create table broken (a int)");
    let bad = world.copied();
    world.asked_of_db("drop table broken; delete from p; delete from t where i > 1000");
    world.is_well();
    let told = world.run(&["restore", "shop", "shop", &bad]).expect(1);
    told.says("the app was not well with copy").says("the old bytes are in place again");
    assert_eq!((world.asked_of_db("select n from v").as_str(), world.schemas().as_str()), ("1000", "shop"));
    let mut found = BTreeSet::new();
    for moment in ["shop", "shop-reconcile-new", "shop-reconcile-old", "shop-reconcile-half"] {
        let mut started = world.start(&["restore", "shop", "shop", &good]);
        until("it is under way", 60, || world.schemas().contains(moment) || started.is_over());
        started.kill();
        world.converge();
        world.is_well();
        let count = world.asked_of_db("select count(*) from t");
        assert!(["20000", "1000"].contains(&count.as_str()), "{count} rows after a kill at {moment}");
        assert_eq!(world.asked_of_db("select n from v"), count);
        found.insert(count);
        world.asked_of_db("delete from p; delete from t where i > 1000");
    }
    assert!(found.contains("1000"), "{found:?}");
    world.run(&["restore", "shop", "shop", &good]).expect(0);
    assert_eq!((world.asked_of_db("select n from v").as_str(), world.schemas().as_str()), ("20000", "shop"));
}

fn what_a_command_wrote_is_put_back_by_hand_and_told_how(world: &World) {
    world.push(
        "shop",
        "services: {app: {image: bb:1, command: [sleep, \"36000\"], stop_grace_period: 0s, rollout: {min_healthy_time: 0s}}}\n\
         backup: {items: [{name: out, type: exec, service: app, command: [echo, hello]}]}\n",
    );
    world.converge();
    let id = world.copied();
    let told = world.run(&["restore", "shop", "out"]).expect(1);
    told.says("what a command wrote is put back by a command that this tool does not know");
    told.says(&format!("shop/out/{id}.out.zst' | docker exec -i CONTAINER COMMAND"));
}
