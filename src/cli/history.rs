//! `history`: the revisions of an app.

use super::{Complaint, results, session::Session};
use crate::{show, value::AppName};
use clap::Args;
use std::cmp::Reverse;

/// Lists the revisions that were applied, newest first.
#[derive(Debug, Args)]
pub struct History {
    /// Only this app [default: all of the environment's].
    pub app: Option<AppName>,
}

impl History {
    /// Prints the history.
    ///
    /// # Errors
    /// The app is not known; the ledger cannot be read.
    pub async fn run(&self, session: &Session) -> Result<(), Complaint> {
        let ledger = session.reading().await?;
        let mut entries = Vec::new();
        match &self.app {
            Some(app) => {
                for environment in session.places(&ledger, app).await? {
                    entries.extend(ledger.app(&environment, app).await?.entries.iter().map(show::HistoryEntry::from));
                }
            }
            None => {
                for environment in session.environments()? {
                    for app in ledger.apps(&environment).await? {
                        let of_app = ledger.app(&environment, &app).await?.entries;
                        entries
                            .extend(of_app.iter().map(|entry| show::HistoryEntry::from(entry).of(&environment, &app)));
                    }
                }
            }
        }
        // Entries of one app may carry the same time; their numbers never do.
        entries.sort_by_key(|entry| Reverse((entry.origin.at, entry.number)));
        results::report(
            session.settings.output,
            &entries,
            || show::history(&entries, results::width()),
            || show::markdown_history(&entries),
        )
    }
}
