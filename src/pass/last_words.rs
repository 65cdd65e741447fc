//! The last words of the revision that failed, as the ledger kept them: why an app is not where its branch is.

use super::aim::Aim;
use crate::{
    blame::Blame,
    observed::{Container, Life, Role},
    record::{Entry, Ledger, Outcome, Target, target},
    show::{ErrorReport, HeldReport},
    value::{AppName, EnvironmentName},
};

/// The failure that an app is held for by itself, or that its newest revision ended in; none where neither is so.
/// Containers of jobs that are kept for a look are named with it.
pub async fn of(ledger: &Ledger, aim: &Aim, held: Option<&HeldReport>) -> Option<ErrorReport> {
    let mut error = failure(ledger, aim, held).await?;
    let failed = |(_, container): &(&String, &Container)| match (&container.role, &container.life) {
        (Role::Job(_), Life::Exited(code)) => *code != 0 || container.stopped,
        (Role::Job(_) | Role::Service(_), _) => false,
    };
    for (name, _) in aim.observed.containers.iter().filter(failed) {
        let kept = format!("`{name}` is kept until a revision succeeds (`docker logs {name}`)");
        error.hint = Some(error.hint.map_or_else(|| kept.clone(), |hint| format!("{hint}; {kept}")));
    }
    Some(error)
}

async fn failure(ledger: &Ledger, aim: &Aim, held: Option<&HeldReport>) -> Option<ErrorReport> {
    let held = held.filter(|held| held.by == "reconcile");
    let Some(entry) = failed(aim, held.is_some()) else {
        // What failed is forgotten, and still the app does not follow its branch.
        return held.map(|held| ErrorReport::new(Blame::Revision, held.reason.clone(), Some(what_next(aim))));
    };
    let reason = || held.map_or("nothing is kept of how", |held| held.reason.as_str());
    let kept = kept(ledger, &aim.desired.environment, &aim.desired.app, entry.number).await;
    let error = kept.unwrap_or_else(|| ErrorReport::new(Blame::Revision, reason(), None));
    Some(ErrorReport {
        summary: format!("revision {} failed: {}", entry.number, error.summary),
        hint: error.hint.or_else(|| Some(what_next(aim))),
        ..error
    })
}

/// The newest entry if it failed, else the one that an automatic hold is about.
fn failed(aim: &Aim, held: bool) -> Option<&Entry> {
    let entries = &aim.ledger.entries;
    let newest = entries.last().filter(|entry| has_failed(entry));
    let of_head = || entries.iter().rev().find(|entry| has_failed(entry) && entry.key.agrees_with(&aim.head_key));
    newest.or_else(|| held.then(of_head).flatten())
}

fn has_failed(entry: &Entry) -> bool {
    match entry.outcome {
        Some(Outcome::Failed | Outcome::NonConvergent) => true,
        Some(Outcome::Succeeded | Outcome::RolledBack | Outcome::Held | Outcome::Blocked) | None => false,
    }
}

/// What is kept of how an entry failed; none where it did not, or nobody can tell any more.
pub async fn kept(ledger: &Ledger, environment: &EnvironmentName, app: &AppName, number: u32) -> Option<ErrorReport> {
    match ledger.stored_outcome(environment, app, number).await {
        Ok(outcome) => serde_json::from_value(outcome?.get_mut("error")?.take()).ok(),
        Err(error) => {
            tracing::warn!(%app, number, %error, "what is kept of a failure cannot be read");
            None
        }
    }
}

fn what_next(aim: &Aim) -> String {
    let app = &aim.desired.app;
    if target::condemned(&aim.head_key, &aim.ledger) {
        format!("push a fix, or `reconcile resume {app}` to try the same revision again")
    } else if aim.target == Target::Head {
        "the next pass tries what the branch says".to_owned()
    } else {
        format!("`reconcile resume {app}` follows the branch again")
    }
}
