//! Makes one app's copies when they are due. What was made is seen where copies lie, and remembered nowhere else: so a time
//! that was missed is known after a restart, and what somebody made by hand is not made again.

use super::{pause::Pause, standings::Standings, told::Told};
use crate::{
    apply::{back_up::BackUp, resumed},
    backup::{AnyPlace, BackupError, Copy, Due, Of, due, place::named, run::Account},
    cause::whole,
    desired::Backup,
    engine::Engine,
    pass::{Ending, Host},
    record::{AppLock, lock::Attempt},
    value::{AppId, ItemName},
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::watch, time::sleep};

/// The first and the longest wait after a run that failed.
const AGAIN: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3600));

/// The longest sleep: a clock that is set meanwhile is noticed by then.
const LONGEST: Duration = Duration::from_secs(60);

/// Makes the copies of one app.
pub struct Copying<E> {
    pub id: AppId,
    pub host: Arc<Host<E>>,
    pub told: Arc<Told>,
    pub standings: Arc<Standings>,
    /// What the branch says; none when it no longer says anything.
    pub wanted: watch::Receiver<Option<Backup>>,
    pub ending: Ending,
}

/// What went wrong last.
#[derive(Default)]
struct Trouble {
    pause: Pause,
    /// Items that were not copied, each since when it has been owed, whether its time is past by now or not.
    owed: BTreeMap<ItemName, Timestamp>,
    /// Items of which other places than the first lack copies, or may: these wait for themselves, so that no copy is late because
    /// of a place that is away.
    behind: BTreeSet<ItemName>,
    lag: Pause,
}

/// What is to be done now.
enum Next {
    Copy(Vec<ItemName>),
    CatchUp(Vec<ItemName>),
    Wait(Duration),
}

impl<E: Engine> Copying<E> {
    /// Works until the branch or the daemon ends it.
    pub async fn run(mut self) {
        let mut changes = self.standings.changes();
        let mut trouble = Trouble::default();
        // What places lack is seen where copies lie: whoever began them may have been killed, or a place may be new.
        let mut looked_at: Option<Backup> = None;
        loop {
            let Some(backup) = self.wanted.borrow_and_update().clone() else { break };
            if looked_at.as_ref() != Some(&backup) {
                trouble.behind.extend(backup.items.iter().map(|item| item.name.clone()));
                looked_at = Some(backup.clone());
            }
            if *self.ending.borrow() {
                break;
            }
            // Its containers are not there before its first pass.
            let is_known = self.standings.is_known(&self.id);
            let next = if is_known { self.next(&backup, &trouble).await } else { Ok(Next::Wait(LONGEST)) };
            let wait = match next {
                Ok(Next::Copy(items)) => {
                    trouble = self.copy(&backup, items, trouble).await;
                    continue;
                }
                Ok(Next::CatchUp(items)) => {
                    trouble = self.catch_up(&backup, items, trouble).await;
                    continue;
                }
                Ok(Next::Wait(wait)) => wait,
                Err(error) => {
                    let owed = std::mem::take(&mut trouble.owed);
                    trouble = self.failed(trouble, &whole(&error), owed);
                    continue;
                }
            };
            tokio::select! {
                _ = self.ending.changed() => {}
                // The branch asks for something else: a reason to begin anew.
                Ok(()) = self.wanted.changed() => {
                    trouble.pause.end();
                    trouble.lag.end();
                }
                () = changes.next(), if !is_known => {}
                () = sleep(wait) => {}
            }
        }
        self.told.no_copies(&self.id);
    }

    /// What is to be done by what is there.
    async fn next(&self, backup: &Backup, trouble: &Trouble) -> Result<Next, BackupError> {
        // While one item waits to be tried again, what others lack elsewhere comes all the same.
        let wait = match trouble.pause.left() {
            Some(left) => left.min(LONGEST),
            None => {
                let (items, next) = self.due(backup, &trouble.owed).await?;
                if !items.is_empty() {
                    return Ok(Next::Copy(items));
                }
                let now = self.host.hands.engine.now();
                let until = next.and_then(|at| Duration::try_from(at.duration_since(now)).ok());
                until.unwrap_or(LONGEST).min(LONGEST)
            }
        };
        let behind = if backup.repositories.len() > 1 { self.behind(backup, trouble) } else { BTreeSet::new() };
        Ok(match trouble.lag.left() {
            _ if behind.is_empty() => Next::Wait(wait),
            None => Next::CatchUp(behind.into_iter().collect()),
            Some(left) => Next::Wait(wait.min(left)),
        })
    }

    /// Items that other places than the first may lack: by the last run of this task, and by what others noted, a person or a
    /// rollout.
    fn behind(&self, backup: &Backup, trouble: &Trouble) -> BTreeSet<ItemName> {
        let notes = &self.host.settings.depot.remembered.failures;
        let is_noted = |item: &ItemName| {
            let place = notes.last(&self.of(item)).and_then(|failure| failure.behind);
            place.is_some_and(|place| backup.repositories.contains(&place))
        };
        let noted = backup.items.iter().map(|item| &item.name).filter(|item| is_noted(item));
        noted.chain(&trouble.behind).cloned().collect()
    }

    /// The items that are due, and when the next is.
    async fn due(
        &self,
        backup: &Backup,
        owed: &BTreeMap<ItemName, Timestamp>,
    ) -> Result<(Vec<ItemName>, Option<Timestamp>), BackupError> {
        if backup.schedule.is_none() && owed.is_empty() {
            return Ok((Vec::new(), None));
        }
        let places = named(&self.host.settings.depot.places, &backup.repositories)?;
        let newest = newest(&self.id, backup, places).await?;
        let now = self.host.hands.engine.now();
        let of = (&self.id.environment, &self.id.app);
        let (mut items, mut next) = (Vec::new(), None);
        for (item, last) in newest {
            let is_owed = owed.get(&item).is_some_and(|since| last.is_none_or(|last| last < *since));
            match due(backup, of, last, now) {
                Due::Now { .. } => items.push(item),
                Due::At(_) | Due::Never if is_owed => items.push(item),
                Due::At(at) => next = Some(next.map_or(at, |next: Timestamp| next.min(at))),
                Due::Never => {}
            }
        }
        Ok((items, next))
    }

    /// Makes copies, once the app is nobody else's.
    async fn copy(&mut self, backup: &Backup, items: Vec<ItemName>, trouble: Trouble) -> Trouble {
        let began = self.host.hands.engine.now();
        let owed = |items: &[ItemName]| items.iter().map(|item| (item.clone(), began)).collect();
        let _lock = match self.lock().await {
            Ok(Some(lock)) => lock,
            Ok(None) => return trouble,
            Err(why) => return self.failed(trouble, &why, owed(&items)),
        };
        // While it waited the branch may have moved, and somebody may have made them.
        if self.wanted.borrow().as_ref() != Some(backup) {
            return trouble;
        }
        let items = match self.due(backup, &trouble.owed).await {
            Ok((items, _)) => items,
            Err(error) => return self.failed(trouble, &whole(&error), owed(&items)),
        };
        if items.is_empty() {
            return trouble.copied();
        }
        let (settings, of) = (&self.host.settings, (&self.id.environment, &self.id.app));
        let engine = &self.host.hands.engine;
        if let Err(error) = resumed::settle(engine, &settings.installation, &settings.depot.begun, of).await {
            return self.failed(trouble, &whole(&error), owed(&items));
        }
        let ran = self.back_up(backup, &items).run(engine, Some(self.ending.clone())).await;
        // What was given up for the end is due again afterwards.
        if *self.ending.borrow() {
            return trouble;
        }
        match ran {
            Ok(account) => self.tell(&account, &items, trouble, began),
            Err(error) => self.failed(trouble, &whole(&error), owed(&items)),
        }
    }

    /// Has other places take over what they lack, once the app is nobody else's.
    async fn catch_up(&mut self, backup: &Backup, items: Vec<ItemName>, trouble: Trouble) -> Trouble {
        let _lock = match self.lock().await {
            Ok(Some(lock)) => lock,
            Ok(None) => return trouble,
            Err(why) => return self.lags(trouble, &why),
        };
        // Items may be gone that nobody copies any more.
        if self.wanted.borrow().as_ref() != Some(backup) {
            return trouble;
        }
        let engine = &self.host.hands.engine;
        let ran = self.back_up(backup, &items).catch_up(engine, Some(self.ending.clone())).await;
        if *self.ending.borrow() {
            return trouble;
        }
        match ran {
            Err(error) => self.lags(trouble, &whole(&error)),
            Ok(account) => {
                let trouble = trouble.seen(&account, &items);
                match why(&account) {
                    Some(why) if !trouble.behind.is_empty() => self.lags(trouble, &why),
                    Some(_) | None => {
                        tracing::info!(app = %self.id, "all places have the copies that they are to have");
                        if trouble.owed.is_empty() {
                            self.told.copied(&self.id);
                        }
                        // A note that the disk keeps, whatever is written, is no reason to ask without end.
                        Trouble { lag: Pause::default().next(AGAIN).0, ..trouble }
                    }
                }
            }
        }
    }

    fn of(&self, item: &ItemName) -> Of {
        let AppId { environment, app } = self.id.clone();
        Of { environment, app, item: item.clone() }
    }

    fn back_up<'a>(&'a self, backup: &'a Backup, items: &'a [ItemName]) -> BackUp<'a> {
        BackUp {
            installation: &self.host.settings.installation,
            environment: &self.id.environment,
            app: &self.id.app,
            backup,
            depot: &self.host.settings.depot,
            only: items,
            before_revision: None,
        }
    }

    /// None: the daemon ends.
    async fn lock(&mut self) -> Result<Option<AppLock>, String> {
        let settings = &self.host.settings;
        let attempt = AppLock::attempt(&settings.lock_dir, &settings.engine, &self.id.environment, &self.id.app);
        match attempt.map_err(|error| whole(&error))? {
            Attempt::Acquired(lock) => Ok(Some(lock)),
            Attempt::Busy(waiting) => {
                tracing::info!(app = %self.id, holder = ?waiting.holder(), "a pass of this app is running: its copies wait for the end");
                tokio::select! {
                    lock = waiting.acquired() => lock.map(Some).map_err(|error| whole(&error)),
                    _ = self.ending.wait_for(|asked| *asked) => Ok(None),
                }
            }
        }
    }

    fn tell(&self, account: &Account, items: &[ItemName], trouble: Trouble, began: Timestamp) -> Trouble {
        for made in &account.items {
            if let Ok(copy) = &made.outcome {
                let (item, copy, bytes) = (&made.item, &copy.id, copy.stored.bytes);
                tracing::info!(app = %self.id, %item, %copy, bytes, "copied");
            }
        }
        let made = account.items.iter().filter(|made| made.outcome.is_ok());
        let made: Vec<ItemName> = made.map(|made| made.item.clone()).collect();
        let owed: BTreeMap<_, _> =
            items.iter().filter(|item| !made.contains(item)).map(|item| (item.clone(), began)).collect();
        // Of what was not copied anew, another place may lack the last one as before.
        let trouble = trouble.seen(account, &made);
        let is_behind = account.items.iter().any(|made| !made.behind.is_empty());
        match why(account) {
            None => {
                if trouble.behind.is_empty() {
                    self.told.copied(&self.id);
                }
                trouble.copied()
            }
            Some(why) if owed.is_empty() && is_behind => self.lags(trouble.copied(), &why),
            // All was copied, and something else went wrong: the next time is soon enough.
            Some(why) if owed.is_empty() => {
                self.told.not_copied(&self.id, &why, None);
                trouble.copied()
            }
            Some(why) => self.failed(trouble, &why, owed),
        }
    }

    /// It is tried again, after ever longer waits.
    fn failed(&self, before: Trouble, why: &str, owed: BTreeMap<ItemName, Timestamp>) -> Trouble {
        let (pause, wait) = before.pause.next(AGAIN);
        self.told.not_copied(&self.id, why, Some(wait));
        Trouble { pause, owed, ..before }
    }

    /// So are places that lack copies.
    fn lags(&self, before: Trouble, why: &str) -> Trouble {
        let (lag, wait) = before.lag.next(AGAIN);
        self.told.not_copied(&self.id, why, Some(wait));
        Trouble { lag, ..before }
    }
}

impl Trouble {
    /// All that was due was copied.
    fn copied(self) -> Self {
        Self { pause: Pause::default(), owed: BTreeMap::new(), ..self }
    }

    /// By what a run told of some items.
    fn seen(self, account: &Account, items: &[ItemName]) -> Self {
        let Self { mut behind, mut lag, pause, owed } = self;
        behind.retain(|item| !items.contains(item));
        behind.extend(account.items.iter().filter(|made| !made.behind.is_empty()).map(|made| made.item.clone()));
        if behind.is_empty() {
            lag = Pause::default();
        }
        Self { pause, owed, behind, lag }
    }
}

/// When the newest copy of each item was taken that counts for its schedule, in the first place. A suspect one does: another
/// one would be no less so.
async fn newest(
    id: &AppId,
    backup: &Backup,
    places: Vec<AnyPlace>,
) -> Result<BTreeMap<ItemName, Option<Timestamp>>, BackupError> {
    let Some(place) = places.into_iter().next() else { return Ok(BTreeMap::new()) };
    let of = |item: &ItemName| Of { environment: id.environment.clone(), app: id.app.clone(), item: item.clone() };
    let items: Vec<Of> = backup.items.iter().map(|item| of(&item.name)).collect();
    let read = move || {
        let counts = |copy: &Copy| copy.verified.is_some() && !copy.pinned;
        items
            .into_iter()
            .map(|of| place.newest(&of, &counts).map(|copy| (of.item, copy.map(|copy| copy.taken_at))))
            .collect()
    };
    tokio::task::spawn_blocking(read).await.map_err(|error| BackupError::Source { why: error.to_string() })?
}

/// What went wrong in a run, in a line; none where nothing did.
fn why(account: &Account) -> Option<String> {
    let failed = account.items.iter().filter_map(|made| {
        let item = &made.item;
        match &made.outcome {
            Err(error) => Some(format!("there is no new copy of `{item}`: {}", whole(error))),
            Ok(copy) => match (&copy.suspect, made.troubles().next()) {
                (Some(suspect), _) => Some(format!("the copy of `{item}` is suspect: {suspect}")),
                (None, Some(error)) => Some(format!("`{item}` was copied, and then: {}", whole(error))),
                (None, None) => None,
            },
        }
    });
    let why: Vec<String> = account.hooks.iter().map(|error| whole(error)).chain(failed).collect();
    (!why.is_empty()).then(|| why.join("; "))
}
