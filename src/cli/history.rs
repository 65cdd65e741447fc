//! `history`: the revisions of an app.

use super::{Complaint, backup::places, results, session::Session};
use crate::{pass::way_back::copies_before, show, value::AppName};
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
        let (places, mut entries) = (places::all(session), Vec::new());
        match &self.app {
            Some(app) => {
                for environment in session.places(&ledger, app).await? {
                    let copies = tokio::task::block_in_place(|| copies_before(&places, &environment, app));
                    let of_app = ledger.app(&environment, app).await?.entries;
                    entries.extend(of_app.iter().map(|entry| show::HistoryEntry::with(entry, &copies)));
                }
            }
            None => {
                for environment in session.environments()? {
                    for app in ledger.apps(&environment).await? {
                        let of_app = ledger.app(&environment, &app).await?.entries;
                        let copies = tokio::task::block_in_place(|| copies_before(&places, &environment, &app));
                        let told = |entry| show::HistoryEntry::with(entry, &copies).of(&environment, &app);
                        entries.extend(of_app.iter().map(told));
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
