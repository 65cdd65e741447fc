//! A host on the model, and passes on it that may be killed at any call.

use reconcile::{
    apply::{Begun, Hands, Nudges, Slots},
    desired::{Desired, resolve_stored},
    engine::{
        Engine,
        model::{Call, Fate, Faults, Model, Script, When, World, faults},
    },
    pass::{Asker, Commit, Head, Host, Mode, Settings, Wish, account, environment},
    record::{Ledger, Outcome, StateDir},
    secret::{RepositoryFiles, Roots, Secrets},
    show::{
        AppAccount,
        report::{AppReport, Status},
    },
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use tokio::sync::{Notify, watch};

/// A model engine with a state directory beside it.
pub struct Rig {
    pub model: Model,
    folder: TempDir,
    pub parallel: usize,
    /// The host file of the next passes.
    pub host_file: reconcile::host::Host,
    /// Where the secrets of the next passes are, and where they are delivered.
    pub secrets: Secrets,
}

/// An app of two services, one of which writes a volume and has a job.
pub fn manifest(version: u8) -> Value {
    json!({
        "services": {
            "db": {
                "image": format!("db:{version}"),
                "volumes": ["data:/data"],
                "healthcheck": {"test": ["CMD", "true"]},
            },
            "web": {
                "image": "web:1",
                "env": {"VERSION": version.to_string()},
                "healthcheck": {"test": ["CMD", "true"]},
                "rollout": {"order": "start-first"},
                "depends_on": {"db": {"condition": "service_healthy"}},
            },
        },
        "jobs": {"migrate": {"service": "db", "command": ["migrate"]}},
        "volumes": {"data": {}},
    })
}

pub fn app(manifest: &Value) -> Desired {
    named("app", manifest)
}

pub fn named(name: &str, manifest: &Value) -> Desired {
    resolve_stored(&"test".parse().unwrap(), &name.parse().unwrap(), manifest, &BTreeMap::new()).unwrap()
}

impl Rig {
    /// With the images of every version; a job's container ends by itself because the model is told so.
    pub fn new() -> Self {
        let mut world = World::default();
        for image in ["web:1", "db:1", "db:2", "db:3", "side:1"] {
            world.add_image(image, Script::serves());
        }
        let mut rig = Self {
            model: Model::new(world),
            folder: tempfile::tempdir().unwrap(),
            parallel: 8,
            host_file: Default::default(),
            secrets: Secrets::default(),
        };
        for (name, path) in [("local", rig.copies()), ("usb", rig.usb().root)] {
            let place = reconcile::host::Repository::Local { path: path.to_str().unwrap().parse().unwrap() };
            rig.host_file.settings.backup.repositories.insert(name.parse().unwrap(), place);
        }
        rig
    }

    /// With places of its own for secrets and deliveries.
    pub fn with_secrets() -> Self {
        let mut rig = Self::new();
        let below = |name: &str| rig.folder.path().join(name);
        rig.secrets = Secrets {
            directory: below("secrets"),
            key_file: below("host.key"),
            identity: None,
            roots: Roots { secrets: below("run"), configs: below("configs"), on_disk: true },
            ..Secrets::default()
        };
        rig.host_file.settings.policy.secret_env = true;
        rig
    }

    /// Where copies lie.
    pub fn place(&self) -> reconcile::backup::AnyPlace {
        Arc::new(reconcile::backup::Local { name: reconcile::value::RepositoryName::local(), root: self.copies() })
    }

    pub fn depot(&self) -> reconcile::backup::Depot {
        reconcile::backup::Depot::new(self.folder.path(), vec![self.place(), Arc::new(self.usb())])
    }

    /// Another place, beside it.
    pub fn usb(&self) -> reconcile::backup::Local {
        reconcile::backup::Local { name: "usb".parse().unwrap(), root: self.folder.path().join("usb") }
    }

    /// Its folder.
    pub fn copies(&self) -> std::path::PathBuf {
        self.folder.path().join("backups")
    }

    pub async fn ledger(&self) -> Ledger {
        StateDir::open(&self.folder.path().join("state")).await.unwrap().ledger()
    }

    /// The host as a pass of this rig sees it.
    pub async fn host(&self, faults: Faults) -> Host<Model> {
        let engine = Arc::new(self.model.with_faults(faults));
        let nudges = Nudges::subscribe(&engine).await;
        let depot = Arc::new(self.depot());
        Host {
            hands: Hands {
                info: self.model.info().await.unwrap(),
                slots: Slots::new(self.parallel),
                nudges,
                begun: Begun::default(),
                gateway: None,
                engine,
                keyring: Arc::default(),
                depot: Arc::clone(&depot),
            },
            ledger: self.ledger().await,
            settings: Settings {
                installation: "default".to_owned(),
                engine: "model".to_owned(),
                lock_dir: self.folder.path().join("locks"),
                parallel: self.parallel,
                repair: self.host_file.settings.drift == reconcile::host::Drift::Repair,
                prune: true,
                max_deletes: 10,
                policy: self.host_file.clone(),
                protected_paths: Vec::new(),
                revisions: 20,
                images: 3,
                depot,
                secrets: self.secrets.clone(),
            },
        }
    }

    /// A pass to the end; the only app's report.
    pub async fn pass(&self, desired: &Desired, faults: Faults) -> AppReport {
        let (_sender, ending) = watch::channel(false);
        self.pass_ending(desired, faults, ending).await
    }

    /// A pass that somebody may ask to end.
    pub async fn pass_ending(&self, desired: &Desired, faults: Faults, ending: watch::Receiver<bool>) -> AppReport {
        let host = self.host(faults).await;
        let (wish, head) = wish_and_head(desired);
        let mut report = environment::run(&host, &wish, &head, &ending).await.unwrap();
        report.apps.pop().unwrap()
    }

    /// A pass over these apps, and those that are on the host; `ask` says what else is wished.
    pub async fn run(
        &self,
        apps: &[Desired],
        faults: Faults,
        ask: impl FnOnce(&mut Wish),
    ) -> BTreeMap<String, AppReport> {
        let host = self.host(faults).await;
        let (mut wish, head) = wish_and_heads(apps);
        ask(&mut wish);
        let (_sender, ending) = watch::channel(false);
        // By a clock that no test pauses: who waits for ever is found out.
        let (late, too_long) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_secs(60));
            late.send(())
        });
        let report = tokio::select! {
            report = environment::run(&host, &wish, &head, &ending) => report.unwrap(),
            Ok(()) = too_long => panic!("it does not end"),
        };
        report.apps.into_iter().map(|app| (app.app.to_string(), app)).collect()
    }

    /// As `run`, killed at the `nth` effect after it happened. False when there was no such effect.
    pub async fn run_killed(&self, apps: &[Desired], nth: usize, ask: impl FnOnce(&mut Wish)) -> bool {
        let (dead, count) = (Arc::new(Notify::new()), Arc::new(Mutex::new(0_usize)));
        let signal = Arc::clone(&dead);
        let faults: Faults = Arc::new(move |when, call: &Call| {
            let mut count = count.lock().unwrap();
            if call.effect && when == When::After {
                *count += 1;
                if *count == nth {
                    signal.notify_one();
                }
            }
            if *count >= nth { Fate::Hang } else { Fate::Go }
        });
        tokio::select! {
            biased;
            () = dead.notified() => true,
            _ = self.run(apps, faults, ask) => false,
        }
    }

    /// What `status` tells of the only app.
    pub async fn status(&self, desired: &Desired) -> AppAccount {
        let host = self.host(faults::none()).await;
        let (wish, head) = wish_and_head(desired);
        account::of(&host, &wish, &head).await.unwrap().pop().unwrap()
    }

    /// A pass that may end in an error before any app's.
    pub async fn try_pass(&self, desired: &Desired, faults: Faults) -> Option<AppReport> {
        let host = self.host(faults).await;
        let (wish, head) = wish_and_head(desired);
        let (_sender, ending) = watch::channel(false);
        environment::run(&host, &wish, &head, &ending).await.ok()?.apps.pop()
    }

    /// A pass that is killed at the `nth` effect, on one side of it. False when there was no such effect.
    pub async fn killed(&self, desired: &Desired, nth: usize, side: When, watch: &Watch) -> bool {
        let (dead, count) = (Arc::new(Notify::new()), Arc::new(Mutex::new(0_usize)));
        let (seen, signal) = (watch.clone(), Arc::clone(&dead));
        let faults: Faults = Arc::new(move |when, call: &Call| {
            seen.look(when, call);
            let mut count = count.lock().unwrap();
            if call.effect && when == side {
                *count += 1;
                if *count == nth {
                    signal.notify_one();
                }
            }
            if *count >= nth { Fate::Hang } else { Fate::Go }
        });
        tokio::select! {
            biased;
            () = dead.notified() => true,
            _ = self.try_pass(desired, faults) => false,
        }
    }

    /// In sync: a pass more has nothing to do, and nothing is left over.
    pub async fn assert_converged(&self, desired: &Desired, told: &str) {
        let after = self.pass(desired, faults::none()).await;
        assert_eq!(after.outcome, Some(Outcome::Succeeded), "{told}: {after:?}");
        assert_eq!(after.status, Status::Synced, "{told}: {after:?}");
        assert!(after.changes.is_empty(), "{told}: {:?}", after.changes);
        self.model.by_hand(|world| {
            let names: BTreeSet<&str> = world.containers.values().map(|it| it.name.as_str()).collect();
            let services: BTreeSet<&str> =
                desired.services.values().map(|service| service.container_name.as_str()).collect();
            assert!(names.is_superset(&services), "{told}: {names:?}");
            // A job's container is a record and no more: the ledger remembers it when somebody takes it away.
            let is_job = |name: &&str| desired.jobs.values().any(|job| job.container_name == **name);
            let litter: Vec<_> = names.difference(&services).filter(|name| !is_job(name)).collect();
            assert!(litter.is_empty(), "{told}: {litter:?}");
            assert!(world.volumes.iter().any(|volume| volume.name == "test-app_data"), "{told}: the volume is gone");
        });
    }
}

fn wish_and_head(desired: &Desired) -> (Wish, Head) {
    wish_and_heads(std::slice::from_ref(desired))
}

fn wish_and_heads(apps: &[Desired]) -> (Wish, Head) {
    let wish = Wish {
        environment: "test".parse().unwrap(),
        mode: Mode::Apply,
        apps: BTreeSet::new(),
        replace: Vec::new(),
        allow_empty: false,
        max_deletes: None,
        by: Asker::Person,
        known: BTreeMap::new(),
        hold: None,
    };
    let digests: String = apps.iter().map(reconcile::desired::manifest_digest).collect();
    let id = format!("{digests:0<40}")[..40].to_owned();
    let commit = Commit {
        revision: format!("main@sha1:{id}"),
        id,
        author: "somebody".to_owned(),
        subject: "a change".to_owned(),
    };
    let head = Head {
        commit,
        apps: apps.iter().map(|desired| (desired.app.clone(), Ok(desired.clone()))).collect(),
        trees: BTreeMap::new(),
        other: Vec::new(),
        files: RepositoryFiles::default(),
    };
    (wish, head)
}

/// Looks on while passes run: ends jobs, counts their starts, and sees that no volume has two writers.
#[derive(Clone)]
pub struct Watch {
    model: Model,
    pub jobs_started: Arc<Mutex<usize>>,
    pub job_code: Arc<Mutex<i64>>,
}

impl Watch {
    pub fn on(rig: &Rig) -> Self {
        Self { model: rig.model.clone(), jobs_started: Arc::default(), job_code: Arc::default() }
    }

    pub fn faults(&self) -> Faults {
        let this = self.clone();
        Arc::new(move |when, call: &Call| {
            this.look(when, call);
            Fate::Go
        })
    }

    pub fn look(&self, when: When, call: &Call) {
        self.model.by_hand(|world| {
            let writers: Vec<&str> = world
                .containers
                .values()
                .filter(|it| it.life.is_up() && it.spec.writes().contains("test-app_data"))
                .map(|it| it.name.as_str())
                .collect();
            assert!(writers.len() < 2, "two writers after {call:?}: {writers:?}");
            // A job's process is over as soon as somebody looks again.
            let over = *self.job_code.lock().unwrap();
            let is_start = when == When::After && call.name == "start";
            for it in world.containers.values_mut() {
                if it.labels.contains_key("reconcile.job") && it.life == reconcile::observed::Life::Running {
                    it.life = reconcile::observed::Life::Exited(over);
                    it.exit_code = Some(over);
                    if is_start {
                        *self.jobs_started.lock().unwrap() += 1;
                    }
                }
            }
        });
    }

    pub fn jobs_started(&self) -> usize {
        *self.jobs_started.lock().unwrap()
    }
}
