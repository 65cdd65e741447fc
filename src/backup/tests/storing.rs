//! Copies on a real disk: what lies there afterwards, whatever the source or the disk does.

use super::small_disk::SmallDisk;
use crate::{
    backup::{
        BackupError, Copy, Drilled, Flow, Judge, Level, Local, Making, Of, Piece, Place, flow::IN_HAND, judge, store,
        verify,
    },
    desired::backup::Compression,
    secret::age::Identities,
};
use jiff::Timestamp;
use proptest::prelude::*;
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    thread,
};
use tokio::sync::mpsc;

fn of() -> Of {
    Of { environment: "production".parse().unwrap(), app: "web".parse().unwrap(), item: "db".parse().unwrap() }
}

pub fn making(compression: Compression) -> Making {
    Making {
        of: of(),
        kind: "exec".to_owned(),
        compression,
        sealed_for: Vec::new(),
        judges_content: true,
        before: None,
        pinned: false,
        before_revision: None,
        taken_at: "2026-11-29T02:30:00Z".parse().unwrap(),
    }
}

pub fn repository(folder: &Path) -> Local {
    Local { name: "local".parse().unwrap(), root: folder.join("backups") }
}

/// A source of these pieces.
fn flow(pieces: Vec<Piece>) -> Flow {
    let (sender, receiver) = mpsc::channel(IN_HAND);
    thread::spawn(move || pieces.into_iter().try_for_each(|piece| sender.blocking_send(piece)));
    receiver
}

pub fn whole(bytes: &[u8]) -> Flow {
    let pieces = bytes.chunks(1000).map(|chunk| Piece::Bytes(chunk.to_vec())).chain([Piece::Whole]);
    flow(pieces.collect())
}

pub fn anything() -> Box<dyn Judge> {
    judge("exec")
}

/// Every file below a folder, by its path from there.
pub fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|below| format!("{name}/{below}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

fn output(line: &str, at: &Path) -> Vec<u8> {
    let output = Command::new("sh").args(["-euc", line, "sh"]).arg(at).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn a_copy_is_read_with_coreutils_zstd_and_gzip_alone() {
    let folder = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    for (compression, ending, line) in [
        (Compression::Zstd, "out.zst", "zstd -dc -- \"$1\""),
        (Compression::Gzip, "out.gz", "gzip -dc -- \"$1\""),
        (Compression::None, "out", "cat -- \"$1\""),
    ] {
        let repository = repository(folder.path());
        let copy = store(&repository, &making(compression), whole(&content), anything(), None).unwrap();
        let path = repository.path(&copy);
        assert!(path.to_string_lossy().ends_with(&format!("production/web/db/{}.{ending}", copy.id)), "{path:?}");
        assert_eq!(output(line, &path), content);
        let sum = |line: &str| String::from_utf8(output(line, &path)).unwrap()[..64].to_owned();
        assert_eq!(sum("sha256sum -- \"$1\""), copy.stored.sha256);
        assert_eq!(sum(&format!("{line} | sha256sum")), copy.content.sha256);
        assert_eq!((copy.content.bytes, copy.stored.bytes), (1_200_000, fs::metadata(&path).unwrap().len()));
        assert_eq!(repository.copies(&of()).unwrap().copies.first(), Some(&copy));
        assert_eq!(copy.verified.as_ref().unwrap().level, Level::Content);
    }
    // All three are of one second, and each has a name of its own.
    assert_eq!(repository(folder.path()).copies(&of()).unwrap().copies.len(), 3);
    assert_eq!(repository(folder.path()).items().unwrap(), [of()]);
}

#[test]
fn whatever_the_umask_copies_are_closed_to_others() {
    let folder = tempfile::tempdir().unwrap();
    for mask in [0o000, 0o077, 0o027] {
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask));
        let repository = Local { root: folder.path().join(format!("{mask:o}")), ..repository(folder.path()) };
        let copy = store(&repository, &making(Compression::Zstd), whole(b"data"), anything(), None).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
        let file = repository.path(&copy);
        assert_eq!((mode(&file), mode(&file.with_file_name(format!("{}.json", copy.id)))), (0o600, 0o600));
        let folders = file.ancestors().skip(1).take(4);
        assert_eq!(folders.map(mode).collect::<Vec<_>>(), [0o700; 4]);
    }
}

#[test]
fn a_source_that_is_not_whole_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let some = || Piece::Bytes(vec![7; 100_000]);
    let table: [(Vec<Piece>, &str); 5] = [
        (vec![some()], "the source failed: it broke off"),
        (vec![], "the source failed: it broke off"),
        (
            vec![some(), Piece::Failed("`pg_dump` exited with 1".to_owned())],
            "the source failed: `pg_dump` exited with 1",
        ),
        (vec![Piece::Whole], "the source is empty"),
        (vec![Piece::Bytes(Vec::new()), Piece::Whole], "the source is empty"),
    ];
    for (pieces, expected) in table {
        let stored = store(&repository(folder.path()), &making(Compression::Zstd), flow(pieces), anything(), None);
        assert_eq!(stored.unwrap_err().to_string(), expected);
        assert_eq!(files(folder.path()), Vec::<String>::new(), "{expected}");
    }
}

#[test]
fn what_is_damaged_where_it_comes_from_is_no_copy() {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["sqlite", "volume", "redis", "mysql", "postgres"] {
        let making = Making { kind: kind.to_owned(), ..making(Compression::Zstd) };
        let stored =
            store(&repository(folder.path()), &making, whole(b"ok but not what it should be"), judge(kind), None);
        assert!(matches!(stored, Err(BackupError::Content { .. })), "{kind}: {stored:?}");
        assert_eq!(files(folder.path()), Vec::<String>::new());
        // Who asks for no more than a checksum gets no more.
        let making = Making { judges_content: false, ..making };
        let copy = store(&repository(folder.path()), &making, whole(b"anything"), judge(kind), None).unwrap();
        assert_eq!(copy.verified.as_ref().unwrap().level, Level::Checksum);
        repository(folder.path()).remove(&copy).unwrap();
        assert_eq!(files(folder.path()), Vec::<String>::new());
    }
}

#[test]
fn a_copy_half_as_large_as_the_one_before_is_suspect() {
    let folder = tempfile::tempdir().unwrap();
    let taken = |before| {
        let making = Making { before: Some(before), ..making(Compression::None) };
        store(&repository(folder.path()), &making, whole(&[1; 1000]), anything(), None).unwrap()
    };
    assert_eq!((taken(2000).suspect, taken(2000).verified.is_some()), (None, true));
    let suspect = taken(2002);
    assert_eq!(suspect.suspect.as_deref(), Some("1000 bytes, and the one before had 2002"));
    assert!(!suspect.is_good());
}

#[test]
fn a_flipped_bit_is_noticed_and_counts_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(folder.path());
    for compression in [Compression::Zstd, Compression::Gzip, Compression::None] {
        let content: Vec<u8> = (0..5000_u32).flat_map(|number| (number * number).to_le_bytes()).collect();
        let copy = store(&repository, &making(compression), whole(&content), anything(), None).unwrap();
        let path = repository.path(&copy);
        assert_eq!(verify(&repository, &copy, None, anything()).unwrap().content, copy.content);
        let right = fs::read(&path).unwrap();
        let positions = [0, right.len() / 3, right.len() / 2, right.len() - 1];
        let mut damages: Vec<Vec<u8>> = positions
            .map(|at| {
                let mut wrong = right.clone();
                wrong[at] ^= 4;
                wrong
            })
            .into();
        damages.push(right[..right.len() / 2].to_vec());
        damages.push([right.as_slice(), b"x"].concat());
        for wrong in damages {
            fs::write(&path, &wrong).unwrap();
            let told = verify(&repository, &copy, None, anything()).unwrap_err();
            assert!(matches!(told, BackupError::Altered { .. }), "{told:?}");
            assert_eq!(repository.copies(&of()).unwrap().copies[0].verified, None);
        }
        fs::write(&path, &right).unwrap();
        assert!(verify(&repository, &copy, None, anything()).unwrap().verified.is_some());
        fs::remove_file(&path).unwrap();
        assert!(matches!(verify(&repository, &copy, None, anything()), Err(BackupError::File { .. })));
        repository.remove(&copy).unwrap();
    }
}

#[test]
fn what_is_noted_about_a_copy_that_is_removed_meanwhile_brings_nothing_of_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(folder.path());
    let make = || store(&repository, &making(Compression::Zstd), whole(b"data"), anything(), None).unwrap();
    let drilled = |copy: &mut Copy| copy.drilled = Some(Drilled { at: Timestamp::now(), seconds: 9, trouble: None });
    let is_removed = |told: Result<Copy, BackupError>| matches!(told, Err(BackupError::Removed { .. }));
    // Before its record is read again, and after.
    let copy = make();
    repository.remove(&copy).unwrap();
    assert!(is_removed(repository.note(&copy, &drilled)));
    assert!(is_removed(verify(&repository, &copy, None, anything())));
    assert_eq!(files(folder.path()), Vec::<String>::new());
    let copy = make();
    assert!(is_removed(repository.note(&copy, &|_| repository.remove(&copy).unwrap())));
    assert_eq!(files(folder.path()), Vec::<String>::new());
    // In the middle of its removal: by the note, or by the next sweep.
    for sweeps in [false, true] {
        let copy = make();
        let record = repository.path(&copy).with_file_name(format!("{}.json", copy.id));
        let mark = format!("{}.removed", record.display());
        if sweeps {
            fs::copy(&record, mark).unwrap();
            repository.sweep(&of()).unwrap();
        } else {
            assert!(is_removed(repository.note(&copy, &|_| fs::rename(&record, &mark).unwrap())));
        }
        assert_eq!(files(folder.path()), Vec::<String>::new());
    }
    // Whoever notes one thing leaves the others as they are by now.
    let copy = make();
    repository.note(&copy, &drilled).unwrap();
    let verified = verify(&repository, &copy, None, anything()).unwrap();
    assert!(verified.is_good() && verified.drilled.is_some());
    assert_eq!(repository.copies(&of()).unwrap().copies, [verified]);
}

#[test]
fn a_full_disk_leaves_what_was_there_before() {
    let disk = SmallDisk::new();
    let repository = repository(disk.path());
    let before = store(&repository, &making(Compression::None), whole(&[1; 300_000]), anything(), None).unwrap();
    let there = files(disk.path());
    // Full in the middle, and from the first byte on.
    for filled in [0, 2_000_000] {
        let filler = disk.path().join("filler");
        fs::write(&filler, vec![0; filled]).ok();
        let stored =
            store(&repository, &making(Compression::None), whole(&[2; 2_000_000]), anything(), None).unwrap_err();
        let noted = (filled > 0).then(|| verify(&repository, &before, None, anything()).unwrap_err());
        for told in [Some(stored), noted].into_iter().flatten() {
            assert!(told.hint().is_some_and(|hint| hint.starts_with("make room")), "{told:?}");
        }
        fs::remove_file(&filler).unwrap();
        assert_eq!(files(disk.path()), there);
    }
    assert!(verify(&repository, &before, None, anything()).is_ok());
}

#[test]
fn a_sealed_copy_is_verified_by_its_checksum_and_opened_by_the_identity_alone() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    let made = Command::new("age-keygen").arg("-o").arg(&key).output().unwrap();
    assert!(made.status.success());
    let public = Command::new("age-keygen").arg("-y").arg(&key).output().unwrap().stdout;
    let public = String::from_utf8(public).unwrap().trim().parse().unwrap();
    let making = Making { sealed_for: vec![public], ..making(Compression::Zstd) };
    let repository = repository(folder.path());
    let copy = store(&repository, &making, whole(b"a secret of the app"), anything(), None).unwrap();
    let path = repository.path(&copy);
    assert!(copy.file.ends_with(".out.zst.age"), "{}", copy.file);
    // It was judged before it was sealed, and is what it was; alone, a closed file says no more than its checksum.
    assert_eq!(verify(&repository, &copy, None, anything()).unwrap().verified.unwrap().level, Level::Content);
    let unknown = Copy { verified: None, ..copy.clone() };
    assert_eq!(verify(&repository, &unknown, None, anything()).unwrap().verified.unwrap().level, Level::Checksum);
    let identities = Identities::read(&key).unwrap();
    let opened = verify(&repository, &copy, Some(&identities), anything()).unwrap();
    assert_eq!(opened.verified.unwrap().level, Level::Content);
    let line = format!("age -d -i {} \"$1\" | zstd -dc", key.display());
    assert_eq!(output(&line, &path), b"a secret of the app");
    let mut wrong = fs::read(&path).unwrap();
    *wrong.last_mut().unwrap() ^= 1;
    fs::write(&path, wrong).unwrap();
    for identities in [None, Some(&identities)] {
        verify(&repository, &copy, identities, anything()).unwrap_err();
    }
}

#[test]
fn what_a_killed_run_left_is_finished_or_put_away() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(folder.path());
    let copy = store(&repository, &making(Compression::Zstd), whole(b"data"), anything(), None).unwrap();
    let file = repository.path(&copy);
    let record = file.with_file_name(format!("{}.json", copy.id));
    let with = |path: &Path, ending: &str| PathBuf::from(format!("{}.{ending}", path.display()));
    let there = files(folder.path());

    // Between the two names: the copy is whole, and gets its record.
    fs::rename(&record, with(&record, "partial")).unwrap();
    repository.sweep(&of()).unwrap();
    assert_eq!((files(folder.path()), repository.copies(&of()).unwrap().copies), (there.clone(), vec![copy.clone()]));

    // Before the first name, and in the middle of a record.
    fs::write(with(&file.with_file_name("20261130T023000Z.out.zst"), "partial"), "da").unwrap();
    fs::write(with(&file.with_file_name("20261130T023000Z.json"), "partial"), "{\"form").unwrap();
    repository.sweep(&of()).unwrap();
    assert_eq!(files(folder.path()), there);

    // In the middle of a removal.
    fs::rename(&record, with(&record, "removed")).unwrap();
    assert_eq!(repository.copies(&of()).unwrap().copies, []);
    repository.sweep(&of()).unwrap();
    assert_eq!(files(folder.path()), Vec::<String>::new());

    // What is somebody else's stays.
    fs::write(file.with_file_name("notes.txt"), "mine").unwrap();
    repository.sweep(&of()).unwrap();
    assert_eq!(files(folder.path()).len(), 1);
}

/// Writes without an end where the test below asks for it.
#[test]
fn a_run_that_is_killed_leaves_only_what_is_partial() {
    const NAME: &str = "backup::tests::storing::a_run_that_is_killed_leaves_only_what_is_partial";
    if let Some(folder) = std::env::var_os("RECONCILE_TEST_STORE_INTO") {
        let (sender, flow) = mpsc::channel(IN_HAND);
        thread::spawn(move || while sender.blocking_send(Piece::Bytes(fastrand_bytes())).is_ok() {});
        let _ = store(&repository(Path::new(&folder)), &making(Compression::Zstd), flow, anything(), None);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env("RECONCILE_TEST_STORE_INTO", folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let partial = repository(folder.path()).folder(&of()).join("20261129T023000Z.out.zst.partial");
    while fs::metadata(&partial).map_or(0, |file| file.len()) < 100_000 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let left = files(folder.path());
    assert_eq!(left, ["backups/production/web/db/20261129T023000Z.out.zst.partial"]);
    assert_eq!(fs::metadata(&partial).unwrap().permissions().mode() & 0o777, 0o600);
    repository(folder.path()).sweep(&of()).unwrap();
    assert_eq!(files(folder.path()), Vec::<String>::new());
}

/// What does not become smaller.
fn fastrand_bytes() -> Vec<u8> {
    std::iter::repeat_with(|| fastrand::u8(..)).take(10_000).collect()
}

#[test]
fn a_record_of_a_newer_release_is_told_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(folder.path());
    let copy = store(&repository, &making(Compression::Zstd), whole(b"data"), anything(), None).unwrap();
    let record = repository.path(&copy).with_file_name(format!("{}.json", copy.id));
    let text = fs::read_to_string(&record).unwrap();
    for (from, to, expected) in [
        ("\"format\": 1", "\"format\": 2", "it is of form 2, and this release reads 1"),
        ("\"file\": \"", "\"file\": \"../../", "is no file of it"),
        ("\"app\": \"web\"", "\"app\": \"shop\"", "it is of another item"),
        ("{", "", "expected"),
    ] {
        let changed = text.replacen(from, to, 1);
        fs::write(&record, &changed).unwrap();
        let found = repository.copies(&of()).unwrap();
        assert_eq!(found.copies, [], "{to}");
        let told = found.faults[0].to_string();
        assert!(told.contains(expected) || expected == "expected", "{told}");
        repository.sweep(&of()).unwrap();
        assert_eq!(fs::read_to_string(&record).unwrap(), changed);
    }
}

#[test]
fn a_folder_that_is_not_ours_alone_takes_no_copy() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(folder.path());
    let stored = || store(&repository, &making(Compression::Zstd), whole(b"data"), anything(), None);
    fs::create_dir(&repository.root).unwrap();
    fs::set_permissions(&repository.root, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(stored(), Err(BackupError::NotOurs { .. })));
    fs::remove_dir(&repository.root).unwrap();
    std::os::unix::fs::symlink("/tmp", &repository.root).unwrap();
    assert!(matches!(stored(), Err(BackupError::NotOurs { .. })));
}

/// The most memory that this process ever had, in KiB.
fn most_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn memory_does_not_grow_with_what_is_copied() {
    let folder = tempfile::tempdir().unwrap();
    let block: Vec<u8> = std::iter::repeat_with(fastrand_bytes).take(7).flatten().collect();
    let copied = |blocks: usize| {
        let (sender, flow) = mpsc::channel(IN_HAND);
        let block = block.clone();
        thread::spawn(move || {
            for _ in 0..blocks {
                sender.blocking_send(Piece::Bytes(block.clone())).unwrap();
            }
            sender.blocking_send(Piece::Whole).unwrap();
        });
        store(&repository(folder.path()), &making(Compression::Zstd), flow, anything(), None).unwrap()
    };
    copied(200);
    let before = most_memory();
    assert_eq!(copied(2000).content.bytes, 140_000_000);
    let grown = most_memory() - before;
    assert!(grown < 8 * 1024, "{grown} KiB more for ten times as much");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_goes_in_comes_out(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4000), 1..12), how in 0usize..3,
    ) {
        let content = chunks.concat();
        prop_assume!(!content.is_empty());
        let folder = tempfile::tempdir().unwrap();
        let compression = [Compression::Zstd, Compression::Gzip, Compression::None][how];
        let pieces = chunks.into_iter().map(Piece::Bytes).chain([Piece::Whole]).collect();
        let repository = repository(folder.path());
        let copy: Copy = store(&repository, &making(compression), flow(pieces), anything(), None).unwrap();
        let mut read = Vec::new();
        crate::backup::verifying::read_back(&repository, &copy, None, &mut read).unwrap();
        prop_assert_eq!(read, content);
        prop_assert!(copy.taken_at <= Timestamp::now());
    }
}
