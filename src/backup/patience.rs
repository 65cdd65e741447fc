//! Servers that were just started.

use super::{BackupError, Sources, driver::Taking, restore::told};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a server may take until it answers, and how often it is asked.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);

/// Runs an errand until it is done: a server that was just started does not answer yet, and tells nobody when it will.
///
/// # Errors
/// Why it is not done after a minute.
pub(super) async fn patiently<S: Sources>(sources: &S, errand: &Taking) -> Result<(), BackupError> {
    let end = Instant::now() + PATIENCE;
    loop {
        match told(sources.give(errand, None).await?.await) {
            Err(_) if Instant::now() < end => sleep(PAUSE).await,
            done => return done,
        }
    }
}
