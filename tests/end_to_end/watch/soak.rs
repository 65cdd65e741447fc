//! Hours of pushes, drift, death and engine restarts at random: `make nightly` runs it, for SOAK_SECONDS (600).

use super::web;
use crate::world::{Daemon, Dockerd, SLEEPER, World};
use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

const APPS: [&str; 3] = ["web", "db", "pair"];

/// Containers, networks and volumes of the three apps.
const WANTED: (usize, usize, usize) = (4, 3, 1);

/// What was done, and how often.
type Figures = BTreeMap<&'static str, usize>;

#[test]
#[ignore = "takes minutes"]
fn whatever_happens_for_long_ends_in_sync_with_no_litter_and_no_growth() {
    let seconds = std::env::var("SOAK_SECONDS").map_or(600, |text| text.parse().unwrap());
    let seed = std::env::var("SOAK_SEED").map_or_else(|_| fastrand::u64(..), |text| text.parse().unwrap());
    eprintln!("SOAK_SECONDS={seconds} SOAK_SEED={seed}");
    fastrand::seed(seed);
    let mut dockerd = Dockerd::start();
    let world = World::on(dockerd.engine());
    let mut soak =
        Soak { daemon: watch(&world), world: &world, dockerd: &mut dockerd, pushes: 0, figures: Figures::new() };
    APPS.iter().for_each(|app| soak.push_good(app));
    soak.settles();

    // The second half is one life of the process, of which the first fifth is for warming up.
    let half = Duration::from_secs(seconds) / 2;
    soak.meddle(half, true);
    soak.restart();
    soak.meddle(half / 5, false);
    let warm = Use::of(&soak.daemon);
    soak.meddle(half * 4 / 5, false);
    APPS.iter().for_each(|app| soak.push_good(app));
    let took = soak.settles();
    let end = Use::of(&soak.daemon);

    eprintln!("{:?}", soak.figures);
    eprintln!("in sync {took:?} after the last push; warm {warm:?}, at the end {end:?}");
    assert!(end.resident * 10 <= warm.resident * 13, "grown from {warm:?} to {end:?}");
    assert!(end.files <= warm.files + 8, "files are left open: {warm:?}, {end:?}");
    soak.left_no_litter();
    soak.daemon.signal("TERM");
    assert!(soak.daemon.ends().success());
}

struct Soak<'a> {
    world: &'a World,
    dockerd: &'a mut Dockerd,
    daemon: Daemon,
    pushes: usize,
    figures: Figures,
}

impl Soak<'_> {
    /// Does something at random, again and again.
    fn meddle(&mut self, time: Duration, kills: bool) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            let app = APPS[fastrand::usize(..APPS.len())];
            match fastrand::usize(..80) {
                0..16 => self.push_good(app),
                16..20 => self.push_bad(app, "broken manifest", "services: {web: {imgae: x}}"),
                20..24 => self.push_bad(app, "missing image", &good(app, self.pushes).replace("bb:1", "missing:1")),
                24..28 => self.push_bad(app, "dying image", &dying(app)),
                28..32 => {
                    self.daemon.signal("HUP");
                    self.count("SIGHUP");
                }
                32..36 if kills => self.restart(),
                36 => self.restart_engine(),
                _ => self.drift(app),
            }
            std::thread::sleep(Duration::from_millis(fastrand::u64(50..1500)));
            assert!(self.daemon.lives(), "the daemon died");
        }
    }

    fn drift(&mut self, app: &str) {
        let network = format!("{}-{app}", self.world.name);
        let filter = format!("label=reconcile.app={app}");
        let all = self.world.engine.ask(&["ps", "-aq", "--filter", &filter]);
        let all: Vec<&str> = all.lines().collect();
        if all.is_empty() {
            return;
        }
        let one = all[fastrand::usize(..all.len())];
        let renamed = format!("renamed-{}", self.figures.values().sum::<usize>());
        let kinds: [(&str, &[&str]); 9] = [
            ("rm", &["rm", "-f", one]),
            ("stop", &["stop", "-t", "1", one]),
            ("kill", &["kill", one]),
            ("pause", &["pause", one]),
            ("restart", &["restart", "-t", "1", one]),
            ("rename", &["rename", one, &renamed]),
            ("disconnect", &["network", "disconnect", "-f", &network, one]),
            ("update", &["update", "--restart", "no", one]),
            ("connect", &["network", "connect", "bridge", one]),
        ];
        let (kind, command) = kinds[fastrand::usize(..kinds.len())];
        // It may be gone by now: the daemon works meanwhile.
        if self.world.engine.try_ask(command).status.success() {
            self.count(kind);
        }
    }

    fn push_good(&mut self, app: &str) {
        self.pushes += 1;
        self.world.push(app, &good(app, self.pushes));
        self.count("good push");
    }

    fn push_bad(&mut self, app: &str, kind: &'static str, manifest: &str) {
        self.pushes += 1;
        self.world.push(app, manifest);
        self.count(kind);
    }

    /// SIGKILL, and a new life.
    fn restart(&mut self) {
        self.note_life();
        self.daemon.kill();
        self.daemon = watch(self.world);
        self.count("SIGKILL");
    }

    /// As a service manager does it, or as a fault does.
    fn restart_engine(&mut self) {
        if fastrand::bool() {
            self.dockerd.end();
            self.count("engine ended");
        } else {
            self.dockerd.kill();
            self.count("engine killed");
        }
        self.dockerd.begin();
    }

    fn count(&mut self, what: &'static str) {
        *self.figures.entry(what).or_default() += 1;
    }

    fn note_life(&mut self) {
        let log = self.daemon.log();
        let told = |word: &str| log.iter().filter(|line| line["fields"]["outcome"] == word).count();
        for word in ["Succeeded", "Failed", "RolledBack", "Blocked", "NonConvergent"] {
            *self.figures.entry(word).or_default() += told(word);
        }
    }

    /// Waits until all is as the branch says, and tells how long that took.
    #[track_caller]
    fn settles(&mut self) -> Duration {
        let began = Instant::now();
        loop {
            if self.world.seems_synced() && self.running() == WANTED.0 {
                break;
            }
            let told = || (self.world.run(&["--dry-run"]).text(), self.world.engine.ask(&["ps", "-a"]));
            assert!(began.elapsed() < Duration::from_secs(60), "not in sync in a minute: {:#?}", told());
            std::thread::sleep(Duration::from_millis(100));
        }
        let took = began.elapsed();
        self.note_life();
        took
    }

    fn running(&self) -> usize {
        self.ours(&["ps", "-q"]).len()
    }

    fn ours(&self, list: &[&str]) -> Vec<String> {
        let filter = format!("label=reconcile.installation={}", self.world.name);
        self.world.engine.ask(&[list, &["--filter", &filter]].concat()).lines().map(str::to_owned).collect()
    }

    fn left_no_litter(&self) {
        let world = self.world;
        let containers = self.ours(&["ps", "-a", "--format", "{{.Names}} {{.Status}}"]);
        let networks = self.ours(&["network", "ls", "--format", "{{.Name}}"]);
        let volumes = self.ours(&["volume", "ls", "--format", "{{.Name}}"]);
        assert_eq!(
            (containers.len(), networks.len(), volumes.len()),
            WANTED,
            "{containers:?} {networks:?} {volumes:?}"
        );
        assert!(!containers.iter().any(|name| name.contains("-next") || name.contains("renamed")), "{containers:?}");
        assert_eq!(world.engine.ask(&["ps", "-aq"]).lines().count(), WANTED.0, "containers without our label");
        let mut folders = vec![world.state()];
        let (mut files, mut bytes) = (0, 0);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
                let name = entry.file_name().into_string().unwrap();
                assert!(!name.starts_with('.'), "unfinished: {}", entry.path().display());
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    files += 1;
                    bytes += entry.metadata().unwrap().len();
                }
            }
        }
        for app in APPS {
            let folder = world.state().join("revisions").join(&world.name).join(app);
            let kept = fs::read_dir(folder).unwrap().count();
            assert!(kept <= 25, "{kept} revisions of {app} are kept");
        }
        eprintln!("{containers:?} {networks:?} {volumes:?}; state: {files} files, {bytes} bytes");
    }
}

/// What a process uses.
#[derive(Debug)]
struct Use {
    /// In KiB.
    resident: u64,
    files: usize,
}

impl Use {
    fn of(daemon: &Daemon) -> Self {
        let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()).unwrap();
        let files = fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count();
        Self { resident: resident.parse().unwrap(), files }
    }
}

fn watch(world: &World) -> Daemon {
    world.watch(&[])
}

fn good(app: &str, number: usize) -> String {
    let sleeper = |name: &str, more: &str| {
        format!(
            "  {name}: {{image: bb:1, command: {SLEEPER}, env: {{NUMBER: {number}}}, stop_grace_period: 1s, \
             rollout: {{min_healthy_time: 0s}}{more}}}\n"
        )
    };
    match app {
        "web" => web(&format!("word-{number}")),
        "db" => format!("services:\n{}volumes: {{data: {{}}}}\n", sleeper("db", ", volumes: [\"data:/data\"]")),
        _ => format!("services:\n{}{}", sleeper("one", ""), sleeper("two", ", depends_on: [one]")),
    }
}

/// It fails while it starts.
fn dying(app: &str) -> String {
    let dying = r#"{image: bb:1, command: [sh, -c, "exit 3"], restart: "no", rollout: {min_healthy_time: 1s, healthy_deadline: 5s}}"#;
    match app {
        "web" => format!("services:\n  web: {dying}\n"),
        "db" => format!("services:\n  db: {dying}\nvolumes: {{data: {{}}}}\n"),
        _ => format!("services:\n  one: {dying}\n  two: {dying}\n"),
    }
}
