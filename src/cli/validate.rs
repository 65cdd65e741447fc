//! `validate`: the files on disk, no engine.

use clap::Args;
use std::path::PathBuf;

/// Checks the manifests on disk, without an engine.
#[derive(Debug, Args)]
pub struct Validate {
    /// Files or folders [default: `environments` here].
    pub paths: Vec<PathBuf>,
    /// Also judges them by the policy of this host file.
    #[arg(long, value_name = "HOSTFILE")]
    pub policy: Option<PathBuf>,
}
