//! Brings a container into each stage of its life.

use crate::subjects::{ASKED, Hand, LISTENS, Place, Work};
use reconcile::{
    engine::{Detail, Engine},
    observed::Life,
};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// A busy machine starts a container in seconds.
pub const SOON: Duration = Duration::from_secs(180);

/// A stage of a container's life that can be brought about. (`Removing` and `Dead` are moments and accidents.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifeCase {
    Created,
    Running,
    Paused,
    /// Dead, and about to be started again.
    Restarting,
    /// The signal is out, the kill is not.
    Stopping,
    /// Over by a stop.
    Stopped,
    /// Over by itself.
    Ended,
    /// Removed.
    Gone,
}

impl LifeCase {
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Ended => "ended",
            Self::Gone => "gone",
        }
    }

    fn work(self) -> Work {
        match self {
            Self::Created | Self::Running | Self::Paused | Self::Stopped | Self::Gone => Work::Serves,
            Self::Restarting => Work::Crashes,
            Self::Stopping => Work::Deaf,
            Self::Ended => Work::Ends,
        }
    }

    /// Makes a container and brings it here; tells its id.
    pub async fn reach<E: Engine>(self, engine: &E, hand: &Hand, place: &Place, name: &str) -> String {
        let id = engine.create(&place.container(engine, name, self.work()).await).await.unwrap();
        Place::rehearse(hand, &id, self.work());
        match self {
            Self::Created => {}
            Self::Running => engine.start(&id).await.unwrap(),
            Self::Paused => {
                engine.start(&id).await.unwrap();
                listens(engine, &id).await;
                hand.pause(&id).await;
                until(engine, &id, |seen| seen.life == Life::Paused).await;
            }
            Self::Restarting => {
                engine.start(&id).await.unwrap();
                if hand.pauses_between_restarts() {
                    // The pause has grown to seconds by then, so that the case has time for its write.
                    until(engine, &id, |seen| seen.life == Life::Restarting && seen.restarts >= 6).await;
                } else {
                    until(engine, &id, |seen| seen.restarts >= 2).await;
                }
            }
            Self::Stopping => {
                engine.start(&id).await.unwrap();
                listens(engine, &id).await;
            }
            Self::Stopped => {
                engine.start(&id).await.unwrap();
                listens(engine, &id).await;
                engine.stop(&id, Duration::from_secs(10)).await.unwrap();
                until(engine, &id, |seen| matches!(seen.life, Life::Exited(_))).await;
            }
            Self::Ended => {
                engine.start(&id).await.unwrap();
                until(engine, &id, |seen| matches!(seen.life, Life::Exited(_))).await;
            }
            Self::Gone => engine.remove(&id).await.unwrap(),
        }
        if self == Self::Running {
            listens(engine, &id).await;
        }
        id
    }
}

/// The shell needs a moment from its start to its trap, and says when it is set.
async fn listens<E: Engine>(engine: &E, id: &str) {
    said(engine, id, LISTENS).await;
    until(engine, id, |seen| seen.life == Life::Running).await;
}

/// The signal to end has reached a container that goes on all the same.
pub async fn asked<E: Engine>(engine: &E, hand: &Hand, id: &str) {
    match hand {
        Hand::Client { .. } => said(engine, id, ASKED).await,
        // The caller asked before it waits, and the model has no way for a signal to take.
        Hand::Model(model) => {
            assert!(model.by_hand(|world| world.find_mut(id).unwrap().stopped_by_hand), "nobody asked it to stop");
        }
    }
}

async fn said<E: Engine>(engine: &E, id: &str, word: &str) {
    let look = async {
        while !engine.last_words(id, 5).await.unwrap().iter().any(|line| line.trim() == word) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, look).await.unwrap_or_else(|_| panic!("the container never says `{word}`"));
}

pub async fn until<E: Engine>(engine: &E, id: &str, wanted: impl Fn(&Detail) -> bool) {
    let look = async {
        while !engine.container(id).await.unwrap().is_some_and(|seen| wanted(&seen)) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, look).await.expect("the container comes to the life that is waited for");
}
