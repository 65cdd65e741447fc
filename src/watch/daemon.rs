//! The daemon: one follower of the branch; one keeper, one copyist and one driller for each environment.

use super::{
    branch::Branch,
    copyist::Copyist,
    driller::Driller,
    follow::{Follower, Words},
    keeper::{Keeper, Shared},
    told::Told,
};
use crate::{
    engine::Engine,
    pass::{Ending, Host},
    value::EnvironmentName,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

/// How long what other processes write of the source may go unseen.
const UNHEARD: Duration = Duration::from_secs(10);

/// What a daemon works with, until it ends or the host file is read again.
pub struct Daemon<E, B> {
    pub host: Arc<Host<E>>,
    pub branch: Arc<B>,
    pub environments: Vec<EnvironmentName>,
    pub told: Arc<Told>,
    /// How often the source is asked although nothing was heard.
    pub poll: Duration,
    /// Says "look at the source": a webhook, a repository's files, a person's word in the ledger.
    pub nudge: Arc<Notify>,
}

impl<E: Engine, B: Branch> Daemon<E, B> {
    /// Works until it is asked to end; then the steps in hand are finished.
    pub async fn run(self, ending: Ending) {
        let mut parts = JoinSet::new();
        let mut words = Words::new();
        let shared = Shared {
            told: Arc::clone(&self.told),
            standings: Arc::default(),
            followed: self.environments.clone().into(),
        };
        for environment in self.environments {
            let (sender, receiver) = watch::channel(None);
            let copyist = Copyist::new(
                environment.clone(),
                Arc::clone(&self.host),
                shared.clone(),
                receiver.clone(),
                ending.clone(),
            );
            parts.spawn(copyist.run());
            let driller = Driller::new(
                environment.clone(),
                Arc::clone(&self.host),
                shared.clone(),
                receiver.clone(),
                ending.clone(),
            );
            parts.spawn(driller.run());
            words.insert(environment.clone(), sender);
            let keeper = Keeper::new(environment, Arc::clone(&self.host), shared.clone(), receiver, ending.clone());
            parts.spawn(keeper.run());
        }
        parts.spawn(listen(Arc::clone(&self.host), Arc::clone(&self.nudge), ending.clone()));
        let (branch, told) = (self.branch, self.told);
        let follower = Follower { branch, words, told, poll: self.poll, nudge: self.nudge, ending };
        parts.spawn(follower.run());
        while let Some(part) = parts.join_next().await {
            if let Err(error) = part {
                tracing::error!(%error, "a part of the daemon is gone");
            }
        }
    }
}

/// A person may have accepted a rewound branch: the source is asked again when another process writes.
async fn listen<E: Engine>(host: Arc<Host<E>>, nudge: Arc<Notify>, mut ending: Ending) {
    let Ok(mut bell) = host.ledger.bell().await else { return };
    while !*ending.borrow() {
        tokio::select! {
            _ = ending.changed() => {}
            rang = bell.rung(UNHEARD) => match rang {
                Ok(()) => nudge.notify_one(),
                Err(_) => return,
            }
        }
    }
}
