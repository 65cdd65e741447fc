mod bodies;
mod delivering;
mod mailing;
mod server;
mod standings;

use super::{
    news::{News, Tidings},
    standing::Told,
};
use crate::{
    blame::Blame,
    host::{self, Event},
    record::Outcome,
    show::report::{AppReport, ErrorReport, HealthWord, Status},
};
use jiff::Timestamp;
use std::collections::BTreeMap;

const REVISION: &str = "main@sha1:0123456789abcdef0123456789abcdef01234567";

/// An app that is as it should be.
fn well() -> AppReport {
    AppReport {
        app: "web".parse().unwrap(),
        status: Status::Synced,
        health: HealthWord::Healthy,
        held: None,
        suspended: false,
        wakes_at: None,
        changes: Vec::new(),
        outcome: Some(Outcome::Succeeded),
        error: None,
        notes: Vec::new(),
        engine_socket: Vec::new(),
        routes: Vec::new(),
        copies: Default::default(),
        left: Vec::new(),
        images: BTreeMap::new(),
    }
}

fn ended(outcome: Outcome, summary: &str) -> AppReport {
    let error = ErrorReport::new(Blame::World, summary, Some("look at its log".to_owned()));
    AppReport { status: Status::OutOfSync, outcome: Some(outcome), error: Some(error), ..well() }
}

fn tidings(summary: &str) -> Tidings {
    let told = Told { event: Event::Failed, summary: summary.to_owned() };
    let report = ended(Outcome::Failed, "container exited");
    Tidings::of_app(&"production".parse().unwrap(), REVISION, told, &report, Timestamp::UNIX_EPOCH)
}

fn news(summary: &str) -> News {
    News::Tidings(Box::new(tidings(summary)))
}

/// Targets as the host file says them.
fn targets(text: &str) -> Vec<host::Target> {
    host::read("h.yaml", text).unwrap_or_else(|problems| panic!("{problems:?}")).settings.notify
}

fn webhook(url: &str) -> Vec<host::Target> {
    targets(&format!("notify: [{{webhook: {{url: \"{url}\"}}}}]"))
}

/// Writes a file that only its owner can read.
fn write_secret(path: &std::path::Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
