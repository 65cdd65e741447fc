//! `resume`: follow the branch again.

use super::suspend::Which;
use clap::Args;

/// Ends a suspension, a hold or a condemnation, so that the app follows the branch again.
#[derive(Debug, Args)]
pub struct Resume {
    #[command(flatten)]
    pub which: Which,
}
