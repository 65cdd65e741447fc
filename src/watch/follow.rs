//! Follows the branch: asked at once when something said "look", and now and then in any case.

use super::{
    branch::{Branch, Tip},
    files::Files,
    nudge::Word,
    pace::{doubled, jittered},
    told::Told,
};
use crate::{pass::Ending, value::EnvironmentName};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};

/// How long nudges are gathered: a push changes several files.
const GATHER: Duration = Duration::from_millis(10);

/// The first and the longest wait for a source that cannot be read, where its poll is not longer.
const AWAY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// Who is told what the branch says.
pub type Words = BTreeMap<EnvironmentName, watch::Sender<Option<Word>>>;

/// One branch's follower.
pub struct Follower<B> {
    pub branch: Arc<B>,
    pub words: Words,
    pub told: Arc<Told>,
    /// How often it is asked although nothing was heard.
    pub poll: Duration,
    pub nudge: Arc<Notify>,
    pub ending: Ending,
}

impl<B: Branch> Follower<B> {
    /// Follows until the tool is asked to end.
    pub async fn run(mut self) {
        let mut known: Option<Tip> = None;
        let mut files: Option<Files> = None;
        let mut failures = 0;
        while !*self.ending.borrow() {
            // Watched before it is asked, so that nothing is missed in between.
            self.watch(&mut files).await;
            // An environment that is halted is judged again each time: a person may have accepted meanwhile.
            let at = known.as_ref().filter(|tip| !tip.halts()).and_then(|tip| tip.commit.clone());
            let wait = match self.branch.ask(at.as_deref()).await {
                Ok(tip) => {
                    failures = 0;
                    if tip.as_ref().is_none_or(|tip| tip.commit.is_some()) {
                        self.told.source(tip.is_some());
                    }
                    if let Some(tip) = tip {
                        self.tell(&tip);
                        known = Some(tip);
                    }
                    self.poll
                }
                Err(error) => {
                    self.told.source_away(&error);
                    files = None;
                    failures += 1;
                    doubled(AWAY.0, failures - 1, AWAY.1.max(self.poll))
                }
            };
            tokio::select! {
                _ = self.ending.changed() => {}
                () = self.nudge.notified() => {
                    sleep(GATHER).await;
                    // What came while gathering is answered by the question that follows.
                    let _ = timeout(Duration::ZERO, self.nudge.notified()).await;
                }
                () = sleep(jittered(wait, fastrand::f64())) => {}
            }
        }
    }

    fn tell(&self, tip: &Tip) {
        for (environment, sender) in &self.words {
            let word = match tip.environments.get(environment) {
                Some(Ok(head)) => Word::Head(Arc::clone(head)),
                Some(Err(halt)) => Word::Halted(halt.clone()),
                None => continue,
            };
            sender.send_replace(Some(word));
        }
    }

    /// A repository that was made anew has other folders behind the same paths, so each success after a failure begins
    /// a new watch.
    async fn watch(&self, files: &mut Option<Files>) {
        let folders = self.branch.folders().await;
        if files.as_ref().is_none_or(|files| !files.watches(&folders)) {
            *files = (!folders.is_empty()).then(|| Files::watch(folders, Arc::clone(&self.nudge)));
        }
    }
}
