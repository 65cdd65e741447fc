//! A snapshot of a SQLite database that others write to: one transaction for them, one moment for us.
//!
//! `VACUUM INTO` and not the backup interface in steps, which begins anew at each write of another process and so never ends
//! (research, backup §3).

use super::{PorterError, file};
use rusqlite::{Connection, OpenFlags};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    time::Duration,
};

/// How long a writer may keep us waiting.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many findings of a check are told.
const FINDINGS: usize = 3;

/// Writes a snapshot of the database that was judged to be whole. Where there is none, none is made.
pub(super) fn write(database: &Path, scratch: &Path, to: &mut dyn Write) -> Result<(), PorterError> {
    let snapshot = scratch.join("snapshot.db");
    let taken = take(database, &snapshot).and_then(|()| {
        let mut file = File::open(&snapshot).map_err(file("open", &snapshot))?;
        io::copy(&mut file, to).map_err(PorterError::Output)?;
        to.flush().map_err(PorterError::Output)
    });
    // They go with their container in any case; the journal is there where the snapshot had no room.
    for left in [&snapshot, &scratch.join("snapshot.db-journal")] {
        let _ = fs::remove_file(left);
    }
    taken
}

fn take(database: &Path, snapshot: &Path) -> Result<(), PorterError> {
    let failed = |doing| move |source| PorterError::Database { doing, path: database.to_owned(), source };
    // Writable although nothing is written: the log of a database that was not closed has to be indexed again.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let live = Connection::open_with_flags(database, flags).map_err(failed("open"))?;
    live.busy_timeout(PATIENCE).map_err(failed("open"))?;
    let into = snapshot.to_string_lossy();
    live.execute("VACUUM INTO ?1", [into.as_ref()]).map_err(failed("copy"))?;
    // A snapshot's indexes are made anew, so it is right where the database is not. Readers of a database without a log for
    // writers would keep those out once more, and for as long.
    let mode: String = live.query_row("PRAGMA journal_mode", [], |row| row.get(0)).map_err(failed("check"))?;
    if mode == "wal" {
        whole(&live, database)?;
    }
    drop(live);
    judge(database, snapshot)
}

/// Not `quick_check`: it passes over an index without its entries.
pub(super) fn whole(connection: &Connection, database: &Path) -> Result<(), PorterError> {
    let findings = rows(connection, "PRAGMA integrity_check", |row| row.get(0))
        .map_err(|source| PorterError::Database { doing: "check", path: database.to_owned(), source })?;
    if findings == ["ok"] { Ok(()) } else { damaged(database, &findings) }
}

fn damaged(database: &Path, findings: &[String]) -> Result<(), PorterError> {
    let why = findings.iter().take(FINDINGS).cloned().collect::<Vec<_>>().join("; ");
    Err(PorterError::Damaged { path: database.to_owned(), why })
}

/// Judges the snapshot, and names the database that it is of.
fn judge(database: &Path, snapshot: &Path) -> Result<(), PorterError> {
    let failed = |doing| move |source| PorterError::Database { doing, path: database.to_owned(), source };
    let copy = Connection::open_with_flags(snapshot, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed("check"))?;
    let tables: i64 =
        copy.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).map_err(failed("check"))?;
    if tables == 0 {
        return Err(PorterError::NoTables { path: database.to_owned() });
    }
    whole(&copy, database)?;
    let dangling = rows(&copy, "PRAGMA foreign_key_check", |row| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!("a row of `{table}` names none of `{parent}`"))
    })
    .map_err(failed("check"))?;
    if dangling.is_empty() { Ok(()) } else { damaged(database, &dangling) }
}

fn rows(
    connection: &Connection,
    query: &str,
    text: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<String>,
) -> rusqlite::Result<Vec<String>> {
    connection.prepare(query)?.query_map([], text)?.take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::tests::small_disk::SmallDisk;

    /// A database, made by these words.
    fn database(folder: &Path, words: &str) -> std::path::PathBuf {
        let path = folder.join("app.db");
        Connection::open(&path).unwrap().execute_batch(words).unwrap();
        path
    }

    fn names(folder: &Path) -> Vec<std::ffi::OsString> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_row_that_names_none_of_another_table_makes_no_copy() {
        let folder = tempfile::tempdir().unwrap();
        let path = database(
            folder.path(),
            "PRAGMA foreign_keys = OFF; CREATE TABLE orders (id INTEGER PRIMARY KEY); \
             CREATE TABLE lines (of INTEGER REFERENCES orders (id)); \
             INSERT INTO orders VALUES (1); INSERT INTO lines VALUES (1)",
        );
        let scratch = tempfile::tempdir().unwrap();
        let mut written = Vec::new();
        write(&path, scratch.path(), &mut written).unwrap();
        assert!(written.starts_with(b"SQLite format 3\0"));
        Connection::open(&path)
            .unwrap()
            .execute_batch("PRAGMA foreign_keys = OFF; INSERT INTO lines VALUES (2)")
            .unwrap();
        written.clear();
        let told = write(&path, scratch.path(), &mut written).unwrap_err();
        assert!(matches!(told, PorterError::Damaged { .. }), "{told:?}");
        assert!(told.to_string().contains("a row of `lines` names none of `orders`"), "{told}");
        assert_eq!((written, names(scratch.path())), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_snapshot_that_has_no_room_leaves_nothing_and_says_nothing() {
        let (folder, scratch) = (tempfile::tempdir().unwrap(), SmallDisk::new());
        let path = database(
            folder.path(),
            "CREATE TABLE t (a); \
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
             INSERT INTO t SELECT hex(randomblob(500)) FROM n",
        );
        let mut written = Vec::new();
        let told = write(&path, scratch.path(), &mut written).unwrap_err();
        assert!(told.to_string().contains("disk is full"), "{told}");
        assert_eq!((written, names(scratch.path())), (Vec::new(), Vec::new()));
        assert_eq!(names(folder.path()), ["app.db"]);
    }
}
