//! `secret`: what is done with secrets beside a pass. No value is ever printed.

mod materialise;

use super::{Complaint, arguments::Global};
use clap::{Args, Subcommand};

/// Delivers secrets again after a boot.
#[derive(Debug, Args)]
pub struct Secret {
    #[command(subcommand)]
    pub word: Word,
}

/// What to do with secrets.
#[derive(Debug, Subcommand)]
pub enum Word {
    Materialise(materialise::Materialise),
}

impl Secret {
    /// Does it.
    ///
    /// # Errors
    /// As those of each word.
    pub async fn run(&self, global: &Global) -> Result<(), Complaint> {
        match &self.word {
            Word::Materialise(command) => command.run(global).await,
        }
    }
}
