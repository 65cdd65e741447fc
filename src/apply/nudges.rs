//! The engine's events, for those who wait on a container. An event only says "look": what happened is seen by looking.

use crate::engine::Engine;
use std::{sync::Arc, time::Duration};
use tokio::sync::broadcast;

/// How long a waiter goes without looking when no event comes: the truth under a stream that may be lost.
const AT_LATEST: Duration = Duration::from_secs(5);

/// The same where the engine gives no events.
const WITHOUT_EVENTS: Duration = Duration::from_millis(250);

/// One subscription to the engine's events for all who wait.
#[derive(Clone, Debug)]
pub struct Nudges {
    sender: Option<broadcast::Sender<String>>,
}

impl Nudges {
    /// Subscribes; an engine that gives no events is looked at more often instead.
    pub async fn subscribe<E: Engine>(engine: &Arc<E>) -> Self {
        let Ok(mut events) = engine.events().await else { return Self { sender: None } };
        let (sender, _) = broadcast::channel(256);
        let copy = sender.clone();
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                // Nobody waiting is no fault: the next one that waits looks first.
                let _nobody_waits = copy.send(event.container);
            }
        });
        Self { sender: Some(sender) }
    }

    /// For those who do not wait.
    #[must_use]
    pub fn silent() -> Self {
        Self { sender: None }
    }

    /// A place to wait for one container. Made before the first look, so that nothing between look and wait is missed.
    #[must_use]
    pub fn about(&self, container: &str) -> Waiter {
        Waiter { container: container.to_owned(), events: self.sender.as_ref().map(broadcast::Sender::subscribe) }
    }
}

/// Waits for one container.
#[derive(Debug)]
pub struct Waiter {
    container: String,
    events: Option<broadcast::Receiver<String>>,
}

impl Waiter {
    /// Resolves when something happened to the container, or after `at_most`.
    pub async fn nudged(&mut self, at_most: Duration) {
        let Some(events) = &mut self.events else {
            tokio::time::sleep(at_most.min(WITHOUT_EVENTS)).await;
            return;
        };
        let about_it = async {
            loop {
                match events.recv().await {
                    Ok(container) if container == self.container => return true,
                    Ok(_) => {}
                    Err(broadcast::error::RecvError::Lagged(_)) => return true,
                    Err(broadcast::error::RecvError::Closed) => return false,
                }
            }
        };
        let stream_lives = tokio::time::timeout(at_most.min(AT_LATEST), about_it).await.unwrap_or(true);
        if !stream_lives {
            self.events = None;
        }
    }
}
