//! SQLite on a thread of its own: calls go in through a channel, answers come back as futures.

use super::{RecordError, schema};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::sync::oneshot;

/// How long a write waits for another process's transaction. Those hold the database for a few fsyncs.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What may be done with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Write,
    /// Nothing is made and nothing is changed.
    Look,
    /// The file is not even read: an empty one stands in for it.
    Lost,
}

/// Why writes are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Look,
    Newer(u32),
}

/// What a call on the thread can come back with, before the call's name and the path are added.
#[derive(Debug)]
pub(super) enum Failure {
    Sql(rusqlite::Error),
    Record(RecordError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

type Call = Box<dyn FnOnce(&mut Connection) + Send>;

/// The database of a state directory; cheap to clone, closed when the last clone is dropped.
#[derive(Clone)]
pub(super) struct Database {
    thread: Arc<Thread>,
    refusal: Option<Refusal>,
}

struct Thread {
    path: PathBuf,
    calls: Option<mpsc::Sender<Call>>,
    handle: Option<JoinHandle<()>>,
}

impl Drop for Thread {
    // The file is at rest once the last handle is gone: a process that looks at it next finds no half-closed log.
    fn drop(&mut self) {
        drop(self.calls.take());
        if let Some(handle) = self.handle.take() {
            let _ = handle.join();
        }
    }
}

impl Database {
    /// Opens `path`, which must be there for `Write`; for `Look` a missing one is an empty one.
    pub(super) async fn open(path: PathBuf, access: Access) -> Result<Self, RecordError> {
        let (calls, inbox) = mpsc::channel::<Call>();
        let (opened, opening) = oneshot::channel();
        let place = path.clone();
        let handle = thread::Builder::new()
            .name("record".to_owned())
            .spawn(move || match connect(&place, access) {
                Ok((mut connection, refusal)) => {
                    let _ = opened.send(Ok(refusal));
                    for call in inbox {
                        call(&mut connection);
                    }
                }
                Err(error) => {
                    let _ = opened.send(Err(error));
                }
            })
            .map_err(|source| RecordError::File { doing: "start the thread for", path: path.clone(), source })?;
        let refusal = opening.await.map_err(|_| RecordError::Closed { path: path.clone() })??;
        let thread = Thread { path, calls: Some(calls), handle: Some(handle) };
        Ok(Self { thread: Arc::new(thread), refusal })
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.thread.path
    }

    /// Reads in one transaction, so that what is read fits together.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        read: impl FnOnce(&Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, RecordError> {
        self.call(doing, move |connection| read(&connection.transaction()?)).await
    }

    /// Writes in one transaction, which is on the disk when this resolves, or leaves no trace. It is carried out even
    /// when the future is dropped meanwhile.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, RecordError> {
        let path = self.path().to_owned();
        match self.refusal {
            Some(Refusal::Look) => return Err(RecordError::ReadOnly { path }),
            Some(Refusal::Newer(found)) => {
                return Err(RecordError::Newer { path, found, known: schema::version() });
            }
            None => {}
        }
        self.call(doing, move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = write(&transaction)?;
            transaction.commit()?;
            nudge(&path);
            Ok(value)
        })
        .await
    }

    /// A number that changes when anybody but this connection wrote.
    pub(super) async fn version(&self) -> Result<i64, RecordError> {
        self.call("look for changes", |connection| {
            Ok(connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
        })
        .await
    }

    async fn call<T: Send + 'static>(
        &self,
        doing: &'static str,
        call: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, RecordError> {
        let closed = || RecordError::Closed { path: self.path().to_owned() };
        let (answer, answered) = oneshot::channel();
        let call: Call = Box::new(move |connection| {
            let _ = answer.send(call(connection));
        });
        self.thread.calls.as_ref().ok_or_else(closed)?.send(call).map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?.map_err(|failure| match failure {
            Failure::Sql(source) => RecordError::of_sql(doing, self.path(), source),
            Failure::Record(error) => error,
        })
    }
}

/// Wakes those who watch the directory. The commit itself would not: its last write goes through shared memory, which
/// raises no event, so whoever woke by the log's growth may have looked too early.
fn nudge(path: &Path) {
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
    // By path, never by opening the file: closing it would drop SQLite's own locks on it.
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    if let Err(error) = utimensat(CWD, path, &times, AtFlags::empty()) {
        tracing::debug!(path = %path.display(), %error, "cannot touch the database; watchers see the change a little later");
    }
}

fn connect(path: &Path, access: Access) -> Result<(Connection, Option<Refusal>), RecordError> {
    let sql = |source| RecordError::of_sql("open the ledger", path, source);
    match access {
        Access::Write => {
            let mut connection =
                Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
                    .map_err(sql)?;
            let refusal = prepare(&mut connection).map_err(sql)?;
            Ok((connection, refusal))
        }
        Access::Look => {
            let connection = look(path).map_err(sql)?;
            Ok((connection, Some(Refusal::Look)))
        }
        Access::Lost => Ok((empty().map_err(sql)?, Some(Refusal::Look))),
    }
}

fn prepare(connection: &mut Connection) -> rusqlite::Result<Option<Refusal>> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let found = schema::version_of(connection)?;
    if found > schema::version() {
        connection.pragma_update(None, "query_only", true)?;
        return Ok(Some(Refusal::Newer(found)));
    }
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    schema::migrate(connection)?;
    Ok(None)
}

fn look(path: &Path) -> rusqlite::Result<Connection> {
    if path.exists() {
        // Able to write, as even reading a log needs its index beside it, but told not to.
        let connection =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "query_only", true)?;
        if schema::version_of(&connection)? > 0 {
            return Ok(connection);
        }
    }
    empty()
}

fn empty() -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}
