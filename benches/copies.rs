//! How fast copies are made, beside what people would type, in the same run.
//!
//! `cargo bench --bench copies`; `tar`, `zstd` and `sqlite3` are needed, no engine. What is measured is the way from a source to a
//! verified copy: the source is the same archive or snapshot, in memory, that the tools read from a file.

use reconcile::{
    backup::{Judge, Local, Making, Of, Piece, flow::IN_HAND, judge, store},
    desired::backup::Compression,
};
use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

const ROUNDS: usize = 5;
/// Bytes of a source: text that packs to a third or so.
const BYTES: usize = 256 * 1024 * 1024;

fn text() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BYTES);
    let mut number = 1_u64;
    while bytes.len() < BYTES {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend(format!("{:x} the same words again and again\n", number >> 24).bytes());
    }
    bytes
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn shell(line: &str, folder: &Path) {
    let status = Command::new("bash").args(["-euo", "pipefail", "-c", line]).current_dir(folder).status();
    assert!(status.expect("bash").success(), "{line}");
}

fn timed(mut work: impl FnMut(usize)) -> Duration {
    median(
        (0..ROUNDS)
            .map(|round| {
                let began = Instant::now();
                work(round);
                began.elapsed()
            })
            .collect(),
    )
}

/// Reads a file as a source gives it, and stores it.
fn ours(folder: &Path, file: &str, kind: &str, compression: Compression) -> Duration {
    let place = Local { name: "local".parse().expect("a name"), root: folder.join("backups") };
    let of = Of {
        environment: "bench".parse().expect("a name"),
        app: "app".parse().expect("a name"),
        item: kind.parse().expect("a name"),
    };
    timed(|_| {
        let making = Making {
            of: of.clone(),
            kind: kind.to_owned(),
            compression,
            sealed_for: Vec::new(),
            judges_content: true,
            before: None,
            pinned: false,
            before_revision: None,
            taken_at: jiff::Timestamp::now(),
        };
        let (sender, flow) = mpsc::channel(IN_HAND);
        let path = folder.join(file);
        let giver = std::thread::spawn(move || {
            let bytes = fs::read(path).expect("a source");
            for chunk in bytes.chunks(64 * 1024) {
                sender.blocking_send(Piece::Bytes(chunk.to_vec())).expect("a reader");
            }
            sender.blocking_send(Piece::Whole).expect("a reader");
        });
        let judge: Box<dyn Judge> = judge(kind);
        store(&place, &making, flow, judge, None).expect("a copy");
        giver.join().expect("a source");
    })
}

fn told(name: &str, time: Duration, beside: Duration) {
    let speed = BYTES as f64 / 1e6 / time.as_secs_f64();
    println!(
        "{name:44} {:7.0} ms {speed:6.0} MB/s {:5.2} x",
        time.as_secs_f64() * 1e3,
        time.as_secs_f64() / beside.as_secs_f64()
    );
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fs::create_dir(folder.join("files")).expect("a folder");
    fs::write(folder.join("files/large"), text()).expect("a file");
    shell("tar -cf whole.tar -C files .", folder);
    let by_hand = timed(|_| shell("tar -c -C files . | zstd -q -3 > by-hand.tar.zst && sync by-hand.tar.zst", folder));
    let and_read = timed(|_| {
        shell(
            "tar -c -C files . | zstd -q -3 > by-hand.tar.zst && sync by-hand.tar.zst && zstd -dqc by-hand.tar.zst | tar -t > /dev/null",
            folder,
        );
    });
    told("tar | zstd", by_hand, by_hand);
    told("tar | zstd, and read again by zstd | tar", and_read, by_hand);
    told("a copy of the archive, verified", ours(folder, "whole.tar", "volume", Compression::Zstd), by_hand);

    let rows = BYTES / 1100;
    shell(
        &format!(
            "sqlite3 a.db 'create table t (a, b); insert into t select value, hex(randomblob(500)) from generate_series(1, {rows})'"
        ),
        folder,
    );
    let by_hand = timed(|_| shell("rm -f b.db; sqlite3 a.db '.backup b.db'; sync b.db", folder));
    let and_packed = timed(|_| {
        shell(
            "rm -f b.db; sqlite3 a.db '.backup b.db'; test \"$(sqlite3 b.db 'pragma integrity_check')\" = ok; zstd -q -3 -f b.db -o b.db.zst; sync b.db.zst",
            folder,
        );
    });
    told("sqlite3 .backup", by_hand, by_hand);
    told("sqlite3 .backup, integrity_check and zstd", and_packed, by_hand);
    told("a copy of the snapshot, verified", ours(folder, "b.db", "sqlite", Compression::Zstd), by_hand);
    told("the same, not packed", ours(folder, "b.db", "sqlite", Compression::None), by_hand);
}
