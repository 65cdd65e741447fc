//! From what a pass found out to what it says.

use super::{aim::Aim, converge::Course, copies_told, health, left};
use crate::{
    apply::StepError,
    blame::Blame,
    cause,
    desired::{Desired, DesiredService, Route},
    observed::Observed,
    plan::{Change, FieldChange, Obstacle, Plan, cast::Cast},
    record::{Hold, HoldUntil, Outcome, RecordError, Target, target},
    show::notes::{self, notes},
    show::report::{AppReport, CopiesReport, ErrorReport, HealthWord, HeldReport, RouteReport, Status},
    value::AppName,
    yaml::Diagnostic,
};
use std::{collections::BTreeMap, error::Error};

/// The report of an app of which nothing is known.
#[must_use]
pub fn unknown(app: &AppName, error: ErrorReport, outcome: Option<Outcome>) -> AppReport {
    AppReport {
        app: app.clone(),
        status: Status::Unknown,
        health: HealthWord::Unknown,
        held: None,
        changes: Vec::new(),
        outcome,
        error: Some(error),
        notes: Vec::new(),
        engine_socket: Vec::new(),
        images: BTreeMap::new(),
        routes: Vec::new(),
        suspended: false,
        wakes_at: None,
        copies: CopiesReport::default(),
        left: Vec::new(),
    }
}

/// The report of an app whose manifest is wrong: everything that is, each with its place.
#[must_use]
pub fn invalid(app: &AppName, problems: &[Diagnostic], outcome: Option<Outcome>) -> AppReport {
    let summary = problems.iter().map(Diagnostic::block).collect::<Vec<_>>().join("\n");
    unknown(app, ErrorReport::new(Blame::Revision, summary, None), outcome)
}

/// The report of an app as it was found.
#[must_use]
pub fn planned(aim: &Aim) -> AppReport {
    let plan = aim.plan();
    let held = held(aim);
    let suspended = aim.ledger.suspended_at(aim.observed.now).is_some() || aim.desired.sync.suspend;
    let changes = if aim.course == Course::Halt { Vec::new() } else { plan.changes };
    let health = health::of_app(&aim.desired, &aim.observed);
    let copies =
        copies_told::report(&aim.desired, &aim.observed, if suspended { HealthWord::Suspended } else { health });
    let mut notes = notes(&aim.desired, &changes, (&aim.engine, aim.observed.front.as_ref()));
    notes.extend(aim.left.iter().map(|copy| format!("a rollback brings no data back; {}", copy.line())));
    AppReport {
        notes,
        left: aim.left.clone(),
        engine_socket: notes::engine_socket(&aim.desired, &aim.engine),
        app: aim.desired.app.clone(),
        status: if changes.is_empty() && held.is_none() { Status::Synced } else { Status::OutOfSync },
        health: if suspended { HealthWord::Suspended } else { copies_told::health(&copies, health) },
        held,
        changes: if suspended { Vec::new() } else { changes },
        outcome: None,
        error: None,
        images: images(&aim.desired, &aim.observed),
        routes: routes(&aim.desired, &aim.observed),
        suspended,
        wakes_at: left::wakes_at(aim, aim.observed.now),
        copies,
    }
}

/// How the routes of an app are, as far as they were asked.
#[must_use]
pub fn routes(desired: &Desired, observed: &Observed) -> Vec<RouteReport> {
    let Some(front) = &observed.front else { return Vec::new() };
    let routed = desired.services.values().filter_map(|service| Some((service, service.route.as_ref()?)));
    let report = |(service, route): (&DesiredService, &Route)| {
        let sight = front.sights.get(&service.name)?;
        Some(RouteReport {
            service: service.name.clone(),
            hosts: route.hosts.clone(),
            answers: sight.fault.is_none(),
            certificate_until: sight.shown.map(|life| life.until),
            trouble: front.trouble(&service.name, observed.now),
        })
    };
    routed.filter_map(report).collect()
}

/// The report after a pass that came to its end: the changes are those that were made, the rest is as it is now.
#[must_use]
pub fn settled(before: AppReport, aim: &Aim, after: &Observed, left: &[Change]) -> AppReport {
    let synced = left.is_empty() && before.held.is_none();
    let health = health::of_app(&aim.desired, after);
    let copies = copies_told::report(&aim.desired, after, health);
    AppReport {
        status: if synced { Status::Synced } else { Status::OutOfSync },
        health: copies_told::health(&copies, health),
        copies,
        images: images(&aim.desired, after),
        routes: routes(&aim.desired, after),
        ..before
    }
}

/// The health of an app.
#[must_use]
pub fn health(desired: &Desired, observed: &Observed) -> HealthWord {
    health::of_app(desired, observed)
}

/// Two rounds of one pass told as one: what failed first is what people want to know, how it ended is how it is.
#[must_use]
pub fn joined(first: Option<AppReport>, then: AppReport) -> AppReport {
    let Some(first) = first else { return then };
    match first.outcome {
        Some(Outcome::Failed) => {
            let outcome = match then.outcome {
                Some(Outcome::Succeeded) => Some(Outcome::RolledBack),
                // Nothing was stable to go back to: what failed is stopped.
                Some(Outcome::Held) if then.held.as_ref().is_some_and(|held| held.revision.is_some()) => {
                    Some(Outcome::RolledBack)
                }
                Some(
                    Outcome::Held | Outcome::Failed | Outcome::RolledBack | Outcome::Blocked | Outcome::NonConvergent,
                )
                | None => Some(Outcome::Failed),
            };
            AppReport { changes: first.changes, error: first.error, outcome, ..then }
        }
        Some(Outcome::Succeeded | Outcome::RolledBack | Outcome::Held | Outcome::Blocked | Outcome::NonConvergent)
        | None => then,
    }
}

/// What is told of a hold.
#[must_use]
pub fn held_by(hold: &Hold) -> HeldReport {
    HeldReport {
        revision: hold.revision,
        by: hold.by.clone(),
        reason: hold.reason.clone(),
        until: match hold.until {
            HoldUntil::Resume => "resume",
            HoldUntil::Commit { .. } => "commit",
            HoldUntil::Revision { .. } => "revision",
        }
        .to_owned(),
    }
}

fn held(aim: &Aim) -> Option<HeldReport> {
    if aim.target == Target::Head {
        return None;
    }
    let by_ledger = target::active_hold(&aim.head_key, &aim.ledger).map(held_by);
    Some(by_ledger.unwrap_or_else(|| HeldReport {
        revision: match aim.target {
            Target::Revision(number) => Some(number),
            Target::Head | Target::Nothing | Target::Stay => None,
        },
        by: "reconcile".to_owned(),
        reason: "the revision of the branch failed before".to_owned(),
        until: "revision".to_owned(),
    }))
}

fn images(desired: &Desired, observed: &Observed) -> BTreeMap<String, String> {
    desired
        .services
        .values()
        .filter_map(|service| {
            let id = Cast::of(service, desired, observed).image_id?;
            // The reference may mean another image by now than the one that is gone back to.
            let same = observed.images.values().filter(|image| image.id == id);
            let digest = same.filter_map(|image| image.digest.clone()).next();
            Some((service.spec.image.clone(), digest.unwrap_or_else(|| id.to_owned())))
        })
        .collect()
}

/// Everything that stands in the way, as one error: a line for each, and a line for each hint.
#[must_use]
pub fn obstacles(found: &[Obstacle]) -> Option<ErrorReport> {
    let first = found.first()?;
    let summary = found.iter().map(|obstacle| obstacle.summary.clone()).collect::<Vec<_>>().join("\n");
    let mut hints: Vec<&str> = Vec::new();
    for hint in found.iter().filter_map(|obstacle| obstacle.hint.as_deref()) {
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    let hint = Some(hints.join("\n")).filter(|hints| !hints.is_empty());
    let blame =
        if found.iter().any(|obstacle| obstacle.blame == Blame::World) { Blame::World } else { Blame::Revision };
    Some(ErrorReport { service: first.service.clone(), ..ErrorReport::new(blame, summary, hint) })
}

/// A revision that does not settle.
#[must_use]
pub fn nonconvergent(fields: &[FieldChange]) -> ErrorReport {
    let named = fields.iter().map(|field| format!("`{}`", field.path)).collect::<Vec<_>>().join(", ");
    let hint = "the engine keeps another value than the manifest asks for: change the field, then push; or `reconcile resume` to try again";
    ErrorReport::new(
        Blame::Revision,
        format!("a pass after the pass still finds a difference: {named}"),
        Some(hint.to_owned()),
    )
}

/// A step that came to nothing.
#[must_use]
pub fn step_error(error: &StepError) -> ErrorReport {
    ErrorReport { hint: error.hint(), ..chain(error.blame(), error) }
}

/// An error with its causes in one line.
#[must_use]
pub fn chain(blame: Blame, error: &(dyn Error + 'static)) -> ErrorReport {
    let hint = error.downcast_ref::<RecordError>().and_then(RecordError::hint);
    ErrorReport::new(blame, cause::whole(error), hint)
}

/// The plan as it is kept with the revision.
#[must_use]
pub fn plan_document(plan: &Plan) -> serde_json::Value {
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|planned| serde_json::json!({"step": planned.step.to_string(), "after": planned.after}))
        .collect();
    serde_json::json!({"changes": plan.changes, "steps": steps})
}
