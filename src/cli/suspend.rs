//! `suspend`: leave an app as it is.

use crate::value::AppName;
use clap::Args;

/// Leaves an app as it is, whatever the branch says, until `resume`.
#[derive(Debug, Args)]
pub struct Suspend {
    #[command(flatten)]
    pub which: Which,
    /// For how long, `30m`, `2h`, `1d` [default: until `resume`].
    #[arg(long = "for", value_name = "DURATION")]
    pub duration: Option<String>,
    /// Why, for those who wonder later.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// One app or all of the environment's.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// The app.
    pub app: Option<AppName>,
    /// All apps of the environment.
    #[arg(long)]
    pub all: bool,
}
