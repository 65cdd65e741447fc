//! The engine's events, for those who wait on a container and for who stays. An event only says "look": what happened
//! is seen by looking.

use crate::engine::{Engine, Event};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::broadcast;

/// How long a waiter goes without looking when no event comes: the truth under a stream that may be lost.
const AT_LATEST: Duration = Duration::from_secs(5);

/// The same while the engine gives no events.
const WITHOUT_EVENTS: Duration = Duration::from_millis(250);

/// Events that wait for the slowest listener; a burst beyond them is told as lost.
const WAITING: usize = 1024;

/// How long after a lost stream it is asked for again: first, and at most.
const REOPEN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// One subscription to the engine's events for all who wait. A lost stream is opened again.
#[derive(Clone, Debug)]
pub struct Nudges {
    sender: Option<broadcast::Sender<Heard>>,
    /// False while there is no stream.
    alive: Arc<AtomicBool>,
    /// Held by all who could listen; the follower ends with the last of them.
    _held: Option<tokio::sync::watch::Receiver<()>>,
}

/// What is heard of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Event(Event),
    /// The stream is lost: until it is back, nothing is heard.
    Lost,
    /// It is back; what happened meanwhile was not heard.
    Back,
}

impl Nudges {
    /// Subscribes; an engine that gives no events is looked at more often instead.
    pub async fn subscribe<E: Engine>(engine: &Arc<E>) -> Self {
        let Ok(events) = engine.events().await else { return Self::silent() };
        let (sender, _) = broadcast::channel(WAITING);
        let (released, held) = tokio::sync::watch::channel(());
        let nudges = Self { sender: Some(sender.clone()), alive: Arc::new(AtomicBool::new(true)), _held: Some(held) };
        let following = follow(Arc::clone(engine), events, sender, Arc::clone(&nudges.alive));
        tokio::spawn(async move {
            tokio::select! {
                () = following => {}
                () = released.closed() => {}
            }
        });
        nudges
    }

    /// For those who do not wait.
    #[must_use]
    pub fn silent() -> Self {
        Self { sender: None, alive: Arc::default(), _held: None }
    }

    /// Everything that is heard from now on; none where the engine gives no events.
    #[must_use]
    pub fn listen(&self) -> Option<broadcast::Receiver<Heard>> {
        self.sender.as_ref().map(broadcast::Sender::subscribe)
    }

    /// A place to wait for one container. Made before the first look, so that nothing between look and wait is missed.
    #[must_use]
    pub fn about(&self, container: &str) -> Waiter {
        Waiter { container: container.to_owned(), events: self.listen(), alive: Arc::clone(&self.alive) }
    }
}

/// Passes events on, and opens the stream again when it is lost; ends when nobody is left who could listen.
async fn follow<E: Engine>(
    engine: Arc<E>,
    mut events: tokio::sync::mpsc::Receiver<Event>,
    sender: broadcast::Sender<Heard>,
    alive: Arc<AtomicBool>,
) {
    // Nobody waiting is no fault: the next one that waits looks first.
    let tell = |heard| drop(sender.send(heard));
    loop {
        while let Some(event) = events.recv().await {
            tell(Heard::Event(event));
        }
        alive.store(false, Ordering::Relaxed);
        tell(Heard::Lost);
        let (mut pause, longest) = REOPEN;
        events = loop {
            tokio::time::sleep(pause).await;
            if Arc::strong_count(&alive) == 1 {
                return;
            }
            match engine.events().await {
                Ok(events) => break events,
                Err(error) => tracing::debug!(%error, "the engine's events are still lost"),
            }
            pause = (pause * 2).min(longest);
        };
        alive.store(true, Ordering::Relaxed);
        tell(Heard::Back);
    }
}

/// Waits for one container.
#[derive(Debug)]
pub struct Waiter {
    container: String,
    events: Option<broadcast::Receiver<Heard>>,
    alive: Arc<AtomicBool>,
}

impl Waiter {
    /// Resolves when something happened to the container, or after `at_most`.
    pub async fn nudged(&mut self, at_most: Duration) {
        let hears = self.alive.load(Ordering::Relaxed);
        let at_most = at_most.min(if hears { AT_LATEST } else { WITHOUT_EVENTS });
        let Some(events) = &mut self.events else {
            return tokio::time::sleep(at_most).await;
        };
        let about_it = async {
            loop {
                match events.recv().await {
                    Ok(Heard::Event(event)) if event.container() == Some(self.container.as_str()) => return true,
                    Ok(Heard::Event(_)) => {}
                    Ok(Heard::Lost | Heard::Back) | Err(broadcast::error::RecvError::Lagged(_)) => return true,
                    Err(broadcast::error::RecvError::Closed) => return false,
                }
            }
        };
        let stream_lives = tokio::time::timeout(at_most, about_it).await.unwrap_or(true);
        if !stream_lives {
            self.events = None;
        }
    }
}
