//! Wakes a running pass when another process wrote its intent.

use super::{RecordError, database::Database};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// How long a change may go unseen where the file system raises no events (network file systems, a host that ran out
/// of inotify instances): the version is asked for this often beside.
const WITHOUT_EVENTS: Duration = Duration::from_secs(1);

/// Tells when another process, or another `StateDir` of this one, wrote to the ledger. What it wrote is for the reader
/// to look up: other apps' passes write here too.
pub struct IntentWatch {
    database: Database,
    seen: i64,
    woken: Arc<Notify>,
    _watcher: Option<RecommendedWatcher>,
}

impl IntentWatch {
    pub(super) async fn begin(database: Database) -> Result<Self, RecordError> {
        let woken = Arc::new(Notify::new());
        let watcher = watch(&database, Arc::clone(&woken))
            .inspect_err(|error| tracing::debug!(%error, "no events of the state directory; asking each second"))
            .ok();
        let seen = database.version().await?;
        Ok(Self { database, seen, woken, _watcher: watcher })
    }

    /// Resolves when somebody else wrote since the watch was made or this last resolved. Safe to drop and ask again.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn changed(&mut self) -> Result<(), RecordError> {
        while !self.has_changed().await? {
            // Late or early makes no difference: the version is asked for again.
            let _ = tokio::time::timeout(WITHOUT_EVENTS, self.woken.notified()).await;
        }
        Ok(())
    }

    /// Tells at once whether somebody else wrote since then: what a pass asks between two steps.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn has_changed(&mut self) -> Result<bool, RecordError> {
        let version = self.database.version().await?;
        let changed = version != self.seen;
        self.seen = version;
        Ok(changed)
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
