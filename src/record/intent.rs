//! Wakes a running pass when another process wrote its intent.

use super::{Hold, RecordError, Suspension, database::Database, rows};
use crate::value::{AppName, EnvironmentName};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// How long a change may go unseen where the file system raises no events (network file systems, a host that ran out
/// of inotify instances): the version is asked for this often beside.
const WITHOUT_EVENTS: Duration = Duration::from_secs(1);

/// What people can ask of an app while its pass runs.
type Wishes = (Option<Hold>, Option<Suspension>);

/// Tells when another process, or another `StateDir` of this one, changed an app's hold or suspension. What other
/// passes write of other apps wakes nobody.
pub struct IntentWatch {
    database: Database,
    environment: EnvironmentName,
    app: AppName,
    /// The version of the database that `wishes` was read at: while it stays, nobody else wrote anything.
    version: i64,
    wishes: Wishes,
    woken: Arc<Notify>,
    _watcher: Option<RecommendedWatcher>,
}

impl IntentWatch {
    pub(super) async fn begin(
        database: Database,
        environment: &EnvironmentName,
        app: &AppName,
    ) -> Result<Self, RecordError> {
        let woken = Arc::new(Notify::new());
        let watcher = watch(&database, Arc::clone(&woken))
            .inspect_err(|error| tracing::debug!(%error, "no events of the state directory; asking each second"))
            .ok();
        // In this order: what is written in between is found once more, and not lost.
        let version = database.version().await?;
        let wishes = read(&database, environment, app).await?;
        let (environment, app) = (environment.clone(), app.clone());
        Ok(Self { database, environment, app, version, wishes, woken, _watcher: watcher })
    }

    /// Resolves when the wishes are others than when the watch was made or this last resolved, and somebody else wrote
    /// since. Safe to drop and ask again.
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

    /// Tells at once what `changed` waits for: what a pass asks between two steps.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn has_changed(&mut self) -> Result<bool, RecordError> {
        let version = self.database.version().await?;
        if version == self.version {
            return Ok(false);
        }
        let wishes = read(&self.database, &self.environment, &self.app).await?;
        self.version = version;
        Ok(std::mem::replace(&mut self.wishes, wishes.clone()) != wishes)
    }
}

async fn read(database: &Database, environment: &EnvironmentName, app: &AppName) -> Result<Wishes, RecordError> {
    let (environment, app) = (environment.clone(), app.clone());
    database
        .read("look for intents", move |connection| match rows::find_app(connection, &environment, &app)? {
            Some(id) => Ok(rows::read_wishes(connection, id)?),
            None => Ok((None, None)),
        })
        .await
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
