//! Keeps the copies of one environment coming: what the branch says of each app, each in a task of its own.

use super::{copying::Copying, keeper::Shared, nudge::Word};
use crate::{
    desired::Backup,
    engine::Engine,
    pass::{Ending, Head, Host},
    value::{AppId, AppName, EnvironmentName},
};
use std::{collections::BTreeMap, sync::Arc};
use tokio::{sync::watch, task::JoinSet};

/// One environment's copyist.
pub struct Copyist<E> {
    pub environment: EnvironmentName,
    pub host: Arc<Host<E>>,
    pub shared: Shared,
    pub words: watch::Receiver<Option<Word>>,
    pub ending: Ending,
    /// What is copied of whom; none to a task says that nothing is any more.
    pub wanted: BTreeMap<AppName, watch::Sender<Option<Backup>>>,
    pub tasks: JoinSet<()>,
}

impl<E: Engine> Copyist<E> {
    /// A copyist that knows nothing yet.
    pub fn new(
        environment: EnvironmentName,
        host: Arc<Host<E>>,
        shared: Shared,
        words: watch::Receiver<Option<Word>>,
        ending: Ending,
    ) -> Self {
        Self { environment, host, shared, words, ending, wanted: BTreeMap::new(), tasks: JoinSet::new() }
    }

    /// Works until the tool is asked to end; then what is under way is given up, and hooks `after` are run.
    pub async fn run(mut self) {
        self.words.mark_changed();
        while !*self.ending.borrow() {
            tokio::select! {
                _ = self.ending.changed() => {}
                Ok(()) = self.words.changed() => self.take_word(),
                Some(ended) = self.tasks.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(environment = %self.environment, %error, "who makes copies broke down");
                        // Whoever was lost begins anew.
                        self.wanted.retain(|_, task| !task.is_closed());
                        self.words.mark_changed();
                    }
                }
            }
        }
        while self.tasks.join_next().await.is_some() {}
    }

    fn take_word(&mut self) {
        let word = self.words.borrow_and_update().clone();
        match word {
            Some(Word::Head(head)) => self.follow(&head),
            Some(Word::Halted(halt)) => {
                if let (true, Some(head)) = (self.wanted.is_empty(), halt.stays) {
                    self.follow(&head);
                }
            }
            None => {}
        }
    }

    /// What the branch no longer asks for is no longer done; what it cannot be read for goes on as before.
    fn follow(&mut self, head: &Head) {
        self.wanted.retain(|app, task| {
            let stays = match head.apps.get(app) {
                Some(Ok(desired)) => desired.backup.as_ref().is_some_and(has_work),
                Some(Err(_)) => true,
                None => false,
            };
            if !stays {
                task.send_replace(None);
            }
            stays
        });
        let read = head.apps.iter().filter_map(|(app, read)| Some((app, read.as_ref().ok()?.backup.as_ref()?)));
        for (app, backup) in read.filter(|(_, backup)| has_work(backup)) {
            match self.wanted.get(app) {
                Some(task) => {
                    task.send_if_modified(|wanted| wanted.replace(backup.clone()).as_ref() != Some(backup));
                }
                None => self.begin(app, backup),
            }
        }
    }

    fn begin(&mut self, app: &AppName, backup: &Backup) {
        let (sender, wanted) = watch::channel(Some(backup.clone()));
        let copying = Copying {
            id: AppId::new(&self.environment, app),
            host: Arc::clone(&self.host),
            told: Arc::clone(&self.shared.told),
            standings: Arc::clone(&self.shared.standings),
            wanted,
            ending: self.ending.clone(),
        };
        self.tasks.spawn(copying.run());
        self.wanted.insert(app.clone(), sender);
    }
}

/// Whether there is anything to do without being asked: copies at their times, or places that are to have what the first has.
fn has_work(backup: &Backup) -> bool {
    backup.schedule.is_some() || backup.repositories.len() > 1
}
