//! Wakes a running pass when another process wrote its intent.

use super::{Hold, Ledger, RecordError, Suspension, bell::Bell, database::Database, rows};
use crate::value::{AppName, EnvironmentName};
use std::{collections::BTreeMap, time::Duration};

/// How long a change may go unseen where the file system raises no events.
const AT_LATEST: Duration = Duration::from_secs(1);

/// What people can ask of an app while its pass runs.
pub type Wishes = (Option<Hold>, Option<Suspension>);

/// Tells when another process, or another `StateDir` of this one, changed an app's hold or suspension. What other
/// passes write of other apps wakes nobody.
pub struct IntentWatch {
    bell: Bell,
    environment: EnvironmentName,
    app: AppName,
    wishes: Wishes,
    /// The bell rang, and the wishes were not read since: whoever dropped the question asks again.
    rang: bool,
}

impl IntentWatch {
    pub(super) async fn begin(
        database: Database,
        environment: &EnvironmentName,
        app: &AppName,
    ) -> Result<Self, RecordError> {
        let bell = Bell::hang(database).await?;
        let wishes = read(bell.database(), environment, app).await?;
        Ok(Self { bell, environment: environment.clone(), app: app.clone(), wishes, rang: false })
    }

    /// Resolves when the wishes are others than when the watch was made or this last resolved, and somebody else wrote
    /// since. Safe to drop and ask again.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn changed(&mut self) -> Result<(), RecordError> {
        loop {
            if !self.rang {
                self.bell.rung(AT_LATEST).await?;
                self.rang = true;
            }
            if self.differs().await? {
                return Ok(());
            }
        }
    }

    /// Tells at once what `changed` waits for: what a pass asks between two steps.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn has_changed(&mut self) -> Result<bool, RecordError> {
        self.rang |= self.bell.has_rung().await?;
        Ok(self.rang && self.differs().await?)
    }

    async fn differs(&mut self) -> Result<bool, RecordError> {
        let wishes = read(self.bell.database(), &self.environment, &self.app).await?;
        self.rang = false;
        Ok(std::mem::replace(&mut self.wishes, wishes.clone()) != wishes)
    }
}

impl Ledger {
    /// A watch on what other processes ask of an app from now on.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn intents(&self, environment: &EnvironmentName, app: &AppName) -> Result<IntentWatch, RecordError> {
        IntentWatch::begin(self.database.clone(), environment, app).await
    }

    /// A bell that rings when another process writes.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn bell(&self) -> Result<Bell, RecordError> {
        Bell::hang(self.database.clone()).await
    }

    /// What people ask of the apps of an environment.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn wishes(&self, environment: &EnvironmentName) -> Result<BTreeMap<AppName, Wishes>, RecordError> {
        let environment = environment.clone();
        self.database
            .read("look for intents", move |connection| Ok(rows::read_all_wishes(connection, &environment)?))
            .await
    }
}

async fn read(database: &Database, environment: &EnvironmentName, app: &AppName) -> Result<Wishes, RecordError> {
    let (environment, app) = (environment.clone(), app.clone());
    database
        .read("look for intents", move |connection| match rows::find_app(connection, &environment, &app)? {
            Some(id) => Ok(rows::read_wishes(connection, id)?),
            None => Ok((None, None)),
        })
        .await
}
