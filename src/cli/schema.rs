//! `schema`: what editors check manifests with.

use clap::Args;

/// Prints the schema of manifests.
#[derive(Debug, Args)]
pub struct Schema {
    /// Compares the files in `schema/` with what this binary would write.
    #[arg(long)]
    pub check: bool,
}
