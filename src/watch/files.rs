//! Hears of pushes into a local repository. What the events say is never believed: they only say "look".

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::{path::PathBuf, sync::Arc};
use tokio::sync::Notify;

/// Folders that are watched, with all below them or not.
pub type Folders = Vec<(PathBuf, bool)>;

/// A watch on folders.
pub struct Files {
    folders: Folders,
    _watcher: Option<RecommendedWatcher>,
}

impl Files {
    /// Watches; where the system cannot tell (a network's file system, no inotify instances left), polling remains.
    #[must_use]
    pub fn watch(folders: Folders, nudge: Arc<Notify>) -> Self {
        let watcher = begin(&folders, nudge)
            .inspect_err(|error| tracing::info!(%error, "no events of the repository: it is only asked now and then"))
            .ok();
        Self { folders, _watcher: watcher }
    }

    /// True when it watches just these.
    #[must_use]
    pub fn watches(&self, folders: &Folders) -> bool {
        self.folders == *folders
    }
}

fn begin(folders: &Folders, nudge: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // Being read is no news; we do that ourselves. An error is: a queue may have run over.
        let is_news = !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_)));
        if is_news {
            nudge.notify_one();
        }
    })?;
    for (folder, deep) in folders {
        let mode = if *deep { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        watcher.watch(folder, mode)?;
    }
    Ok(watcher)
}
