//! One pass at a time for each engine, environment and app; and nobody else at what is delivered for the app meanwhile.

use super::{RecordError, private};
use crate::value::{AppName, EnvironmentName};
use sha2::{Digest, Sha256};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    thread,
};
use tokio::sync::oneshot;

/// Held for one app's pass; released when dropped, and by the kernel when the process dies.
///
/// The file stays: removing it would let two processes hold locks on two files of one name.
#[derive(Debug)]
pub struct AppLock {
    _file: File,
}

/// What came of asking for a lock.
#[derive(Debug)]
pub enum Attempt {
    Acquired(AppLock),
    /// Another pass holds it.
    Busy(Waiting),
}

/// A place in the queue for a lock.
#[derive(Debug)]
pub struct Waiting {
    file: File,
    path: PathBuf,
    holder: Option<u32>,
}

impl AppLock {
    /// Takes the lock if it is free. `of` tells locks of one app apart: the address of its engine, or the name of the
    /// folders that are delivered into.
    ///
    /// # Errors
    /// The directory or the lock file cannot be made.
    pub fn attempt(
        directory: &Path,
        of: &str,
        environment: &EnvironmentName,
        app: &AppName,
    ) -> Result<Attempt, RecordError> {
        let name = file_name(of, environment, app);
        let path = directory.join(&name);
        private::own_directory(directory, private::WRITABLE, &name)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(RecordError::file("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Attempt::Acquired(Self::signed(file, &path)?)),
            Err(TryLockError::WouldBlock) => {
                let holder = read_holder(&mut file);
                Ok(Attempt::Busy(Waiting { file, path, holder }))
            }
            Err(TryLockError::Error(error)) => Err(RecordError::file("lock", &path)(error)),
        }
    }

    /// Takes the lock, waiting as long as it takes.
    ///
    /// # Errors
    /// As `attempt`.
    pub async fn acquire(
        directory: &Path,
        of: &str,
        environment: &EnvironmentName,
        app: &AppName,
    ) -> Result<Self, RecordError> {
        match Self::attempt(directory, of, environment, app)? {
            Attempt::Acquired(lock) => Ok(lock),
            Attempt::Busy(waiting) => waiting.acquired().await,
        }
    }

    /// Says in the file who holds it.
    fn signed(mut file: File, path: &Path) -> Result<Self, RecordError> {
        let mut sign = || -> io::Result<()> {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        sign().map_err(RecordError::file("write", path))?;
        Ok(Self { _file: file })
    }
}

impl Waiting {
    /// The process that holds it, where it says so.
    #[must_use]
    pub fn holder(&self) -> Option<u32> {
        self.holder
    }

    /// Waits for the lock. Dropping the future leaves the queue.
    ///
    /// # Errors
    /// The lock file cannot be locked or written.
    pub async fn acquired(self) -> Result<AppLock, RecordError> {
        let Self { file, path, .. } = self;
        let (answer, answered) = oneshot::channel();
        let place = path.clone();
        // A thread of its own and not one of the runtime's, which waits for all of its own when it ends. When nobody
        // listens any more the lock is dropped as soon as it comes.
        thread::Builder::new()
            .name("lock".to_owned())
            .spawn(move || {
                let locked = file.lock().map_err(RecordError::file("lock", &place));
                let _ = answer.send(locked.and_then(|()| AppLock::signed(file, &place)));
            })
            .map_err(RecordError::file("start a thread to lock", &path))?;
        answered.await.map_err(|_| RecordError::Closed { path })?
    }
}

/// Dots do not occur in names, so no two pairs share a file.
fn file_name(of: &str, environment: &EnvironmentName, app: &AppName) -> String {
    let of: String = Sha256::digest(of).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{of}.{environment}.{app}.lock")
}

fn read_holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(20).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
