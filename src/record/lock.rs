//! One pass at a time for each engine, environment and app.

use super::RecordError;
use crate::value::{AppName, EnvironmentName};
use std::path::Path;

/// Held for one app's pass; released when dropped, and by the kernel when the process dies.
pub struct AppLock {}

/// What came of asking for a lock.
pub enum Attempt {
    Acquired(AppLock),
    /// Another pass holds it.
    Busy(Waiting),
}

/// A place in the queue for a lock.
pub struct Waiting {}

impl Waiting {
    /// The process that holds it, where it says so.
    #[must_use]
    pub fn holder(&self) -> Option<u32> {
        todo!()
    }

    /// Waits for the lock. Dropping the future leaves the queue.
    ///
    /// # Errors
    /// The lock file cannot be locked.
    pub async fn acquired(self) -> Result<AppLock, RecordError> {
        todo!()
    }
}

impl AppLock {
    /// Takes the lock if it is free. `engine` is what tells engines apart: the address, or better the engine's id.
    ///
    /// # Errors
    /// The directory or the lock file cannot be made.
    pub fn attempt(
        dir: &Path,
        engine: &str,
        environment: &EnvironmentName,
        app: &AppName,
    ) -> Result<Attempt, RecordError> {
        todo!("{dir:?} {engine} {environment} {app}")
    }

    /// Takes the lock, waiting as long as it takes.
    ///
    /// # Errors
    /// As `attempt`.
    pub async fn acquire(
        dir: &Path,
        engine: &str,
        environment: &EnvironmentName,
        app: &AppName,
    ) -> Result<Self, RecordError> {
        match Self::attempt(dir, engine, environment, app)? {
            Attempt::Acquired(lock) => Ok(lock),
            Attempt::Busy(waiting) => waiting.acquired().await,
        }
    }
}
