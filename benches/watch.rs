//! What `watch` costs and how fast it is, beside the raw calls that the same cannot do without, made in the same run
//! (DESIGN §9): from a push to the first answer of the new revision, from `rm -f` to running again, and an idle while.
//!
//! `make bench`. The real binary, on Docker. `BENCH_WATCHED` services are there, 50 where it is not said; it idles for
//! `BENCH_IDLE` seconds, 60. Figures are medians of seven; the ratio is what counts.

use reconcile::{
    desired::{ContainerSpec, resolve},
    engine::{CreateContainer, Engine, Event, EventKind, docker::Docker},
    manifest,
    observed::Life,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs,
    net::IpAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

const ROUNDS: usize = 7;
const NAME: &str = "benchwatch";
/// How often it is looked whether it is there.
const LOOK: Duration = Duration::from_millis(3);

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Bench {
    engine: Docker,
    address: String,
    folder: tempfile::TempDir,
    daemon: Option<Child>,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let address = std::env::var("RECONCILE_TEST_DOCKER").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
    let engine = Docker::connect(&address).await?;
    let mut bench = Bench { engine, address, folder: tempfile::tempdir()?, daemon: None };
    bench.clear().await?;
    let outcome = bench.run().await;
    bench.end()?;
    bench.clear().await?;
    outcome
}

impl Bench {
    async fn run(&mut self) -> Outcome<()> {
        let services = number("BENCH_WATCHED", 50)?;
        self.prepare()?;
        self.push(services, "w0")?;
        self.begin()?;
        let all = async {
            while self.running("").await?.len() < services {
                sleep(Duration::from_millis(100)).await;
            }
            Ok::<_, Box<dyn Error>>(())
        };
        timeout(Duration::from_secs(180), all).await.map_err(|_| "not all services run")??;
        self.first("w0").await?;
        sleep(Duration::from_secs(5)).await;
        println!("watch, {services} services, {}", self.address);

        let (mut raw, mut repaired) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            raw.push(self.raw_repair().await?);
            repaired.push(self.repair().await?);
        }
        tell("`rm -f` → running again", middle(repaired), middle(raw), "limit 1.15 x");

        let (mut raw, mut answered) = (Vec::new(), Vec::new());
        for round in 1..=ROUNDS {
            let word = format!("w{round}");
            raw.push(self.raw_push(&format!("raw{round}")).await?);
            let begun = Instant::now();
            self.push(services, &word)?;
            self.first(&word).await?;
            answered.push(begun.elapsed());
            sleep(Duration::from_secs(3)).await;
        }
        tell("push → first answer", middle(answered), middle(raw), "limit raw + 50 ms");
        self.idle(number("BENCH_IDLE", 60)?).await
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn prepare(&self) -> Outcome<()> {
        let (bare, other, work) = (self.path("bare.git"), self.path("raw.git"), self.path("work"));
        for arguments in [
            vec!["init", "-q", "--bare", "-b", "main", &bare],
            vec!["init", "-q", "--bare", "-b", "main", &other],
            vec!["init", "-q", "-b", "main", &work],
        ] {
            run(Command::new("git").args(arguments))?;
        }
        fs::write(self.path("host.yaml"), format!("installation: {NAME}\n"))?;
        Ok(())
    }

    /// Commits and pushes; the first service is the one that changes.
    fn push(&self, services: usize, word: &str) -> Outcome<()> {
        self.push_to("bare.git", &manifest(services, word))
    }

    fn push_to(&self, bare: &str, text: &str) -> Outcome<()> {
        let work = self.path("work");
        let folder = Path::new(&work).join(format!("environments/{NAME}"));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("many.yaml"), text)?;
        let git = |arguments: &[&str]| {
            let identity = ["-C", &work, "-c", "user.name=bench", "-c", "user.email=bench@example.com"];
            run(Command::new("git").args(identity).args(arguments))
        };
        git(&["add", "-A"])?;
        git(&["commit", "-q", "--allow-empty", "-m", "change"])?;
        git(&["push", "-q", "-f", &self.path(bare), "HEAD:main"])
    }

    fn begin(&mut self) -> Outcome<()> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reconcile"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("RECONCILE_")) {
            command.env_remove(name);
        }
        let log = fs::File::create(self.path("log"))?;
        command.args(["--config", &self.path("host.yaml"), "--source", &self.path("bare.git"), "--ref", "main"]);
        command.args(["--state-dir", &self.path("state"), "--environment", NAME, "--engine", &self.address, "watch"]);
        self.daemon = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?);
        Ok(())
    }

    fn end(&mut self) -> Outcome<()> {
        if let Some(mut daemon) = self.daemon.take() {
            run(Command::new("kill").arg(daemon.id().to_string()))?;
            daemon.wait()?;
        }
        Ok(())
    }

    /// The running containers of a service; of all where it is empty.
    async fn running(&self, service: &str) -> Outcome<Vec<String>> {
        let mut filter = vec![("reconcile.environment".to_owned(), Some(NAME.to_owned()))];
        if !service.is_empty() {
            filter.push(("reconcile.service".to_owned(), Some(service.to_owned())));
        }
        let there = self.engine.containers(&filter).await?;
        Ok(there.into_iter().filter(|one| one.life == Life::Running).map(|one| one.id).collect())
    }

    /// Waits until the service that changes answers with a word.
    async fn first(&self, word: &str) -> Outcome<()> {
        let answered = async {
            loop {
                for id in self.running("s0000").await? {
                    if self.answer(&id).await?.as_deref() == Some(word) {
                        return Ok::<_, Box<dyn Error>>(());
                    }
                }
                sleep(LOOK).await;
            }
        };
        timeout(Duration::from_secs(60), answered).await.map_err(|_| format!("no answer `{word}`"))?
    }

    async fn answer(&self, id: &str) -> Outcome<Option<String>> {
        let Some(detail) = self.engine.container(id).await? else { return Ok(None) };
        let address = detail.endpoints.values().find_map(|endpoint| endpoint.address);
        let Some(address) = address else { return Ok(None) };
        Ok(fetch(address).await.ok())
    }

    /// What a repair cannot do without: hear of the removal, create, start.
    async fn raw_repair(&self) -> Outcome<Duration> {
        let old = self.raw_made("raw-old", "raw").await?;
        let mut events = self.engine.events().await?;
        let begun = Instant::now();
        let mut removal = self.remove(&old)?;
        while let Some(event) = events.recv().await {
            if matches!(event, Event::Container { id, kind: EventKind::Removed, .. } if id == old) {
                break;
            }
        }
        let new = self.raw_made("raw-new", "raw").await?;
        let took = begun.elapsed();
        removal.wait()?;
        self.remove(&new)?.wait()?;
        Ok(took)
    }

    async fn repair(&self) -> Outcome<Duration> {
        let old = self.running("s0001").await?;
        let begun = Instant::now();
        let mut removal = self.remove(old.first().ok_or("nothing runs")?)?;
        let again = async {
            while self.running("s0001").await?.iter().all(|id| old.contains(id)) {
                sleep(LOOK).await;
            }
            Ok::<_, Box<dyn Error>>(())
        };
        timeout(Duration::from_secs(60), again).await.map_err(|_| "not repaired")??;
        let took = begun.elapsed();
        removal.wait()?;
        sleep(Duration::from_secs(2)).await;
        Ok(took)
    }

    /// What a push cannot do without: the push itself, create, start, the first answer.
    async fn raw_push(&self, word: &str) -> Outcome<Duration> {
        let begun = Instant::now();
        self.push_to("raw.git", &manifest(1, word))?;
        let id = self.raw_made("raw-push", word).await?;
        while self.answer(&id).await?.as_deref() != Some(word) {
            sleep(LOOK).await;
        }
        let took = begun.elapsed();
        self.remove(&id)?.wait()?;
        Ok(took)
    }

    async fn raw_made(&self, name: &str, word: &str) -> Outcome<String> {
        let image = self.engine.image("bb:1").await?.ok_or("no image `bb:1`: scripts/engines builds it")?;
        let container = CreateContainer {
            name: format!("{NAME}-{name}"),
            image_id: image.id,
            spec: spec(word)?,
            network: Some((format!("{NAME}-many"), BTreeSet::new())),
            secret_env: BTreeMap::new(),
            namespace_of: None,
            labels: BTreeMap::from([("reconcile.bench".to_owned(), NAME.to_owned())]),
        };
        let id = self.engine.create(&container).await?;
        self.engine.start(&id).await?;
        Ok(id)
    }

    fn remove(&self, id: &str) -> Outcome<Child> {
        let mut command = Command::new("docker");
        command.args(["--host", &self.address, "rm", "-f", id]).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command.spawn()?)
    }

    async fn idle(&self, seconds: usize) -> Outcome<()> {
        let pid = self.daemon.as_ref().ok_or("no daemon")?.id();
        sleep(Duration::from_secs(10)).await;
        let before = (ticks(pid)?, switches(pid)?);
        sleep(Duration::from_secs(seconds as u64)).await;
        let after = (ticks(pid)?, switches(pid)?);
        let hour = 3600.0 / seconds as f64;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let memory = |key: &str| -> f64 {
            let line = status.lines().find(|line| line.starts_with(key)).unwrap_or_default();
            line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0.0) / 1024.0
        };
        println!(
            "idle: {:.2} CPU-s an hour (limit 2), {:.0} wake-ups a minute, {:.1} MiB resident (limit 15): {:.1} of its own, {:.1} of files",
            (after.0 - before.0) * hour / 100.0,
            (after.1 - before.1) * hour / 60.0,
            memory("VmRSS"),
            memory("RssAnon"),
            memory("RssFile"),
        );
        Ok(())
    }

    /// Takes away what this bench made, now or in an earlier run that was killed.
    async fn clear(&self) -> Outcome<()> {
        for label in [format!("reconcile.bench={NAME}"), format!("reconcile.installation={NAME}")] {
            let docker = format!("docker --host {}", self.address);
            let script = format!(
                "{docker} ps -aq --filter label={label} | xargs -r {docker} rm -f; \
                 {docker} network ls -q --filter label={label} | xargs -r {docker} network rm; \
                 {docker} images --format '{{{{.Repository}}}}:{{{{.Tag}}}}' | grep '^reconcile.local/{NAME}/' | xargs -r {docker} rmi"
            );
            run(Command::new("sh").args(["-c", &script]).stdout(Stdio::null()).stderr(Stdio::null()))?;
        }
        Ok(())
    }
}

fn manifest(services: usize, word: &str) -> String {
    let mut text = String::from("services:\n");
    for number in 0..services {
        let word = if number == 0 { word } else { "same" };
        text.push_str(&format!(
            "  s{number:04}: {{image: \"bb:1\", command: [sh, -c, \"mkdir -p /www; echo {word} > /www/index.html; exec httpd -f -p 8080 -h /www\"], stop_grace_period: 1s, healthcheck: {{http: {{path: /index.html, port: 8080}}, interval: 50ms}}, rollout: {{drain: 0s}}}}\n"
        ));
    }
    text
}

fn spec(word: &str) -> Outcome<ContainerSpec> {
    let files = BTreeMap::from([(format!("environments/{NAME}/many.yaml"), manifest(1, word))]);
    let loaded = manifest::load(&files, &NAME.parse()?, "environments");
    let app = loaded.apps.into_values().next().ok_or("no app")?.map_err(|_| "an invalid manifest")?;
    let desired = resolve::resolve(&app, &resolve::Context::default());
    Ok(desired.services.into_values().next().ok_or("no service")?.spec)
}

async fn fetch(address: IpAddr) -> Outcome<String> {
    let mut stream = timeout(Duration::from_millis(200), TcpStream::connect((address, 8080))).await??;
    stream.write_all(b"GET /index.html HTTP/1.0\r\n\r\n").await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    Ok(text.lines().last().unwrap_or_default().trim().to_owned())
}

fn run(command: &mut Command) -> Outcome<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

fn number(variable: &str, default: usize) -> Outcome<usize> {
    std::env::var(variable).map_or(Ok(default), |text| Ok(text.parse()?))
}

/// Processor time, in hundredths of a second.
fn ticks(pid: u32) -> Outcome<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit_once(')').ok_or("no stat")?.1.split_whitespace().collect();
    Ok(fields[11].parse::<f64>()? + fields[12].parse::<f64>()?)
}

/// How often its threads were put to sleep and woken.
fn switches(pid: u32) -> Outcome<f64> {
    let mut all = 0.0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let status = fs::read_to_string(task?.path().join("status"))?;
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches")).unwrap_or_default();
        all += line.split_whitespace().nth(1).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    }
    Ok(all)
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn tell(what: &str, took: Duration, raw: Duration, limit: &str) {
    let ratio = took.as_secs_f64() / raw.as_secs_f64();
    println!("{what}: {took:.1?} beside {raw:.1?} of raw calls = {ratio:.2} x ({limit})");
}
