//! How long a run may go on: its time, and the signal that ends it. Who blocks for a run does so in a thread that is held to
//! its limit: whatever it asks a place or waits for ends with it, however deep, and so the thread ends before the app's lock
//! is let go of.

use super::BackupError;
use futures_executor::block_on;
use std::{
    cell::RefCell,
    io::{self, Read},
    time::Duration,
};
use tokio::{runtime::Handle, sync::watch, time::sleep};

/// How long putting away may take what was given up; what it does not come to is put away by the next sweep.
const PUTS_AWAY: Duration = Duration::from_secs(5);

thread_local! {
    static HELD: RefCell<Option<Limit>> = const { RefCell::new(None) };
}

/// Until when it may go on.
#[derive(Clone, Debug)]
pub struct Limit {
    within: Duration,
    late: watch::Receiver<bool>,
    ending: Option<watch::Receiver<bool>>,
}

impl Limit {
    /// Its time begins now; `ending` turns true when the tool is asked to end.
    #[must_use]
    pub fn begin(within: Duration, ending: Option<watch::Receiver<bool>>) -> Self {
        let (sender, late) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                () = sleep(within) => drop(sender.send_replace(true)),
                () = sender.closed() => {}
            }
        });
        Self { within, late, ending }
    }

    /// Why it may not go on; none while it may.
    fn over(&self) -> Option<BackupError> {
        if self.ending.as_ref().is_some_and(|ending| *ending.borrow()) {
            return Some(BackupError::Asked);
        }
        self.late.borrow().then(|| BackupError::Late { seconds: self.within.as_secs() })
    }

    /// Resolves when it may not go on any longer, with why.
    pub async fn passed(&self) -> BackupError {
        let (mut late, ending) = (self.late.clone(), self.ending.clone());
        let asked = async {
            if let Some(mut ending) = ending
                && ending.wait_for(|asked| *asked).await.is_ok()
            {
                return;
            }
            std::future::pending().await
        };
        tokio::select! {
            biased;
            () = asked => BackupError::Asked,
            late = late.wait_for(|late| *late) => match late {
                Ok(_) => BackupError::Late { seconds: self.within.as_secs() },
                // The runtime has ended, and with it who counts the time.
                Err(_) => BackupError::Asked,
            },
        }
    }

    /// What comes of some work within it. Nothing is begun that would be late from the start.
    ///
    /// # Errors
    /// As those of the work; it is over.
    pub async fn within<T>(&self, work: impl Future<Output = Result<T, BackupError>>) -> Result<T, BackupError> {
        tokio::select! {
            biased;
            error = self.passed() => Err(error),
            done = work => done,
        }
    }

    /// Does what blocks, in a thread of its own that is held to it; returns when the thread has ended, and not before.
    ///
    /// # Errors
    /// As those of the work.
    pub async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
    ) -> Result<T, BackupError> {
        let limit = self.clone();
        super::run::apart(move || limit.hold(work)).await
    }

    fn hold<T>(self, work: impl FnOnce() -> T) -> T {
        let _held = Held(HELD.replace(Some(self)));
        work()
    }
}

/// What held a thread before.
struct Held(Option<Limit>);

impl Drop for Held {
    fn drop(&mut self) {
        HELD.set(self.0.take());
    }
}

/// Whether this thread may go on.
///
/// # Errors
/// Why not.
pub(super) fn check() -> Result<(), BackupError> {
    let over = HELD.with_borrow(|limit| limit.as_ref().and_then(Limit::over));
    over.map_or(Ok(()), Err)
}

/// Waits for what others hand on, for as long as this thread may. Nothing that comes this way needs a runtime, which may have ended
/// by then.
///
/// # Errors
/// It is over.
pub(super) fn wait<T>(coming: impl Future<Output = T>) -> Result<T, BackupError> {
    match HELD.with_borrow(Option::clone) {
        None => Ok(block_on(coming)),
        Some(limit) => block_on(limit.within(async { Ok(coming.await) })),
    }
}

/// Puts something away: for a moment, and also where this thread may do nothing else any more.
pub(super) fn put_away<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current() {
        Ok(_) => Limit::begin(PUTS_AWAY, None).hold(work),
        // Nobody answers any question then.
        Err(_) => work(),
    }
}

/// Reads for as long as this thread may.
pub(super) struct Limited<R>(pub R);

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        check().map_err(io::Error::other)?;
        self.0.read(into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    /// What a thread comes to that waits for nothing.
    async fn held(limit: &Limit) -> Result<(), BackupError> {
        limit.apart(|| wait(pending())).await
    }

    #[tokio::test]
    async fn a_thread_waits_no_longer_than_its_run_may_go_on() {
        let limit = Limit::begin(Duration::from_millis(50), None);
        assert!(matches!(held(&limit).await, Err(BackupError::Late { seconds: 0 })));
        assert!(matches!(limit.apart(check).await, Err(BackupError::Late { .. })));
        // The next run's time is its own, in the same thread too.
        let limit = Limit::begin(Duration::from_secs(3600), None);
        assert_eq!(limit.apart(|| wait(async { 1 })).await.unwrap(), 1);
        assert!(limit.apart(check).await.is_ok());
    }

    #[tokio::test]
    async fn a_signal_ends_what_waits_and_begins_nothing() {
        let (asker, ending) = watch::channel(false);
        let limit = Limit::begin(Duration::from_secs(3600), Some(ending));
        let (waits, asks) = (held(&limit), async { asker.send_replace(true) });
        let (waited, _) = tokio::join!(waits, asks);
        assert!(matches!(waited, Err(BackupError::Asked)));
        let begun = limit.within(async { panic!("nothing is begun any more") });
        assert!(matches!(begun.await.map(|(): ()| ()), Err(BackupError::Asked)));
    }

    #[tokio::test]
    async fn what_was_given_up_is_put_away_all_the_same() {
        let (_asker, ending) = watch::channel(true);
        let limit = Limit::begin(Duration::from_secs(3600), Some(ending));
        let put_away =
            limit.apart(|| Ok((check().is_err(), put_away(|| wait(async { true })), check().is_err()))).await;
        assert!(matches!(put_away, Ok((true, Ok(true), true))));
    }
}
