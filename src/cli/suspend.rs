//! `suspend`: leave an app as it is.

use super::{Complaint, results, session::Session, settings};
use crate::{
    record::{Ledger, Suspension},
    value::{AppName, Duration, EnvironmentName},
};
use clap::Args;
use jiff::{SignedDuration, Timestamp};

/// Leaves an app as it is, whatever the branch says, until `resume`.
#[derive(Debug, Args)]
pub struct Suspend {
    #[command(flatten)]
    pub which: Which,
    /// For how long, `30m`, `2h`, `1d` [default: until `resume`].
    #[arg(long = "for", value_name = "DURATION")]
    pub duration: Option<Duration>,
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

impl Which {
    /// The apps that are meant, each with its environment.
    ///
    /// # Errors
    /// The app is not known; the source or the ledger cannot be read.
    pub async fn apps(&self, session: &Session, ledger: &Ledger) -> Result<Vec<(EnvironmentName, AppName)>, Complaint> {
        let mut meant = Vec::new();
        match &self.app {
            Some(app) => {
                for environment in session.places(ledger, app).await? {
                    meant.push((environment, app.clone()));
                }
            }
            None => {
                for environment in session.environments()? {
                    for app in session.apps(ledger, &environment).await? {
                        meant.push((environment.clone(), app));
                    }
                }
            }
        }
        Ok(meant)
    }
}

impl Suspend {
    /// Records the wish; a running pass sees it before its next step.
    ///
    /// # Errors
    /// The app is not known; the ledger cannot be written; the end lies beyond all calendars.
    pub async fn run(&self, session: &Session) -> Result<(), Complaint> {
        // Nothing is made for an app that is not there.
        let apps = self.which.apps(session, &session.reading().await?).await?;
        let ledger = session.writing().await?;
        let until = match self.duration {
            None => None,
            Some(duration) => {
                let span = SignedDuration::try_from(std::time::Duration::from(duration))?;
                Some(Timestamp::now().checked_add(span)?)
            }
        };
        for (environment, app) in apps {
            let suspension = Suspension { by: settings::user(), reason: self.reason.clone(), until };
            ledger.suspend(&environment, &app, suspension).await?;
            let end = until.map_or("until `reconcile resume`".to_owned(), |at| format!("until {at:.0}"));
            results::tell(&format!("{environment}/{app} is suspended {end}\n"));
        }
        Ok(())
    }
}
