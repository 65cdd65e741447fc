//! One attempt at an aim: pull, check, open an entry, converge, prove that nothing is left, close the entry.

use super::{
    Ending, Host,
    aim::Aim,
    app::AppPass,
    converge::{Course, Ended, converge},
    learn, report, verdict,
};
use crate::{
    apply::{StepError, errand, errand::Context, preflight},
    blame::Blame,
    desired::{FailureAction, service::DesiredService},
    engine::{Answer, Engine},
    observe::{Look, app::tag_prefix, readiness},
    observed::{Failure, Observed, Role, fold},
    plan::{Cause, FieldChange, Obstacle, Plan, Step},
    record::{
        Close, Documents, Entry, Event, Hold, HoldUntil, IntentWatch, NewEntry, NonConvergence, Outcome, RecordError,
        Target, target,
    },
    show::report::{AppReport, ErrorReport},
    value::ServiceName,
    yaml::Node,
};
use futures_util::future::try_join_all;
use std::collections::BTreeSet;

/// One attempt.
pub struct Attempt<'a, 'p, E> {
    pub pass: &'a AppPass<'p, E>,
    pub aim: Aim,
    pub pulled: &'a mut BTreeSet<String>,
    pub intents: &'a mut Option<IntentWatch>,
    pub ending: &'a mut Ending,
}

/// What came of an attempt, and whether to take aim again.
type Result2 = (AppReport, bool);

/// What stands in the way of an aim before anything is done: what the plan says, and what others hold.
///
/// # Errors
/// The engine does not answer.
pub async fn obstacles<E: Engine>(host: &Host<E>, tree: Option<&Node>, aim: &mut Aim) -> Answer<Vec<Obstacle>> {
    let plan = aim.plan();
    let mut found = verdict::denials(&host.settings, tree, aim);
    found.extend(preflight::check(&*host.hands.engine, &aim.desired, &mut aim.observed, &plan).await?);
    found.extend(aim.plan().obstacles);
    Ok(found)
}

impl<E: Engine> Attempt<'_, '_, E> {
    /// Makes the attempt.
    pub async fn make(&mut self, look: &mut Look) -> Result2 {
        if let Some(report) = self.left_alone() {
            return (report, false);
        }
        match self.pull(look).await {
            Ok(false) => {}
            Ok(true) => return (report::planned(&self.aim), true),
            Err(error) => return (self.blocked(report::planned(&self.aim), report::step_error(&error)), false),
        }
        match self.go(look).await {
            Ok(end) => end,
            Err(error) => (self.blocked(report::planned(&self.aim), report::chain(Blame::World, &error)), false),
        }
    }

    /// The report of an app that is left as it is: suspended, or held with nothing to go to.
    fn left_alone(&self) -> Option<AppReport> {
        let aim = &self.aim;
        let suspended = aim.desired.sync.suspend || aim.ledger.suspended_at(aim.observed.now).is_some();
        let stays = aim.target == Target::Stay;
        (suspended || stays).then(|| AppReport { outcome: Some(Outcome::Held), ..report::planned(aim) })
    }

    fn blocked(&self, report: AppReport, error: ErrorReport) -> AppReport {
        AppReport { outcome: Some(Outcome::Blocked), error: Some(error), ..report }
    }

    /// Fetches what is due before anything else, so that the revision is known by its images. True when something came.
    async fn pull(&mut self, look: &mut Look) -> Result<bool, StepError> {
        let aim = &self.aim;
        if aim.course == Course::Halt {
            return Ok(false);
        }
        let context = self.context(None);
        let due: Vec<Step> = aim
            .plan()
            .steps
            .into_iter()
            .map(|planned| planned.step)
            .filter(|step| matches!(step, Step::Pull { .. }))
            .collect();
        if due.is_empty() {
            return Ok(false);
        }
        let hands = &self.pass.host.hands;
        let errands =
            due.iter().filter_map(|step| errand(step, &aim.observed, &context)).map(|errand| hands.perform(errand));
        try_join_all(errands).await?;
        for step in &due {
            if let Step::Pull { reference, .. } = step {
                self.pulled.insert(reference.clone());
                // The time of a pull is only lost with the record; the pull itself is done.
                let noted = self
                    .pass
                    .host
                    .ledger
                    .pulled(&aim.desired.environment, &aim.desired.app, reference, aim.observed.now)
                    .await;
                if let Err(error) = noted {
                    tracing::warn!(%error, "the time of the pull is not recorded");
                }
            }
        }
        look.images = hands
            .engine
            .images()
            .await
            .map_err(|source| StepError::Engine { doing: "list images".to_owned(), source })?;
        Ok(true)
    }

    fn context(&self, revision: Option<u32>) -> Context<'_> {
        Context { installation: &self.pass.host.settings.installation, desired: &self.aim.desired, revision }
    }

    async fn go(&mut self, look: &mut Look) -> Result<Result2, RecordError> {
        let host = self.pass.host;
        let mut report = report::planned(&self.aim);
        if let Some(fields) = self.known_not_to_settle().await? {
            return Ok((
                AppReport {
                    outcome: Some(Outcome::NonConvergent),
                    error: Some(report::nonconvergent(&fields)),
                    ..report
                },
                false,
            ));
        }
        let tree = self.pass.head.trees.get(self.pass.app);
        match obstacles(host, tree, &mut self.aim).await {
            Ok(found) if found.is_empty() => {}
            Ok(found) => return self.obstructed(report, &found).await,
            Err(error) => return Ok((self.blocked(report, report::chain(Blame::World, &error)), false)),
        }
        if let Some(refusal) = self.pass.refused(&self.aim) {
            report.error = Some(refusal);
        }
        let number = self.open().await?;
        self.keep_images(number).await?;
        let before = self.aim.plan();
        let context =
            Context { installation: &host.settings.installation, desired: &self.aim.desired, revision: number };
        let mut observed = self.aim.observed.clone();
        let mut ended = converge(host, self.aim.course, &context, &mut observed, self.intents, self.ending).await;
        if !before.steps.is_empty() {
            match look.again(&*host.hands.engine, self.pass.app, host.settings.parallel).await {
                Ok(again) => *look = again,
                Err(source) => {
                    ended = Ended::Blocked {
                        step: Step::Untag { tag: String::new() },
                        error: StepError::Engine { doing: "look at what was done".to_owned(), source },
                    }
                }
            }
        }
        learn::learn(host, &self.aim, &observed, look).await?;
        match ended {
            Ended::Done => self.settle(report, number, &before, observed, look).await,
            Ended::Failed { role, failure } => self.failed(report, number, role, failure).await,
            Ended::Blocked { error, .. } => {
                let error = report::step_error(&error);
                self.close(number, Outcome::Blocked, false, None, &error).await?;
                Ok((self.blocked(report, error), false))
            }
            Ended::Intent => Ok((report, true)),
            Ended::Asked => {
                let error = ErrorReport::new(
                    Blame::World,
                    "ended by a signal before it was done",
                    Some("run it again: it goes on where it is".to_owned()),
                );
                Ok((self.blocked(report, error), false))
            }
        }
    }

    async fn known_not_to_settle(&self) -> Result<Option<Vec<FieldChange>>, RecordError> {
        let desired = &self.aim.desired;
        let found = self.pass.host.ledger.nonconvergence(&desired.environment, &desired.app).await?;
        Ok(found
            .filter(|found| found.key == self.aim.key && self.aim.observed.applied.replace.is_empty())
            .map(|found| found.fields))
    }

    /// What stands in the way before the first step: nothing is begun. Where the revision itself is at fault it is
    /// condemned like one that failed later.
    async fn obstructed(&mut self, report: AppReport, found: &[Obstacle]) -> Result<Result2, RecordError> {
        let error =
            report::obstacles(found).unwrap_or_else(|| ErrorReport::new(Blame::World, "something is in the way", None));
        let by_revision = found.iter().all(|obstacle| obstacle.blame == Blame::Revision);
        if by_revision && self.aim.target == Target::Head && self.wants_entry() {
            let service = found.first().and_then(|obstacle| obstacle.service.clone());
            let failure = Failure { summary: error.summary.clone(), ..Failure::default() };
            let number = self.open().await?;
            return self.failed(report, number, service.map(Role::Service), failure).await;
        }
        Ok((self.blocked(report, error), false))
    }

    /// The entry in force.
    fn in_force(&self) -> Option<&Entry> {
        target::in_force(&self.aim.ledger)
    }

    /// True when what is gone for is not what is in force.
    fn wants_entry(&self) -> bool {
        match self.aim.target {
            Target::Head => self.in_force().is_none_or(|entry| entry.key != self.aim.key) && !self.is_gone(),
            Target::Revision(number) => self.in_force().is_none_or(|entry| entry.original() != number),
            Target::Nothing | Target::Stay => false,
        }
    }

    /// True when the app is gone from the tree: its removal is an event, not a revision.
    fn is_gone(&self) -> bool {
        self.aim.desired.manifest.is_null()
    }

    /// Opens an entry where the target is a new one, and tells the number of what is applied.
    async fn open(&mut self) -> Result<Option<u32>, RecordError> {
        if !self.wants_entry() {
            return Ok(self.in_force().map(|entry| entry.number));
        }
        let (aim, commit) = (&self.aim, &self.pass.head.commit);
        let hold = aim.ledger.hold.as_ref();
        let new = match aim.target {
            Target::Revision(number) => {
                let original = aim.ledger.entry(number);
                NewEntry {
                    restores: Some(number),
                    key: aim.key.clone(),
                    commit: original.map_or_else(|| commit.id.clone(), |entry| entry.commit.clone()),
                    author: original.map_or_else(|| commit.author.clone(), |entry| entry.author.clone()),
                    subject: original.map_or_else(|| commit.subject.clone(), |entry| entry.subject.clone()),
                    at: aim.observed.now,
                    cause: Cause::Rollback,
                    by: hold.map_or_else(|| "reconcile".to_owned(), |hold| hold.by.clone()),
                    reason: hold.map(|hold| hold.reason.clone()),
                }
            }
            Target::Head | Target::Nothing | Target::Stay => NewEntry {
                restores: None,
                key: aim.key.clone(),
                commit: commit.id.clone(),
                author: commit.author.clone(),
                subject: commit.subject.clone(),
                at: aim.observed.now,
                cause: self.cause(),
                by: commit.author.clone(),
                reason: None,
            },
        };
        let spec = serde_json::to_value(&aim.desired).unwrap_or_default();
        let plan = report::plan_document(&aim.plan());
        let documents = Documents { manifest: &aim.desired.manifest, spec: &spec, plan: &plan };
        let number = self.pass.host.ledger.open(&aim.desired.environment, &aim.desired.app, new, documents).await?;
        Ok(Some(number))
    }

    /// A new revision is a commit's unless only what its images mean has changed.
    fn cause(&self) -> Cause {
        match self.in_force() {
            Some(entry) if entry.key.manifest == self.aim.key.manifest => Cause::Image,
            Some(_) | None => Cause::Commit,
        }
    }

    /// Says which names keep which images: those of kept revisions, and of the one that is being applied.
    async fn keep_images(&mut self, number: Option<u32>) -> Result<(), RecordError> {
        let (host, aim) = (self.pass.host, &self.aim);
        let (environment, app) = (&aim.desired.environment, &aim.desired.app);
        let kept = host.ledger.kept_images(environment, app, host.settings.images).await?;
        let prefix = tag_prefix(&aim.desired);
        let tag = |service: &ServiceName, number: u32| format!("{prefix}{service}:{number}");
        let mut tags: std::collections::BTreeMap<String, String> = kept
            .iter()
            .flat_map(|(number, services)| services.iter().map(|(service, id)| (tag(service, *number), id.clone())))
            .collect();
        if let (Some(number), Target::Head, false) = (number, aim.target, self.is_gone()) {
            tags.extend(aim.desired.services.keys().filter_map(|service| {
                let id = fold::image_id(&aim.observed, &aim.desired, &Role::Service(service.clone()))?;
                Some((tag(service, number), id))
            }));
        }
        if self.is_gone() {
            tags.clear();
        }
        self.aim.observed.applied.kept_images = Some(tags);
        Ok(())
    }

    /// Proves that nothing is left to do, and records the end.
    async fn settle(
        &mut self,
        report: AppReport,
        number: Option<u32>,
        before: &Plan,
        observed: Observed,
        look: &mut Look,
    ) -> Result<Result2, RecordError> {
        let host = self.pass.host;
        let (environment, app) = (self.aim.desired.environment.clone(), self.aim.desired.app.clone());
        if self.aim.course == Course::Halt {
            return Ok((
                AppReport {
                    outcome: Some(Outcome::Held),
                    health: report::health(&self.aim.desired, &observed),
                    ..report
                },
                false,
            ));
        }
        let version = format!("{:?} {}", host.hands.info.kind, host.hands.info.version);
        let mut applied = host.ledger.applied(&environment, &app, &version).await?;
        applied.manifest = Some(self.aim.desired.manifest.clone()).filter(|manifest| !manifest.is_null());
        applied.jobs_done = observed.applied.jobs_done.clone();
        applied.pulled = self
            .pulled
            .iter()
            .cloned()
            .chain(self.aim.desired.services.values().map(|service| service.spec.image.clone()))
            .collect();
        applied.kept_images = observed.applied.kept_images.clone();
        applied.rollback = self.aim.observed.applied.rollback;
        let mut after = look.app(&self.aim.desired, applied);
        for (name, network) in &observed.networks {
            if let Some(there) = after.networks.get_mut(name) {
                there.kept = network.kept;
            }
        }
        readiness::ask_again(
            &*host.hands.engine,
            host.hands.info.runs_healthchecks,
            &self.aim.desired,
            &mut after,
            &look.containers,
        )
        .await;
        let left = self.aim.course.plan(&self.aim.desired, &after);
        if left.steps.iter().any(|planned| changes_something(&planned.step)) {
            let fields = unsettled(&left);
            tracing::warn!(%app, ?fields, "a pass after the pass is not empty");
            let found = NonConvergence { key: self.aim.key.clone(), fields: fields.clone() };
            host.ledger.set_nonconvergence(&environment, &app, Some(found)).await?;
            let error = report::nonconvergent(&fields);
            self.close(number, Outcome::NonConvergent, false, None, &error).await?;
            return Ok((AppReport { outcome: Some(Outcome::NonConvergent), error: Some(error), ..report }, false));
        }
        let outcome = if self.aim.ledger.hold.is_some() && self.aim.target != Target::Head && before.steps.is_empty() {
            Outcome::Held
        } else {
            Outcome::Succeeded
        };
        if self.wants_entry() {
            self.close(number, Outcome::Succeeded, true, None, &()).await?;
        } else if !before.steps.is_empty() && !before.changes.is_empty() {
            let text = before
                .changes
                .iter()
                .map(|change| format!("{} {:?} ({:?})", change.resource, change.action, change.cause).to_lowercase())
                .collect::<Vec<_>>()
                .join(", ");
            let kind = if self.is_gone() { "prune" } else { "repair" };
            host.ledger.event(&environment, &app, Event { at: after.now, kind: kind.to_owned(), text }).await?;
        }
        let error = report.error.clone();
        let outcome = if error.is_some() { Outcome::Blocked } else { outcome };
        let done = report::settled(report, &self.aim, &after, left.changes);
        Ok((AppReport { outcome: Some(outcome), ..done }, false))
    }

    /// Records a failure. The revision is condemned when it was being brought in; what ran well before is only degraded.
    async fn failed(
        &mut self,
        report: AppReport,
        number: Option<u32>,
        role: Option<Role>,
        failure: Failure,
    ) -> Result<Result2, RecordError> {
        let service = match &role {
            Some(Role::Service(name)) => Some(name.clone()),
            Some(Role::Job(name)) => self.aim.desired.jobs.get(name).map(|job| job.service.clone()),
            None => None,
        };
        let error = ErrorReport::of_failure(Blame::Revision, service.clone(), failure, None);
        let report = AppReport { outcome: Some(Outcome::Failed), error: Some(error.clone()), ..report };
        if !self.wants_entry() {
            return Ok((report, false));
        }
        let action = service
            .and_then(|name| self.aim.desired.services.get(&name))
            .map(|service: &DesiredService| service.rollout.on_failure)
            .unwrap_or_default();
        let hold = self.hold_after(number, action, &error.summary);
        let again = self.aim.target == Target::Head && action == FailureAction::Rollback;
        self.close(number, Outcome::Failed, false, hold, &error).await?;
        Ok((report, again))
    }

    /// The hold that keeps a condemned head from being tried again.
    fn hold_after(&self, number: Option<u32>, action: FailureAction, reason: &str) -> Option<Hold> {
        if self.aim.target != Target::Head {
            return None;
        }
        let stable = target::newest_stable(&self.aim.ledger).map(Entry::original);
        let revision = match action {
            FailureAction::Rollback => stable,
            FailureAction::Halt => number,
        };
        Some(Hold {
            revision,
            by: "reconcile".to_owned(),
            reason: reason.to_owned(),
            until: HoldUntil::Revision { key: self.aim.head_key.clone() },
            at: self.aim.observed.now,
        })
    }

    async fn close(
        &self,
        number: Option<u32>,
        outcome: Outcome,
        stable: bool,
        hold: Option<Hold>,
        detail: &impl serde::Serialize,
    ) -> Result<(), RecordError> {
        let Some(number) = number.filter(|_| self.wants_entry()) else { return Ok(()) };
        let condemned = outcome == Outcome::Failed;
        let detail = serde_json::json!({"outcome": outcome, "error": detail, "changes": self.aim.plan().changes});
        let desired = &self.aim.desired;
        self.pass
            .host
            .ledger
            .close(&desired.environment, &desired.app, number, Close { outcome, stable, condemned, hold, detail })
            .await
    }
}

/// Steps whose being left means that the pass did not reach its end.
fn changes_something(step: &Step) -> bool {
    match step {
        Step::RemoveNetwork { .. } | Step::Tag { .. } | Step::Untag { .. } | Step::Await { .. } => false,
        Step::Pull { .. }
        | Step::CreateNetwork { .. }
        | Step::CreateVolume { .. }
        | Step::Create { .. }
        | Step::Start { .. }
        | Step::AwaitExit { .. }
        | Step::Stop { .. }
        | Step::Remove { .. }
        | Step::Rename { .. }
        | Step::Adjust { .. }
        | Step::Unpause { .. }
        | Step::Connect { .. }
        | Step::Disconnect { .. } => true,
    }
}

fn unsettled(left: &Plan) -> Vec<FieldChange> {
    let fields: Vec<FieldChange> = left.changes.iter().flat_map(|change| change.fields.clone()).collect();
    if fields.is_empty() {
        return left
            .steps
            .iter()
            .map(|planned| FieldChange { path: planned.step.to_string(), before: None, after: None })
            .collect();
    }
    fields
}
