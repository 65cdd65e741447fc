//! One run: hooks, each item to each place, what may go of the old ones. Whoever calls has the app's lock.

use super::{
    AnyPlace, BackupError, Copy, CopyId, Flow, Limit, Making, Of, Piece, Reader, Released, Sources, driver,
    flow::IN_HAND,
    judge,
    others::{Became, Behind, Copied, Rules, hand_on, retain},
    store,
    telling::Telling,
};
use crate::{
    desired::backup::{Backup, Item},
    value::{AppName, EnvironmentName, ItemName},
};
use jiff::Timestamp;
use std::sync::Arc;
use tokio::{
    sync::{
        mpsc::{self, Receiver},
        watch,
    },
    time::timeout,
};

/// What a run is about.
pub struct Run<'a, S> {
    pub backup: &'a Backup,
    pub environment: &'a EnvironmentName,
    pub app: &'a AppName,
    /// The places, in the order of the manifest; the first is written to, the others get the same file.
    pub repositories: &'a [AnyPlace],
    pub sources: &'a S,
    /// These items alone; empty: all.
    pub only: &'a [ItemName],
    /// No rule removes what is made.
    pub pinned: bool,
    /// The revision before whose rollout it is made.
    pub before_revision: Option<u32>,
    /// Whose time copies are noted by.
    pub clock: &'a (dyn Fn() -> Timestamp + Sync),
    /// Turns true when the tool is asked to end: what is under way is given up, and hooks `after` run all the same. None:
    /// nobody asks.
    pub ending: Option<watch::Receiver<bool>>,
}

/// What became of an item.
#[derive(Debug)]
pub struct Made {
    pub item: ItemName,
    pub outcome: Result<Copy, BackupError>,
    /// Copies that were not to be kept any longer, by place.
    pub removed: Vec<CopyId>,
    /// Places beside the first that lack the copy.
    pub behind: Vec<Behind>,
    /// What else went wrong after the copy was made.
    pub also: Vec<BackupError>,
}

impl Made {
    fn of(item: &ItemName, outcome: Result<Copy, BackupError>) -> Self {
        Self { item: item.clone(), outcome, removed: Vec::new(), behind: Vec::new(), also: Vec::new() }
    }

    /// What went wrong after the copy was made.
    pub fn troubles(&self) -> impl Iterator<Item = &BackupError> {
        self.behind.iter().map(|behind| &behind.error).chain(&self.also)
    }
}

/// What became of a run.
#[derive(Debug, Default)]
pub struct Account {
    pub items: Vec<Made>,
    /// Hooks that failed.
    pub hooks: Vec<BackupError>,
}

impl Account {
    /// Whether all of it went well.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let good = |made: &Made| made.outcome.as_ref().is_ok_and(Copy::is_good) && made.troubles().next().is_none();
        self.hooks.is_empty() && self.items.iter().all(good)
    }
}

impl<S: Sources> Run<'_, S> {
    /// Makes the copies. Each item fails and succeeds for itself; hooks `after` run in any case. What is not near is asked last,
    /// when the app is its own again.
    ///
    /// # Errors
    /// What a killed run left cannot be put away; nothing is begun then.
    pub async fn run(&self) -> Result<Account, BackupError> {
        let limit = Limit::begin(self.backup.timeout, self.ending.clone());
        limit.within(self.sources.sweep()).await?;
        // Other places are swept before they get something: one that is away keeps no copy waiting.
        if let Some(first) = self.repositories.first() {
            let (place, items) = (AnyPlace::clone(first), self.backup.items.iter().map(|item| self.of(item)));
            let items: Vec<Of> = items.collect();
            limit.apart(move || items.iter().try_for_each(|of| place.sweep(of))).await?;
        }
        let mut account = Account::default();
        for hook in &self.backup.before {
            if let Err(error) = limit.within(self.sources.hook(hook)).await {
                account.hooks.push(error);
                break;
            }
        }
        if account.hooks.is_empty() {
            for item in self.wanted() {
                account.items.push(self.item(item, &limit).await);
            }
        }
        for hook in &self.backup.after {
            let within = self.backup.timeout;
            let late = |_| Err(BackupError::Late { seconds: within.as_secs() });
            if let Err(error) = timeout(within, self.sources.hook(hook)).await.unwrap_or_else(late) {
                account.hooks.push(error);
            }
        }
        self.settle(&mut account.items, &limit).await;
        Ok(account)
    }

    /// Has the places beside the first take over what they lack, and copies nothing anew.
    ///
    /// # Errors
    /// The first place cannot be read.
    pub async fn catch_up(&self) -> Result<Account, BackupError> {
        let limit = Limit::begin(self.backup.timeout, self.ending.clone());
        let mut account = Account::default();
        let Some(first) = self.repositories.first() else { return Ok(account) };
        for item in self.wanted() {
            let (place, of) = (AnyPlace::clone(first), self.of(item));
            let newest =
                limit.apart(move || place.newest(&of, &|copy| copy.verified.is_some() && !copy.pinned)).await?;
            account.items.extend(newest.map(|copy| Made::of(&item.name, Ok(copy))));
        }
        self.settle(&mut account.items, &limit).await;
        Ok(account)
    }

    fn of(&self, item: &Item) -> Of {
        self.of_name(&item.name)
    }

    fn of_name(&self, item: &ItemName) -> Of {
        Of { environment: self.environment.clone(), app: self.app.clone(), item: item.clone() }
    }

    fn wanted(&self) -> impl Iterator<Item = &Item> {
        self.backup.items.iter().filter(|item| self.only.is_empty() || self.only.contains(&item.name))
    }

    async fn item(&self, item: &Item, limit: &Limit) -> Made {
        let telling = Arc::new(Telling::begin(self.environment, self.app, &item.name));
        let mut released = None;
        let outcome = self.copy(item, limit, &telling, &mut released).await;
        telling.end(&outcome);
        let mut made = Made::of(&item.name, outcome);
        // Also where the time is over: nobody is left still.
        if let Some(released) = released {
            let why = || "what lets containers go on was broken off".to_owned();
            let released = released.await.unwrap_or_else(|_| Err(BackupError::Source { why: why() }));
            made.also.extend(released.err());
        }
        made
    }

    /// Lets go of what the rules keep no longer, and hands on what was made; not while a rollout waits.
    async fn settle(&self, items: &mut [Made], limit: &Limit) {
        let Some((first, others)) = self.repositories.split_first() else { return };
        let zone = self.backup.timezone.zone().clone();
        let rules = Rules { retention: self.backup.retention, zone, now: (self.clock)() };
        let mut copied = Vec::new();
        for made in items.iter_mut() {
            let Ok(copy) = &made.outcome else { continue };
            let (of, retains) = (self.of_name(&made.item), copy.is_good() && !self.pinned);
            copied.push(Copied { of: of.clone(), retains });
            if retains {
                let (place, rules) = (AnyPlace::clone(first), rules.clone());
                match limit.apart(move || retain(place.as_ref(), &of, &rules)).await {
                    Ok(removed) => made.removed.extend(removed),
                    Err(error) => made.also.push(error),
                }
            }
        }
        if self.before_revision.is_some() {
            for made in items.iter_mut().filter(|made| made.outcome.is_ok()) {
                let later =
                    others.iter().map(|place| Behind { place: place.name().clone(), error: BackupError::AfterRollout });
                made.behind.extend(later);
            }
            return;
        }
        for Became { place, item, removed } in hand_on(first, others, &copied, &rules, limit).await {
            let Some(made) = items.iter_mut().find(|made| made.item == item) else { continue };
            match removed {
                Ok(removed) => made.removed.extend(removed),
                Err(error) => made.behind.push(Behind { place, error }),
            }
        }
    }

    /// Makes a copy. `released` tells of those who are held still for it, whatever becomes of it.
    async fn copy(
        &self,
        item: &Item,
        limit: &Limit,
        telling: &Arc<Telling>,
        released: &mut Option<Released>,
    ) -> Result<Copy, BackupError> {
        let repository =
            self.repositories.first().ok_or_else(|| BackupError::Missing { what: "place for copies".to_owned() })?;
        let of = self.of(item);
        let (place, of_before) = (AnyPlace::clone(repository), of.clone());
        let before = limit.apart(move || place.newest(&of_before, &|copy| copy.is_good() && !copy.pinned)).await?;
        let making = Making {
            of,
            kind: item.data.word().to_owned(),
            compression: self.backup.compression,
            sealed_for: self.backup.recipients.clone(),
            judges_content: self.backup.judges_content,
            before: before.map(|copy| copy.content.bytes),
            pinned: self.pinned,
            before_revision: self.before_revision,
            taken_at: (self.clock)(),
        };
        let reader = match driver::checking(&item.data).filter(|_| self.backup.judges_content) {
            None => None,
            Some(taking) => {
                let (to, data) = mpsc::channel(IN_HAND);
                Some(Reader { to, verdict: limit.within(self.sources.give(&taking, Some(data))).await? })
            }
        };
        let taking = driver::taking(&item.data);
        let flow = match driver::stillness(&item.data) {
            None => limit.within(self.sources.take(&taking)).await?,
            // Its users would answer nobody for as long as the way to a bucket takes.
            Some(_) if !repository.is_near() => {
                return Err(BackupError::Far { place: repository.name().clone(), item: item.name.clone() });
            }
            Some(still) => {
                let (flow, going_on) = limit.within(self.sources.take_still(&taking, still)).await?;
                *released = Some(going_on);
                flow
            }
        };
        let flow = limited(flow, limit.clone(), Arc::clone(telling));
        let (place, judge) = (AnyPlace::clone(repository), judge(item.data.word()));
        limit.apart(move || store(place.as_ref(), &making, flow, judge, reader)).await
    }
}

/// Does what blocks, in a thread of its own.
pub async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| BackupError::Source { why: error.to_string() })?
}

/// The same flow, which fails when its time is over: a source that hangs holds nobody.
fn limited(mut flow: Flow, limit: Limit, telling: Arc<Telling>) -> Flow {
    let (sender, limited): (_, Receiver<Piece>) = mpsc::channel(1);
    tokio::spawn(async move {
        let passed = limit.passed();
        tokio::pin!(passed);
        let error = loop {
            let piece = tokio::select! {
                biased;
                error = &mut passed => break error,
                // Nobody takes it any more: what gives it need not go on.
                () = sender.closed() => return,
                piece = flow.recv() => piece,
            };
            let Some(piece) = piece else { return };
            let is_last = match &piece {
                Piece::Bytes(bytes) => {
                    telling.passed(bytes.len());
                    false
                }
                Piece::Whole | Piece::Failed(_) => true,
            };
            // Who takes it may hang as well, on a disk that is gone.
            let sent = tokio::select! {
                biased;
                error = &mut passed => break error,
                sent = sender.send(piece) => sent,
            };
            if sent.is_err() || is_last {
                return;
            }
        };
        drop(flow);
        let _ = sender.send(Piece::Failed(error.to_string())).await;
    });
    limited
}
