//! Copies of an app's data in a bucket: what lies there is enough, and what does not answer keeps nobody from the rest.

use crate::{
    bucket::Server,
    copies::{POLICY, writer},
    world::{World, until},
};
use serde_json::Value;
use std::{
    fs,
    net::TcpListener,
    time::{Duration, Instant},
};

stories! {
    both:
        copies_in_a_bucket_are_made_listed_verified_and_restored;
    docker_and_nightly_podman:
        a_bucket_that_is_silent_keeps_nobody_from_the_copies_at_hand;
    docker: ;
}

/// With the local place beside it, and with the bucket alone.
fn copies_in_a_bucket_are_made_listed_verified_and_restored(world: &World) {
    let server = Server::begin();
    let secret = world.secret("s3", &server.secret);
    let place = format!(
        "away: {{type: s3, endpoint: \"http://127.0.0.1:{}\", bucket: copies, prefix: hosts/web1, access_key_id: {}, secret_access_key_file: {}}}",
        server.port,
        server.key,
        secret.display()
    );
    let near = world.scratch("near").join("copies");
    world.host(&format!(
        "{POLICY}backup: {{repositories: {{{place}, near: {{type: local, path: {}}}}}}}\n",
        near.display()
    ));
    let quiet = writer().replace("        i=0\n", "        exec sleep 36000\n");
    let with = |places: &str| {
        quiet.replace("  before_deploy: never\n", &format!("  before_deploy: never\n  schedule: \"0 0 1 1 *\"\n  catch_up: 0s\n  max_age: 1h\n  repositories: {places}\n"))
    };
    world.push("shop", &with("[near, away]"));
    world.converge();
    let app = world.one("shop", "app");
    until("the database is there", 60, || app.exec(&["ls", "/data"]).contains("app.db"));
    app.exec(&["sqlite3", "/data/app.db", "insert into one values (1); insert into two values (1)"]);
    let made = world.copy("shop");
    let id = made[0]["copy"]["id"].as_str().unwrap();
    let keys = server.asked("for o in s3.list_objects_v2(Bucket='copies')['Contents']: print(o['Key'])");
    let folder = format!("hosts/web1/{}/shop/db", world.name);
    assert_eq!(keys, [format!("{folder}/{id}.db.zst"), format!("{folder}/{id}.json")]);

    // The folder is lost, and the bucket is all there is.
    fs::remove_dir_all(&near).unwrap();
    world.push("shop", &with("[away]"));
    world.converge();
    let listed = world.run_alone(&["backup", "list", "--output", "json"]).expect(0).json();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["repository"]), (1, &"away".into()), "{listed}");
    world.run_alone(&["backup", "verify", "shop"]).expect(0);
    let status = world.run(&["status", "shop", "--output", "json"]).expect(0).json();
    assert_eq!(status[0]["copies"][0]["newest"], id, "{status}");
    app.exec(&["sqlite3", "/data/app.db", "delete from one"]);
    world.run(&["restore", "shop", "db"]).expect(0);
    let app = world.one("shop", "app");
    assert_eq!(app.exec(&["sqlite3", "/data/app.db", "select count(*) from one"]).trim(), "1");
    // The safety copy went there too, and the next one does.
    assert_eq!(world.copy("shop").len(), 1);
    let listed = world.run_alone(&["backup", "list", "--output", "json"]).expect(0).json();
    assert_eq!(listed.as_array().unwrap().len(), 3, "{listed}");

    // A bit there is another one.
    server.asked(&format!("k='{folder}/{id}.db.zst'\nb=bytearray(s3.get_object(Bucket='copies', Key=k)['Body'].read())\nb[len(b)//2]^=16\ns3.put_object(Bucket='copies', Key=k, Body=bytes(b))"));
    world.run_alone(&["backup", "verify", "shop", id]).expect(1).says("is not what was written");
    world.run(&["restore", "shop", "db", id]).expect(1);

    // A wrong secret is told, and nowhere shown.
    fs::write(&secret, "not+the+secret").unwrap();
    let told = world.run(&["backup", "run", "shop"]).expect(1);
    told.says("the key is refused").says("see `access_key_id`");
    drop(server);
    world.run_alone(&["backup", "list"]).expect(1).says("the endpoint does not answer");
}

/// It takes connections and says nothing, as what drops packets behind a gateway does.
fn a_bucket_that_is_silent_keeps_nobody_from_the_copies_at_hand(world: &World) {
    let server = Server::begin();
    let secret = world.secret("s3", &server.secret);
    let port = server.port;
    let place = format!(
        "away: {{type: s3, endpoint: \"http://127.0.0.1:{port}\", bucket: copies, access_key_id: {}, secret_access_key_file: {}}}",
        server.key,
        secret.display()
    );
    let near = world.scratch("near").join("copies");
    world.host(&format!("backup: {{repositories: {{{place}, near: {{type: local, path: {}}}}}}}\n", near.display()));
    let manifest = |max_age: &str| {
        format!(
            r#"
volumes: {{files: {{}}}}
services:
  app:
    image: bb:1
    command: [sh, -c, "test -e /files/one || echo one > /files/one; exec sleep 36000"]
    volumes: ["files:/files"]
    stop_grace_period: 0s
    rollout: {{min_healthy_time: 0s}}
backup:
  before_deploy: never
  schedule: "0 0 1 1 *"
  catch_up: 0s
  max_age: {max_age}
  repositories: [near, away]
  items: [{{name: files, type: volume, volume: files}}]
"#
        )
    };
    world.push("shop", &manifest("1h"));
    world.converge();
    let id = world.copy("shop")[0]["copy"]["id"].as_str().unwrap().to_owned();
    drop(server);
    let silent = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let within = |seconds: u64, what: &mut dyn FnMut()| {
        let began = Instant::now();
        what();
        assert!(began.elapsed() < Duration::from_secs(seconds), "it took {:?}", began.elapsed());
    };
    within(30, &mut || {
        let listed = world.run_alone(&["backup", "list", "--output", "json"]).expect(1);
        listed.says("the endpoint does not answer");
        let copies: Value = serde_json::from_str(&listed.stdout).unwrap();
        assert_eq!((copies.as_array().unwrap().len(), &copies[0]["repository"]), (1, &"near".into()), "{copies}");
    });
    within(30, &mut || {
        world.run_alone(&["backup", "verify", "shop"]).expect(1).says(&id).says("the endpoint does not answer");
    });
    // The copy at hand is young enough, whatever else there is.
    within(30, &mut || {
        let status = world.run(&["status", "shop", "--output", "json"]).expect(0).json();
        assert_eq!(
            (&status[0]["health"], &status[0]["copies"][0]["trouble"]),
            (&"Healthy".into(), &Value::Null),
            "{status}"
        );
    });
    within(30, &mut || drop(world.run(&["history", "shop"]).expect(0)));
    world.push("shop", &manifest("1s"));
    within(60, &mut || drop(world.converge()));
    within(30, &mut || {
        let status = world.run(&["status", "shop", "--output", "json"]).expect(0).json();
        let trouble = status[0]["copies"][0]["trouble"].as_str().unwrap();
        assert!(trouble.contains("nobody can tell whether the backup of `files` is overdue"), "{status}");
        assert_eq!(status[0]["health"], "Healthy", "{status}");
    });
    world.one("shop", "app").exec(&["sh", "-c", "echo two > /files/one"]);
    within(120, &mut || {
        let restored = world.run(&["restore", "shop", "files", "--no-safety"]).expect(0);
        restored.says("is the newest of those that can be seen").says("the endpoint does not answer");
    });
    assert_eq!(world.one("shop", "app").exec(&["cat", "/files/one"]).trim(), "one");
    within(60, &mut || drop(world.run(&["restore", "shop", "files", &id, "--dry-run"]).expect(0)));
    drop(silent);
}
