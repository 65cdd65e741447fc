//! `show`: one revision of an app.

use crate::value::AppName;
use clap::Args;

/// Shows one revision: where it came from, how it went, its manifest.
#[derive(Debug, Args)]
pub struct Show {
    pub app: AppName,
    /// Its number, as `history` tells it.
    pub revision: u32,
}
