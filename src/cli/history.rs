//! `history`: the revisions of an app.

use crate::value::AppName;
use clap::Args;

/// Lists the revisions that were applied, newest first.
#[derive(Debug, Args)]
pub struct History {
    /// Only this app.
    pub app: Option<AppName>,
}
