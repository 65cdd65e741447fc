//! Files of the host that are read for a pass, on a thread of their own and not for ever: a mount whose server is gone
//! keeps whoever reads from it, and nobody else's app may wait with it.

use crate::value::AppId;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{task::spawn_blocking, time::timeout};

/// How long files of the host are waited for. They are small and near: what takes longer is no longer there.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The readings that did not come back in time. A thread that hangs in the kernel cannot be ended, so an app has one at
/// most: it is not asked again before that one is over.
#[derive(Clone, Debug, Default)]
pub struct Overdue(Arc<Mutex<BTreeMap<AppId, Weak<()>>>>);

impl Overdue {
    /// What a reading for an app gives; none where it does not come back in time, or an earlier one still has not.
    pub async fn in_time<T: Send + 'static>(
        &self,
        app: &AppId,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        if self.hangs(app) {
            return None;
        }
        let under_way = Arc::new(());
        let known = Arc::downgrade(&under_way);
        let reading = spawn_blocking(move || {
            let _until_the_end = under_way;
            read()
        });
        match timeout(PATIENCE, reading).await {
            Ok(read) => read.ok(),
            Err(_) => {
                self.lock().insert(app.clone(), known);
                None
            }
        }
    }

    fn hangs(&self, app: &AppId) -> bool {
        let mut overdue = self.lock();
        overdue.retain(|_, reading| reading.strong_count() > 0);
        overdue.contains_key(app)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AppId, Weak<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    };

    fn app(name: &str) -> AppId {
        AppId::new(&"production".parse().unwrap(), &name.parse().unwrap())
    }

    /// Time moves by hand: a thread at work keeps the clock from going on by itself.
    async fn patience_ends<T>(reading: impl Future<Output = T>) -> T {
        let mut reading = std::pin::pin!(reading);
        loop {
            tokio::select! {
                biased;
                read = &mut reading => return read,
                () = tokio::task::yield_now() => tokio::time::advance(Duration::from_secs(1)).await,
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_that_hangs_keeps_its_app_alone_waiting_and_no_second_one_is_begun() {
        let overdue = Overdue::default();
        let (stuck, well) = (app("dead"), app("well"));
        let (answers, hangs) = mpsc::channel::<()>();
        let begun = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&begun);
        let dead = patience_ends(overdue.in_time(&stuck, move || {
            count.fetch_add(1, Ordering::SeqCst);
            hangs.recv()
        }));
        assert!(dead.await.is_none());
        assert_eq!(overdue.in_time(&well, || 7).await, Some(7));
        let count = Arc::clone(&begun);
        let again = overdue.in_time(&stuck, move || count.fetch_add(1, Ordering::SeqCst));
        assert!(again.await.is_none());
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        // The mount is there again.
        drop(answers);
        while overdue.hangs(&stuck) {
            tokio::task::yield_now().await;
        }
        assert_eq!(overdue.in_time(&stuck, || 8).await, Some(8));
    }
}
