//! Proves that nothing is left to do, and records the end.

use super::{
    aim,
    attempt::{Attempt, Next},
    converge::Course,
    entry, report,
};
use crate::{
    engine::Engine,
    observe::{Look, readiness},
    observed::{Applied, Observed, surprises},
    plan::{FieldChange, Plan, Step},
    record::{Event, NonConvergence, Outcome, RecordError, Target},
    show::report::AppReport,
};

/// Looks at what was done with the eyes of a next pass: its plan must be empty.
///
/// # Errors
/// The record cannot be read or written.
pub async fn settle<E: Engine>(
    attempt: &Attempt<'_, '_, E>,
    report: AppReport,
    number: Option<u32>,
    before: &Plan,
    observed: Observed,
    look: &Look,
) -> Result<Next, RecordError> {
    let (pass, aim, host) = (attempt.pass, &attempt.aim, attempt.pass.host);
    if aim.course == Course::Halt {
        let health = report::health(&aim.desired, &observed);
        return Ok(Next::Finished(AppReport { outcome: Some(Outcome::Held), health, ..report }));
    }
    let (environment, app) = (&aim.desired.environment, &aim.desired.app);
    let applied = Applied {
        manifest: Some(aim.desired.manifest.clone()).filter(|manifest| !manifest.is_null()),
        pulled: aim.desired.services.values().map(|service| service.spec.image.clone()).collect(),
        // What falls due while a pass runs is for the next one.
        pulls: aim.desired.services.values().map(|service| (service.spec.image.clone(), look.now)).collect(),
        jobs_done: observed.applied.jobs_done.clone(),
        kept_images: observed.applied.kept_images.clone(),
        rollback: aim.observed.applied.rollback,
        ..host.ledger.applied(environment, app, &host.hands.engine_version()).await?
    };
    let mut after = aim::see(host, look, &aim.desired, applied, &aim.secrets).await;
    after.front = aim::see_front(host, look, (&aim.desired, &aim.secrets), &after).await;
    for (name, network) in &observed.networks {
        if let Some(there) = after.networks.get_mut(name) {
            there.kept = network.kept;
        }
    }
    let hands = &host.hands;
    let runs_healthchecks = hands.info.runs_healthchecks;
    readiness::ask_again(&*hands.engine, runs_healthchecks, &aim.desired, &mut after, &look.containers).await;
    aim::ask_routes(host, &aim.desired, &mut after).await;
    if let Some(gateway) = &host.hands.gateway {
        gateway.see_to_certificates(&aim.desired);
    }
    let left = aim.plan_of(&after);
    if !surprises(&observed, &after).is_empty() && !left.steps.is_empty()
        || left.steps.iter().any(|planned| planned.step.proves())
    {
        // Somebody was at it, or something died after it was ready: that is another round, not a fault of the revision.
        return Ok(Next::Again(report));
    }
    if left.steps.iter().any(|planned| planned.step.matters()) {
        return nonconvergent(attempt, report, number, &left).await.map(Next::Finished);
    }
    entry::was_delivered(pass, aim, number).await?;
    if entry::is_wanted(aim) {
        entry::close(pass, aim, number, Outcome::Succeeded, None, &()).await?;
    } else if !before.steps.is_empty() && !before.changes.is_empty() {
        let kind = if entry::is_gone(aim) { "prune" } else { "repair" };
        let event = Event { at: after.now, kind: kind.to_owned(), text: in_words(before) };
        host.ledger.event(environment, app, event).await?;
    }
    let holds = aim.ledger.hold.is_some() && aim.target != Target::Head && before.steps.is_empty();
    let outcome = match (&report.error, holds) {
        (Some(_), _) => Outcome::Blocked,
        (None, true) => Outcome::Held,
        (None, false) => Outcome::Succeeded,
    };
    let report = report::settled(report, aim, &after, &left.changes);
    Ok(Next::Finished(AppReport { outcome: Some(outcome), ..report }))
}

/// The engine keeps another value than was asked for. It is not forced: the next passes leave it until the revision
/// changes or somebody says `resume`.
async fn nonconvergent<E: Engine>(
    attempt: &Attempt<'_, '_, E>,
    report: AppReport,
    number: Option<u32>,
    left: &Plan,
) -> Result<AppReport, RecordError> {
    let (pass, aim) = (attempt.pass, &attempt.aim);
    let fields = unsettled(left);
    let found = NonConvergence { key: aim.key.clone(), fields: fields.clone() };
    pass.host.ledger.set_nonconvergence(&aim.desired.environment, &aim.desired.app, Some(found)).await?;
    let error = report::nonconvergent(&fields);
    entry::close(pass, aim, number, Outcome::NonConvergent, None, &error).await?;
    Ok(AppReport { outcome: Some(Outcome::NonConvergent), error: Some(error), ..report })
}

fn in_words(plan: &Plan) -> String {
    let word = |change: &crate::plan::Change| format!("{} {:?} ({:?})", change.resource, change.action, change.cause);
    plan.changes.iter().map(word).collect::<Vec<_>>().join(", ").to_lowercase()
}

fn unsettled(left: &Plan) -> Vec<FieldChange> {
    let fields: Vec<FieldChange> = left.changes.iter().flat_map(|change| change.fields.clone()).collect();
    if !fields.is_empty() {
        return fields;
    }
    let named = |step: &Step| FieldChange { path: step.to_string(), before: None, after: None };
    left.steps.iter().map(|planned| named(&planned.step)).collect()
}
