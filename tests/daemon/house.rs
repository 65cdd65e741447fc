//! A daemon at work on the model, with a branch that a test moves.

use crate::rig::Rig;
use reconcile::{
    backup::{Copy, Of, Place},
    desired::{Desired, resolve_stored},
    engine::{
        Engine,
        model::{Call, Fate, Faults, Model, When},
    },
    notice::{Notices, Pace},
    observed::Life,
    pass::{Commit, Head},
    secret::RepositoryFiles,
    server::Board,
    watch::{Away, Branch, Daemon, Halt, Tip, told::Told},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

/// One service that is healthy at once.
pub fn service(version: u8) -> Value {
    json!({"services": {"one": {
        "image": "web:1",
        "env": {"VERSION": version.to_string()},
        "healthcheck": {"test": ["CMD", "true"]},
    }}})
}

/// So many services in one app.
pub fn services(number: usize) -> Value {
    let services: BTreeMap<String, Value> =
        (0..number).map(|n| (format!("s{n}"), service(1)["services"]["one"].clone())).collect();
    json!({ "services": services })
}

pub fn app(environment: &str, name: &str, manifest: &Value) -> Desired {
    resolve_stored(&environment.parse().unwrap(), &name.parse().unwrap(), manifest, &BTreeMap::new()).unwrap()
}

/// What the branch says, as a test has it.
#[derive(Default)]
pub struct Scripted {
    says: Mutex<Option<Result<Tip, Away>>>,
    /// What lies beside its manifests.
    pub files: Mutex<RepositoryFiles>,
    pub asked: Mutex<usize>,
}

impl Scripted {
    /// Moves the branch.
    pub fn say(&self, commit: &str, apps: &[Desired]) {
        let mut environments: BTreeMap<_, Head> = BTreeMap::new();
        for app in apps {
            let head = environments
                .entry(app.environment.clone())
                .or_insert_with(|| head(commit, &self.files.lock().unwrap()));
            head.apps.insert(app.app.clone(), Ok(app.clone()));
        }
        let environments = environments.into_iter().map(|(name, head)| (name, Ok(Arc::new(head)))).collect();
        *self.says.lock().unwrap() = Some(Ok(Tip { commit: Some(commit.to_owned()), environments }));
    }

    /// Takes it away.
    pub fn vanish(&self) {
        let away = Away { reason: "no such branch".to_owned(), hint: None };
        *self.says.lock().unwrap() = Some(Err(away));
    }

    /// Moves it to where nobody follows.
    pub fn halt(&self, commit: &str, environment: &str) {
        let halt = Halt { reason: "rewound".to_owned(), hint: None, stays: None };
        let environments = BTreeMap::from([(environment.parse().unwrap(), Err(halt))]);
        *self.says.lock().unwrap() = Some(Ok(Tip { commit: Some(commit.to_owned()), environments }));
    }
}

fn head(commit: &str, files: &RepositoryFiles) -> Head {
    let commit = Commit { id: commit.to_owned(), revision: format!("main@sha1:{commit}"), ..Commit::default() };
    Head { commit, apps: BTreeMap::new(), trees: BTreeMap::new(), other: Vec::new(), files: files.clone() }
}

impl Branch for Scripted {
    async fn ask(&self, known: Option<&str>) -> Result<Option<Tip>, Away> {
        *self.asked.lock().unwrap() += 1;
        match self.says.lock().unwrap().clone() {
            Some(Ok(tip)) => Ok((tip.commit.as_deref() != known).then_some(tip)),
            Some(Err(away)) => Err(away),
            None => Err(Away { reason: "nothing yet".to_owned(), hint: None }),
        }
    }

    async fn folders(&self) -> Vec<(PathBuf, bool)> {
        Vec::new()
    }
}

/// A daemon at work.
pub struct House {
    pub rig: Rig,
    pub model: Model,
    pub branch: Arc<Scripted>,
    nudge: Arc<Notify>,
    stop: watch::Sender<bool>,
    work: JoinHandle<()>,
    calls: Arc<Mutex<Vec<Call>>>,
    board: Arc<Board>,
    away: Arc<AtomicBool>,
    /// The next creation breaks the pass down.
    pub broken: Arc<AtomicBool>,
    /// What is run inside containers gives no answer.
    pub hangs: Arc<AtomicBool>,
}

impl House {
    /// A daemon for these environments; the branch says nothing yet.
    pub async fn of(environments: &[&str]) -> Self {
        Self::on(Rig::new(), environments).await
    }

    /// A daemon on a host that was there before.
    pub async fn on(rig: Rig, environments: &[&str]) -> Self {
        let hangs = Arc::new(AtomicBool::new(false));
        let is_hung = Arc::clone(&hangs);
        let (calls, away) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let broken = Arc::new(AtomicBool::new(false));
        let breaks = Arc::clone(&broken);
        let (counted, is_away) = (Arc::clone(&calls), Arc::clone(&away));
        let faults: Faults = Arc::new(move |when, call: &Call| {
            if when == When::Before {
                counted.lock().unwrap().push(call.clone());
                assert!(call.name != "create" || !breaks.swap(false, Ordering::Relaxed), "broken on purpose");
                if call.name == "flow_inside" && is_hung.load(Ordering::Relaxed) {
                    return Fate::Hang;
                }
                if is_away.load(Ordering::Relaxed) {
                    let source = "nobody listens".into();
                    let address = "model".to_owned();
                    return Fate::Fail(reconcile::engine::EngineError::Unreachable { address, source });
                }
            }
            Fate::Go
        });
        let host = Arc::new(rig.host(faults).await);
        let (branch, nudge) = (Arc::new(Scripted::default()), Arc::new(Notify::new()));
        let environments: Vec<_> = environments.iter().map(|name| name.parse().unwrap()).collect();
        let board = Board::new(Duration::from_secs(30));
        // Whoever is told lives by real time.
        let pace = Pace { try_for: Duration::from_secs(1 << 30), ..Pace::default() };
        let notices = Notices::begin(&rig.host_file.settings.notify, "here", pace);
        let told = Arc::new(Told::new(Arc::clone(&board), notices, &environments));
        let daemon = Daemon {
            host,
            branch: Arc::clone(&branch),
            environments,
            told,
            poll: Duration::from_secs(60),
            nudge: Arc::clone(&nudge),
        };
        let (stop, ending) = watch::channel(false);
        let work = tokio::spawn(daemon.run(ending));
        Self { model: rig.model.clone(), rig, branch, nudge, stop, work, calls, away, broken, hangs, board }
    }

    /// Pushes, and says so.
    pub fn push(&self, commit: &str, apps: &[Desired]) {
        self.branch.say(commit, apps);
        self.nudge.notify_one();
    }

    pub fn nudge(&self) {
        self.nudge.notify_one();
    }

    /// The engine goes away, or comes back.
    pub fn engine_answers(&self, answers: bool) {
        self.away.store(!answers, Ordering::Relaxed);
        self.model.cut_events();
    }

    /// The calls since this was asked last.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// Waits, in virtual time, until it holds.
    #[track_caller]
    pub fn until<'a>(&'a self, what: &'a str, holds: impl Fn(&Self) -> bool + 'a) -> impl Future<Output = ()> + 'a {
        let place = std::panic::Location::caller();
        async move {
            // Real time bounds it too: the ledger's thread does not know of the virtual one.
            let began = std::time::Instant::now();
            while !holds(self) {
                assert!(began.elapsed() < Duration::from_secs(60), "{place}: never: {what}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Sees it hold before the next sweep could see to it: call [`House::swept`] first. Virtual time stands still while
    /// the ledger's thread, which does not know of it, has time to work.
    #[track_caller]
    pub fn soon<'a>(&'a self, what: &'a str, holds: impl Fn(&Self) -> bool + 'a) -> impl Future<Output = ()> + 'a {
        let place = std::panic::Location::caller();
        async move {
            let (_busy, idle) = std::sync::mpsc::channel::<()>();
            tokio::task::spawn_blocking(move || idle.recv());
            // Less in all than what is left of the minute between two sweeps.
            for _ in 0..400 {
                if holds(self) {
                    return;
                }
                let work = tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(20)));
                work.await.unwrap();
                tokio::time::advance(Duration::from_millis(100)).await;
            }
            panic!("{place}: not before a sweep: {what}");
        }
    }

    /// Lets virtual time pass, and the ledger's thread, which does not know of it, keep pace.
    pub async fn pass(&self, time: Duration) {
        // Time runs on by itself only while no thread is busy.
        let (_busy, idle) = std::sync::mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || idle.recv());
        let until = tokio::time::Instant::now() + time;
        while tokio::time::Instant::now() < until {
            tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(3))).await.unwrap();
            tokio::time::advance(Duration::from_secs(2)).await;
        }
    }

    /// Waits until no call was made for two minutes of virtual time but those of sweeps.
    pub async fn quiet(&self) {
        let is_effect = |call: &Call| call.effect;
        loop {
            self.calls();
            self.pass(Duration::from_secs(120)).await;
            if !self.calls().iter().any(is_effect) {
                return;
            }
        }
    }

    /// Waits until a sweep has just been: the next one is most of a minute away. A look that another look or pass asked
    /// for is none: a sweep comes after a long silence.
    pub async fn swept(&self) {
        self.calls();
        let mut last = tokio::time::Instant::now();
        loop {
            self.pass(Duration::from_secs(2)).await;
            if self.calls().iter().any(|call| call.name == "containers") {
                if last.elapsed() >= Duration::from_secs(40) {
                    break;
                }
                last = tokio::time::Instant::now();
            }
        }
        // What came with it.
        loop {
            self.pass(Duration::from_secs(4)).await;
            if self.calls().is_empty() {
                return;
            }
        }
    }

    /// Waits until nothing is written any more: threads that do not know of virtual time have done what they began.
    pub async fn settled(&self) {
        self.pass(Duration::from_secs(4)).await;
        let (_busy, idle) = std::sync::mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || idle.recv());
        let (mut last, mut still) = (written(self.rig.copies().parent().unwrap()), 0);
        while still < 20 {
            tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(5))).await.unwrap();
            tokio::time::advance(Duration::from_millis(10)).await;
            let now = written(self.rig.copies().parent().unwrap());
            still = if now == last { still + 1 } else { 0 };
            last = now;
        }
    }

    /// The running containers of a service of an app, by their ids.
    pub fn running(&self, app: &str) -> Vec<String> {
        self.model.by_hand(|world| {
            let of_app =
                world.containers.iter().filter(|(_, it)| it.labels.get("reconcile.app").is_some_and(|of| of == app));
            of_app.filter(|(_, it)| it.life == Life::Running).map(|(id, _)| id.clone()).collect()
        })
    }

    /// The version that an app's only container runs.
    pub fn version(&self, app: &str) -> Option<String> {
        self.model.by_hand(|world| {
            let mut of_app = world
                .containers
                .values()
                .filter(|it| it.labels.get("reconcile.app").is_some_and(|of| of == app) && it.life == Life::Running);
            match (of_app.next(), of_app.next()) {
                (Some(it), None) => it.spec.env.get("VERSION").cloned(),
                (_, _) => None,
            }
        })
    }

    /// Removes a container as a hand does, which the engine tells of.
    pub async fn remove(&self, id: &str) {
        let _ = self.model.stop(id, Duration::ZERO).await;
        let _ = self.model.remove(id).await;
    }

    /// A figure; none where there is no such series.
    pub fn figure(&self, series: &str) -> Option<String> {
        let text = self.board.metrics().render(self.model.now());
        text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ').map(str::to_owned))
    }

    /// The copies of an item, oldest first.
    pub fn copies(&self, environment: &str, app: &str, item: &str) -> Vec<Copy> {
        in_order(self.rig.place().as_ref(), &of(environment, app, item))
    }

    /// Those in the other place.
    pub fn copies_in_usb(&self, environment: &str, app: &str, item: &str) -> Vec<Copy> {
        in_order(&self.rig.usb(), &of(environment, app, item))
    }

    /// Why an item's last run made no copy, or where it did not get.
    pub fn failure(&self, environment: &str, app: &str, item: &str) -> Option<String> {
        Some(self.rig.depot().remembered.failures.last(&of(environment, app, item))?.told(""))
    }

    /// What lies where an app's copies are made, by name.
    pub fn files(&self, environment: &str, app: &str, item: &str) -> Vec<String> {
        let folder = self.rig.copies().join(environment).join(app).join(item);
        let names = std::fs::read_dir(folder).into_iter().flatten();
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    pub async fn end(self) {
        self.down().await;
    }

    /// Ends the daemon, and leaves the host.
    pub async fn down(self) -> Rig {
        self.stop.send_replace(true);
        self.work.await.unwrap();
        self.rig
    }

    /// Kills the daemon wherever it is.
    pub async fn kill(self) -> Rig {
        self.work.abort();
        assert!(self.work.await.unwrap_err().is_cancelled());
        self.rig
    }
}

fn of(environment: &str, app: &str, item: &str) -> Of {
    Of { environment: environment.parse().unwrap(), app: app.parse().unwrap(), item: item.parse().unwrap() }
}

/// Oldest first.
fn in_order(place: &dyn Place, of: &Of) -> Vec<Copy> {
    let mut copies = place.copies(of).unwrap().copies;
    copies.reverse();
    copies
}

/// All that is in a folder by now, with its sizes.
fn written(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => found.extend(written(&entry.path())),
            Ok(metadata) => drop(found.insert(entry.path(), metadata.len())),
            Err(_) => {}
        }
    }
    found
}
