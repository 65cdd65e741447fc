//! `show`: one revision of an app.

use super::{Complaint, backup::places, results, session::Session};
use crate::{
    pass::{last_words, way_back::copies_before},
    show,
    value::AppName,
};
use clap::Args;

/// Shows one revision: where it came from, how it went, its merged manifest.
#[derive(Debug, Args)]
pub struct Show {
    /// The app.
    pub app: AppName,
    /// Its number, as `history` tells it.
    pub revision: u32,
}

impl Show {
    /// Prints the revision.
    ///
    /// # Errors
    /// There is no such app or revision; the ledger cannot be read.
    pub async fn run(&self, session: &Session) -> Result<(), Complaint> {
        let ledger = session.reading().await?;
        let environment = session.place(&ledger, &self.app).await?;
        let entries = ledger.app(&environment, &self.app).await?.entries;
        let entry = entries.iter().find(|entry| entry.number == self.revision).ok_or_else(|| {
            Complaint::says(format!("{environment}/{} has no revision {}", self.app, self.revision))
                .with_hint(format!("`reconcile history {}` lists them", self.app))
        })?;
        let manifest = ledger.stored_manifest(&environment, &self.app, entry.original()).await?;
        let error = last_words::kept(&ledger, &environment, &self.app, entry.number).await;
        let copies = tokio::task::block_in_place(|| copies_before(&places::all(session), &environment, &self.app));
        let entry = show::HistoryEntry::with(entry, &copies);
        let revision = show::RevisionAccount { entry, error, manifest };
        results::report(
            session.settings.output,
            &revision,
            || show::revision(&revision),
            || show::markdown_revision(&revision),
        )
    }
}
