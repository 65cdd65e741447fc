//! A real Prometheus reads what the server says, and what the page on monitoring shows.
//!
//! `scripts/prometheus` puts it into `target/`.

use reconcile::{
    plan::{Action, Cause, Change, Interruption, Resource},
    record::Outcome,
    server::{Board, serve},
    show::report::{AppReport, CopiesReport, CopyReport, HealthWord, Status},
};
use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

const LONG: Duration = Duration::from_secs(90);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program of Prometheus.
fn program(name: &str) -> PathBuf {
    let output = Command::new(root().join("scripts/prometheus")).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "scripts/prometheus failed");
    Path::new(String::from_utf8(output.stdout).unwrap().trim()).join(name)
}

fn report(app: &str, outcome: Outcome) -> AppReport {
    let drift = Change {
        resource: Resource::Service("web".parse().unwrap()),
        action: Action::Repair,
        cause: Cause::Drift,
        order: None,
        interruption: Interruption::None,
        fields: Vec::new(),
    };
    let now = jiff::Timestamp::now();
    let copy = CopyReport {
        item: "db".parse().unwrap(),
        newest: None,
        taken_at: Some(now),
        age_seconds: Some(0),
        overdue: false,
        drilled_at: Some(now),
        drill_failed: false,
        trouble: None,
    };
    AppReport {
        app: app.parse().unwrap(),
        status: Status::Synced,
        health: HealthWord::Healthy,
        held: None,
        suspended: false,
        wakes_at: None,
        changes: vec![drift],
        outcome: Some(outcome),
        error: None,
        notes: Vec::new(),
        engine_socket: Vec::new(),
        routes: Vec::new(),
        copies: CopiesReport { items: vec![copy], degrade: false },
        left: Vec::new(),
        images: BTreeMap::new(),
    }
}

/// A board with something of everything.
fn board() -> Arc<Board> {
    let board = Board::new(LONG);
    let (production, now) = ("production".parse().unwrap(), jiff::Timestamp::now());
    let metrics = board.metrics();
    for (app, outcome) in [("web", Outcome::Succeeded), ("web", Outcome::Succeeded), ("shop", Outcome::RolledBack)] {
        metrics.pass(&production, &report(app, outcome), Duration::from_millis(120), now);
        metrics.revision(&production, &app.parse().unwrap(), 7);
    }
    metrics.halted(&production, false);
    metrics.behind(&production, Some(now - jiff::SignedDuration::from_secs(90)));
    metrics.notices(3, 2, 1);
    board.source_answered();
    board.source_failed();
    board.engine(true);
    board
}

fn ask(address: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: h\r\n{headers}\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn served(board: Arc<Board>) -> (SocketAddr, watch::Sender<bool>, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let (ending, is_ending) = watch::channel(false);
    runtime.spawn(serve(listener, board, None, is_ending));
    (address, ending, runtime)
}

/// What `promtool` says of a text.
fn promtool(arguments: &[&str], input: &str) -> Result<(), String> {
    let mut child = Command::new(program("promtool"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(()) } else { Err(said) }
}

#[test]
fn promtool_finds_nothing_to_complain_of() {
    let (address, _ending, _runtime) = served(board());
    let answer = ask(address, "/metrics", "");
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    assert_eq!(promtool(&["check", "metrics"], text), Ok(()), "{text}");
    assert!(promtool(&["check", "metrics"], "# TYPE a_total gauge\na_total 1\n").is_err(), "promtool takes anything");
}

/// A Prometheus of our own, ended with the test.
struct Prometheus {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    fn scraping(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        fs::write(place("prometheus.yml"), config).unwrap();
        // Free for the moment; whoever takes it in between fails the test aloud.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new(program("prometheus"))
            .arg(format!("--config.file={}", place("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", place("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(fs::File::create(place("log")).unwrap())
            .spawn()
            .unwrap();
        Self { child, address, _folder: folder }
    }

    /// The values that a query gives.
    fn values(&self, query: &str) -> Vec<String> {
        let Ok(mut stream) = TcpStream::connect(self.address) else { return Vec::new() };
        let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        stream.write_all(format!("GET /api/v1/query?query={query} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let Some((_, body)) = answer.split_once("\r\n\r\n") else { return Vec::new() };
        let answer: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        let result = answer["data"]["result"].as_array().cloned().unwrap_or_default();
        result.iter().filter_map(|series| Some(series["value"][1].as_str()?.to_owned())).collect()
    }

    /// Waits until a query gives these values.
    fn gives(&self, query: &str, expected: &[&str]) {
        let begin = Instant::now();
        loop {
            let found = self.values(query);
            if found == expected {
                return;
            }
            assert!(begin.elapsed() < LONG, "{query}: {found:?} instead of {expected:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The blocks of one kind in the page on monitoring.
fn shown(kind: &str) -> Vec<String> {
    let page = fs::read_to_string(root().join("docs/monitoring.md")).unwrap();
    let fence = format!("```{kind}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn a_real_prometheus_scrapes_and_sees_an_app_go() {
    let board = board();
    let (address, _ending, _runtime) = served(Arc::clone(&board));
    // As the page shows it, but quicker, and here.
    let config = shown("yaml prometheus").concat().replace("127.0.0.1:9180", &address.to_string());
    let prometheus = Prometheus::scraping(&format!("global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n{config}"));
    prometheus.gives("up{job=\"reconcile\"}", &["1"]);
    let series = [
        (r#"reconcile_passes_total{environment="production",app="web",outcome="Succeeded"}"#, "2"),
        (r#"reconcile_app_drift_total{app="web"}"#, "2"),
        (r#"reconcile_app_sync_status{app="shop",status="Synced"}"#, "1"),
        (r#"reconcile_app_health{app="shop",health="Degraded"}"#, "0"),
        (r#"reconcile_app_revision{app="web"}"#, "7"),
        (r#"reconcile_pass_duration_seconds_count{environment="production"}"#, "3"),
        (r#"reconcile_pass_duration_seconds_bucket{environment="production",le="0.1"}"#, "0"),
        (r#"reconcile_environment_halted{environment="production"}"#, "0"),
        ("reconcile_source_lag_seconds >= bool 90", "1"),
        ("time() - reconcile_source_last_fetch_timestamp_seconds < bool 60", "1"),
        (r#"time() - reconcile_app_last_success_timestamp_seconds{app="web"} < bool 60"#, "1"),
        ("reconcile_source_errors_total", "1"),
        ("reconcile_engine_up", "1"),
        (r#"reconcile_notices_total{result="failed"}"#, "2"),
        ("count(reconcile_build_info)", "1"),
    ];
    for (query, expected) in series {
        prometheus.gives(query, &[expected]);
    }
    prometheus.gives(r#"count({__name__=~"reconcile_.*",app="web"}) > bool 10"#, &["1"]);
    let production = "production".parse().unwrap();
    board.metrics().forget(&production, &"web".parse().unwrap());
    prometheus.gives(r#"count({__name__=~"reconcile_.*",app="web"})"#, &[]);
    prometheus.gives(r#"reconcile_app_revision{app="shop"}"#, &["7"]);
}

#[test]
fn the_rules_that_the_page_shows_hold_and_name_series_that_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let (rules, config) = (shown("yaml rules"), shown("yaml prometheus"));
    assert_eq!((rules.len(), config.len()), (1, 1));
    let (rules, config) = (&rules[0], &config[0]);
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    assert_eq!(promtool(&["check", "rules", &file("rules.yml", rules)], ""), Ok(()));
    assert_eq!(promtool(&["check", "config", &file("prometheus.yml", config)], ""), Ok(()));
    let (address, _ending, _runtime) = served(board());
    let text = ask(address, "/metrics", "Accept: application/openmetrics-text; version=1.0.0\r\n");
    assert!(text.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
    let words = rules.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let named: Vec<_> = words.filter(|word| word.starts_with("reconcile_")).collect();
    assert!(named.len() > 8, "{named:?}");
    for name in named {
        assert!(text.contains(&format!("\n{name}{{")) || text.contains(&format!("\n{name} ")), "there is no `{name}`");
    }
    // Every series is on the page.
    let page = fs::read_to_string(root().join("docs/monitoring.md")).unwrap();
    for family in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = family.split_once(' ').unwrap();
        let name = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
        assert!(page.contains(&format!("| `{name}")), "`{name}` is not on the page");
    }
}
