//! The command without a name: converge once, or show the plan.

use crate::value::{AppName, ServiceName};
use clap::Args;
use std::{path::PathBuf, str::FromStr};

/// Converges once, or shows the plan.
#[derive(Debug, Args)]
pub struct Converge {
    /// Shows what would be done and does nothing: pulls nothing, writes nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Compares the manifests of REF with those of the head instead of the host: no engine, no secrets.
    #[arg(long, value_name = "REF", requires = "dry_run", conflicts_with = "replace")]
    pub against: Option<String>,
    /// Reads the files of the work tree, uncommitted ones too.
    #[arg(long, requires = "dry_run")]
    pub worktree: bool,
    /// Exits with 2 when changes are pending.
    #[arg(long, requires = "dry_run")]
    pub detailed_exitcode: bool,
    /// Only this app; may be given more than once.
    #[arg(long = "app", value_name = "NAME")]
    pub apps: Vec<AppName>,
    /// Makes this app's containers, or one service's, anew; may be given more than once.
    #[arg(long, value_name = "APP[/SERVICE]")]
    pub replace: Vec<Replacement>,
    /// Does not ask.
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,
    /// Goes on although the environment is empty or missing, and removes what it had.
    #[arg(long)]
    pub allow_empty: bool,
    /// How many containers may be removed in this run [default: the host file's, or 10].
    #[arg(long, value_name = "N")]
    pub max_deletes: Option<usize>,
    /// Writes the plan to a file.
    #[arg(long, value_name = "PLANFILE", hide = true)]
    pub out: Option<PathBuf>,
    /// Says more about each change.
    #[arg(long, hide = true)]
    pub explain: bool,
}

/// What is to be made anew.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Replacement {
    pub app: AppName,
    /// None: all of the app's services.
    pub service: Option<ServiceName>,
}

impl FromStr for Replacement {
    type Err = crate::value::name::BadName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            None => Ok(Self { app: text.parse()?, service: None }),
            Some((app, service)) => Ok(Self { app: app.parse()?, service: Some(service.parse()?) }),
        }
    }
}
