//! Where copies are on this host, by the names of its file.

use crate::{
    backup::{AnyPlace, BackupError, Depot, Local, place},
    cli::{Complaint, session::Session},
    value::RepositoryName,
};
use futures_util::future::try_join_all;
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// All places of this host; without any in its file there is one in the state directory.
pub fn all(session: &Session) -> Vec<AnyPlace> {
    let settings = &session.host.settings.backup;
    if settings.repositories.is_empty() {
        return vec![Arc::new(Local { name: RepositoryName::local(), root: session.state_dir().join("backups") })];
    }
    settings.repositories.iter().map(|(name, place)| place::open(name, place)).collect()
}

/// What this host has for copies.
pub fn depot(session: &Session) -> Depot {
    Depot::new(&session.state_dir(), all(session))
}

/// Asks all places of this host, side by side: what those answered that can be read, and why the others cannot.
///
/// # Errors
/// The question itself fell over.
pub async fn asked<T: Send + 'static>(
    session: &Session,
    question: impl Fn(&AnyPlace) -> Result<T, BackupError> + Clone + Send + 'static,
) -> Result<(Vec<(AnyPlace, T)>, Vec<BackupError>), Complaint> {
    let ask = |place: AnyPlace| {
        let question = question.clone();
        spawn_blocking(move || question(&place).map(|answer| (place, answer)))
    };
    let (mut answers, mut faults) = (Vec::new(), Vec::new());
    for answer in try_join_all(all(session).into_iter().map(ask)).await? {
        match answer {
            Ok(answer) => answers.push(answer),
            Err(error) => faults.push(error),
        }
    }
    Ok((answers, faults))
}

/// Those of these names, in their order.
///
/// # Errors
/// The host has no place of a name.
pub fn named(session: &Session, names: &[RepositoryName]) -> Result<Vec<AnyPlace>, BackupError> {
    place::named(&all(session), names)
}
