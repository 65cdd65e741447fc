//! Figures for a monitoring system. Labels are names of environments and apps, and words of ours: nothing unbounded.

use crate::{
    plan::Cause,
    record::Outcome,
    show::report::{AppReport, CopyReport, HealthWord, RouteReport, Status},
    value::{AppName, EnvironmentName},
};
use jiff::Timestamp;
use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::Duration,
};

/// Names of labels with their values.
type Labels = Vec<(&'static str, String)>;
type Amounts = Family<Labels, Gauge>;
type Seconds = Family<Labels, Gauge<f64, AtomicU64>>;

/// From an empty pass to one that waits for a slow start.
const DURATIONS: [f64; 10] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0];

const STATUSES: [Status; 3] = [Status::Synced, Status::OutOfSync, Status::Unknown];

const HEALTHS: [HealthWord; 7] = [
    HealthWord::Completed,
    HealthWord::Healthy,
    HealthWord::Suspended,
    HealthWord::Progressing,
    HealthWord::Missing,
    HealthWord::Degraded,
    HealthWord::Unknown,
];

/// How a pass can end; the last is one that had nothing to try.
const OUTCOMES: [Option<Outcome>; 7] = [
    Some(Outcome::Succeeded),
    Some(Outcome::Failed),
    Some(Outcome::RolledBack),
    Some(Outcome::Held),
    Some(Outcome::Blocked),
    Some(Outcome::NonConvergent),
    None,
];

/// How a webhook can be answered.
const ANSWERS: [&str; 5] = ["accepted", "repeated", "refused", "too_many", "too_large"];

/// What is counted and measured.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    passes: Family<Labels, Counter>,
    durations: Family<Labels, Histogram, fn() -> Histogram>,
    status: Amounts,
    health: Amounts,
    drift: Family<Labels, Counter>,
    routes: Amounts,
    certificates: Seconds,
    copies: Seconds,
    overdue: Amounts,
    drilled: Seconds,
    undrilled: Amounts,
    success: Seconds,
    revision: Amounts,
    lag: Seconds,
    halted: Amounts,
    fetched: Seconds,
    source_errors: Counter,
    engine_up: Gauge,
    deliveries: Family<Labels, Counter>,
    notices: Family<Labels, Counter>,
    memory: Mutex<Memory>,
}

/// What is needed to tell the next figure from the last.
#[derive(Debug, Default)]
struct Memory {
    /// Drift that was counted and is still there.
    drifted: BTreeMap<(EnvironmentName, AppName), BTreeSet<String>>,
    /// Services whose routes have figures.
    routed: BTreeMap<(EnvironmentName, AppName), BTreeSet<String>>,
    /// Items whose copies have figures.
    copied: BTreeMap<(EnvironmentName, AppName), BTreeSet<String>>,
    /// Environments whose newest commit is not in force, with the time it was seen.
    behind: BTreeMap<EnvironmentName, Option<Timestamp>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn durations() -> Histogram {
    Histogram::new(DURATIONS)
}

impl Metrics {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("reconcile"),
            passes: Family::default(),
            durations: Family::new_with_constructor(durations),
            status: Family::default(),
            health: Family::default(),
            drift: Family::default(),
            routes: Family::default(),
            certificates: Family::default(),
            copies: Family::default(),
            overdue: Family::default(),
            drilled: Family::default(),
            undrilled: Family::default(),
            success: Family::default(),
            revision: Family::default(),
            lag: Family::default(),
            halted: Family::default(),
            fetched: Family::default(),
            source_errors: Counter::default(),
            engine_up: Gauge::default(),
            deliveries: Family::default(),
            notices: Family::default(),
            memory: Mutex::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        for answer in ANSWERS {
            self.deliveries.get_or_create(&vec![("answer", answer.to_owned())]).inc_by(0);
        }
        self.notices(0, 0, 0);
        let build: Amounts = Family::default();
        build.get_or_create(&vec![("version", env!("CARGO_PKG_VERSION").to_owned())]).set(1);
        let registry = &mut self.registry;
        registry.register("passes", "Passes over an app, by how they ended", self.passes.clone());
        registry.register("pass_duration_seconds", "How long passes over an app took", self.durations.clone());
        registry.register("app_sync_status", "1 for the status that an app has", self.status.clone());
        registry.register("app_health", "1 for the health that an app has", self.health.clone());
        registry.register("app_drift", "Things found changed by somebody else", self.drift.clone());
        registry.register("route_up", "1 where a service answers through the proxy", self.routes.clone());
        registry.register(
            "certificate_expiry_timestamp_seconds",
            "When the certificate that is shown for a service is over",
            self.certificates.clone(),
        );
        registry.register(
            "backup_last_verified_timestamp_seconds",
            "When the newest verified copy of an item was taken",
            self.copies.clone(),
        );
        registry.register("backup_overdue", "1 where an item's newest verified copy is too old", self.overdue.clone());
        registry.register(
            "backup_last_drill_timestamp_seconds",
            "When a copy of an item was last restored in a drill",
            self.drilled.clone(),
        );
        registry.register("backup_drill_failed", "1 where an item's last drill went wrong", self.undrilled.clone());
        registry.register(
            "app_last_success_timestamp_seconds",
            "When a pass over an app last succeeded",
            self.success.clone(),
        );
        registry.register("app_revision", "Number of the revision in force", self.revision.clone());
        registry.register("source_lag_seconds", "How long the newest commit has waited, 0 in sync", self.lag.clone());
        registry.register(
            "source_last_fetch_timestamp_seconds",
            "When the repository last answered",
            self.fetched.clone(),
        );
        registry.register("source_errors", "Times the repository did not answer", self.source_errors.clone());
        registry.register("environment_halted", "1 where an environment is left as it is", self.halted.clone());
        registry.register("engine_up", "1 where the engine answers", self.engine_up.clone());
        registry.register("webhook_deliveries", "Webhooks that came, by their answer", self.deliveries.clone());
        registry.register("notices", "Notices, by what became of them", self.notices.clone());
        registry.register("build_info", "1 for the release that runs", build);
        self
    }

    /// A pass over an app is over.
    pub fn pass(&self, environment: &EnvironmentName, report: &AppReport, took: Duration, at: Timestamp) {
        let app = labels(environment, &report.app);
        for word in OUTCOMES {
            // All of them from the first pass on: what appears with 1 has not increased, to a monitoring system.
            let passes = self.passes.get_or_create_owned(&with(&app, "outcome", outcome(word)));
            passes.inc_by(u64::from(word == report.outcome));
        }
        self.durations.get_or_create(&vec![("environment", environment.to_string())]).observe(took.as_secs_f64());
        for status in STATUSES {
            let one = self.status.get_or_create_owned(&with(&app, "status", &format!("{status:?}")));
            one.set(i64::from(status == report.status));
        }
        for health in HEALTHS {
            let one = self.health.get_or_create_owned(&with(&app, "health", &format!("{health:?}")));
            one.set(i64::from(health == report.health));
        }
        self.tell_routes(environment, &report.app, &report.routes);
        // Of an app that nobody could look at the figures stay.
        if report.status != Status::Unknown {
            self.tell_copies(environment, &report.app, &report.copies.items);
        }
        self.drift.get_or_create(&app).inc_by(self.new_drift(environment, report));
        if report.outcome == Some(Outcome::Succeeded) {
            self.success.get_or_create(&app).set(seconds(at));
        }
    }

    /// How routes are; those that are not told are gone.
    fn tell_routes(&self, environment: &EnvironmentName, app: &AppName, routes: &[RouteReport]) {
        let of_app = labels(environment, app);
        let told = routes.iter().map(|route| route.service.to_string()).collect();
        let known = self.memory().routed.insert((environment.clone(), app.clone()), told);
        for service in known.unwrap_or_default() {
            let labels = with(&of_app, "service", &service);
            self.routes.remove(&labels);
            self.certificates.remove(&labels);
        }
        for route in routes {
            let labels = with(&of_app, "service", route.service.as_str());
            self.routes.get_or_create(&labels).set(i64::from(route.answers));
            if let Some(until) = route.certificate_until {
                self.certificates.get_or_create(&labels).set(seconds(until));
            }
        }
    }

    /// How copies are; those of items that are not told are gone.
    fn tell_copies(&self, environment: &EnvironmentName, app: &AppName, copies: &[CopyReport]) {
        let of_app = labels(environment, app);
        let told = copies.iter().map(|copy| copy.item.to_string()).collect();
        let known = self.memory().copied.insert((environment.clone(), app.clone()), told);
        for item in known.unwrap_or_default() {
            let labels = with(&of_app, "item", &item);
            self.copies.remove(&labels);
            self.overdue.remove(&labels);
            self.drilled.remove(&labels);
            self.undrilled.remove(&labels);
        }
        for copy in copies {
            let labels = with(&of_app, "item", copy.item.as_str());
            self.overdue.get_or_create(&labels).set(i64::from(copy.overdue));
            if let Some(at) = copy.taken_at {
                self.copies.get_or_create(&labels).set(seconds(at));
            }
            if let Some(at) = copy.drilled_at {
                self.drilled.get_or_create(&labels).set(seconds(at));
                self.undrilled.get_or_create(&labels).set(i64::from(copy.drill_failed));
            }
        }
    }

    /// The number of the revision of an app that is in force.
    pub fn revision(&self, environment: &EnvironmentName, app: &AppName, number: u32) {
        self.revision.get_or_create(&labels(environment, app)).set(i64::from(number));
    }

    /// How many things drifted that had not when the app was last looked at, or had been repaired since.
    fn new_drift(&self, environment: &EnvironmentName, report: &AppReport) -> u64 {
        let drifted = report.changes.iter().filter(|change| change.cause == Cause::Drift);
        let drifted: BTreeSet<String> = drifted.map(|change| format!("{:?}", change.resource)).collect();
        let mut memory = self.memory();
        let known = memory.drifted.entry((environment.clone(), report.app.clone())).or_default();
        let new = drifted.difference(known).count();
        *known = if report.outcome == Some(Outcome::Succeeded) { BTreeSet::new() } else { drifted };
        u64::try_from(new).unwrap_or(u64::MAX)
    }

    /// An app is gone, and so are its figures.
    pub fn forget(&self, environment: &EnvironmentName, app: &AppName) {
        let labels = labels(environment, app);
        for word in OUTCOMES {
            self.passes.remove(&with(&labels, "outcome", outcome(word)));
        }
        for status in STATUSES {
            self.status.remove(&with(&labels, "status", &format!("{status:?}")));
        }
        for health in HEALTHS {
            self.health.remove(&with(&labels, "health", &format!("{health:?}")));
        }
        self.drift.remove(&labels);
        self.success.remove(&labels);
        self.revision.remove(&labels);
        self.tell_routes(environment, app, &[]);
        self.tell_copies(environment, app, &[]);
        self.memory().copied.remove(&(environment.clone(), app.clone()));
        self.memory().routed.remove(&(environment.clone(), app.clone()));
        self.memory().drifted.remove(&(environment.clone(), app.clone()));
    }

    /// An environment is no longer this host's.
    pub fn forget_environment(&self, environment: &EnvironmentName) {
        let labels = vec![("environment", environment.to_string())];
        let apps: Vec<AppName> = {
            let memory = self.memory();
            let here = memory.drifted.keys().filter(|(other, _)| other == environment);
            here.map(|(_, app)| app.clone()).collect()
        };
        apps.iter().for_each(|app| self.forget(environment, app));
        self.memory().behind.remove(environment);
        self.durations.remove(&labels);
        self.lag.remove(&labels);
        self.halted.remove(&labels);
    }

    /// The repository answered.
    pub fn fetched(&self, at: Timestamp) {
        self.fetched.get_or_create(&Labels::new()).set(seconds(at));
    }

    /// The repository did not answer.
    pub fn source_failed(&self) {
        self.source_errors.inc();
    }

    /// Since when the newest commit of an environment waits to be in force; none: it is in force.
    pub fn behind(&self, environment: &EnvironmentName, since: Option<Timestamp>) {
        self.memory().behind.insert(environment.clone(), since);
    }

    /// Whether an environment is left as it is until somebody decides.
    pub fn halted(&self, environment: &EnvironmentName, halted: bool) {
        self.halted.get_or_create(&vec![("environment", environment.to_string())]).set(i64::from(halted));
    }

    /// Whether the engine answers.
    pub fn engine(&self, up: bool) {
        self.engine_up.set(i64::from(up));
    }

    /// A webhook was answered.
    pub(super) fn delivery(&self, answer: &str) {
        self.deliveries.get_or_create(&vec![("answer", answer.to_owned())]).inc();
    }

    /// What became of notices: `sent`, `failed`, `dropped`. A daemon takes them over from where they are counted.
    pub fn notices(&self, sent: u64, failed: u64, dropped: u64) {
        for (word, count) in [("sent", sent), ("failed", failed), ("dropped", dropped)] {
            let counter = self.notices.get_or_create_owned(&vec![("result", word.to_owned())]);
            counter.inc_by(count.saturating_sub(counter.get()));
        }
    }

    /// All of it as OpenMetrics, at a moment.
    #[must_use]
    pub fn render(&self, now: Timestamp) -> String {
        for (environment, since) in &self.memory().behind {
            let lag = since.map_or(0.0, |since| (seconds(now) - seconds(since)).max(0.0));
            self.lag.get_or_create(&vec![("environment", environment.to_string())]).set(lag);
        }
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn labels(environment: &EnvironmentName, app: &AppName) -> Labels {
    vec![("environment", environment.to_string()), ("app", app.to_string())]
}

fn with(labels: &Labels, name: &'static str, word: &str) -> Labels {
    labels.iter().cloned().chain([(name, word.to_owned())]).collect()
}

fn outcome(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Succeeded) => "Succeeded",
        Some(Outcome::Failed) => "Failed",
        Some(Outcome::RolledBack) => "RolledBack",
        Some(Outcome::Held) => "Held",
        Some(Outcome::Blocked) => "Blocked",
        Some(Outcome::NonConvergent) => "NonConvergent",
        None => "None",
    }
}

/// Since 1970, as clocks of monitoring systems have it.
#[allow(clippy::cast_precision_loss)]
fn seconds(at: Timestamp) -> f64 {
    // Milliseconds fit a double for some hundred thousand years.
    at.as_millisecond() as f64 / 1000.0
}
