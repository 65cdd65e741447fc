//! What the judges let pass: real files, and the same files cut off and changed.

use crate::backup::judge;
use std::{fs, process::Command};

fn verdict(kind: &str, bytes: &[u8], chunk: usize) -> Result<(), String> {
    let mut judge = judge(kind);
    bytes.chunks(chunk).for_each(|chunk| judge.take(chunk));
    judge.end()
}

fn run(line: &str, at: &std::path::Path) {
    let output = Command::new("sh").args(["-euc", line]).current_dir(at).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_archive_is_whole_or_is_told_to_be_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), [1; 700]).unwrap();
    fs::write(folder.path().join("empty"), []).unwrap();
    fs::write(folder.path().join("n".repeat(180)), "a name that is long").unwrap();
    std::os::unix::fs::symlink("a", folder.path().join("link")).unwrap();
    for format in ["gnu", "pax", "ustar"] {
        let names = if format == "ustar" { "a empty link" } else { "." };
        run(&format!("tar --format={format} -b1 -cf ../{format}.tar {names} && mv ../{format}.tar ."), folder.path());
        let tar = fs::read(folder.path().join(format!("{format}.tar"))).unwrap();
        fs::remove_file(folder.path().join(format!("{format}.tar"))).unwrap();
        for chunk in [1, 511, 512, 513, 100_000] {
            assert_eq!(verdict("volume", &tar, chunk), Ok(()), "{format} in pieces of {chunk}");
        }
        for length in (0..tar.len()).step_by(97).chain([tar.len() - 512, tar.len() - 1]) {
            assert!(verdict("volume", &tar[..length], 4096).is_err(), "{format}, {length} of {} bytes", tar.len());
        }
        let mut wrong = tar.clone();
        wrong[10] ^= 1;
        assert_eq!(verdict("volume", &wrong, 512).unwrap_err(), "the head of entry 1 is wrong");
    }
}

#[test]
fn a_database_has_the_pages_that_its_head_tells() {
    let folder = tempfile::tempdir().unwrap();
    run("sqlite3 a.db 'create table t (a); insert into t values (1), (2)'", folder.path());
    let database = fs::read(folder.path().join("a.db")).unwrap();
    assert_eq!(verdict("sqlite", &database, 1000), Ok(()));
    assert!(verdict("sqlite", &database[..4096], 1000).unwrap_err().contains("its head says 8192"));
    assert_eq!(verdict("sqlite", b"", 1), Err("it is no SQLite database".to_owned()));
    assert_eq!(verdict("sqlite", &[0; 8192], 1000), Err("it is no SQLite database".to_owned()));
}

#[test]
fn a_dump_of_redis_has_the_checksum_that_it_tells() {
    // Of an empty server, Redis 7.0.15, without auxiliary fields.
    let head = b"REDIS0010\xff";
    let mut dump = head.to_vec();
    let checksum = head.iter().fold(0_u64, |crc, byte| {
        (0..8).fold(
            crc ^ u64::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0x95ac_9329_ac4b_c9b5 } else { crc >> 1 },
        )
    });
    dump.extend(checksum.to_le_bytes());
    for chunk in [1, 3, 100] {
        assert_eq!(verdict("redis", &dump, chunk), Ok(()));
    }
    for length in 0..dump.len() {
        assert!(verdict("redis", &dump[..length], 5).is_err(), "{length}");
    }
    let mut wrong = dump.clone();
    wrong[7] ^= 1;
    assert_eq!(verdict("redis", &wrong, 5), Err("its checksum is wrong".to_owned()));
    // What `redis-cli --rdb -` appends.
    assert!(verdict("redis", &[dump.as_slice(), &[b'a'; 40]].concat(), 5).is_err());
    let unchecked = [head.as_slice(), &[0; 8]].concat();
    assert_eq!(verdict("redis", &unchecked, 5), Ok(()));
}

#[test]
fn a_dump_in_sql_ends_with_the_words_of_a_whole_one() {
    let filler = "INSERT INTO t VALUES (1);\n".repeat(100);
    let mysql = format!("-- MariaDB dump\n{filler}-- Dump completed on 2026-11-29  2:30:00\n");
    assert_eq!(verdict("mysql", mysql.as_bytes(), 100), Ok(()));
    assert!(verdict("mysql", &mysql.as_bytes()[..mysql.len() - 50], 100).is_err());
    assert!(verdict("mysql", format!("-- Dump completed\n{filler}").as_bytes(), 7000).is_err());
    let all = format!("--\n{filler}--\n-- PostgreSQL database cluster dump complete\n--\n\n");
    assert_eq!(verdict("postgres", all.as_bytes(), 33), Ok(()));
    assert!(verdict("postgres", filler.as_bytes(), 33).is_err());
    assert_eq!(verdict("postgres", b"PGDMP\x01\x0e", 2), Ok(()));
}
