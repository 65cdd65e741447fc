//! What takes too long for every push: `make nightly` runs it.

use crate::{
    bucket::Server,
    copies::{POLICY, on, writer},
    world::{Engine, World, until},
};
use std::{fs, time::Instant};

/// The most that was ever resident of a process, in KiB; none when it is over.
fn high_water(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
}

#[test]
#[ignore = "takes minutes"]
fn a_volume_of_a_gigabyte_is_copied_to_a_folder_and_a_bucket_in_less_than_64_mib() {
    let world = &World::on(Engine::Docker);
    let server = Server::begin();
    let secret = world.secret("s3", &server.secret);
    let (near, port, key, secret) = (world.scratch("near").join("copies"), server.port, &server.key, secret.display());
    world.host(&format!(
        "backup: {{repositories: {{near: {{type: local, path: {}}}, away: {{type: s3, endpoint: \"http://127.0.0.1:{port}\", \
         bucket: copies, access_key_id: {key}, secret_access_key_file: {secret}}}}}}}\n",
        near.display()
    ));
    let app = |places: &str| {
        format!(
            r#"
volumes: {{files: {{}}}}
services:
  app:
    image: bb:1
    command: [sh, -c, "test -e /files/done || {{ head -c 1073741824 /dev/urandom > /files/large; touch /files/done; }}; exec sleep 36000"]
    volumes: ["files:/files"]
    stop_grace_period: 0s
    rollout: {{min_healthy_time: 0s}}
backup: {{before_deploy: never, timeout: 1h, repositories: {places}, items: [{{name: files, type: volume, volume: files}}]}}
"#
        )
    };
    for places in ["[near, away]", "[away]"] {
        world.push("shop", &app(places));
        world.converge();
        let id = world.one("shop", "app").id;
        until("the file is there", 120, || {
            world.engine.try_ask(&["exec", &id, "test", "-e", "/files/done"]).status.success()
        });
        let began = Instant::now();
        let mut run = world.start(&["backup", "run", "shop", "--output", "json"]);
        let mut most = 0;
        while !run.is_over() {
            most = most.max(high_water(run.pid()).unwrap_or_default());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let ran = run.finish().expect(0);
        eprintln!("{places}: {most} KiB at most, {:.0} s", began.elapsed().as_secs_f64());
        assert!(ran.json()[0]["copy"]["content"]["bytes"].as_u64().unwrap() > 1 << 30);
        assert!((1..64 * 1024).contains(&most), "{places}: {most} KiB");
    }
}

#[test]
#[ignore = "takes minutes"]
fn fifty_copies_of_a_database_under_five_hundred_writes_a_second_are_whole() {
    let world = &World::on(Engine::Docker);
    world.host(POLICY);
    // So many transactions a second and a little more, as applications are set up that write this much: what was committed is in the
    // log, and on the disk at the next checkpoint. Without a pace the database would grow to what no copy is measured by.
    let loud = writer();
    let (begin, rest) = loud.split_once("        while :; do\n").unwrap();
    let (_, end) = rest.split_once("        done | sqlite3").unwrap();
    let insert = "echo \"BEGIN; INSERT INTO one VALUES ($i); INSERT INTO two VALUES (hex(randomblob(200))); COMMIT;\"";
    let quick = format!(
        "{begin}        while :; do\n          for n in $(seq 60); do i=$((i+1)); {insert}; done\n          sleep 0.08\n        done | sqlite3 \
         -cmd \"PRAGMA synchronous=NORMAL\"{end}"
    );
    world.push("shop", &quick);
    world.converge();
    let app = world.one("shop", "app");
    let rows = || -> u64 {
        let told = world.engine.try_ask(&[
            "exec",
            &app.id,
            "sqlite3",
            "-cmd",
            ".timeout 60000",
            "/data/app.db",
            "select count(*) from one",
        ]);
        String::from_utf8_lossy(&told.stdout).trim().parse().unwrap_or_default()
    };
    let told = || {
        let mut last = 0;
        until("the rows are counted", 120, || {
            last = rows();
            last > 0
        });
        last
    };
    until("the app writes", 60, || rows() > 1000);
    let (began, before) = (Instant::now(), told());
    let mut last = 0;
    for _ in 0..50 {
        let made = world.run(&["backup", "run", "shop", "--output", "json"]).expect(0).json();
        let text = |key: &str| made[0]["copy"][key].as_str().unwrap();
        let path = world.state().join("backups").join(&world.name).join("shop/db").join(text("file"));
        let line = "zstd -dqc -- \"$1\" > \"$1.x\"; sqlite3 \"$1.x\" 'pragma integrity_check; select (select count(*) from one) - (select count(*) from two), (select count(*) from one)'; rm \"$1.x\"";
        let told = on(&path, line);
        let count: u64 = told.strip_prefix("ok\n0|").unwrap_or_else(|| panic!("{told}")).parse().unwrap();
        assert!(count > last, "{count} after {last}");
        last = count;
    }
    let rate = (told() - before) as f64 / began.elapsed().as_secs_f64();
    eprintln!("{rate:.0} writes a second");
    assert!(rate >= 500.0, "the app wrote {rate:.0} times a second alone");
}
