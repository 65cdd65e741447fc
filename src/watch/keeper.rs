//! Keeps one environment: hears what happens to it, looks, and runs the passes of its apps, each for itself.

use super::{
    ears::{self, Door, Events, Shelf},
    nudge::Word,
    pace::{Came, doubled, jittered},
    seat::{Due, Running, Seat},
    standings::{self, Standings},
    told::Told,
    turn::{Done, Turn},
};
use crate::{
    apply::nudges::Heard,
    desired::SecretSource,
    engine::Engine,
    observe::{Look, Scope},
    pass::{Asker, Ending, Head, Host, Mode, Standing, Wish, environment},
    record::{Outcome, Wishes},
    value::{AppId, AppName, EnvironmentName},
};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
    time::{Instant, sleep_until},
};

/// How long events are gathered before the look that they ask for.
const GATHER: Duration = Duration::from_millis(10);

/// How often everything is looked at although nothing was heard.
const SWEEP: Duration = Duration::from_secs(60);

/// In so many sweeps every container is inspected once: lists cannot show all of it.
const SWEEPS: usize = 20;

/// The first and the longest wait for an engine that does not answer.
const ENGINE_AWAY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));

/// What the keepers of one daemon share.
#[derive(Clone, Debug)]
pub struct Shared {
    pub told: Arc<Told>,
    pub standings: Arc<Standings>,
    pub followed: Arc<[EnvironmentName]>,
}

/// One environment's keeper.
pub struct Keeper<E> {
    environment: EnvironmentName,
    scope: Scope,
    host: Arc<Host<E>>,
    told: Arc<Told>,
    standings: Arc<Standings>,
    /// The environments of this daemon.
    followed: Arc<[EnvironmentName]>,
    words: watch::Receiver<Option<Word>>,
    head: Option<Arc<Head>>,
    /// The commit for which every app has had its turn.
    settled: Option<String>,
    look: Option<Look>,
    /// Ids of containers of which the last look may be wrong.
    stale: BTreeSet<String>,
    /// When the next look is due because something was heard.
    heard: Option<Instant>,
    sweep: Instant,
    /// The container that was inspected last in a sweep.
    swept: Option<String>,
    /// Engine calls that failed in a row.
    failures: u32,
    seats: BTreeMap<AppName, Seat>,
    wishes: BTreeMap<AppName, Wishes>,
    passes: JoinSet<Done>,
    /// Whose pass a task is: one that breaks down cannot say so itself.
    tasks: BTreeMap<Id, AppName>,
    ending: Ending,
}

impl<E: Engine> Keeper<E> {
    /// A keeper that knows nothing yet.
    pub fn new(
        environment: EnvironmentName,
        host: Arc<Host<E>>,
        shared: Shared,
        words: watch::Receiver<Option<Word>>,
        ending: Ending,
    ) -> Self {
        let Shared { told, standings, followed } = shared;
        let scope = Scope { installation: host.settings.installation.clone(), environment: environment.clone() };
        Self {
            environment,
            scope,
            host,
            told,
            standings,
            followed,
            words,
            head: None,
            settled: None,
            look: None,
            stale: BTreeSet::new(),
            heard: None,
            sweep: Instant::now() + SWEEP,
            swept: None,
            failures: 0,
            seats: BTreeMap::new(),
            wishes: BTreeMap::new(),
            passes: JoinSet::new(),
            tasks: BTreeMap::new(),
            ending,
        }
    }

    /// Keeps the environment until the tool is asked to end; then the steps in hand are finished.
    pub async fn run(mut self) {
        let mut events = Events::of(&self.host.hands.nudges);
        let mut door = Door::of(&self.host.ledger).await;
        let mut changes = self.standings.changes();
        let shelf = Shelf::of(&self.host.settings.secrets.directory);
        self.wishes = self.host.ledger.wishes(&self.environment).await.unwrap_or_default();
        self.words.mark_changed();
        while !*self.ending.borrow() {
            let wake = self.wakes_at(Instant::now());
            tokio::select! {
                _ = self.ending.changed() => {}
                Ok(()) = self.words.changed() => self.take_word(),
                heard = events.next() => self.hear(heard),
                () = changes.next() => self.take_standings(),
                () = door.rung() => self.take_wishes().await,
                // Whose they are is seen by looking.
                () = shelf.changed() => self.everything_again(),
                Some(done) = self.passes.join_next() => self.join(done),
                () = sleep_until(wake) => {}
            }
            if self.wakes_at(Instant::now()) <= Instant::now() {
                self.turn().await;
            }
        }
        self.stop_all();
        while let Some(done) = self.passes.join_next().await {
            self.join(done);
        }
    }

    /// When something is to be done at the latest.
    fn wakes_at(&self, now: Instant) -> Instant {
        let begins = self.head.as_ref().and_then(|_| self.seats.values().filter_map(|seat| seat.begins_at(now)).min());
        // A first look waits for a head; after a failed look everything waits.
        let away = (self.failures > 0).then_some(self.sweep);
        away.unwrap_or_else(|| [begins, self.heard].into_iter().flatten().fold(self.sweep, Instant::min))
    }

    fn take_word(&mut self) {
        let word = self.words.borrow_and_update().clone();
        match word {
            Some(Word::Head(head)) => {
                self.told.halted(&self.environment, None);
                self.take_head(head);
            }
            Some(Word::Halted(halt)) => {
                self.standings.halt(&self.environment, &halt);
                self.told.halted(&self.environment, Some(&halt));
                if let (None, Some(head)) = (&self.head, halt.stays) {
                    self.take_head(head);
                }
            }
            None => {}
        }
    }

    /// A new head: apps that it changes are due, and what runs for the old one ends.
    fn take_head(&mut self, head: Arc<Head>) {
        let before = self.head.replace(Arc::clone(&head));
        let is_new = |app: &AppName| before.as_ref().is_none_or(|before| before.apps.get(app) != head.apps.get(app));
        self.standings.follow(&self.environment, &head.commit.id, is_new);
        let names: BTreeSet<AppName> = head.apps.keys().chain(self.seats.keys()).cloned().collect();
        for app in names.into_iter().filter(is_new) {
            let seat = self.seats.entry(app.clone()).or_default();
            seat.pace.begin_anew();
            seat.retry = None;
            seat.ask(Due::Pass);
            if let Some(running) = &mut seat.running {
                let wanted = head.apps.get(&app).and_then(|read| read.as_ref().ok());
                running.superseded = running.aim.as_ref() != wanted;
                if running.superseded {
                    running.stop.send_replace(true);
                }
            }
        }
        // Values that are encrypted in the repository change without the manifest.
        for (app, read) in &head.apps {
            if read.as_ref().is_ok_and(|desired| desired.secrets.values().any(|source| *source != SecretSource::Host)) {
                self.seats.entry(app.clone()).or_default().ask(Due::Look);
            }
        }
        self.told.head(&self.environment, &head);
        self.note_settled();
    }

    /// Something that another app depends on is another than it was.
    fn take_standings(&mut self) {
        for seat in self.seats.values_mut() {
            if let Some(due) = seat.held_back.take() {
                seat.ask(due);
            }
            if std::mem::take(&mut seat.waits) {
                seat.pace.begin_anew();
                seat.retry = None;
                seat.ask(Due::Pass);
            }
        }
    }

    fn hear(&mut self, heard: Option<Heard>) {
        match heard {
            Some(Heard::Event(event)) => {
                if !ears::concerns(&event, &self.scope, self.look.as_ref()) {
                    return;
                }
                self.stale.extend(event.container().map(str::to_owned));
            }
            // What happened in between was not heard: nothing that is known counts any more.
            Some(Heard::Back) | None => self.forget(),
            Some(Heard::Lost) => {
                self.told.engine(false);
                return;
            }
        }
        self.heard.get_or_insert_with(|| Instant::now() + GATHER);
    }

    fn forget(&mut self) {
        self.look = None;
        self.failures = 0;
        self.everything_again();
    }

    /// Every app is looked at, and those that the world kept waiting try at once.
    fn everything_again(&mut self) {
        for seat in self.seats.values_mut() {
            seat.ask(Due::Look);
            if seat.last.as_ref().is_some_and(|last| last.outcome == Some(Outcome::Blocked)) {
                // This was what it waited for, or may have been.
                seat.pace.begin_anew();
                seat.retry = None;
                seat.ask(Due::Pass);
            }
        }
    }

    fn everything(&mut self, due: Due) {
        self.seats.values_mut().for_each(|seat| seat.ask(due));
    }

    /// Another process wrote: whoever is held, released, suspended or resumed now is due at once.
    async fn take_wishes(&mut self) {
        let Ok(now) = self.host.ledger.wishes(&self.environment).await else { return };
        let before = std::mem::replace(&mut self.wishes, now);
        let names: BTreeSet<&AppName> = before.keys().chain(self.wishes.keys()).collect();
        for app in names {
            if before.get(app) != self.wishes.get(app)
                && let Some(seat) = self.seats.get_mut(app)
            {
                seat.pace.begin_anew();
                seat.ask(Due::Pass);
            }
        }
    }

    /// One turn: a look where one is due, then the passes of those that are due.
    async fn turn(&mut self) {
        let Some(head) = self.head.clone() else {
            self.sweep = Instant::now() + SWEEP;
            self.heard = None;
            return;
        };
        if self.sweep <= Instant::now() {
            self.begin_sweep();
        }
        // What is only about to be heard is looked at with it.
        if self.heard.is_some_and(|at| at <= Instant::now()) || self.look.is_none() {
            match self.look_again().await {
                Ok(()) => {
                    if std::mem::take(&mut self.failures) > 0 {
                        self.told.engine_back(&self.environment);
                    }
                }
                Err(error) => {
                    let wait = doubled(ENGINE_AWAY.0, self.failures, ENGINE_AWAY.1);
                    self.told.engine_away(&self.environment, &error, self.failures == 0);
                    self.failures = self.failures.saturating_add(1);
                    self.sweep = Instant::now() + jittered(wait, fastrand::f64());
                    return;
                }
            }
        }
        self.begin_passes(&head);
        self.note_settled();
    }

    /// Some containers are inspected although nothing was heard of them, and every app is gone through.
    fn begin_sweep(&mut self) {
        self.sweep = Instant::now() + jittered(SWEEP, fastrand::f64());
        self.heard = Some(Instant::now());
        self.everything(Due::Look);
        if let Some(look) = &self.look {
            let (all, share) = (&look.containers, look.containers.len().div_ceil(SWEEPS));
            let after = all.keys().filter(|id| self.swept.as_ref().is_none_or(|swept| *id > swept));
            let turn: Vec<String> = after.chain(all.keys()).take(share).cloned().collect();
            self.swept = turn.last().cloned();
            self.stale.extend(turn);
        }
    }

    async fn look_again(&mut self) -> crate::engine::Answer<()> {
        let host = &self.host;
        // Taken before the look: what is heard meanwhile asks for another one.
        self.heard = None;
        let stale = std::mem::take(&mut self.stale);
        let looked = match &self.look {
            Some(known) => known.renewed(&*host.hands.engine, &stale, host.settings.parallel).await,
            None => environment::look(host, &self.environment).await,
        };
        let look = match looked {
            Ok(look) => look,
            Err(error) => {
                self.stale.extend(stale);
                return Err(error);
            }
        };
        self.told.engine(true);
        let due = match &self.look {
            Some(known) => known.differing(&look),
            None => look.apps(),
        };
        self.look = Some(look);
        for app in due {
            let seat = self.seats.entry(app).or_default();
            // A pass looks for itself when it is over.
            if seat.running.is_none() {
                seat.ask(Due::Look);
            }
        }
        Ok(())
    }

    fn begin_passes(&mut self, head: &Arc<Head>) {
        let Some(look) = &self.look else { return };
        let now = Instant::now();
        let mut begin = Vec::new();
        for (app, seat) in &mut self.seats {
            let Some(due) = seat.take(now) else { continue };
            let aim = head.apps.get(app).and_then(|read| read.as_ref().ok());
            let turn = aim.map(|aim| self.standings.turn(aim, &head.commit.id, &self.followed));
            let waits = match turn {
                None | Some(standings::Turn::Free) => None,
                Some(standings::Turn::Waits(waits)) => Some(waits),
                Some(standings::Turn::NotYet) => {
                    seat.held_back = Some(due);
                    continue;
                }
            };
            seat.waits = waits.is_some();
            let (stop, ending) = watch::channel(false);
            seat.running = Some(Running { stop, aim: aim.cloned(), superseded: false });
            begin.push((app.clone(), due, waits, ending));
        }
        if begin.is_empty() {
            return;
        }
        let wish = Arc::new(self.wish());
        let refusal = Arc::new(environment::refusal(&self.host, &wish, head, look));
        for (app, due, waits, ending) in begin {
            let name = app.clone();
            let turn = Turn {
                host: Arc::clone(&self.host),
                head: Arc::clone(head),
                wish: Arc::clone(&wish),
                refusal: Arc::clone(&refusal),
                look: look.clone(),
                app,
                due,
                waits,
            };
            let task = self.passes.spawn(turn.run(ending)).id();
            self.tasks.insert(task, name);
        }
    }

    fn wish(&self) -> Wish {
        Wish {
            environment: self.environment.clone(),
            mode: Mode::Apply,
            by: Asker::Daemon,
            known: BTreeMap::new(),
            apps: BTreeSet::new(),
            replace: Vec::new(),
            hold: None,
            allow_empty: false,
            max_deletes: None,
        }
    }

    /// A task is over, one way or another.
    fn join(&mut self, done: Result<Done, JoinError>) {
        match done {
            Ok(done) => {
                self.tasks.retain(|_, app| *app != done.app);
                self.finish(done);
            }
            Err(error) => {
                let Some(app) = self.tasks.remove(&error.id()) else { return };
                self.told.broken(&self.environment, &app, &error);
                let Some(seat) = self.seats.get_mut(&app) else { return };
                seat.running = None;
                let wait = seat.pace.after(Came::Failed, Instant::now());
                seat.retry = Some(Instant::now() + wait);
                self.stale.extend(self.look.iter().flat_map(|look| look.containers.keys().cloned()));
            }
        }
    }

    fn finish(&mut self, done: Done) {
        let Done { app, report, look, took, passed, revision } = done;
        let Some(seat) = self.seats.get_mut(&app) else { return };
        let superseded = seat.running.take().is_some_and(|running| running.superseded);
        if let (true, Some(known)) = (passed, &self.look) {
            // Nobody heard of some of it yet: the next look compares with what was seen last.
            self.look = Some(known.with(&app, &look));
            self.heard.get_or_insert_with(|| Instant::now() + GATHER);
        }
        if superseded || *self.ending.borrow() {
            return seat.ask(Due::Pass);
        }
        let is_invalid =
            self.head.as_ref().and_then(|head| head.apps.get(&app)).is_some_and(std::result::Result::is_err);
        let wait = seat.pace.after(Came::of(&report, passed), Instant::now());
        seat.retry = (report.failed() && !is_invalid).then(|| Instant::now() + jittered(wait, fastrand::f64()));
        if seat.retry.is_some() || std::mem::take(&mut seat.retry_is_noted) {
            seat.retry_is_noted = seat.retry.is_some();
            let at = seat.retry.and_then(|at| SignedDuration::try_from(at - Instant::now()).ok());
            let at = at.and_then(|wait| Timestamp::now().checked_add(wait).ok());
            let (ledger, environment, app) = (self.host.ledger.clone(), self.environment.clone(), app.clone());
            // Only for those who ask; who waits is this keeper.
            tokio::spawn(async move { ledger.will_retry(&environment, &app, at).await });
        }
        seat.wakes = report.wakes_at.map(|at| Instant::now() + until(at, self.host.hands.engine.now()));
        let id = AppId::new(&self.environment, &app);
        let head = self.head.clone();
        let commit = head.as_ref().map(|head| head.commit.clone()).unwrap_or_default();
        self.standings.note(id.clone(), Standing::of(&report), &commit.id);
        self.told.pass(&self.environment, &commit.revision, seat.last.as_ref(), &report, took, passed);
        if let Some(number) = revision {
            self.told.revision(&self.environment, &app, number);
        }
        let gone = self.head.as_ref().is_some_and(|head| !head.apps.contains_key(&app))
            && self.look.as_ref().is_some_and(|look| !look.apps().contains(&app));
        if gone && !report.failed() {
            self.seats.remove(&app);
            self.standings.forget(&id);
            self.told.forget(&self.environment, &app);
        } else {
            seat.last = Some(report);
        }
        self.note_settled();
    }

    /// Tells once for each commit that every app has had its turn.
    fn note_settled(&mut self) {
        let Some(head) = &self.head else { return };
        let is_over = |seat: &Seat| {
            seat.running.is_none() && seat.due.is_none() && seat.held_back.is_none() && seat.last.is_some()
        };
        if self.settled.as_ref() == Some(&head.commit.id) || self.look.is_none() || !self.seats.values().all(is_over) {
            return;
        }
        self.settled = Some(head.commit.id.clone());
        let reports = self.seats.values().filter_map(|seat| seat.last.as_ref());
        self.told.settled(&self.environment, head, reports);
    }

    fn stop_all(&self) {
        for running in self.seats.values().filter_map(|seat| seat.running.as_ref()) {
            running.stop.send_replace(true);
        }
    }
}

/// How long it is until a moment of the host's clock: not long enough to oversleep a step of it.
fn until(at: Timestamp, now: Timestamp) -> Duration {
    const LEAST: Duration = Duration::from_millis(50);
    Duration::try_from(at.duration_since(now)).unwrap_or_default().clamp(LEAST, SWEEP)
}
