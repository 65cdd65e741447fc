//! What a restore that was killed left half done is made whole. Whoever calls has the app's lock.

use super::copies::Copies;
use crate::{
    backup::{BackupError, Journal},
    engine::Engine,
    value::{AppName, EnvironmentName},
};
use std::{path::Path, sync::Arc};

/// Makes it whole, the old or the new, where there is such.
///
/// # Errors
/// It cannot be told or made whole: nothing of the app should run before.
pub async fn settle<E: Engine>(
    engine: &Arc<E>,
    installation: &str,
    restores: &Path,
    (environment, app): (&EnvironmentName, &AppName),
) -> Result<(), BackupError> {
    let journal = Journal::of(restores, environment, app);
    let sources = Copies::of(Arc::clone(engine), installation.to_owned(), environment.clone(), app.clone());
    if let Some(item) = journal.settle(&sources).await? {
        tracing::warn!(%environment, %app, %item, "a restore was broken off: what it left half done is whole again");
    }
    Ok(())
}
