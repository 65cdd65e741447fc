//! A queue and a task for each target.

use super::{
    between,
    news::{News, Tidings},
    standing::Standing,
    target::{Fault, Target},
};
use crate::{
    host,
    show::{escape, report::AppReport},
    value::{AppName, EnvironmentName},
};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};

/// So much waits for a target that does not answer; what comes then is dropped.
const LONGEST_QUEUE: usize = 64;
/// The longest that a target may put itself off.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// What keeps targets from being told anything as things are: files that are missing, or open to others.
#[must_use]
pub fn complaints(targets: &[host::Target]) -> Vec<String> {
    targets.iter().filter_map(|settings| Target::new(settings.clone(), String::new()).complaint()).collect()
}

/// How patiently notices are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How often one is tried.
    pub tries: u32,
    /// The wait after the first failure, which doubles.
    pub wait: Duration,
    /// How long one try may take.
    pub try_for: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { tries: 5, wait: Duration::from_secs(2), try_for: Duration::from_secs(15) }
    }
}

/// What became of notices so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub sent: u64,
    /// Given up after some tries.
    pub failed: u64,
    /// Not even tried: the queue was full.
    pub dropped: u64,
}

#[derive(Debug, Default)]
struct Tally {
    sent: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

/// All targets of a host.
#[derive(Debug)]
pub struct Notices {
    queues: Vec<Queue>,
    tasks: JoinSet<()>,
    tally: Arc<Tally>,
    ending: watch::Sender<bool>,
    standings: Mutex<Standings>,
}

type Standings = BTreeMap<(EnvironmentName, AppName), Standing>;

/// What outlives the targets of a host file that is read anew.
#[derive(Clone, Debug, Default)]
pub struct Known {
    standings: Standings,
    counts: Counts,
}

#[derive(Debug)]
struct Queue {
    settings: host::Target,
    name: String,
    sender: mpsc::Sender<Arc<News>>,
}

impl Notices {
    /// Begins with the targets of the host file; `host` is this machine's name. Called within the runtime.
    #[must_use]
    pub fn begin(targets: &[host::Target], host: &str, pace: Pace) -> Self {
        let tally = Arc::new(Tally::default());
        let (ending, is_ending) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let begin = |settings: &host::Target| {
            let target = Target::new(settings.clone(), host.to_owned());
            let (sender, waiting) = mpsc::channel(LONGEST_QUEUE);
            let name = target.name();
            if let Some(why) = target.complaint() {
                // Known now, and not when there is something to tell.
                tracing::warn!("notices cannot be delivered as things are: {why}");
            }
            let errand = Errand { target, pace, tally: Arc::clone(&tally), ending: is_ending.clone() };
            tasks.spawn(errand.run(waiting));
            Queue { settings: settings.clone(), name, sender }
        };
        let queues = targets.iter().map(begin).collect();
        Self { queues, tasks, tally, ending, standings: Mutex::default() }
    }

    /// Tells everyone who wants to know. Returns at once, whatever becomes of it.
    pub fn tell(&self, news: News) {
        let news = Arc::new(news);
        for queue in self.queues.iter().filter(|queue| Target::wants(&queue.settings, &news)) {
            if queue.sender.try_send(Arc::clone(&news)).is_err() {
                let dropped = self.tally.dropped.fetch_add(1, Ordering::Relaxed) + 1;
                tracing::warn!(to = queue.name, dropped, "a notice was dropped: too many wait already");
            }
        }
    }

    /// A pass over an app is over: tells what of it is news.
    pub fn app(&self, environment: &EnvironmentName, revision: &str, report: &AppReport, at: Timestamp) {
        let told = {
            let mut standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
            let standing = standings.entry((environment.clone(), report.app.clone())).or_default();
            let (after, told) = between(standing, report);
            *standing = after;
            told
        };
        if let Some(told) = told {
            self.tell(News::Tidings(Box::new(Tidings::of_app(environment, revision, told, report, at))));
        }
    }

    /// An app is gone, and what was wrong with it too.
    pub fn forget(&self, environment: &EnvironmentName, app: &AppName) {
        let mut standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        standings.remove(&(environment.clone(), app.clone()));
    }

    /// What people know by now, for those who come after.
    #[must_use]
    pub fn known(&self) -> Known {
        let standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Known { standings, counts: self.counts() }
    }

    /// Knows what those before knew, so that a host file that is read anew tells nothing twice.
    #[must_use]
    pub fn knowing(self, before: Known) -> Self {
        *self.standings.lock().unwrap_or_else(PoisonError::into_inner) = before.standings;
        self.tally.sent.fetch_add(before.counts.sent, Ordering::Relaxed);
        self.tally.failed.fetch_add(before.counts.failed, Ordering::Relaxed);
        self.tally.dropped.fetch_add(before.counts.dropped, Ordering::Relaxed);
        self
    }

    /// What became of notices so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts { sent: of(&self.tally.sent), failed: of(&self.tally.failed), dropped: of(&self.tally.dropped) }
    }

    /// Sends what still waits, each once, and ends; what takes longer than `within` is lost.
    pub async fn end(mut self, within: Duration) {
        self.ending.send_replace(true);
        self.queues.clear();
        let rest = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(within, rest).await.is_err() {
            tracing::warn!("notices were still waiting at the end");
        }
    }
}

/// The task of one target.
struct Errand {
    target: Target,
    pace: Pace,
    tally: Arc<Tally>,
    ending: watch::Receiver<bool>,
}

impl Errand {
    async fn run(mut self, mut waiting: mpsc::Receiver<Arc<News>>) {
        while let Some(news) = waiting.recv().await {
            match self.deliver(&news).await {
                Ok(()) => self.tally.sent.fetch_add(1, Ordering::Relaxed),
                Err(why) => {
                    tracing::warn!(to = self.target.name(), "a notice was not delivered: {why}");
                    self.tally.failed.fetch_add(1, Ordering::Relaxed)
                }
            };
            if waiting.is_empty() {
                self.target.rest();
            }
        }
    }

    /// Tries until it works, is hopeless, or was tried often enough.
    async fn deliver(&mut self, news: &News) -> Result<(), String> {
        let mut wait = self.pace.wait;
        let mut tries = 1;
        loop {
            // What fails while the end comes is tried once more, at once.
            let is_last = tries >= self.pace.tries || *self.ending.borrow();
            let (why, after) = match timeout(self.pace.try_for, self.target.send(news)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(Fault::Final { why })) => return Err(escape::short(&why)),
                Ok(Err(Fault::Passing { why, after })) => (escape::short(&why), after),
                Err(_) => (format!("no answer within {} s", self.pace.try_for.as_secs_f32()), None),
            };
            if is_last {
                return Err(why);
            }
            tracing::debug!(to = self.target.name(), tries, "a notice is tried again: {why}");
            tries += 1;
            // Hosts that fail together do not come back together.
            let pause = wait.mul_f32(0.5 + fastrand::f32() / 2.0).max(after.unwrap_or_default()).min(LONGEST_WAIT);
            let _ = timeout(pause, self.ending.wait_for(|ending| *ending)).await;
            wait *= 2;
        }
    }
}
