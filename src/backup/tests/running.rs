//! Whole runs, with sources that do as they are told: what is left of copies afterwards, whatever happens.

use crate::{
    backup::{
        AnyPlace, BackupError, Copy, Flow, Local, Of, Piece, Released, Sources, Still, User, Verdict,
        driver::Taking,
        flow::IN_HAND,
        run::{Account, Run},
        sources,
    },
    desired::{Backup, backup::Hook, resolve},
    value::{AppName, EnvironmentName},
};
use futures_util::{FutureExt, future::BoxFuture};
use proptest::prelude::*;
use std::{
    fs,
    path::Path,
    sync::Arc,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{
    mpsc::{self, Receiver},
    oneshot,
};

/// What a source does, and what was asked of it.
pub(super) struct Told {
    /// What comes of each taking.
    pub gives: fn() -> Vec<Piece>,
    hangs: bool,
    hook_fails: Option<&'static str>,
    pub asked: Asked,
}

/// What was asked of all who are told, in its order.
pub(super) type Asked = Arc<Mutex<Vec<String>>>;

impl Default for Told {
    fn default() -> Self {
        Self { gives: good, hangs: false, hook_fails: None, asked: Asked::default() }
    }
}

impl Told {
    fn note(&self, what: String) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn good() -> Vec<Piece> {
    vec![Piece::Bytes(vec![1; 1000]), Piece::Whole]
}

pub(super) fn failing() -> Vec<Piece> {
    vec![Piece::Bytes(vec![1; 1000]), Piece::Failed("exited with 1".to_owned())]
}

impl Sources for Told {
    fn sweep(&self) -> BoxFuture<'_, Result<(), BackupError>> {
        async {
            self.note("sweep".to_owned());
            Ok(())
        }
        .boxed()
    }

    fn take<'a>(&'a self, taking: &'a Taking) -> BoxFuture<'a, Result<Flow, BackupError>> {
        async move {
            match taking {
                Taking::Inside { service, .. } => self.note(format!("take {service}")),
                Taking::Beside { volume, .. } => self.note(format!("take {volume}")),
            }
            let (sender, flow) = mpsc::channel(IN_HAND);
            let (pieces, hangs) = ((self.gives)(), self.hangs);
            tokio::spawn(async move {
                for piece in pieces {
                    let _ = sender.send(piece).await;
                }
                if hangs {
                    std::future::pending::<()>().await;
                }
            });
            Ok(flow)
        }
        .boxed()
    }

    fn take_still<'a>(
        &'a self,
        taking: &'a Taking,
        still: Still,
    ) -> BoxFuture<'a, Result<(Flow, Released), BackupError>> {
        async move {
            let flow = self.take(taking).await?;
            if let Some(last) = self.asked.lock().unwrap_or_else(PoisonError::into_inner).last_mut() {
                *last = format!("{last} with {}", still.word());
            }
            let ((sender, released), asked) = (oneshot::channel(), Arc::clone(&self.asked));
            tokio::spawn(async move {
                // Whoever waits hears of it, and nobody else.
                tokio::time::sleep(Duration::from_millis(50)).await;
                asked.lock().unwrap_or_else(PoisonError::into_inner).push("released".to_owned());
                let _ = sender.send(Ok(()));
            });
            Ok((flow, released))
        }
        .boxed()
    }

    fn give<'a>(
        &'a self,
        _: &'a Taking,
        data: Option<Receiver<Vec<u8>>>,
    ) -> BoxFuture<'a, Result<Verdict, BackupError>> {
        async move {
            let (sender, verdict) = oneshot::channel();
            tokio::spawn(async move {
                let mut bytes = 0;
                if let Some(mut data) = data {
                    while let Some(some) = data.recv().await {
                        bytes += some.len();
                    }
                }
                let _ = sender.send(if bytes == 0 { Err("it read nothing".to_owned()) } else { Ok(()) });
            });
            Ok(verdict)
        }
        .boxed()
    }

    fn users<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Vec<User>, BackupError>> {
        async { Ok(Vec::<sources::User>::new()) }.boxed()
    }

    fn stop<'a>(&'a self, _: &'a User) -> BoxFuture<'a, Result<(), BackupError>> {
        async { Ok(()) }.boxed()
    }

    fn start<'a>(&'a self, _: &'a User) -> BoxFuture<'a, Result<(), BackupError>> {
        async { Ok(()) }.boxed()
    }

    fn hook<'a>(&'a self, hook: &'a Hook) -> BoxFuture<'a, Result<(), BackupError>> {
        let name = hook.command.first().cloned().unwrap_or_default();
        async move {
            self.note(format!("hook {name}"));
            let fails = self.hook_fails == Some(name.as_str());
            if fails { Err(BackupError::Source { why: name }) } else { Ok(()) }
        }
        .boxed()
    }
}

pub(super) fn section(text: &str) -> Backup {
    let manifest = format!("services: {{web: {{image: a:1}}}}\nvolumes: {{data: {{}}}}\nbackup: {{{text}}}\n");
    let files = [("environments/production/web.yaml".to_owned(), manifest)].into();
    let mut loaded = crate::manifest::load(&files, &"production".parse().unwrap(), "environments");
    resolve(&loaded.apps.remove("web").unwrap().unwrap(), &resolve::Context::default()).backup.unwrap()
}

const ONE: &str = "items: [{name: out, type: exec, service: web, command: [dump]}], retention: {keep_last: 2, keep_daily: 0, keep_weekly: 0}";

fn places(folder: &Path, names: &[&str]) -> Vec<AnyPlace> {
    let local = |name: &&str| Arc::new(Local { name: name.parse().unwrap(), root: folder.join(name) }) as AnyPlace;
    names.iter().map(local).collect()
}

pub(super) async fn ran(backup: &Backup, places: &[AnyPlace], sources: &Told) -> Account {
    ran_at(backup, places, sources, &jiff::Timestamp::now).await
}

pub(super) async fn ran_at(
    backup: &Backup,
    places: &[AnyPlace],
    sources: &Told,
    clock: &(dyn Fn() -> jiff::Timestamp + Sync),
) -> Account {
    let (environment, app): (EnvironmentName, AppName) = ("production".parse().unwrap(), "web".parse().unwrap());
    let run = Run {
        backup,
        environment: &environment,
        app: &app,
        repositories: places,
        sources,
        only: &[],
        pinned: false,
        before_revision: None,
        clock,
        ending: None,
    };
    run.run().await.unwrap()
}

pub(super) fn there(place: &AnyPlace) -> Vec<Copy> {
    let of =
        Of { environment: "production".parse().unwrap(), app: "web".parse().unwrap(), item: "out".parse().unwrap() };
    place.copies(&of).unwrap().copies
}

#[tokio::test]
async fn old_copies_go_after_a_good_one_and_only_then() {
    let folder = tempfile::tempdir().unwrap();
    let (backup, places) = (section(ONE), places(folder.path(), &["local"]));
    for run in 1..=4 {
        assert!(ran(&backup, &places, &Told { gives: good, ..Told::default() }).await.is_good());
        assert_eq!(there(&places[0]).len(), run.min(2));
    }
    let kept = there(&places[0]);
    for gives in [failing, Vec::new, || vec![Piece::Whole]] {
        let account = ran(&backup, &places, &Told { gives, ..Told::default() }).await;
        assert!(!account.is_good() && account.items[0].outcome.is_err());
        assert_eq!(there(&places[0]), kept);
    }
    // One that is suspect is kept, and nothing goes for it.
    let small = || vec![Piece::Bytes(vec![1; 400]), Piece::Whole];
    assert!(!ran(&backup, &places, &Told { gives: small, ..Told::default() }).await.is_good());
    assert_eq!((there(&places[0]).len(), there(&places[0])[0].is_good()), (3, false));
}

#[tokio::test]
async fn hooks_after_run_whatever_came_before() {
    let folder = tempfile::tempdir().unwrap();
    let hooks = "hooks: {before: [{service: web, command: [on]}, {service: web, command: [more]}], \
                 after: [{service: web, command: [off]}, {service: web, command: [done]}]}";
    let (backup, places) = (section(&format!("{ONE}, {hooks}")), places(folder.path(), &["local"]));
    let table = [
        (None, good as fn() -> Vec<Piece>, vec!["sweep", "hook on", "hook more", "take web", "hook off", "hook done"]),
        (None, failing, vec!["sweep", "hook on", "hook more", "take web", "hook off", "hook done"]),
        (Some("on"), good, vec!["sweep", "hook on", "hook off", "hook done"]),
        (Some("off"), good, vec!["sweep", "hook on", "hook more", "take web", "hook off", "hook done"]),
    ];
    for (hook_fails, gives, expected) in table {
        let sources = Told { gives, hook_fails, ..Told::default() };
        let account = ran(&backup, &places, &sources).await;
        assert_eq!(sources.asked(), expected);
        assert_eq!(account.hooks.len(), usize::from(hook_fails.is_some()));
    }
}

#[tokio::test]
async fn a_source_that_hangs_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let (backup, places) = (section(&format!("{ONE}, timeout: 1s")), places(folder.path(), &["local"]));
    let some = || vec![Piece::Bytes(vec![1; 1000])];
    let account = ran(&backup, &places, &Told { gives: some, hangs: true, ..Told::default() }).await;
    assert_eq!(
        account.items[0].outcome.as_ref().unwrap_err().to_string(),
        "the source failed: it was not done after 1 s"
    );
    assert_eq!(there(&places[0]), []);
}

#[tokio::test]
async fn a_place_that_fails_costs_the_others_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (backup, places) = (section(ONE), places(folder.path(), &["local", "usb"]));
    fs::write(folder.path().join("usb"), "no folder").unwrap();
    let account = ran(&backup, &places, &Told { gives: good, ..Told::default() }).await;
    assert!(!account.is_good() && account.items[0].outcome.is_ok());
    assert_eq!((account.items[0].behind.len(), there(&places[0]).len()), (1, 1));
    fs::remove_file(folder.path().join("usb")).unwrap();
    assert!(ran(&backup, &places, &Told { gives: good, ..Told::default() }).await.is_good());
    // What it missed is there too.
    assert_eq!((there(&places[0]).len(), there(&places[1])), (2, there(&places[0])));
}

#[tokio::test]
async fn users_are_held_still_as_the_manifest_says_and_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    for word in ["pause", "stop"] {
        let item = format!("items: [{{name: out, type: volume, volume: data, consistency: {word}}}], verify: checksum");
        let sources = Told { gives: good, ..Told::default() };
        let account = ran(&section(&item), &places(folder.path(), &["local"]), &sources).await;
        assert!(account.is_good());
        assert_eq!(
            sources.asked(),
            ["sweep".to_owned(), format!("take production-web_data with {word}"), "released".to_owned()]
        );
    }
    // Also where it fails.
    let item = "items: [{name: out, type: volume, volume: data, consistency: pause}], verify: checksum";
    let sources = Told { gives: failing, ..Told::default() };
    assert!(!ran(&section(item), &places(folder.path(), &["local"]), &sources).await.is_good());
    assert_eq!(sources.asked().last().map(String::as_str), Some("released"));
}

#[tokio::test]
async fn nothing_is_begun_any_more_when_the_tool_is_asked_to_end_but_hooks_after_are_run() {
    let folder = tempfile::tempdir().unwrap();
    let text = "items: [{name: out, type: exec, service: web, command: [dump]}, {name: two, type: exec, service: web, command: [dump]}], \
                hooks: {after: [{service: web, command: [off]}]}";
    let (backup, places) = (section(text), places(folder.path(), &["local"]));
    let (asker, ending) = tokio::sync::watch::channel(false);
    let sources = Told { hangs: true, gives: || vec![Piece::Bytes(vec![1; 1000])], ..Told::default() };
    let run = Run {
        backup: &backup,
        environment: &"production".parse().unwrap(),
        app: &"web".parse().unwrap(),
        repositories: &places,
        sources: &sources,
        only: &[],
        pinned: false,
        before_revision: None,
        clock: &jiff::Timestamp::now,
        ending: Some(ending),
    };
    let asks = async {
        while sources.asked().last().is_none_or(|asked| asked != "take web") {
            tokio::task::yield_now().await;
        }
        asker.send_replace(true);
    };
    let (account, ()) = tokio::join!(run.run(), asks);
    assert!(account.unwrap().items.iter().all(|made| made.outcome.is_err()));
    assert_eq!(sources.asked(), ["sweep", "take web", "hook off"]);
}

#[tokio::test]
async fn a_record_that_is_not_understood_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let (backup, places) = (section(ONE), places(folder.path(), &["local"]));
    for _ in 0..2 {
        ran(&backup, &places, &Told { gives: good, ..Told::default() }).await;
    }
    let of = places[0].path(&there(&places[0])[0]).with_file_name("20990101T000000Z.json");
    fs::write(&of, "{\"format\": 2}").unwrap();
    let account = ran(&backup, &places, &Told { gives: good, ..Told::default() }).await;
    assert!(account.items[0].also[0].to_string().contains("it is of form 2"));
    assert_eq!(there(&places[0]).len(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_happens_the_newest_good_copy_is_there(events in prop::collection::vec((0u8..6, -30i64..30), 1..14)) {
        let folder = tempfile::tempdir().unwrap();
        let (backup, places) = (section(ONE), places(folder.path(), &["local"]));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut newest: Option<Copy> = None;
        let mut now: jiff::Timestamp = "2026-03-10T02:30:00Z".parse().unwrap();
        for (event, hours) in events {
            // A clock may be put back at any time.
            now += jiff::SignedDuration::from_hours(hours);
            let gives: fn() -> Vec<Piece> = match event {
                0 => failing,
                1 => Vec::new,
                2 => || vec![Piece::Bytes(vec![1; 300]), Piece::Whole],
                3 => {
                    // What a kill leaves.
                    let partial = folder.path().join("local/production/web/out/20200101T000000Z.out.zst.partial");
                    if partial.parent().is_some_and(Path::is_dir) { fs::write(partial, "half").unwrap() }
                    continue;
                }
                _ => good,
            };
            let account = runtime.block_on(ran_at(&backup, &places, &Told { gives, ..Told::default() }, &|| now));
            if let Ok(copy) = &account.items[0].outcome && copy.is_good() {
                let is_newer = newest.as_ref().is_none_or(|newest| (newest.taken_at, &newest.id) < (copy.taken_at, &copy.id));
                if is_newer { newest = Some(copy.clone()) }
            }
            if let Some(newest) = &newest {
                let copies = there(&places[0]);
                prop_assert!(copies.contains(newest));
                prop_assert!(places[0].path(newest).is_file());
            }
            let names = fs::read_dir(folder.path().join("local/production/web/out")).into_iter().flatten();
            prop_assert!(!names.map(|entry| entry.unwrap().path()).any(|path| path.to_string_lossy().ends_with("partial")));
        }
    }
}
