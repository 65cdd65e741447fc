//! `backup run`: makes the copies that manifests ask for, now.

use super::{complaint, told, wanted::wanted};
use crate::{
    apply::{back_up::BackUp, resumed},
    cli::{Complaint, Verdict, interruption, results, session::Session},
    record::{AppLock, lock::Attempt},
    show::CopyAccount,
    value::{AppName, EnvironmentName, ItemName},
};
use clap::Args;

/// Makes copies of apps' data now, whatever the schedule says. Each is verified; what retention does not keep any longer is
/// removed after a copy that is good.
#[derive(Debug, Args)]
pub struct Run {
    /// Only this app [default: all of the environment's that have a `backup`].
    pub app: Option<AppName>,
    /// Only this item; may be given more than once.
    #[arg(long, value_name = "ITEM")]
    pub item: Vec<ItemName>,
}

impl Run {
    /// Makes the copies, and tells what became of each.
    ///
    /// # Errors
    /// The source, the ledger or the engine cannot be read; an app or item is not known.
    pub async fn run(&self, session: &Session) -> Result<Verdict, Complaint> {
        let wanted = wanted(session, self.app.as_ref(), &self.item)?;
        let host = session.host(session.reading().await?).await?;
        let ending = interruption::listen_to_copies()?;
        let mut accounts = Vec::new();
        for (desired, section) in wanted.iter().filter(|_| !*ending.borrow()) {
            let (environment, app) = (&desired.environment, &desired.app);
            let mut asked = ending.clone();
            let _lock = tokio::select! {
                lock = lock(&host.settings, environment, app) => lock?,
                Ok(_) = asked.wait_for(|asked| *asked) => break,
            };
            let (installation, restores) = (&host.settings.installation, &host.settings.depot.begun);
            resumed::settle(&host.hands.engine, installation, restores, (environment, app)).await.map_err(complaint)?;
            let back_up = BackUp {
                installation: &host.settings.installation,
                environment,
                app,
                backup: section,
                depot: &host.settings.depot,
                only: &self.item,
                before_revision: None,
            };
            let account = back_up.run(&host.hands.engine, Some(ending.clone())).await.map_err(complaint)?;
            accounts.extend(account.items.iter().map(|made| CopyAccount::made(environment, app, made)));
            accounts.extend(account.hooks.iter().map(|error| CopyAccount::failed(environment, app, error)));
        }
        let verdict = told(session, &accounts)?;
        Ok(if *ending.borrow() { Verdict::Failed } else { verdict })
    }
}

/// The lock that a pass of the app has too: nothing is rolled out while its data is copied.
pub async fn lock(
    settings: &crate::pass::Settings,
    environment: &EnvironmentName,
    app: &AppName,
) -> Result<AppLock, Complaint> {
    match AppLock::attempt(&settings.lock_dir, &settings.engine, environment, app)? {
        Attempt::Acquired(lock) => Ok(lock),
        Attempt::Busy(waiting) => {
            let holder = waiting.holder().map(|holder| format!(" (process {holder})")).unwrap_or_default();
            results::tell(&format!("{environment}/{app}: waiting for the pass or copy that is running{holder}\n"));
            Ok(waiting.acquired().await?)
        }
    }
}
