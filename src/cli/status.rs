//! `status`: what is in force, what is held, what is wrong.

use crate::value::AppName;
use clap::Args;

/// Tells how the apps are: synced or not, healthy or not, held or not.
#[derive(Debug, Args)]
pub struct Status {
    /// Only this app, with its services.
    pub app: Option<AppName>,
}

impl Status {
    pub async fn run(&self, _session: &super::session::Session) -> Result<(), super::Complaint> {
        Err(super::Complaint::not_yet("status"))
    }
}
