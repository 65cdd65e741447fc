//! `status`: what is in force, what is held, what is wrong.

use super::{Complaint, converge, results, session::Session};
use crate::{
    pass::{Asker, Mode, Wish, account},
    show,
    value::AppName,
};
use clap::Args;
use std::collections::BTreeMap;

/// Tells how the apps are: synced or not, healthy or not, held or not.
#[derive(Debug, Args)]
pub struct Status {
    /// Only this app, with its services.
    pub app: Option<AppName>,
}

impl Status {
    /// Looks, and prints what was seen.
    ///
    /// # Errors
    /// The app is not known; the source, the record or the engine cannot be read.
    pub async fn run(&self, session: &Session) -> Result<(), Complaint> {
        let ledger = session.reading().await?;
        let (repository, commit) = session.known_head()?;
        let manifests = session.manifests(&repository, &commit)?;
        let environments = match &self.app {
            Some(app) => session.places(&ledger, app).await?,
            None => session.environments_of(&manifests)?,
        };
        let mut rendered = manifests.render();
        let host = session.host(ledger).await?;
        let mut accounts = Vec::new();
        for environment in environments {
            let rendered = rendered.remove(&environment).unwrap_or_default();
            let head = converge::head(&commit, rendered);
            let wish = Wish {
                environment,
                mode: Mode::DryRun,
                apps: self.app.iter().cloned().collect(),
                replace: Vec::new(),
                hold: None,
                allow_empty: false,
                max_deletes: None,
                by: Asker::Person,
                known: BTreeMap::new(),
            };
            accounts.extend(account::of(&host, &wish, &head).await?);
        }
        results::report(
            session.settings.output,
            &accounts,
            || show::status(&accounts, results::width()),
            || show::markdown_status(&accounts),
        )
    }
}
