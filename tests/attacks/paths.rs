//! Paths that lead elsewhere: links below a data root, put there before the look and after it.

use crate::rig::{Rig, app};
use reconcile::{
    desired::Desired,
    engine::model::{Call, Fate, Faults, When, faults},
    host,
    observed::Life,
    record::Outcome,
    show::report::AppReport,
};
use serde_json::json;
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// Where a link would like to lead.
const WHITHER: [&str; 8] = [
    "/",
    "/etc",
    "/etc/shadow",
    "/proc/1/root",
    "/run/docker.sock",
    "/var/lib/reconcile",
    "../outside",
    "/nothing/is/here",
];

/// A data root, and a service that binds a path below it.
struct Host {
    folder: TempDir,
    rig: Rig,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("data")).unwrap();
        fs::create_dir_all(folder.path().join("outside")).unwrap();
        let mut rig = Rig::new();
        let text = format!("policy: {{data_roots: [\"{}\"]}}\n", folder.path().join("data").display());
        rig.host_file = host::read("host.yaml", &text).unwrap();
        Self { folder, rig }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join("data").join(below)
    }

    /// Binds it, by a service and by its job.
    fn binds(&self, below: &str) -> Desired {
        app(&json!({
            "services": {"web": {"image": "web:1", "volumes": [format!("{}:/x:ro", self.path(below).display())]}},
            "jobs": {"job": {"service": "web", "command": ["x"], "when": "post_sync"}},
        }))
    }

    async fn pass(&self, desired: &Desired, faults: Faults) -> AppReport {
        self.rig.pass(desired, faults).await
    }

    fn lives(&self) -> Vec<Life> {
        self.rig.model.by_hand(|world| world.containers.values().map(|it| it.life.clone()).collect())
    }
}

#[track_caller]
fn denied(report: &AppReport, told: &str) {
    assert_eq!(report.outcome, Some(Outcome::Blocked), "{told}: {report:?}");
    let summary = &report.error.as_ref().unwrap().summary;
    assert!(summary.contains(".volumes: `"), "{told}: {summary}");
    assert!(
        summary.contains("(`policy.data_roots`)") || summary.contains("(`policy.engine_socket`)"),
        "{told}: {summary}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_link_below_a_data_root_leads_nowhere() {
    for whither in WHITHER.into_iter().chain(["here", "../data/here"]) {
        for below in ["link", "link/deeper"] {
            let host = Host::new();
            fs::create_dir_all(host.path("here")).unwrap();
            symlink(whither, host.path("link")).unwrap();
            let told = format!("{below} → {whither}");
            denied(&host.pass(&host.binds(below), faults::none()).await, &told);
            assert_eq!(host.lives(), [], "{told}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_data_root_may_itself_be_a_link_of_whoever_administers_the_host() {
    let mut host = Host::new();
    symlink(host.path(""), host.folder.path().join("root")).unwrap();
    let root = host.folder.path().join("root");
    host.rig.host_file =
        host::read("host.yaml", &format!("policy: {{data_roots: [\"{}\"]}}\n", root.display())).unwrap();
    fs::create_dir(host.path("a")).unwrap();
    let bind = format!("{}/a:/x", root.display());
    let desired = app(&json!({"services": {"web": {"image": "web:1", "volumes": [bind]}}}));
    let report = host.pass(&desired, faults::none()).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
}

/// Puts a link in the place of a folder in the moment of a call.
fn swap(path: &Path, whither: &'static str, at: &'static str, side: When) -> Faults {
    let path = path.to_owned();
    std::sync::Arc::new(move |when, call: &Call| {
        if when == side && call.name == at && path.is_dir() && !path.is_symlink() {
            fs::remove_dir(&path).unwrap();
            symlink(whither, &path).unwrap();
        }
        Fate::Go
    })
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_put_between_plan_and_create_is_seen_before_the_create() {
    for whither in WHITHER {
        let host = Host::new();
        fs::create_dir(host.path("a")).unwrap();
        let desired = host.binds("a");
        // The app's network is made after the plan was judged.
        let report = host.pass(&desired, swap(&host.path("a"), whither, "create_network", When::Before)).await;
        assert!(host.path("a").is_symlink(), "{whither}: nobody came between");
        denied(&report, whither);
        assert_eq!(host.lives(), [], "{whither}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_put_between_create_and_start_is_seen_before_the_start() {
    for whither in WHITHER {
        let host = Host::new();
        fs::create_dir(host.path("a")).unwrap();
        let desired = host.binds("a");
        let report = host.pass(&desired, swap(&host.path("a"), whither, "create", When::After)).await;
        denied(&report, whither);
        assert_eq!(host.lives(), [Life::Created], "{whither}");
        // When it is gone again the revision goes on: nothing was condemned.
        fs::remove_file(host.path("a")).unwrap();
        fs::create_dir(host.path("a")).unwrap();
        let ends = crate::rig::Watch::on(&host.rig);
        let report = host.pass(&desired, ends.faults()).await;
        assert_eq!(report.outcome, Some(Outcome::Succeeded), "{whither}: {report:?}");
    }
}
