//! Another database in the place of the one that is there, which stays beside it until the app is well with the new one.
//!
//! What is written has its name at once or not at all. Where two names have to change, the old file under its other name is
//! the note of what was begun: [`back`] makes of every state in between what was there before.

use super::{PorterError, file, incoming::Incoming};
use rusqlite::{Connection, OpenFlags};
use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

/// What SQLite keeps beside a database, and belongs to it.
const BESIDE: [&str; 3] = ["-wal", "-journal", "-shm"];

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn new(path: &Path) -> PathBuf {
    beside(path, ".reconcile-new")
}

fn old(path: &Path) -> PathBuf {
    beside(path, ".reconcile-old")
}

/// Writes the database that comes beside the one that is there, for the same user, and judges it.
pub(super) fn put(path: &Path, bytes: u64, sha256: &str, from: &mut dyn Read) -> Result<(), PorterError> {
    let new = new(path);
    if let Some(folder) = path.parent() {
        super::make_folders(folder)?;
    }
    remove(&new)?;
    let (owner, mode) = owner(path)?;
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).map_err(file("make", &new))?;
    let mut incoming = Incoming::new(from, bytes);
    io::copy(&mut incoming, &mut to).map_err(file("write", &new))?;
    incoming.end(sha256, &new)?;
    to.sync_all().map_err(file("write", &new))?;
    drop(to);
    whole(&new)?;
    chown(&new, Some(owner.0), Some(owner.1)).map_err(file("give away", &new))?;
    fs::set_permissions(&new, Permissions::from_mode(mode)).map_err(file("give away", &new))
}

/// Whose the database is; where there is none, whose the folder is.
fn owner(path: &Path) -> Result<((u32, u32), u32), PorterError> {
    match fs::metadata(path) {
        Ok(there) => Ok(((there.uid(), there.gid()), there.mode() & 0o7777)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(Path::new("/"));
            let there = fs::metadata(folder).map_err(file("read", folder))?;
            Ok(((there.uid(), there.gid()), 0o600))
        }
        Err(error) => Err(file("read", path)(error)),
    }
}

fn whole(path: &Path) -> Result<(), PorterError> {
    let failed = |source| PorterError::Database { doing: "check", path: path.to_owned(), source };
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
    super::sqlite::whole(&database, path)
}

/// Gives the new database the name of the old one, which is kept with all that belongs to it.
pub(super) fn swap(path: &Path) -> Result<(), PorterError> {
    let old = old(path);
    fs::metadata(new(path)).map_err(file("find", &new(path)))?;
    fold(path);
    if BESIDE.iter().all(|ending| fs::symlink_metadata(beside(path, ending)).is_err()) {
        // Nothing else belongs to it: the name is never without a database.
        match fs::hard_link(path, &old) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            linked => linked.map_err(file("name", &old))?,
        }
    } else {
        // The database first: without it, what belongs to it says nothing.
        rename(path, &old)?;
        for ending in BESIDE {
            rename(&beside(path, ending), &beside(&old, ending))?;
        }
    }
    fs::rename(new(path), path).map_err(file("name", path))?;
    flush(path)
}

/// Has what the app wrote last be in the database itself, so that one file is all of it. One that is damaged stays as it is.
fn fold(path: &Path) {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if let Ok(database) = Connection::open_with_flags(path, flags) {
        // Whether it was done is seen by what lies there afterwards.
        let _ = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
}

/// Puts back what was there before, from any state that a swap, or this, can be killed in; where none was begun, nothing.
pub(super) fn back(path: &Path) -> Result<(), PorterError> {
    let (new, old) = (new(path), old(path));
    if fs::symlink_metadata(&old).is_ok() {
        // While there is a new one without the name, what lies beside the name is the old one's.
        if fs::symlink_metadata(&new).is_err() {
            for ending in BESIDE {
                remove(&beside(path, ending))?;
            }
            match fs::rename(path, &new) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    drop(File::create(&new).map_err(file("make", &new))?)
                }
                renamed => renamed.map_err(file("name", &new))?,
            }
            flush(path)?;
        }
        for ending in BESIDE {
            rename(&beside(&old, ending), &beside(path, ending))?;
        }
        fs::rename(&old, path).map_err(file("name", path))?;
        // Two names of one file are both left by that.
        remove(&old)?;
    }
    remove(&new)?;
    flush(path)
}

/// Clears up what a restore that was killed left. A database that had lost its name gets it back; one that the app has had
/// since, and may have written, stays: what was there before that is in the safety copy of then.
pub(super) fn settle(path: &Path) -> Result<(), PorterError> {
    if fs::symlink_metadata(path).is_ok() {
        forget(path)?;
        remove(&new(path))
    } else {
        back(path)
    }
}

/// Lets go of the old database: first of itself, without which what belongs to it says nothing.
pub(super) fn forget(path: &Path) -> Result<(), PorterError> {
    let old = old(path);
    remove(&old)?;
    for ending in BESIDE {
        remove(&beside(&old, ending))?;
    }
    flush(path)
}

/// One that is not there is fine.
fn rename(from: &Path, to: &Path) -> Result<(), PorterError> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        renamed => renamed.map_err(file("name", to)),
    }
}

fn remove(path: &Path) -> Result<(), PorterError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(file("remove", path)),
    }
}

fn flush(path: &Path) -> Result<(), PorterError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let flushed: io::Result<()> = File::open(folder).and_then(|folder| folder.sync_all());
    flushed.map_err(file("write", folder))
}

#[cfg(test)]
mod tests {
    use super::{back, forget, put, settle, swap};
    use rusqlite::Connection;
    use sha2::{Digest, Sha256};
    use std::{
        collections::BTreeMap,
        fs,
        os::unix::fs::{MetadataExt, PermissionsExt, chown},
        path::Path,
    };

    fn digest(bytes: &[u8]) -> String {
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn there(folder: &Path) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
    }

    /// A database with a row, and a log beside it that was not written back.
    fn database(folder: &Path, row: &str) -> std::path::PathBuf {
        let path = folder.join("app.db");
        let live = Connection::open(&path).unwrap();
        live.execute_batch("PRAGMA journal_mode=WAL; CREATE TABLE t (a)").unwrap();
        live.execute("INSERT INTO t VALUES (?1)", [row]).unwrap();
        let log = fs::read(path.with_file_name("app.db-wal")).unwrap();
        drop(live);
        fs::write(path.with_file_name("app.db-wal"), log).unwrap();
        path
    }

    fn another() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES ('new')").unwrap();
        fs::read(path).unwrap()
    }

    #[test]
    fn the_new_database_has_the_place_and_the_owner_of_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = database(folder.path(), "old");
        chown(&path, Some(1000), Some(1001)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let new = another();
        put(&path, new.len() as u64, &digest(&new), &mut new.as_slice()).unwrap();
        swap(&path).unwrap();
        forget(&path).unwrap();
        let found = there(folder.path());
        assert_eq!((found.len(), &found["app.db"]), (1, &new));
        let file = fs::metadata(&path).unwrap();
        assert_eq!((file.uid(), file.gid(), file.mode() & 0o7777), (1000, 1001, 0o640));
    }

    #[test]
    fn what_is_cut_off_or_changed_on_the_way_never_gets_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = database(folder.path(), "old");
        let before = there(folder.path());
        let new = another();
        let (size, sum) = (new.len() as u64, digest(&new));
        put(&path, size, &sum, &mut &new[..100]).unwrap_err();
        put(&path, size, &digest(b"other"), &mut new.as_slice()).unwrap_err();
        let noise = vec![7; 8192];
        put(&path, 8192, &digest(&noise), &mut noise.as_slice()).unwrap_err();
        back(&path).unwrap();
        assert_eq!(there(folder.path()), before);
        swap(&path).unwrap_err();
        assert_eq!(there(folder.path()), before);
    }

    #[test]
    fn from_every_state_between_two_names_the_old_bytes_come_back() {
        let swap = [
            ("app.db", "app.db.reconcile-old"),
            ("app.db-wal", "app.db.reconcile-old-wal"),
            ("app.db.reconcile-new", "app.db"),
        ];
        let back_again = [
            ("app.db-wal", ""),
            ("app.db", "app.db.reconcile-new"),
            ("app.db.reconcile-old-wal", "app.db-wal"),
            ("app.db.reconcile-old", "app.db"),
        ];
        let moves: Vec<_> = swap.into_iter().chain(back_again).collect();
        for killed_after in 0..=moves.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = database(folder.path(), "old");
            let before = there(folder.path());
            let new = another();
            put(&path, new.len() as u64, &digest(&new), &mut new.as_slice()).unwrap();
            for (step, (from, to)) in moves.iter().take(killed_after).enumerate() {
                // The app writes for a while with the new one.
                if step == swap.len() {
                    fs::write(path.with_file_name("app.db-wal"), "of the new one").unwrap();
                }
                let from = folder.path().join(from);
                if to.is_empty() {
                    fs::remove_file(from).unwrap()
                } else {
                    fs::rename(from, folder.path().join(to)).unwrap()
                }
            }
            back(&path).unwrap();
            assert!(
                there(folder.path()) == before,
                "killed after {killed_after} steps: {:?}",
                there(folder.path()).keys()
            );
            back(&path).unwrap();
            assert!(there(folder.path()) == before);
        }
    }

    #[test]
    fn what_was_swapped_comes_back_with_what_its_log_held() {
        for damaged in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let path = database(folder.path(), "old");
            if damaged {
                fs::remove_file(path.with_file_name("app.db-wal")).unwrap();
                fs::write(&path, vec![7; 20_000]).unwrap();
            }
            let before = there(folder.path());
            let new = another();
            put(&path, new.len() as u64, &digest(&new), &mut new.as_slice()).unwrap();
            swap(&path).unwrap();
            assert_eq!(there(folder.path())["app.db"], new);
            assert!(path.with_file_name("app.db.reconcile-old").exists());
            back(&path).unwrap();
            if damaged {
                assert!(there(folder.path()) == before);
            } else {
                let row: String =
                    Connection::open(&path).unwrap().query_row("SELECT a FROM t", [], |row| row.get(0)).unwrap();
                assert_eq!((row.as_str(), there(folder.path()).len()), ("old", 1));
            }
        }
    }

    #[test]
    fn what_the_app_wrote_since_is_not_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = database(folder.path(), "old");
        let before = there(folder.path());
        let new = another();
        put(&path, new.len() as u64, &digest(&new), &mut new.as_slice()).unwrap();
        fs::rename(&path, path.with_file_name("app.db.reconcile-old")).unwrap();
        settle(&path).unwrap();
        assert!(there(folder.path()) == before);
        put(&path, new.len() as u64, &digest(&new), &mut new.as_slice()).unwrap();
        swap(&path).unwrap();
        settle(&path).unwrap();
        assert_eq!(there(folder.path()), BTreeMap::from([("app.db".to_owned(), new)]));
    }

    #[test]
    fn what_was_let_go_does_not_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = database(folder.path(), "old");
        let new = another();
        put(&path, new.len() as u64, &digest(&new), &mut new.as_slice()).unwrap();
        swap(&path).unwrap();
        // Killed in the middle of it.
        fs::remove_file(path.with_file_name("app.db.reconcile-old")).unwrap();
        back(&path).unwrap();
        assert_eq!(there(folder.path())["app.db"], new);
        forget(&path).unwrap();
        assert_eq!(there(folder.path()).len(), 1);
    }
}
