//! `backup`: copies of apps' data, made, listed and verified.

mod list;
pub(super) mod places;
mod run;
mod verify;
pub mod wanted;

use super::{Complaint, Verdict, results, session::Session};
use crate::{
    backup::BackupError,
    show::{self, CopyAccount},
    value::ItemName,
};
use clap::{Args, Subcommand};
pub(super) use run::lock;

/// Makes copies of apps' data, lists them, verifies them.
#[derive(Debug, Args)]
pub struct Backup {
    #[command(subcommand)]
    pub word: Word,
}

/// What to do with copies.
#[derive(Debug, Subcommand)]
pub enum Word {
    Run(run::Run),
    List(list::List),
    Verify(verify::Verify),
}

impl Backup {
    /// Does it.
    ///
    /// # Errors
    /// As those of each word.
    pub async fn run(&self, session: &Session) -> Result<Verdict, Complaint> {
        match &self.word {
            Word::Run(command) => command.run(session).await,
            Word::List(command) => command.run(session).await,
            Word::Verify(command) => command.run(session).await,
        }
    }
}

/// Tells what became of copies; failed where not all of them are good.
pub(super) fn told(session: &Session, accounts: &[CopyAccount]) -> Result<Verdict, Complaint> {
    let text = || show::copies(accounts, results::width());
    results::report(session.settings.output, &accounts, text, || show::markdown_copies(accounts))?;
    Ok(if accounts.iter().all(CopyAccount::is_good) { Verdict::Done } else { Verdict::Failed })
}

/// Tells of places that cannot be read: failed where there are any.
fn told_unread(faults: Vec<BackupError>, otherwise: Verdict) -> Verdict {
    let verdict = if faults.is_empty() { otherwise } else { Verdict::Failed };
    for error in faults {
        results::tell(&complaint(error).to_string());
    }
    verdict
}

/// An error with its hint.
pub(super) fn complaint(error: BackupError) -> Complaint {
    let hint = error.hint();
    Complaint::from(error).with_hint(hint)
}

/// Whether an item is meant; none named is all of them.
pub(super) fn is_meant(named: &[ItemName], item: &ItemName) -> bool {
    named.is_empty() || named.contains(item)
}
