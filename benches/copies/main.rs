//! How fast copies are made, beside what people would type, in the same run.
//!
//! `make bench ARGS='--bench copies'`; `tar`, `zstd` and `sqlite3` are needed, and Docker. Both sides begin with the same files of a
//! volume and end with a packed file that is on the disk and was read again.

#[path = "../../tests/nginx/port.rs"]
mod port;
mod stored;
#[path = "../../tests/end_to_end/world/mod.rs"]
#[allow(dead_code, unused_imports, reason = "stories ask more of it")]
mod world;

use reconcile::desired::backup::Compression;
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use world::{Engine, World, until};

const ROUNDS: usize = 5;
/// Bytes of a source.
const BYTES: usize = 256 * 1024 * 1024;

/// A volume with a file that packs to a third or so, and one with a database that does not.
fn manifest() -> String {
    let rows = BYTES / 1100;
    format!(
        r#"
volumes: {{files: {{}}, data: {{}}}}
services:
  app:
    image: bb:1
    user: "0"
    command:
      - sh
      - -c
      - |
        i=0; while [ $i -lt 4096 ]; do i=$((i+1)); head -c 24576 /dev/urandom; head -c 40960 /dev/zero; done > /files/large
        sqlite3 /data/app.db "create table t (a, b); insert into t select value, hex(randomblob(500)) from generate_series(1, {rows})"
        touch /files/done
        exec sleep 36000
    volumes: ["files:/files", "data:/data", "/usr:/usr:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro"]
    stop_grace_period: 0s
    rollout: {{min_healthy_time: 0s}}
backup:
  before_deploy: never
  items: [{{name: files, type: volume, volume: files}}, {{name: db, type: sqlite, volume: data, path: app.db}}]
"#
    )
}

/// The middle one of several tries.
fn timed(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

fn shell(line: &str, source: &Path, folder: &Path) {
    let mut bash = Command::new("bash");
    let status = bash.args(["-euo", "pipefail", "-c", line, "bash"]).arg(source).current_dir(folder).status();
    assert!(status.expect("bash").success(), "{line}");
}

fn told(name: &str, time: Duration, beside: Duration) {
    let speed = BYTES as f64 / 1e6 / time.as_secs_f64();
    println!(
        "{name:52} {:7.0} ms {speed:6.0} MB/s {:5.2} x",
        time.as_secs_f64() * 1e3,
        time.as_secs_f64() / beside.as_secs_f64()
    );
}

fn main() {
    let world = &World::on(Engine::Docker);
    world.host("policy: {data_roots: [\"/usr:ro\"]}\n");
    world.push("shop", &manifest());
    world.converge();
    until("the data is there", 300, || world.one("shop", "app").succeeds(&["test", "-e", "/files/done"]));
    let volume = |key: &str| {
        let name = format!("{}-shop_{key}", world.name);
        PathBuf::from(world.engine.ask(&["volume", "inspect", "--format", "{{.Mountpoint}}", &name]))
    };
    let (files, data) = (volume("files"), volume("data"));
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let run = |item: &str| timed(|| drop(world.run(&["backup", "run", "shop", "--item", item]).expect(0)));

    let by_hand = timed(|| shell("tar -c -C \"$1\" . | zstd -q -3 > b.zst; sync b.zst", &files, folder));
    let and_read = timed(|| {
        shell("tar -c -C \"$1\" . | zstd -q -3 > b.zst; sync b.zst; zstd -dqc b.zst | tar -t > t", &files, folder)
    });
    told("tar | zstd", by_hand, by_hand);
    told("tar | zstd, and read again", and_read, by_hand);
    told("reconcile backup run, the whole command", run("files"), by_hand);
    shell("tar -cf whole.tar -C \"$1\" .", &files, folder);
    told("the archive into its place alone", stored::stored(folder, "whole.tar", "volume", Compression::Zstd), by_hand);

    let by_hand = timed(|| shell("rm -f b.db; sqlite3 \"$1/app.db\" '.backup b.db'; sync b.db", &data, folder));
    let and_packed = "rm -f b.db; sqlite3 \"$1/app.db\" '.backup b.db'; test \"$(sqlite3 b.db 'pragma integrity_check')\" = ok; \
                      zstd -q -3 -f b.db -o b.zst; sync b.zst; zstd -tq b.zst";
    let and_packed = timed(|| shell(and_packed, &data, folder));
    told("sqlite3 .backup", by_hand, by_hand);
    told("sqlite3 .backup, integrity_check, zstd, read again", and_packed, by_hand);
    told("reconcile backup run, the whole command", run("db"), by_hand);
    told("the snapshot into its place alone", stored::stored(folder, "b.db", "sqlite", Compression::Zstd), by_hand);
}
