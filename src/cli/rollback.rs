//! `rollback`: another target for an app, then its pass.

use crate::value::AppName;
use clap::Args;

/// Brings an app back to an earlier revision and holds it there.
#[derive(Debug, Args)]
pub struct Rollback {
    pub app: AppName,
    /// Its number, as `history` tells it [default: the newest stable one before the one in force].
    pub revision: Option<u32>,
    /// Shows what would be done and does nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Holds only until the app's manifest changes, not until `resume`.
    #[arg(long)]
    pub until_commit: bool,
}
