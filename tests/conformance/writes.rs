//! Every write of the trait that is about a container, and what came of it in words.

use crate::{
    lives::{LifeCase, SOON, asked},
    subjects::{Hand, Place, Work},
};
use reconcile::{
    desired::spec::{Adjustable, Restart},
    engine::{Detail, Engine, RunInside},
    observed::Life,
};
use std::{collections::BTreeSet, time::Duration};

const MEMORY: u64 = 64 << 20;

/// A write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    CreateAgain,
    Start,
    Stop,
    Remove,
    Rename,
    RenameTaken,
    RenameOwn,
    Adjust,
    Unpause,
    Signal,
    RunInside,
    Connect,
    ConnectAgain,
    Disconnect,
    DisconnectOther,
}

impl Write {
    pub const ALL: &[Self] = &[
        Self::CreateAgain,
        Self::Start,
        Self::Stop,
        Self::Remove,
        Self::Rename,
        Self::RenameTaken,
        Self::RenameOwn,
        Self::Adjust,
        Self::Unpause,
        Self::Signal,
        Self::RunInside,
        Self::Connect,
        Self::ConnectAgain,
        Self::Disconnect,
        Self::DisconnectOther,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::CreateAgain => "create again",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Remove => "remove",
            Self::Rename => "rename",
            Self::RenameTaken => "rename to a taken name",
            Self::RenameOwn => "rename to its own name",
            Self::Adjust => "adjust",
            Self::Unpause => "unpause",
            Self::Signal => "signal",
            Self::RunInside => "run a program inside",
            Self::Connect => "connect",
            Self::ConnectAgain => "connect again",
            Self::Disconnect => "disconnect",
            Self::DisconnectOther => "disconnect from where it is not",
        }
    }

    async fn act<E: Engine>(self, engine: &E, place: &Place, id: &str, name: &str) -> bool {
        let none = BTreeSet::new();
        match self {
            Self::CreateAgain => engine.create(&place.container(engine, name, Work::Serves).await).await.map(drop),
            Self::Start => engine.start(id).await,
            Self::Stop => engine.stop(id, Duration::from_secs(2)).await,
            Self::Remove => engine.remove(id).await,
            Self::Rename => engine.rename(id, &format!("{name}-new")).await,
            Self::RenameTaken => engine.rename(id, &place.taken).await,
            Self::RenameOwn => engine.rename(id, name).await,
            Self::Adjust => {
                let to = Adjustable { memory: Some(MEMORY), restart: Restart::UnlessStopped, ..Adjustable::default() };
                engine.adjust(id, &to).await
            }
            Self::Unpause => engine.unpause(id).await,
            Self::Signal => engine.signal(id, "SIGHUP").await,
            Self::RunInside => engine.run_inside(id, &RunInside::briefly(&["true"])).await.map(drop),
            Self::Connect => engine.connect(id, &place.other, &none).await,
            Self::ConnectAgain => engine.connect(id, &place.own, &none).await,
            Self::Disconnect => engine.disconnect(id, &place.own).await,
            Self::DisconnectOther => engine.disconnect(id, &place.other).await,
        }
        .is_ok()
    }

    /// `ok, running`, `refused, exited 7`, with what else has changed: name, networks, memory.
    pub async fn outcome<E: Engine>(self, engine: &E, hand: &Hand, place: &Place, life: LifeCase) -> String {
        let name = format!("{}-{}", place.run, self.word().replace(' ', "-"));
        let id = life.reach(engine, hand, place, &name).await;
        let accepted = if life == LifeCase::Stopping {
            let (stopped, accepted) = tokio::join!(engine.stop(&id, hand.stopping()), async {
                asked(engine, hand, &id).await;
                let accepted = self.act(engine, place, &id, &name).await;
                // Nobody waits for the rest of its time.
                hand.kill(&id).await;
                accepted
            });
            // A container that was taken away meanwhile makes the stop fail: the write's outcome tells.
            drop(stopped);
            accepted
        } else {
            self.act(engine, place, &id, &name).await
        };
        let mut words = vec![if accepted { "ok".to_owned() } else { "refused".to_owned() }];
        if life == LifeCase::Ended {
            // Started again, it needs a moment to end again.
            settled(engine, &id).await;
        }
        match engine.container(&id).await.unwrap() {
            None => words.push("gone".to_owned()),
            Some(seen) => {
                let crashing = life == LifeCase::Restarting && crashes_on(engine, &seen).await;
                words.push(if crashing { "crashing".to_owned() } else { life_word(&seen.life) });
                if seen.name != name {
                    words.push("renamed".to_owned());
                }
                let on = |network: &String| seen.endpoints.contains_key(network);
                match (on(&place.own), on(&place.other)) {
                    (true, false) => {}
                    (true, true) => words.push("on both networks".to_owned()),
                    (false, true) => words.push("on the other network".to_owned()),
                    (false, false) => words.push("on no network".to_owned()),
                }
                if seen.adjustable.as_ref().is_some_and(|limits| limits.memory == Some(MEMORY)) {
                    words.push("limited".to_owned());
                }
            }
        }
        hand.discard(&id).await;
        words.join(", ")
    }
}

async fn settled<E: Engine>(engine: &E, id: &str) {
    let over = async {
        while engine.container(id).await.unwrap().is_some_and(|seen| seen.life.is_up()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(SOON, over).await.expect("the container ends");
}

/// A container that crashes is now here, now there: what counts is whether it goes on.
async fn crashes_on<E: Engine>(engine: &E, seen: &Detail) -> bool {
    let again =
        |now: Detail| now.life == Life::Restarting || now.restarts > seen.restarts || now.started_at > seen.started_at;
    for _ in 0..200 {
        if engine.container(&seen.id).await.unwrap().is_some_and(again) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

fn life_word(life: &Life) -> String {
    match life {
        Life::Created => "created".to_owned(),
        Life::Running => "running".to_owned(),
        Life::Paused => "paused".to_owned(),
        Life::Restarting => "restarting".to_owned(),
        Life::Stopping => "stopping".to_owned(),
        Life::Exited(code) => format!("exited {code}"),
        Life::Removing => "removing".to_owned(),
        Life::Dead => "dead".to_owned(),
        Life::Unknown(word) => format!("unknown `{word}`"),
    }
}
