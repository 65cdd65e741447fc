//! `resume`: follow the branch again.

use super::{Complaint, results, session::Session, suspend::Which};
use clap::Args;

/// Ends a suspension, a hold or a condemnation, so that the app follows the branch again.
#[derive(Debug, Args)]
pub struct Resume {
    #[command(flatten)]
    pub which: Which,
}

impl Resume {
    /// Records the wish; the next pass acts on it.
    ///
    /// # Errors
    /// The app is not known; the ledger cannot be written.
    pub async fn run(&self, session: &Session) -> Result<(), Complaint> {
        // Nothing is made for an app that is not there.
        let apps = self.which.apps(session, &session.reading().await?).await?;
        let ledger = session.writing().await?;
        for (environment, app) in apps {
            ledger.resume(&environment, &app).await?;
            results::tell(&format!("{environment}/{app} follows the branch again, from the next pass on\n"));
        }
        Ok(())
    }
}
