//! `init`: a manifests repository to begin with.

use crate::value::{AppName, EnvironmentName};
use clap::Args;
use std::path::PathBuf;

/// Makes a manifests repository with a first manifest, schema, previews for CI, and patterns for Renovate.
///
/// A file that is there already is left alone.
#[derive(Debug, Args)]
pub struct Init {
    /// Where [default: here].
    pub directory: Option<PathBuf>,
    /// The name of the first app.
    #[arg(long, value_name = "NAME", default_value = "web")]
    pub app: AppName,
    #[arg(skip)]
    pub environment: Option<EnvironmentName>,
}
