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

impl Validate {
    pub fn run(&self, _global: &super::arguments::Global) -> Result<super::Verdict, super::Complaint> {
        Err(super::Complaint::not_yet("validate"))
    }
}
