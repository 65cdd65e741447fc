//! Holds the users of a volume still while it is read. Who they are is written down before, on the container that reads: whoever is
//! killed meanwhile, the next run or pass of the app reads it there, and lets them go on.

use super::copies::{Beside, Copies, PORTER, asking, failure};
use crate::{
    backup::{BackupError, Flow, Piece, Released, Sources, Still, User, driver::Taking, flow::IN_HAND},
    cause::whole,
    engine::{Engine, EngineError, FlowInside, Outflow, Summary},
    observed::Life,
};
use std::{collections::BTreeMap, error::Error, sync::Arc, time::Duration};
use tokio::{
    sync::{
        mpsc::{self, Receiver},
        oneshot,
    },
    time::{Instant, sleep},
};

/// The label that says how containers are held still, and the one that names them by id.
const STILL: &str = "reconcile.still";
const HELD: &str = "reconcile.held";

/// How long an engine that is away is waited for before somebody stays held, and between two looks.
const PATIENCE: Duration = Duration::from_secs(120);
const AGAIN: Duration = Duration::from_secs(1);

/// Who is held still, and lets them go on.
pub(super) struct Held<E> {
    engine: Arc<E>,
    still: Still,
    users: Vec<User>,
}

impl<E: Engine> Held<E> {
    /// Holds one after the other, as long as somebody wants to read. Tells how many were asked, well or not.
    async fn hold(&self, reader: &mpsc::Sender<Piece>) -> (usize, Result<(), BackupError>) {
        for (before, user) in self.users.iter().enumerate() {
            if reader.is_closed() {
                return (before, Ok(()));
            }
            if let Err(error) = self.hold_one(user).await {
                return (before + 1, Err(error));
            }
        }
        (self.users.len(), Ok(()))
    }

    async fn hold_one(&self, user: &User) -> Result<(), BackupError> {
        let asked = match self.still {
            Still::Pause => self.engine.pause(&user.id).await,
            Still::Stop => self.engine.stop(&user.id, user.grace).await,
        };
        asked.map_err(asking(format!("{} container `{}`", self.still.word(), user.name)))?;
        let seen = self.engine.container(&user.id).await.map_err(asking("inspect a container"))?;
        let is_still = |life: &Life| match self.still {
            Still::Pause => *life == Life::Paused,
            Still::Stop => !life.is_up(),
        };
        if seen.is_some_and(|seen| !is_still(&seen.life)) {
            let why = format!("container `{}` was told to {}, and goes on", user.name, self.still.word());
            return Err(BackupError::Source { why });
        }
        Ok(())
    }

    /// The first so many, also where one of them does not go on: the first error is told. An engine that is away is waited for.
    async fn release(&self, held: usize) -> Result<(), BackupError> {
        let (mut first, until) = (Ok(()), Instant::now() + PATIENCE);
        for user in self.users.iter().take(held) {
            let released = loop {
                match release(self.engine.as_ref(), self.still, &user.id, &user.name).await {
                    Err(error) if !has_answered(&error) && Instant::now() < until => sleep(AGAIN).await,
                    released => break released,
                }
            };
            first = first.and(released);
        }
        first
    }
}

/// Lets a container go on, and sees that it does. One that is gone is nobody's any more. One that runs though it was to be stopped
/// may be about to end: whoever asked was killed, or the engine was away.
async fn release<E: Engine>(engine: &E, still: Still, id: &str, name: &str) -> Result<(), BackupError> {
    let look = || async { engine.container(id).await.map_err(asking("inspect a container")) };
    let Some(seen) = look().await? else { return Ok(()) };
    match still {
        Still::Pause if seen.life == Life::Paused => {
            engine.unpause(id).await.map_err(asking(format!("let container `{name}` go on")))?;
        }
        Still::Stop => {
            if seen.life.is_up() {
                let grace = super::copies::user(seen).grace;
                engine.stop(id, grace).await.map_err(asking(format!("stop container `{name}`")))?;
            }
            engine.start(id).await.map_err(asking(format!("start container `{name}`")))?;
        }
        Still::Pause => {}
    }
    match look().await? {
        Some(seen) if still == Still::Pause && seen.life == Life::Paused => {
            Err(BackupError::Source { why: format!("container `{name}` stays paused") })
        }
        Some(seen) if still == Still::Stop && !seen.life.is_up() => {
            Err(BackupError::Source { why: format!("container `{name}` does not run again") })
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether the engine was there, and it is the container that does not go on.
fn has_answered(error: &BackupError) -> bool {
    match error.source().and_then(|source| source.downcast_ref::<EngineError>()) {
        Some(EngineError::Unreachable { .. } | EngineError::Late { .. } | EngineError::Garbled { .. }) => false,
        Some(EngineError::Refused { .. } | EngineError::NotPulled { .. }) | None => true,
    }
}

impl<E: Engine> Copies<E> {
    /// Lets those go on whom a run that was killed held still. Whoever calls has the app's lock.
    ///
    /// # Errors
    /// The engine does not answer; one of them stays paused.
    pub async fn bring_back(&self) -> Result<(), BackupError> {
        let marks = vec![(PORTER.to_owned(), Some(self.mark())), (STILL.to_owned(), None)];
        let left = self.engine.containers(&marks).await.map_err(asking("list containers"))?;
        for container in &left {
            self.let_go(container).await?;
            super::copies::remove(self.engine.as_ref(), &container.id)
                .await
                .map_err(asking(format!("remove container `{}`, which a killed run left", container.name)))?;
        }
        Ok(())
    }

    /// Lets those go on whom a container tells of, if any.
    pub(super) async fn let_go(&self, container: &Summary) -> Result<(), BackupError> {
        let text = |key: &str| container.labels.get(key).map(String::as_str).unwrap_or_default();
        let Some(still) = [Still::Pause, Still::Stop].into_iter().find(|still| still.word() == text(STILL)) else {
            return Ok(());
        };
        for id in text(HELD).split(',').filter(|id| !id.is_empty()) {
            match (release(self.engine.as_ref(), still, id, id).await, still) {
                (Err(error), Still::Stop) if has_answered(&error) => {
                    // It cannot run as it is, which is for a pass to see and to tell: held up for it, none would put it right.
                    tracing::warn!(
                        container = id,
                        error = whole(&error),
                        "it was stopped for a copy, and does not run again"
                    );
                }
                (released, Still::Pause | Still::Stop) => released?,
            }
        }
        Ok(())
    }

    pub(super) async fn begin_still(&self, taking: &Taking, still: Still) -> Result<(Flow, Released), BackupError> {
        let (Taking::Beside { volume, writes, .. }, Some((command, what))) = (taking, self.errand(taking)) else {
            return Err(BackupError::NotYet { what: format!("`consistency: {}` of what is no volume", still.word()) });
        };
        let mut users = Vec::new();
        for user in self.users(volume).await? {
            // What somebody paused is still already, and stays so.
            let seen = self.engine.container(&user.id).await.map_err(asking("inspect a container"))?;
            users.extend(seen.filter(|seen| seen.life != Life::Paused).map(|_| user));
        }
        let ids: Vec<&str> = users.iter().map(|user| user.id.as_str()).collect();
        let marks = BTreeMap::from([(STILL.to_owned(), still.word().to_owned()), (HELD.to_owned(), ids.join(","))]);
        // All that takes long is done before anybody is held.
        let beside = self.beside_marked(volume, *writes, marks).await?;
        let held = Held { engine: Arc::clone(&self.engine), still, users };
        let (sender, flow) = mpsc::channel(IN_HAND);
        let (to, released) = oneshot::channel();
        // On its own: whoever gives up waiting leaves nobody held.
        tokio::spawn(read(held, beside, FlowInside { command, user: None, input: None }, what, sender, to));
        Ok((flow, released))
    }
}

/// Holds the users still, passes on what is read, and lets them go on when it is over, or when nobody takes it any more.
async fn read<E: Engine>(
    held: Held<E>,
    beside: Beside<E>,
    run: FlowInside,
    what: String,
    sender: mpsc::Sender<Piece>,
    released: oneshot::Sender<Result<(), BackupError>>,
) {
    let (asked, holds) = held.hold(&sender).await;
    let failed = match holds {
        Ok(()) => match held.engine.flow_inside(&beside.id, run).await {
            Ok(from) => failure(&what, passed(from, &sender).await),
            Err(error) => Some(whole(&asking(format!("run {what}"))(error))),
        },
        Err(error) => Some(whole(&error)),
    };
    let went_on = held.release(asked).await;
    // While somebody is still held, what tells of it stays for the next run.
    if went_on.is_ok() {
        beside.put_away().await;
    }
    // Nobody may listen any more.
    let _ = released.send(went_on);
    let _ = sender.send(failed.map_or(Piece::Whole, Piece::Failed)).await;
}

/// Passes on what is read, and tells how it ended; none where nobody takes it any more.
async fn passed(mut from: Receiver<Outflow>, sender: &mpsc::Sender<Piece>) -> Option<Outflow> {
    loop {
        let next = tokio::select! {
            next = from.recv() => next,
            () = sender.closed() => return None,
        };
        match next {
            Some(Outflow::Bytes(bytes)) => {
                if sender.send(Piece::Bytes(bytes)).await.is_err() {
                    return None;
                }
            }
            last => return last,
        }
    }
}
