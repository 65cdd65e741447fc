//! What a pass costs beside the raw engine calls it cannot do without, made in the same run (DESIGN §9).
//!
//! `make bench`. Figures are medians; the ratio is what counts, the machine decides the rest. `BENCH_SERVICES="1 10 50"`
//! measures apps of these sizes, 50 where it is not said; `BENCH_REVISIONS` is how long a past is measured, 500.

mod counted;
mod past;

use counted::Counted;
use futures_util::{StreamExt, stream};
use reconcile::{
    apply::{Begun, Hands, Nudges, Slots},
    desired::{Desired, resolve},
    engine::{CreateContainer, CreateNetwork, Engine, docker::Docker},
    manifest,
    observed::{Abilities, Observed},
    pass::{Asker, Commit, Head, Host, Mode, Settings, Wish, environment},
    plan,
    record::StateDir,
    secret::{RepositoryFiles, Secrets},
    value::{AppName, EnvironmentName},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

const SIDE_BY_SIDE: usize = 8;
/// How many revisions a host keeps unless its file says otherwise.
const KEPT: usize = 20;
const INSTALLATION: &str = "bench";

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    planning();
    let address = std::env::var("RECONCILE_TEST_DOCKER").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
    for services in numbers("BENCH_SERVICES", "50")? {
        let bench = Bench::open(&address, services, KEPT).await?;
        bench.clear().await?;
        let outcome = bench.passes().await;
        bench.clear().await?;
        outcome?;
    }
    for revisions in numbers("BENCH_REVISIONS", "500")? {
        for kept in [KEPT, usize::MAX] {
            let bench = Bench::open(&address, 1, kept).await?;
            bench.clear().await?;
            let outcome = bench.growth(revisions).await;
            bench.clear().await?;
            outcome?;
        }
    }
    Ok(())
}

/// The numbers in a variable, with spaces between them.
fn numbers(variable: &str, default: &str) -> Outcome<Vec<usize>> {
    let text = std::env::var(variable).unwrap_or_else(|_| default.to_owned());
    text.split_whitespace()
        .map(|word| word.parse().map_err(|_| format!("{variable}: `{word}` is no number").into()))
        .collect()
}

/// Planning needs no engine: 1,000 services, nothing there, and all there.
fn planning() {
    let desired = desired(1_000, "one");
    let observed = nothing();
    let cold = median(|| drop(plan::plan(&desired, &observed)));
    let steps = plan::plan(&desired, &observed).steps.len();
    println!("planning 1,000 services, nothing there ({steps} steps): {cold:?}  (limit 50 ms)");
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..9)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

struct Bench {
    services: usize,
    host: Host<Counted<Docker>>,
    environment: EnvironmentName,
    _state: tempfile::TempDir,
}

impl Bench {
    async fn open(address: &str, services: usize, kept: usize) -> Outcome<Self> {
        let engine = Arc::new(Counted::new(Docker::connect(address).await?));
        let state = tempfile::tempdir()?;
        let info = engine.info().await?;
        let nudges = Nudges::subscribe(&engine).await;
        let depot = Arc::new(reconcile::backup::Depot::new(state.path(), Vec::new()));
        let settings = Settings {
            installation: INSTALLATION.to_owned(),
            engine: address.to_owned(),
            lock_dir: state.path().join("locks"),
            parallel: SIDE_BY_SIDE,
            repair: true,
            prune: true,
            max_deletes: services * 2,
            policy: reconcile::host::Host::default(),
            protected_paths: Vec::new(),
            revisions: kept,
            images: 3,
            depot: Arc::clone(&depot),
            secrets: Secrets::default(),
        };
        let ledger = StateDir::open(&state.path().join("state")).await?.ledger();
        let hands = Hands {
            engine,
            info,
            slots: Slots::new(SIDE_BY_SIDE),
            nudges,
            begun: Begun::default(),
            gateway: None,
            keyring: Arc::default(),
            depot,
        };
        Ok(Self { services, host: Host { hands, ledger, settings }, environment: "bench".parse()?, _state: state })
    }

    async fn passes(&self) -> Outcome<()> {
        println!(
            "{} services, {SIDE_BY_SIDE} calls side by side, {} {}",
            self.services,
            self.host.hands.engine_version(),
            self.host.settings.engine
        );

        let raw = self.raw_cold().await?;
        self.clear().await?;
        self.engine().taken();
        let cold = self.pass("one").await?;
        tell("cold", cold, raw, &self.engine().taken(), 2 * self.services + 1);

        let mut raw_lists = Vec::new();
        let mut noops = Vec::new();
        let mut calls = BTreeMap::new();
        for _ in 0..7 {
            let start = Instant::now();
            self.engine().containers(&vec![("reconcile.environment".to_owned(), Some("bench".to_owned()))]).await?;
            raw_lists.push(start.elapsed());
            self.engine().taken();
            noops.push(self.pass("one").await?);
            calls = self.engine().taken();
        }
        tell("no-op", middle(noops), middle(raw_lists), &calls, 1);

        let mut raw_changes = Vec::new();
        let (mut changes, mut running) = (Vec::new(), Vec::new());
        for round in 0..5 {
            raw_changes.push(self.raw_change().await?);
            self.engine().taken();
            let begun = Instant::now();
            changes.push(self.pass(&format!("round-{round}")).await?);
            running.push(self.engine().answered("start").ok_or("nothing was started")?.duration_since(begun));
            calls = self.engine().taken();
        }
        let raw = middle(raw_changes);
        tell("one change, until the new container runs", middle(running), raw, &calls, 4);
        tell("one change, until the pass is over", middle(changes), raw, &calls, 4);
        Ok(())
    }

    /// A pass without changes, after one revision and after many.
    async fn growth(&self, revisions: usize) -> Outcome<()> {
        self.pass("one").await?;
        let young = self.noop().await?;
        past::record(&self.host.ledger, &desired(self.services, "past"), revisions).await?;
        self.pass("one").await?;
        let old = self.noop().await?;
        let ratio = old.as_secs_f64() / young.as_secs_f64();
        let kept = self.host.settings.revisions.min(revisions);
        println!("growth: no-op {old:.1?} after {revisions} revisions, {kept} kept, beside {young:.1?} = {ratio:.2} x");
        Ok(())
    }

    async fn noop(&self) -> Outcome<Duration> {
        let mut noops = Vec::new();
        for _ in 0..9 {
            noops.push(self.pass("one").await?);
        }
        Ok(middle(noops))
    }

    fn engine(&self) -> &Counted<Docker> {
        &self.host.hands.engine
    }

    async fn pass(&self, word: &str) -> Outcome<Duration> {
        let (_keep, ending) = watch::channel(false);
        let app: AppName = "many".parse()?;
        let commit =
            Commit { id: "0".repeat(40), revision: "bench".into(), author: "bench".into(), subject: word.into() };
        let head = Head {
            commit,
            apps: BTreeMap::from([(app, Ok(desired(self.services, word)))]),
            trees: BTreeMap::new(),
            other: Vec::new(),
            files: RepositoryFiles::default(),
        };
        let wish = Wish {
            environment: self.environment.clone(),
            mode: Mode::Apply,
            apps: BTreeSet::new(),
            replace: Vec::new(),
            allow_empty: false,
            max_deletes: None,
            by: Asker::Person,
            known: BTreeMap::new(),
            hold: None,
        };
        let start = Instant::now();
        let report = environment::run(&self.host, &wish, &head, &ending).await?;
        let took = start.elapsed();
        if report.failed() {
            return Err(format!("the pass failed: {:?}", report.apps).into());
        }
        Ok(took)
    }

    /// A network, and every container made and started, with the same calls side by side.
    async fn raw_cold(&self) -> Outcome<Duration> {
        let engine = &self.engine().engine;
        let labels = BTreeMap::from([("reconcile.bench".to_owned(), "raw".to_owned())]);
        let start = Instant::now();
        let network = CreateNetwork { name: "bench-raw".into(), internal: false, driver: None, labels: labels.clone() };
        engine.create_network(&network).await?;
        let image = engine.image("bb:1").await?.ok_or("no image `bb:1`: scripts/engines builds it")?;
        let desired = desired(self.services, "raw");
        let containers = desired.services.values().map(|service| CreateContainer {
            name: format!("bench-raw-{}", service.name),
            image_id: image.id.clone(),
            spec: service.spec.clone(),
            network: Some(("bench-raw".into(), BTreeSet::from([service.name.to_string()]))),
            secret_env: BTreeMap::new(),
            namespace_of: None,
            labels: labels.clone(),
        });
        let made: Vec<Result<(), reconcile::engine::EngineError>> = stream::iter(containers)
            .map(|container| async move {
                let id = engine.create(&container).await?;
                engine.start(&id).await
            })
            .buffer_unordered(SIDE_BY_SIDE)
            .collect()
            .await;
        made.into_iter().collect::<Result<Vec<()>, _>>()?;
        Ok(start.elapsed())
    }

    /// What one changed service cannot do without: see that the image is here, create, stop, start.
    async fn raw_change(&self) -> Outcome<Duration> {
        let engine = &self.engine().engine;
        let labels = BTreeMap::from([("reconcile.bench".to_owned(), "raw".to_owned())]);
        let spec = desired(1, "raw").services.into_values().next().ok_or("no service")?.spec;
        let container = |name: &str, image_id: &str| CreateContainer {
            name: name.to_owned(),
            image_id: image_id.to_owned(),
            spec: spec.clone(),
            network: Some(("bench-many".into(), BTreeSet::new())),
            secret_env: BTreeMap::new(),
            namespace_of: None,
            labels: labels.clone(),
        };
        let image = engine.image("bb:1").await?.ok_or("no image `bb:1`")?;
        let old = engine.create(&container("bench-raw-old", &image.id)).await?;
        engine.start(&old).await?;
        let start = Instant::now();
        let image = engine.image("bb:1").await?.ok_or("no image `bb:1`")?;
        let new = engine.create(&container("bench-raw-new", &image.id)).await?;
        engine.stop(&old, Duration::from_secs(1)).await?;
        engine.start(&new).await?;
        let took = start.elapsed();
        engine.remove(&old).await?;
        engine.stop(&new, Duration::from_secs(1)).await?;
        engine.remove(&new).await?;
        Ok(took)
    }

    /// Takes away what this bench made, on this engine, now or in an earlier run that was killed.
    async fn clear(&self) -> Outcome<()> {
        let engine = &self.engine().engine;
        let ours = [("reconcile.bench", None), ("reconcile.installation", Some(INSTALLATION))];
        for (label, value) in ours {
            let filter = vec![(label.to_owned(), value.map(str::to_owned))];
            let there = engine.containers(&filter).await?;
            stream::iter(there)
                .for_each_concurrent(SIDE_BY_SIDE, |container| async move {
                    let _ = engine.stop(&container.id, Duration::from_secs(1)).await;
                    let _ = engine.remove(&container.id).await;
                })
                .await;
        }
        for network in engine.networks().await? {
            if network.labels.contains_key("reconcile.bench")
                || network.labels.get("reconcile.installation").map(String::as_str) == Some(INSTALLATION)
            {
                engine.remove_network(&network.id).await?;
            }
        }
        for image in engine.images().await? {
            for tag in
                image.references.iter().filter(|tag| tag.starts_with("reconcile.local/bench/") && !tag.contains('@'))
            {
                engine.untag(tag).await?;
            }
        }
        Ok(())
    }
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn tell(what: &str, took: Duration, raw: Duration, calls: &BTreeMap<&'static str, usize>, raw_calls: usize) {
    let ratio = took.as_secs_f64() / raw.as_secs_f64();
    let all: usize = calls.values().sum();
    let names = calls.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ");
    println!(
        "{what}: {took:.1?} beside {raw:.1?} of raw calls = {ratio:.2} x; {all} engine calls beside {raw_calls} ({names})"
    );
}

/// An app of so many sleeping services; `word` is in the environment of the first.
fn desired(services: usize, word: &str) -> Desired {
    let mut text = String::from("services:\n");
    for number in 0..services {
        let word = if number == 0 { word } else { "same" };
        text.push_str(&format!(
            "  s{number:04}: {{image: \"bb:1\", command: [sh, -c, \"trap 'exit 0' TERM; sleep 36000 & wait\"], env: {{WORD: {word}}}, stop_grace_period: 1s, rollout: {{order: stop-first, min_healthy_time: 0s}}}}\n"
        ));
    }
    let files = BTreeMap::from([("environments/bench/many.yaml".to_owned(), text)]);
    let environment: EnvironmentName = "bench".parse().expect("a name");
    let loaded = manifest::load(&files, &environment, "environments");
    let app = loaded.apps.into_values().next().expect("one app").expect("a valid manifest");
    resolve::resolve(&app, &resolve::Context::default())
}

fn nothing() -> Observed {
    Observed {
        images: BTreeMap::from([(
            "bb:1".to_owned(),
            reconcile::observed::Image { id: "sha256:1".into(), ..Default::default() },
        )]),
        ..Observed::nothing(jiff::Timestamp::UNIX_EPOCH, Abilities { adjusts: true })
    }
}
