//! `secret`: what is done with secrets beside a pass. A value comes by a file, by standard input or out of an editor, never
//! as an argument, and is never printed.

mod edit;
mod encrypt;
mod list;
mod materialise;
mod recipients;
mod sealed_file;
mod workspace;

use super::{Complaint, arguments::Global, session::Session};
use clap::{Args, Subcommand};

/// Encrypts and edits secrets that the repository keeps, lists those that apps use, delivers them again after a boot.
#[derive(Debug, Args)]
pub struct Secret {
    #[command(subcommand)]
    pub word: Word,
}

/// What to do with secrets.
#[derive(Debug, Subcommand)]
pub enum Word {
    Encrypt(encrypt::Encrypt),
    Edit(edit::Edit),
    List(list::List),
    Materialise(materialise::Materialise),
}

impl Secret {
    /// Does it.
    ///
    /// # Errors
    /// As those of each word.
    pub async fn run(&self, global: &Global) -> Result<(), Complaint> {
        match &self.word {
            Word::Encrypt(command) => command.run(),
            Word::Edit(command) => command.run(global).await,
            Word::List(command) => command.run(&Session::begin(global)?),
            Word::Materialise(command) => command.run(global).await,
        }
    }
}
