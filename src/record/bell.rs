//! Rings when another process, or another `StateDir` of this one, wrote into the ledger.

use super::{RecordError, database::Database};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// A bell at the door of the ledger. What this process writes through the same `StateDir` does not ring it.
pub struct Bell {
    database: Database,
    /// The version of the database that was heard last: while it stays, nobody else wrote anything.
    version: i64,
    woken: Arc<Notify>,
    watcher: Option<RecommendedWatcher>,
}

impl Bell {
    /// Hears everything that is written from now on.
    pub(super) async fn hang(database: Database) -> Result<Self, RecordError> {
        let woken = Arc::new(Notify::new());
        let watcher = watch(&database, Arc::clone(&woken))
            .inspect_err(|error| tracing::debug!(%error, "no events of the state directory; asking now and then"))
            .ok();
        // In this order: what is written in between is heard once more, and not lost.
        let version = database.version().await?;
        Ok(Self { database, version, woken, watcher })
    }

    /// True when somebody else wrote since this last said so.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn has_rung(&mut self) -> Result<bool, RecordError> {
        let version = self.database.version().await?;
        Ok(std::mem::replace(&mut self.version, version) != version)
    }

    /// Resolves when somebody else wrote. The version is asked for at least every `at_latest`, for file systems that
    /// raise no events (those of a network, a host that ran out of inotify instances). Safe to drop and ask again.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn rung(&mut self, at_latest: Duration) -> Result<(), RecordError> {
        while !self.has_rung().await? {
            // Late or early makes no difference: the version is asked for again.
            let _ = tokio::time::timeout(at_latest, self.woken.notified()).await;
        }
        Ok(())
    }

    /// True where the system tells of changes.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.watcher.is_some()
    }

    pub(super) fn database(&self) -> &Database {
        &self.database
    }
}

fn watch(database: &Database, woken: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // Being opened and read is no news; asking for the version does both.
        let is_news = !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_)));
        if is_news {
            woken.notify_one();
        }
    })?;
    let directory = database.path().parent().unwrap_or(database.path());
    watcher.watch(directory, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}
