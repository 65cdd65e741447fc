//! Drills the copies of one environment's apps when they are due, one after the other. When an app was drilled last is noted with
//! its copies, and remembered nowhere else.

use super::{keeper::Shared, nudge::Word};
use crate::{
    apply::drills::{Drills, can_be},
    backup::{AnyPlace, BackupError, Due, Of, due, place::named},
    cause::whole,
    desired::{Backup, Desired},
    engine::Engine,
    pass::{Ending, Head, Host},
    record::{AppLock, lock::Attempt},
    secret::age::Identities,
    value::{AppId, AppName, EnvironmentName},
};
use jiff::Timestamp;
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};
use tokio::{sync::watch, task::spawn_blocking, time::sleep};

/// The longest sleep: a clock that is set meanwhile is noticed by then.
const LONGEST: Duration = Duration::from_secs(300);

/// One environment's drills.
pub struct Driller<E> {
    environment: EnvironmentName,
    host: Arc<Host<E>>,
    shared: Shared,
    words: watch::Receiver<Option<Word>>,
    ending: Ending,
    /// What the branch says of apps that want drills.
    wanted: BTreeMap<AppName, Desired>,
    /// When each was begun: one that could not be noted is not begun again at once.
    begun: BTreeMap<AppName, Timestamp>,
}

impl<E: Engine> Driller<E> {
    /// A driller that knows nothing yet.
    pub fn new(
        environment: EnvironmentName,
        host: Arc<Host<E>>,
        shared: Shared,
        words: watch::Receiver<Option<Word>>,
        ending: Ending,
    ) -> Self {
        Self { environment, host, shared, words, ending, wanted: BTreeMap::new(), begun: BTreeMap::new() }
    }

    /// Works until the tool is asked to end; a drill under way is given up then, and what it made is thrown away by the next.
    pub async fn run(mut self) {
        let mut ending = self.ending.clone();
        let mut changes = self.shared.standings.changes();
        self.words.mark_changed();
        while !*ending.borrow() {
            let wait = tokio::select! {
                biased;
                _ = ending.wait_for(|asked| *asked) => break,
                wait = self.round() => wait,
            };
            let waits = self.wanted.keys().any(|app| !self.is_known(app));
            tokio::select! {
                _ = ending.changed() => {}
                Ok(()) = self.words.changed() => {
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
                () = changes.next(), if waits => {}
                () = sleep(wait) => {}
            }
        }
    }

    fn follow(&mut self, head: &Head) {
        // One that cannot be read goes on as before.
        self.wanted.retain(|app, _| matches!(head.apps.get(app), Some(Err(_))));
        let read = head.apps.iter().filter_map(|(app, read)| Some((app, read.as_ref().ok()?)));
        let wants = |desired: &&Desired| desired.backup.as_ref().is_some_and(|backup| backup.drill.is_some());
        let wanted = read.filter(|(_, desired)| wants(desired));
        self.wanted.extend(wanted.map(|(app, desired)| (app.clone(), desired.clone())));
    }

    /// Its containers are not there before its first pass.
    fn is_known(&self, app: &AppName) -> bool {
        self.shared.standings.is_known(&AppId::new(&self.environment, app))
    }

    /// Drills what is due, and tells how long nothing else is.
    async fn round(&mut self) -> Duration {
        let mut wait = LONGEST;
        let wanted: Vec<Desired> =
            self.wanted.iter().filter(|(app, _)| self.is_known(app)).map(|(_, desired)| desired.clone()).collect();
        for desired in wanted {
            let Some(backup) = &desired.backup else { continue };
            match self.due(&desired, backup).await {
                Ok(Due::Now { .. }) => {
                    self.begun.insert(desired.app.clone(), self.host.hands.engine.now());
                    let why = self.drill(&desired, backup).await;
                    self.tell(&desired, &why);
                    // The next time is known then.
                    wait = Duration::ZERO;
                }
                Ok(Due::At(at)) => {
                    let left = Duration::try_from(at.duration_since(self.host.hands.engine.now()));
                    wait = wait.min(left.unwrap_or_default());
                }
                Ok(Due::Never) => {}
                Err(error) => {
                    tracing::warn!(app = %desired.app, error = whole(&error), "nobody can tell when a drill is due")
                }
            }
        }
        wait
    }

    async fn due(&self, desired: &Desired, backup: &Backup) -> Result<Due, BackupError> {
        let schedule = backup.drill.as_ref().map(|drill| drill.schedule.clone());
        let places = named(&self.host.settings.depot.places, &backup.repositories)?;
        let of = |item: &crate::desired::backup::Item| Of {
            environment: desired.environment.clone(),
            app: desired.app.clone(),
            item: item.name.clone(),
        };
        let items: Vec<Of> = backup.items.iter().map(of).collect();
        let noted = spawn_blocking(move || noted(&places, &items)).await;
        let noted = noted.map_err(|error| BackupError::Source { why: error.to_string() })??;
        let last = noted.into_iter().chain(self.begun.get(&desired.app).copied()).max();
        let drills = Backup { schedule, ..backup.clone() };
        Ok(due(&drills, (&desired.environment, &desired.app), last, self.host.hands.engine.now()))
    }

    /// What went wrong, an item in a line.
    async fn drill(&self, desired: &Desired, backup: &Backup) -> Vec<String> {
        let settings = &self.host.settings;
        let what = format!("drills of {}", settings.engine);
        let attempt = AppLock::attempt(&settings.lock_dir, &what, &desired.environment, &desired.app);
        let _lock = match attempt {
            Ok(Attempt::Acquired(lock)) => lock,
            // Somebody drills it now.
            Ok(Attempt::Busy(_)) => return Vec::new(),
            Err(error) => return vec![whole(&error)],
        };
        let identity = settings.policy.settings.secrets.age_identity.as_ref();
        let identities = match identity.map(|path| Identities::read(Path::new(path.as_str()))).transpose() {
            Ok(identities) => identities.map(Arc::new),
            Err(error) => return vec![whole(&error)],
        };
        let places = match named(&settings.depot.places, &backup.repositories) {
            Ok(places) => places,
            Err(error) => return vec![whole(&error)],
        };
        let drills = Drills {
            installation: &settings.installation,
            desired,
            places: &places,
            identities,
            backup,
            runs_healthchecks: self.host.hands.info.runs_healthchecks,
            remembered: &settings.depot.remembered.drills,
        };
        let mut why = Vec::new();
        for item in backup.items.iter().filter(|item| can_be(&item.data)) {
            match drills.run(&self.host.hands.engine, item).await {
                Ok(copy) => match copy.drilled.as_ref().and_then(|drilled| drilled.trouble.as_ref()) {
                    Some(trouble) => why.push(format!("copy `{}` of `{}`: {trouble}", copy.id, item.name)),
                    None => tracing::info!(app = %desired.app, item = %item.name, copy = %copy.id, "drilled"),
                },
                Err(error) => why.push(format!("`{}`: {}", item.name, whole(&error))),
            }
        }
        why
    }

    fn tell(&self, desired: &Desired, why: &[String]) {
        if !why.is_empty() {
            self.shared.told.not_restored(&AppId::new(&desired.environment, &desired.app), &why.join("; "));
        }
    }
}

/// When copies of these items were drilled last, by the places that can be read.
///
/// # Errors
/// None of them can be.
fn noted(places: &[AnyPlace], items: &[Of]) -> Result<Option<Timestamp>, BackupError> {
    let in_place = |place: &AnyPlace| -> Result<Option<Timestamp>, BackupError> {
        let mut last = None;
        for of in items {
            let drilled = place.copies(of)?.copies.into_iter().filter_map(|copy| copy.drilled);
            last = drilled.map(|drilled| drilled.at).chain(last).max();
        }
        Ok(last)
    };
    let (read, unread): (Vec<_>, Vec<_>) = places.iter().map(in_place).partition(Result::is_ok);
    match (read.is_empty(), unread.into_iter().find_map(Result::err)) {
        (true, Some(error)) => Err(error),
        (true, None) | (false, _) => Ok(read.into_iter().flatten().flatten().max()),
    }
}
