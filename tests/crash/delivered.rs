//! Services with secrets and configs, killed before and after every effect and robbed of their files: the next pass goes
//! on, nobody starts without its files, and nothing is left lying about.

use crate::rig::{Rig, Watch, app};
use reconcile::{
    blame::Blame,
    desired::{Desired, spec::MountSource},
    engine::{
        EngineError,
        model::{Call, Fate, Faults, When, faults, world::Container},
    },
    observed::Life,
    record::Outcome,
    show::report::Status,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

const NAMES: [&str; 4] = ["restart", "signal", "none", "variable"];

/// A database that writes a volume and has a job, and a web server that gives way to nobody; each with secrets of every
/// kind, a variable with one in it, and a config.
fn manifest(config: &str) -> Value {
    let with_files = |mut service: Value| {
        service["secrets"] = json!([
            "restart",
            {"source": "signal", "on_change": "signal", "mode": "0400"},
            {"source": "none", "on_change": "none"},
        ]);
        service["env"] = json!({"URL": {"template": "x:${secret:variable}"}});
        service["configs"] = json!([{"source": "ini", "target": "/etc/app.ini"}]);
        service["healthcheck"] = json!({"test": ["CMD", "true"]});
        service
    };
    json!({
        "secrets": NAMES.iter().map(|name| ((*name).to_owned(), json!({}))).collect::<serde_json::Map<_, _>>(),
        "configs": {"ini": {"content": config}},
        "services": {
            "db": with_files(json!({"image": "db:1", "volumes": ["data:/data"]})),
            "web": with_files(json!({"image": "web:1", "rollout": {"order": "start-first"}})),
        },
        "jobs": {"migrate": {"service": "db", "command": ["migrate"]}},
        "volumes": {"data": {}},
    })
}

/// Writes a secret of the host.
fn put(rig: &Rig, name: &str, value: &str) {
    let path = rig.secrets.directory.join("test/app").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let _ = fs::remove_file(&path);
    fs::write(&path, value).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The files of ours that a container is shown.
fn shown(rig: &Rig, container: &Container) -> Vec<PathBuf> {
    let ours =
        |path: &&PathBuf| path.starts_with(&rig.secrets.roots.secrets) || path.starts_with(&rig.secrets.roots.configs);
    let sources = container.spec.mounts.iter().filter_map(|mount| match &mount.source {
        MountSource::Bind(path) => Some(PathBuf::from(path)),
        MountSource::Volume(_) => None,
    });
    let sources: Vec<PathBuf> = sources.collect();
    sources.iter().filter(ours).cloned().collect()
}

/// What becomes of a host in sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    FirstDeploy,
    Rotated(&'static [&'static str]),
    OtherConfig,
    ConfigChangedByHand,
    Booted,
    NewHostKey,
    NoFilesAnyMore,
}

const FATES: [Story; 9] = [
    Story::FirstDeploy,
    Story::Rotated(&["restart"]),
    Story::Rotated(&["signal"]),
    Story::Rotated(&["none"]),
    Story::Rotated(&NAMES),
    Story::OtherConfig,
    Story::ConfigChangedByHand,
    Story::Booted,
    Story::NewHostKey,
];

/// Brings it about, and tells what is desired from then on.
fn befall(rig: &Rig, fate: Story) -> Desired {
    match fate {
        Story::FirstDeploy => {}
        Story::Rotated(names) => names.iter().for_each(|name| put(rig, name, "canary-2")),
        Story::OtherConfig => return app(&manifest("a=2")),
        Story::ConfigChangedByHand => {
            files(&rig.secrets.roots.configs).iter().for_each(|file| fs::write(file, "a=evil").unwrap());
        }
        Story::Booted => {
            fs::remove_dir_all(&rig.secrets.roots.secrets).unwrap();
            let exit = |it: &mut Container| {
                if it.life == Life::Running {
                    (it.life, it.exit_code) = (Life::Exited(137), Some(137));
                }
            };
            rig.model.by_hand(|world| world.containers.values_mut().for_each(exit));
        }
        Story::NewHostKey => fs::remove_file(&rig.secrets.key_file).unwrap(),
        Story::NoFilesAnyMore => {
            let mut plain = manifest("a=1");
            for service in ["db", "web"] {
                for key in ["secrets", "configs", "env"] {
                    plain["services"][service].as_object_mut().unwrap().remove(key);
                }
            }
            return app(&plain);
        }
    }
    app(&manifest("a=1"))
}

/// Looks on as [`Watch`] does, and sees that nobody starts without its files.
fn watching(rig: &Rig, watch: &Watch) -> Faults {
    let (watch, roots, model) = (watch.clone(), rig.secrets.roots.clone(), rig.model.clone());
    Arc::new(move |when, call: &Call| {
        watch.look(when, call);
        if call.name == "start" && when == When::Before {
            let mounts = model.by_hand(|world| world.find(&call.about).map(|it| it.spec.mounts.clone()));
            for mount in mounts.unwrap_or_default() {
                if let MountSource::Bind(path) = &mount.source {
                    let ours = [&roots.secrets, &roots.configs].iter().any(|root| Path::new(path).starts_with(root));
                    assert!(!ours || Path::new(path).exists(), "{call:?} without `{path}`");
                }
            }
        }
        Fate::Go
    })
}

/// What runs has the files of now, and nothing else lies about.
fn all_is_delivered(rig: &Rig, desired: &Desired, told: &str) {
    let containers: Vec<Container> = rig.model.by_hand(|world| world.containers.values().cloned().collect());
    let mut expected = BTreeSet::new();
    for container in containers.iter().filter(|it| it.life == Life::Running) {
        for path in shown(rig, container) {
            let found = if path.is_dir() { files(&path) } else { vec![path] };
            for file in found {
                let name = file.file_name().unwrap().to_str().unwrap().to_owned();
                let wanted = match name.as_str() {
                    "app.ini" => desired.manifest["configs"]["ini"]["content"].as_str().unwrap().to_owned(),
                    secret => fs::read_to_string(rig.secrets.directory.join("test/app").join(secret)).unwrap(),
                };
                assert_eq!(fs::read_to_string(&file).unwrap(), wanted, "{told}: {}", file.display());
                expected.insert(file);
            }
        }
    }
    // A job that is over may be run again by hand, with the values of today.
    let of_job = |path: &PathBuf| path.to_string_lossy().contains("/job.migrate/");
    for file in files(&rig.secrets.roots.secrets).into_iter().chain(files(&rig.secrets.roots.configs)) {
        if of_job(&file) {
            let today = rig.secrets.directory.join("test/app").join(file.file_name().unwrap());
            let same = fs::read(&today).is_ok_and(|value| value == fs::read(&file).unwrap());
            assert!(same || file.ends_with("app.ini"), "{told}: {} is of before", file.display());
        } else {
            assert!(expected.contains(&file), "{told}: {} is left lying", file.display());
        }
    }
    for (name, value) in
        containers.iter().flat_map(|it| it.secret_env.iter().map(|(name, value)| (&it.name, (name, value))))
    {
        let wanted = fs::read_to_string(rig.secrets.directory.join("test/app/variable")).unwrap();
        let up = containers.iter().any(|it| it.name == *name && it.life == Life::Running);
        assert!(!up || value.1.expose() == format!("x:{wanted}").as_bytes(), "{told}: {name} has an old value");
    }
}

/// A pass more has nothing to do, and no container is left over.
async fn converged(rig: &Rig, desired: &Desired, told: &str) {
    let after = rig.pass(desired, faults::none()).await;
    assert_eq!((after.outcome, after.status), (Some(Outcome::Succeeded), Status::Synced), "{told}: {after:?}");
    assert!(after.changes.is_empty(), "{told}: {:?}", after.changes);
    let (services, jobs): (Vec<_>, Vec<_>) =
        rig.model.by_hand(|world| world.containers.values().cloned().partition(|it| it.life == Life::Running));
    assert_eq!(services.len(), 2, "{told}: {services:?}");
    assert!(jobs.iter().all(|it| it.labels.contains_key("reconcile.job")) && jobs.len() < 2, "{told}: {jobs:?}");
}

/// A host in sync, with the first values.
async fn settled(rig: &Rig, watch: &Watch) {
    let report = rig.pass(&app(&manifest("a=1")), watching(rig, watch)).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
    all_is_delivered(rig, &app(&manifest("a=1")), "at first");
}

async fn begun(fate: Story) -> (Rig, Watch) {
    let rig = Rig::with_secrets();
    NAMES.iter().for_each(|name| put(&rig, name, "canary-1"));
    let watch = Watch::on(&rig);
    if fate != Story::FirstDeploy {
        settled(&rig, &watch).await;
        // Nothing else happens in the very moment in which a container begins.
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
    }
    (rig, watch)
}

async fn killed_everywhere(fate: Story) {
    for side in [When::Before, When::After] {
        for nth in 1.. {
            let (rig, watch) = begun(fate).await;
            let desired = befall(&rig, fate);
            let told = format!("{fate:?}, killed {side:?} effect {nth}");
            let killed = rig.killed(&desired, nth, side, &watch).await;
            if killed {
                // As somebody leaves it who is killed between the first byte and the last.
                let half = rig.secrets.roots.secrets.join("test/app/service.web/.new-Ab1");
                fs::create_dir_all(&half).unwrap();
                fs::write(half.join("restart"), "canary-1").unwrap();
            }
            let report = rig.pass(&desired, watching(&rig, &watch)).await;
            assert_eq!(report.outcome, Some(Outcome::Succeeded), "{told}: {report:?}");
            converged(&rig, &desired, &told).await;
            all_is_delivered(&rig, &desired, &told);
            if fate == Story::Rotated(&["signal"]) {
                let heard = |it: &Container| it.life != Life::Running || !it.signals.is_empty();
                assert!(rig.model.by_hand(|world| world.containers.values().all(heard)), "{told}: nobody was told");
            }
            if !killed {
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_delivered_survives_a_kill_anywhere() {
    for fate in FATES {
        killed_everywhere(fate).await;
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_of_files_that_a_manifest_has_no_more() {
    killed_everywhere(Story::NoFilesAnyMore).await;
}

/// Refuses as an engine does that does not find what it is to mount, while `still` says so.
fn refusing(
    rig: &Rig,
    name: &'static str,
    still: impl Fn(&Path) -> bool + Send + Sync + 'static,
    robs: bool,
) -> Faults {
    let (root, robbed) = (rig.secrets.roots.secrets.clone(), Arc::new(Mutex::new(!robs)));
    let watch = Watch::on(rig);
    Arc::new(move |when, call: &Call| {
        watch.look(when, call);
        if call.name != name || when != When::Before {
            return Fate::Go;
        }
        let folders: Vec<String> = files(&root).iter().map(|it| it.parent().unwrap().display().to_string()).collect();
        let first = !std::mem::replace(&mut *robbed.lock().unwrap(), true);
        if first {
            fs::remove_dir_all(&root).unwrap();
        }
        if !first && !still(&root) {
            return Fate::Go;
        }
        let message = format!("bind source path does not exist: {}", folders.join(", "));
        Fate::Fail(EngineError::Refused { doing: name.to_owned(), status: 400, message })
    })
}

#[tokio::test(start_paused = true)]
async fn files_that_vanish_before_their_container_begins_are_delivered_again() {
    for name in ["create", "start"] {
        let (rig, _) = begun(Story::FirstDeploy).await;
        let desired = app(&manifest("a=1"));
        let report = rig.pass(&desired, refusing(&rig, name, |root| !root.exists(), true)).await;
        assert_eq!(report.outcome, Some(Outcome::Succeeded), "{name}: {report:?}");
        all_is_delivered(&rig, &desired, name);
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_sees_other_files_condemns_nothing() {
    for name in ["create", "start"] {
        let (rig, watch) = begun(Story::FirstDeploy).await;
        let desired = app(&manifest("a=1"));
        let report = rig.pass(&desired, refusing(&rig, name, |_| true, false)).await;
        let error = report.error.clone().unwrap();
        assert_eq!((report.outcome, error.blame), (Some(Outcome::Blocked), Blame::World), "{name}: {report:?}");
        assert!(error.hint.unwrap().contains("--engine"), "{name}: {report:?}");
        let report = rig.pass(&desired, watching(&rig, &watch)).await;
        assert_eq!(report.outcome, Some(Outcome::Succeeded), "{name}: {report:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_was_killed_is_finished_as_what_it_is() {
    for nth in 1.. {
        let (rig, watch) = begun(Story::OtherConfig).await;
        let next = app(&manifest("a=2"));
        assert_eq!(rig.pass(&next, watching(&rig, &watch)).await.outcome, Some(Outcome::Succeeded));
        NAMES.iter().for_each(|name| put(&rig, name, "canary-2"));
        let ledger = rig.ledger().await;
        let hold = reconcile::record::Hold {
            revision: Some(1),
            by: "somebody".to_owned(),
            reason: "back".to_owned(),
            until: reconcile::record::HoldUntil::Resume,
            at: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        ledger.hold(&next.environment, &next.app, hold).await.unwrap();
        let killed = rig.killed(&next, nth, When::After, &watch).await;
        let report = rig.pass(&next, watching(&rig, &watch)).await;
        assert!(matches!(report.outcome, Some(Outcome::Succeeded | Outcome::Held)), "{nth}: {report:?}");
        all_is_delivered(&rig, &app(&manifest("a=1")), &format!("killed at {nth}"));
        let of_app = ledger.app(&next.environment, &next.app).await.unwrap();
        let newest = of_app.entries.last().unwrap();
        assert_eq!((newest.restores, newest.outcome), (Some(1), Some(Outcome::Succeeded)), "{nth}: {newest:?}");
        assert_eq!(of_app.entries.len(), 3, "{nth}: {:?}", of_app.entries);
        let [delivered] = &newest.delivered[..] else { panic!("{nth}: {newest:?}") };
        let now = rig.model.by_hand(|world| {
            let labels = world
                .containers
                .values()
                .filter(|it| it.life == Life::Running)
                .map(|it| it.labels["reconcile.secrets"].clone());
            labels.collect::<Vec<_>>().join(" ")
        });
        for digest in delivered.digests.values() {
            assert!(now.contains(digest), "{nth}: {digest} was delivered to nobody: {now}");
        }
        if !killed {
            break;
        }
    }
}
