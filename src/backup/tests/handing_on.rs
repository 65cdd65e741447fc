//! Runs with places beside the first: what these get, and what one that is away costs the others.

use super::{
    running::{Asked, Told, failing, ran, ran_at, section, there},
    storing::files,
};
use crate::{
    backup::{
        AnyPlace, BackupError, Copy, CopyId, Draft, Fault, Found, Local, Of, Place, limit,
        run::{Account, Run},
        take_over,
    },
    desired::Backup,
    value::{AppName, EnvironmentName, RepositoryName},
};
use std::{
    future::pending,
    io::{self, Cursor, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
    },
};
use tokio::sync::watch;

/// How a place is.
#[derive(Clone, Copy, Debug)]
enum Way {
    Well,
    /// It answers to nothing, and that is known at once.
    Away,
    /// It answers to nothing, and nobody knows.
    Silent,
    /// Nothing can be written.
    Full,
    /// It is on another host.
    Far,
    /// After so many files it gives back others than were written.
    Rots {
        after: u8,
        how: fn(&mut Vec<u8>),
    },
}

/// A file that is given back as another.
struct Rotten {
    draft: Box<dyn Draft>,
    how: fn(&mut Vec<u8>),
}

impl Write for Rotten {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.draft.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.draft.flush()
    }
}

impl Draft for Rotten {
    fn finish(&mut self) -> Result<(), BackupError> {
        self.draft.finish()
    }

    fn read_back(&self) -> Result<Box<dyn Read + Send>, BackupError> {
        let mut bytes = Vec::new();
        self.draft.read_back()?.read_to_end(&mut bytes).unwrap();
        (self.how)(&mut bytes);
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn path(&self) -> PathBuf {
        self.draft.path()
    }

    fn settle(self: Box<Self>, copy: &Copy) -> Result<(), BackupError> {
        self.draft.settle(copy)
    }
}

/// A folder that is so, and notes what it is asked.
#[derive(Debug)]
struct Wayward {
    local: Local,
    way: Mutex<Way>,
    asked: Asked,
}

impl Wayward {
    fn new(folder: &Path, name: &str, asked: &Asked) -> Arc<Self> {
        let local = Local { name: name.parse().unwrap(), root: folder.join(name) };
        Arc::new(Self { local, way: Mutex::new(Way::Well), asked: Arc::clone(asked) })
    }

    fn is(&self, way: Way) {
        *self.way.lock().unwrap() = way;
    }

    fn meet(&self, doing: &'static str) -> Result<(), BackupError> {
        self.asked.lock().unwrap().push(format!("{doing} {}", self.local.name));
        let way = *self.way.lock().unwrap();
        match way {
            Way::Well | Way::Far | Way::Rots { .. } => Ok(()),
            Way::Full if doing == "begin" => Err(BackupError::Empty),
            Way::Full => Ok(()),
            Way::Silent => limit::wait(pending()),
            Way::Away => {
                let path = self.local.root.clone();
                Err(BackupError::Remote { doing, path, fault: Fault::Away, source: "it is away".into() })
            }
        }
    }
}

impl Place for Wayward {
    fn name(&self) -> &RepositoryName {
        self.local.name()
    }

    fn path_of(&self, of: &Of, file: &str) -> PathBuf {
        self.local.path_of(of, file)
    }

    fn items(&self) -> Result<Vec<Of>, BackupError> {
        self.local.items()
    }

    fn items_of(&self, environment: &EnvironmentName, app: &AppName) -> Result<Vec<Of>, BackupError> {
        self.local.items_of(environment, app)
    }

    fn copy(&self, of: &Of, id: &CopyId) -> Result<Option<Copy>, BackupError> {
        self.local.copy(of, id)
    }

    fn files(&self, of: &Of) -> Result<Vec<String>, BackupError> {
        self.local.files(of)
    }

    fn copies(&self, of: &Of) -> Result<Found, BackupError> {
        self.local.copies(of)
    }

    fn newest(&self, of: &Of, is_wanted: &dyn Fn(&Copy) -> bool) -> Result<Option<Copy>, BackupError> {
        self.local.newest(of, is_wanted)
    }

    fn open(&self, copy: &Copy) -> Result<Box<dyn Read + Send>, BackupError> {
        self.local.open(copy)
    }

    fn begin(&self, of: &Of, file: &str, expected: Option<u64>) -> Result<Box<dyn Draft>, BackupError> {
        self.meet("begin")?;
        let draft = self.local.begin(of, file, expected)?;
        Ok(match &mut *self.way.lock().unwrap() {
            Way::Rots { after: 0, how } => Box::new(Rotten { draft, how: *how }),
            Way::Rots { after, .. } => {
                *after -= 1;
                draft
            }
            Way::Well | Way::Away | Way::Silent | Way::Full | Way::Far => draft,
        })
    }

    fn is_near(&self) -> bool {
        !matches!(*self.way.lock().unwrap(), Way::Far)
    }

    fn rewrite(&self, copy: &Copy) -> Result<(), BackupError> {
        self.local.rewrite(copy)
    }

    fn remove(&self, copy: &Copy) -> Result<(), BackupError> {
        self.local.remove(copy)
    }

    fn sweep(&self, of: &Of) -> Result<(), BackupError> {
        self.meet("sweep")?;
        self.local.sweep(of)
    }
}

/// A folder, and another that is as a test says; a source that tells the same people what it is asked.
struct World {
    places: Vec<AnyPlace>,
    usb: Arc<Wayward>,
    sources: Told,
    minute: AtomicU8,
    _folder: tempfile::TempDir,
}

impl World {
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (sources, local) =
            (Told::default(), Local { name: "local".parse().unwrap(), root: folder.path().join("local") });
        let usb = Wayward::new(folder.path(), "usb", &sources.asked);
        let places: Vec<AnyPlace> = vec![Arc::new(local), usb.clone()];
        Self { places, usb, sources, minute: AtomicU8::new(0), _folder: folder }
    }

    async fn ran(&self, backup: &Backup) -> Account {
        ran(backup, &self.places, &self.sources).await
    }

    /// A minute after the one before.
    async fn later(&self, backup: &Backup) -> Account {
        let minute = self.minute.fetch_add(1, Ordering::Relaxed);
        let at = format!("2026-11-01T02:{minute:02}:00Z").parse().unwrap();
        ran_at(backup, &self.places, &self.sources, &move || at).await
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.sources.asked.lock().unwrap())
    }
}

fn run<'a>(backup: &'a Backup, places: &'a [AnyPlace], sources: &'a Told) -> Run<'a, Told> {
    Run {
        backup,
        environment: Box::leak(Box::new("production".parse().unwrap())),
        app: Box::leak(Box::new("web".parse().unwrap())),
        repositories: places,
        sources,
        only: &[],
        pinned: false,
        before_revision: None,
        clock: &jiff::Timestamp::now,
        ending: None,
    }
}

const TWO: &str = "items: [{name: out, type: exec, service: web, command: [dump]}, {name: two, type: exec, service: web, command: [dump]}], \
                   hooks: {before: [{service: web, command: [on]}], after: [{service: web, command: [off]}]}";
const THREE: &str = "items: [{name: out, type: exec, service: web, command: [dump]}], retention: {keep_last: 3, keep_daily: 0, keep_weekly: 0}";

#[tokio::test]
async fn a_place_that_is_away_is_asked_last_and_once() {
    let world = World::begin();
    let backup = section(TWO);
    assert!(world.ran(&backup).await.is_good());
    let asked =
        ["sweep", "hook on", "take web", "take web", "hook off", "sweep usb", "begin usb", "sweep usb", "begin usb"];
    assert_eq!(world.asked(), asked);
    world.usb.is(Way::Away);
    let account = world.ran(&backup).await;
    assert_eq!(world.asked(), ["sweep", "hook on", "take web", "take web", "hook off", "sweep usb"]);
    assert!(!account.is_good() && account.items.iter().all(|made| made.outcome.is_ok() && made.behind.len() == 1));
    assert_eq!(there(&world.places[0]).len(), 2);
}

#[tokio::test]
async fn a_place_that_is_silent_costs_no_item_its_copy_and_the_run_no_more_than_its_time() {
    let world = World::begin();
    world.usb.is(Way::Silent);
    let account = world.ran(&section(&format!("{TWO}, timeout: 1s"))).await;
    assert_eq!(world.asked(), ["sweep", "hook on", "take web", "take web", "hook off", "sweep usb", "sweep usb"]);
    for made in &account.items {
        assert!(made.outcome.is_ok() && matches!(made.behind[0].error, BackupError::Late { seconds: 1 }), "{made:?}");
    }
}

#[tokio::test]
async fn who_asks_the_tool_to_end_waits_for_no_place() {
    let mut world = World::begin();
    world.usb.is(Way::Silent);
    world.places.reverse();
    let (backup, (asker, ending)) = (section(TWO), watch::channel(false));
    let run = Run { ending: Some(ending), ..run(&backup, &world.places, &world.sources) };
    let asks = async {
        while world.sources.asked().last().is_none_or(|asked| asked != "sweep usb") {
            tokio::task::yield_now().await;
        }
        asker.send_replace(true);
    };
    let (ran, ()) = tokio::join!(run.run(), asks);
    assert!(matches!(ran, Err(BackupError::Asked)));
    // Asked before, it begins nothing, and no hook has to undo anything.
    assert_eq!(world.asked(), ["sweep", "sweep usb"]);
    assert!(matches!(run.run().await, Err(BackupError::Asked)));
    assert_eq!(world.asked(), [""; 0]);
}

#[tokio::test]
async fn where_the_newest_copy_is_not_nothing_goes() {
    let world = World::begin();
    let backup = section(
        "items: [{name: out, type: exec, service: web, command: [dump]}], \
         retention: {keep_last: 1, keep_daily: 0, keep_weekly: 0, keep_within: 1d}",
    );
    let ran = async |at: &str| {
        let at = at.parse().unwrap();
        ran_at(&backup, &world.places, &world.sources, &move || at).await
    };
    for at in ["2026-11-01T01:00:00Z", "2026-11-01T02:00:00Z"] {
        assert!(ran(at).await.is_good());
    }
    for way in [Way::Full, Way::Away] {
        world.usb.is(way);
        assert_eq!(ran("2026-11-09T01:00:00Z").await.items[0].behind[0].place.as_str(), "usb");
        assert_eq!(there(&world.places[1]).len(), 2, "{way:?}");
    }
    world.usb.is(Way::Well);
    assert!(ran("2026-11-09T02:00:00Z").await.is_good());
    assert_eq!(there(&world.places[1]), there(&world.places[0]));
}

#[tokio::test]
async fn what_a_place_missed_it_takes_over_as_far_as_the_rules_keep_it() {
    let mut world = World::begin();
    let backup = section(THREE);
    assert!(world.later(&backup).await.is_good());
    world.usb.is(Way::Away);
    for _ in 0..3 {
        assert!(!world.later(&backup).await.is_good());
    }
    assert_eq!((there(&world.places[0]).len(), there(&world.places[1]).len()), (3, 1));
    // With the next run, or between two: no source is asked for it.
    world.usb.is(Way::Well);
    world.asked();
    assert!(run(&backup, &world.places, &world.sources).catch_up().await.unwrap().is_good());
    assert_eq!(world.asked(), ["sweep usb", "begin usb", "begin usb", "begin usb"]);
    assert_eq!(there(&world.places[1]), there(&world.places[0]));
    world.usb.is(Way::Away);
    world.later(&backup).await;
    world.usb.is(Way::Well);
    assert!(world.later(&backup).await.is_good());
    assert_eq!(there(&world.places[1]), there(&world.places[0]));
    // Where no copy was made, nothing is handed on.
    world.asked();
    world.sources.gives = failing;
    world.later(&backup).await;
    assert_eq!(world.asked(), ["sweep", "take web"]);
}

fn of() -> Of {
    Of { environment: "production".parse().unwrap(), app: "web".parse().unwrap(), item: "out".parse().unwrap() }
}

#[tokio::test]
async fn what_another_place_keeps_for_itself_is_handed_on_to_it_once() {
    let world = World::begin();
    let backup = section(THREE);
    for _ in 0..3 {
        assert!(world.later(&backup).await.is_good());
    }
    // One of three is found to be none any more, here alone: an older one stays here, and there it goes.
    let here = world.places[0].copies(&of()).unwrap().copies;
    world.places[0].note(&here[1], &|noted| noted.verified = None).unwrap();
    assert!(world.later(&backup).await.is_good());
    assert_eq!((there(&world.places[0]).len(), there(&world.places[1]).len()), (4, 3));
    world.asked();
    assert!(run(&backup, &world.places, &world.sources).catch_up().await.unwrap().is_good());
    assert_eq!(world.asked(), ["sweep usb"]);
}

#[tokio::test]
async fn an_old_copy_that_is_no_longer_what_it_was_keeps_no_other_from_its_way() {
    let world = World::begin();
    let backup = section(THREE);
    world.usb.is(Way::Away);
    for _ in 0..3 {
        world.later(&backup).await;
    }
    let here = world.places[0].copies(&of()).unwrap().copies;
    std::fs::write(world.places[0].path(&here[1]), "rot").unwrap();
    world.usb.is(Way::Well);
    for asked in [["sweep usb", "begin usb", "begin usb", "begin usb"].as_slice(), &["sweep usb"]] {
        world.asked();
        assert!(run(&backup, &world.places, &world.sources).catch_up().await.unwrap().is_good());
        assert_eq!(world.asked(), asked);
        let there: Vec<CopyId> =
            world.places[1].copies(&of()).unwrap().copies.into_iter().map(|copy| copy.id).collect();
        assert_eq!(there, [here[0].id.clone(), here[2].id.clone()]);
    }
}

#[tokio::test]
async fn an_old_copy_that_rots_keeps_none_from_a_place_that_has_the_newest() {
    let world = World::begin();
    let backup = section(THREE);
    world.usb.is(Way::Away);
    for _ in 0..3 {
        world.later(&backup).await;
    }
    let here = world.places[0].copies(&of()).unwrap().copies;
    world.usb.is(Way::Well);
    take_over(world.places[1].as_ref(), world.places[0].as_ref(), &here[0]).unwrap();
    std::fs::write(world.places[0].path(&here[1]), "rot").unwrap();
    assert!(run(&backup, &world.places, &world.sources).catch_up().await.unwrap().is_good());
    let there: Vec<CopyId> = world.places[1].copies(&of()).unwrap().copies.into_iter().map(|copy| copy.id).collect();
    assert_eq!(there, [here[0].id.clone(), here[2].id.clone()]);
}

#[tokio::test]
async fn nobody_is_held_still_while_a_copy_is_on_its_way_to_another_host() {
    let mut world = World::begin();
    world.usb.is(Way::Far);
    let backup = section("items: [{name: out, type: volume, volume: data, consistency: pause}], verify: checksum");
    assert!(world.ran(&backup).await.is_good());
    world.places.reverse();
    world.asked();
    let account = world.ran(&backup).await;
    assert!(matches!(&account.items[0].outcome, Err(BackupError::Far { place, .. }) if place.as_str() == "usb"));
    assert!(!world.asked().iter().any(|asked| asked.starts_with("take")));
}

const ROT: [fn(&mut Vec<u8>); 3] = [
    |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    },
    |bytes| bytes.truncate(bytes.len() - 1),
    |bytes| bytes.push(0),
];

#[tokio::test]
async fn what_a_place_gives_back_otherwise_than_it_was_written_is_no_copy() {
    for first in [true, false] {
        let mut world = World::begin();
        let backup = section(THREE);
        assert!(world.later(&backup).await.is_good());
        if first {
            world.places.reverse();
        }
        let before = files(&world.usb.local.root);
        for how in ROT {
            world.usb.is(Way::Rots { after: 0, how });
            let account = world.later(&backup).await;
            let made = &account.items[0];
            let told = if first { made.outcome.as_ref().unwrap_err() } else { &made.behind[0].error };
            assert!(matches!(told, BackupError::Altered { .. }), "{told:?}");
            assert!(!account.is_good());
            assert_eq!(files(&world.usb.local.root), before, "nothing came, and nothing went");
        }
        world.usb.is(Way::Well);
        assert!(world.later(&backup).await.is_good());
    }
}

#[tokio::test]
async fn what_rots_in_another_place_is_as_good_as_before_in_the_first() {
    let world = World::begin();
    let backup = section(THREE);
    world.usb.is(Way::Away);
    for _ in 0..3 {
        world.later(&backup).await;
    }
    let here = there(&world.places[0]);
    world.usb.is(Way::Rots { after: 1, how: ROT[0] });
    let account = run(&backup, &world.places, &world.sources).catch_up().await.unwrap();
    assert!(matches!(account.items[0].behind[0].error, BackupError::Altered { .. }), "{account:?}");
    assert_eq!((there(&world.places[0]), there(&world.places[1]).len()), (here.clone(), 1));
    world.usb.is(Way::Well);
    assert!(run(&backup, &world.places, &world.sources).catch_up().await.unwrap().is_good());
    assert_eq!(there(&world.places[1]), here);
}
