//! `drill`: copies restored where they harm nobody, to see that they can be.

use super::{
    Complaint, Verdict,
    backup::{complaint, is_meant, places, wanted::wanted},
    results,
    session::Session,
};
use crate::{
    apply::drills::{Drills, can_be},
    record::{AppLock, lock::Attempt},
    secret::age::Identities,
    show::{self, DrillAccount},
    value::{AppName, ItemName},
};
use clap::Args;
use std::{path::Path, sync::Arc};

/// Restores the newest verified copies into containers and volumes that are made for it, without network, sees whether
/// what comes of them is well, and throws all of it away. The app is left alone.
#[derive(Debug, Args)]
pub struct Drill {
    /// Only this app [default: all of the environment's that have a `backup`].
    pub app: Option<AppName>,
    /// Only this item.
    #[arg(requires = "app")]
    pub item: Option<ItemName>,
}

impl Drill {
    /// Drills them, and tells what came of each.
    ///
    /// # Errors
    /// The source or the engine cannot be read; an app or item is not known; another drill of the app is running.
    pub async fn run(&self, session: &Session) -> Result<Verdict, Complaint> {
        let wanted = wanted(session, self.app.as_ref(), self.item.as_slice())?;
        let identity = session.host.settings.secrets.age_identity.as_ref();
        let identities = identity.map(|path| Identities::read(Path::new(path.as_str()))).transpose()?.map(Arc::new);
        let host = session.host(session.reading().await?).await?;
        let mut accounts = Vec::new();
        for (desired, section) in &wanted {
            let (environment, app) = (&desired.environment, &desired.app);
            let what = format!("drills of {}", host.settings.engine);
            let _lock = match AppLock::attempt(&host.settings.lock_dir, &what, environment, app)? {
                Attempt::Acquired(lock) => lock,
                Attempt::Busy(waiting) => waiting.acquired().await?,
            };
            let drills = Drills {
                installation: &host.settings.installation,
                desired,
                places: &places::named(session, &section.repositories).map_err(complaint)?,
                identities: identities.clone(),
                backup: section,
                runs_healthchecks: host.hands.info.runs_healthchecks,
                remembered: &host.settings.depot.remembered.drills,
            };
            for item in section.items.iter().filter(|item| is_meant(self.item.as_slice(), &item.name)) {
                accounts.push(if can_be(&item.data) {
                    let drilled = drills.run(&host.hands.engine, item).await;
                    DrillAccount::of(environment, app, &item.name, drilled)
                } else {
                    DrillAccount::left_out(environment, app, &item.name)
                });
            }
        }
        let text = || show::drills(&accounts, results::width());
        results::report(session.settings.output, &accounts, text, || show::markdown_drills(&accounts))?;
        Ok(if accounts.iter().all(DrillAccount::is_good) { Verdict::Done } else { Verdict::Failed })
    }
}
