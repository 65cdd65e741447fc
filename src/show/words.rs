//! The words and marks that text and markdown share.

use super::report::{AppReport, Compared, EnvironmentReport, HeldReport, Status, Summary};
use crate::{
    desired::Order,
    plan::{Action, Cause, Change, Interruption},
};

/// Terraform's mark of a change.
pub fn mark(change: &Change) -> &'static str {
    match (change.action, change.order) {
        (Action::Create, _) => "+",
        (Action::Replace, Some(Order::StartFirst)) => "+/-",
        (Action::Replace, Some(Order::StopFirst) | None) => "-/+",
        (Action::Update | Action::Repair, _) => "~",
        (Action::Delete, _) => "-",
        (Action::Run, _) => ">",
    }
}

/// How an app is: `OutOfSync, Healthy, succeeded`. Of its health only where a host was asked.
pub fn state(app: &AppReport, compared: &Compared) -> String {
    let health = match compared {
        Compared::Host { .. } => format!(", {:?}", app.health),
        Compared::Revision { .. } => String::new(),
    };
    let outcome = app.outcome.map(|outcome| format!(", {}", super::text::outcome_word(outcome))).unwrap_or_default();
    format!("{:?}{health}{outcome}", app.status)
}

/// What is done, in a word.
pub fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Replace => "replace",
        Action::Update => "update",
        Action::Repair => "repair",
        Action::Delete => "delete",
        Action::Run => "run",
    }
}

/// Why, in a word.
pub fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Commit => "commit",
        Cause::Drift => "drift",
        Cause::Image => "image",
        Cause::Secret => "secret",
        Cause::Rollback => "rollback",
        Cause::Manual => "manual",
    }
}

/// Which container comes first.
pub fn order(order: Order) -> &'static str {
    match order {
        Order::StartFirst => "start-first",
        Order::StopFirst => "stop-first",
    }
}

/// What users notice, in a word.
pub fn interruption(interruption: Interruption) -> &'static str {
    match interruption {
        Interruption::None => "none",
        Interruption::Brief => "brief",
        Interruption::Stopped => "stopped",
    }
}

/// Why an app is where it is: `held at revision 3 by alice until resume: bad latency`.
pub fn held(held: &HeldReport) -> String {
    let (place, why) = match held.revision {
        Some(number) => (format!("held at revision {number}"), ""),
        None => ("held stopped".to_owned(), " (nothing was stable)"),
    };
    let end = match held.until.as_str() {
        "resume" => "until `reconcile resume`",
        "commit" => "until its manifest changes",
        "revision" => "until it has a new revision or `reconcile resume`",
        other => other,
    };
    format!("{place} by {}{why} {end}: {}", super::escape::short(&held.by), super::escape::short(&held.reason))
}

/// `1 to create, 1 to replace, 0 to delete`; the rarer actions only where there are any.
pub fn to_do(summary: &Summary) -> String {
    counted(summary, ["to create", "to replace", "to update", "to repair", "to delete", "to run"])
}

/// The same of what was done.
pub fn done(summary: &Summary) -> String {
    counted(summary, ["created", "replaced", "updated", "repaired", "deleted", "run"])
}

fn counted(summary: &Summary, words: [&str; 6]) -> String {
    let [create, replace, update, repair, delete, run] = words;
    [
        (summary.create, create, true),
        (summary.replace, replace, true),
        (summary.update, update, false),
        (summary.repair, repair, false),
        (summary.delete, delete, true),
        (summary.run, run, false),
    ]
    .into_iter()
    .filter(|(count, _, always)| *always || *count > 0)
    .map(|(count, word, _)| format!("{count} {word}"))
    .collect::<Vec<_>>()
    .join(", ")
}

/// True when there is nothing to do, nothing held back and nothing wrong.
pub fn in_sync(report: &EnvironmentReport) -> bool {
    report.status == Status::Synced && !report.pending() && !report.failed()
}
