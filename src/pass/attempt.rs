//! One attempt at an aim: pull, check, open an entry, converge, settle.

use super::{
    Asker, Ending, Host,
    aim::Aim,
    app::AppPass,
    converge::{Course, Ended, Interruptions, converge},
    entry,
    fetch::{Fetched, Fetching},
    gate::Waits,
    learn, left, report, settle, verdict,
};
use crate::{
    apply::{StepError, claimed, errand::Context, preflight},
    blame::Blame,
    desired::FailureAction,
    engine::{Answer, Engine},
    observe::Look,
    observed::{Failure, Role},
    plan::{FieldChange, Obstacle},
    proxy::SiteName,
    record::{IntentWatch, Outcome, RecordError, Target},
    show::report::{AppReport, ErrorReport},
    yaml::Node,
};
use std::collections::BTreeSet;

/// One attempt.
pub struct Attempt<'a, 'p, E> {
    pub pass: &'a AppPass<'p, E>,
    pub aim: Aim,
    /// What registries were asked for in this pass.
    pub fetched: &'a mut Fetched,
    pub intents: &'a mut Option<IntentWatch>,
    pub ending: &'a mut Ending,
    /// The pass may change the app: once it does, neither a window nor another app stops it half-way.
    pub admitted: &'a mut bool,
}

/// What came of an attempt.
pub enum Next {
    /// The pass is at its end.
    Finished(AppReport),
    /// Take aim again: the target has changed, or the host has.
    Again(AppReport),
}

/// What stands in the way of an aim before anything is done: what the plan says, what the host's policy says, and what
/// others hold.
///
/// # Errors
/// The engine does not answer.
pub async fn obstacles<E: Engine>(host: &Host<E>, tree: Option<&Node>, aim: &mut Aim) -> Answer<Vec<Obstacle>> {
    let plan = aim.plan();
    let mut found = verdict::denials(&host.settings, tree, aim);
    found.extend(verdict::missing_secrets(aim));
    found.extend(route_obstacles(host, aim).await);
    found.extend(verdict::undeliverable(&host.settings, aim));
    found.extend(
        preflight::check(&*host.hands.engine, &host.settings.installation, &aim.desired, &mut aim.observed, &plan)
            .await?,
    );
    if let Some(gateway) = &host.hands.gateway {
        let (engine, installation) = (&*host.hands.engine, &host.settings.installation);
        found.extend(claimed::check(engine, installation, &*gateway.driver, &aim.desired, &plan).await?);
    }
    found.extend(aim.plan().obstacles);
    Ok(found)
}

/// What stands in the way of routes.
async fn route_obstacles<E>(host: &Host<E>, aim: &Aim) -> Vec<Obstacle> {
    let Some(gateway) = &host.hands.gateway else { return Vec::new() };
    let site = SiteName::of(&aim.desired);
    let mut found = Vec::new();
    for service in aim.desired.services.values() {
        let Some(route) = &service.route else { continue };
        let lacking = gateway.lacks(&site, (&service.name, route), &aim.secrets);
        let reached = gateway.out_of_reach(service).await;
        found.extend(lacking.into_iter().chain(reached).map(|(summary, hint)| Obstacle {
            blame: Blame::World,
            service: Some(service.name.clone()),
            summary,
            hint,
        }));
    }
    found
}

/// The report of an app that is left as it is: suspended, held with nothing to go to, or by what its manifest says of when
/// it may be changed, unless it was `admitted` before.
#[must_use]
pub fn left_alone(aim: &Aim, by: Asker, admitted: bool) -> Option<AppReport> {
    let suspended = aim.desired.sync.suspend || aim.ledger.suspended_at(aim.observed.now).is_some();
    let stays = aim.target == Target::Stay;
    if suspended || stays {
        return Some(AppReport { outcome: Some(Outcome::Held), ..report::planned(aim) });
    }
    let left = left::left(aim, by).filter(|_| !admitted)?;
    let mut report = report::planned(aim);
    report.notes.push(left.note());
    Some(AppReport { outcome: Some(Outcome::Held), ..report })
}

fn asked_to_end() -> ErrorReport {
    let hint = Some("run it again: it goes on where it is".to_owned());
    ErrorReport::new(Blame::World, "ended by a signal before it was done", hint)
}

impl<E: Engine> Attempt<'_, '_, E> {
    /// Makes the attempt. It may take long: what is told of the calendar is of its end.
    pub async fn make(&mut self, look: &mut Look) -> Next {
        let mut next = self.attempt(look).await;
        if let Next::Finished(report) = &mut next
            && report.outcome == Some(Outcome::Blocked)
        {
            report.notes.extend(self.close(look).await);
        }
        let (Next::Finished(report) | Next::Again(report)) = &mut next;
        report.wakes_at = left::wakes_at(&self.aim, self.pass.host.hands.engine.now());
        next
    }

    async fn attempt(&mut self, look: &mut Look) -> Next {
        if let Some(report) = left_alone(&self.aim, self.pass.wish.by, *self.admitted) {
            return Next::Finished(report);
        }
        if !*self.admitted && left::changes_something(&self.aim) {
            if let Some(error) = self.waits() {
                return self.blocked(report::planned(&self.aim), error);
            }
            *self.admitted = true;
        }
        match self.fetch_what_is_allowed(look).await {
            Ok(Fetching::Nothing) => {}
            Ok(Fetching::Something | Fetching::Intent) => return Next::Again(report::planned(&self.aim)),
            Ok(Fetching::Asked) => return self.blocked(report::planned(&self.aim), asked_to_end()),
            Err(error) => return self.blocked(report::planned(&self.aim), report::step_error(&error)),
        }
        match self.go(look).await {
            Ok(next) => next,
            Err(error) => self.blocked(report::planned(&self.aim), report::chain(Blame::World, &error)),
        }
    }

    /// What may not be reached and is, is closed also while the plan that would put it right is held up.
    async fn close(&mut self, look: &mut Look) -> Option<String> {
        let (host, desired) = (self.pass.host, &self.aim.desired);
        if Course::Close.plan(desired, &self.aim.observed).steps.is_empty() {
            return None;
        }
        let settings = &host.settings;
        let (secrets, roots) = (&*self.aim.secrets, &settings.secrets.roots);
        let context = Context { installation: &settings.installation, desired, revision: None, secrets, roots };
        let mut interruptions = Interruptions {
            watch: self.intents.as_mut(),
            ledger: &host.ledger,
            known: &self.aim.ledger,
            ending: self.ending,
        };
        let (mut observed, mut touched) = (self.aim.observed.clone(), BTreeSet::new());
        let ended = converge(host, Course::Close, &context, &mut observed, &mut touched, &mut interruptions).await;
        if let Ok(again) = look.after(&*host.hands.engine, self.pass.app, &touched, settings.parallel).await {
            *look = again;
        }
        let names = touched.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        Some(match ended {
            Ended::Done => format!("{names} could be reached and may not be: it is closed"),
            Ended::Blocked(error) => format!("{names} can be reached and may not be: {error}"),
            Ended::Failed { .. } | Ended::Unrecorded(_) | Ended::Intent | Ended::Asked => {
                format!("{names} can be reached and may not be: it is tried again")
            }
        })
    }

    /// Why nothing is begun yet. What failed is stopped whatever the others do.
    fn waits(&self) -> Option<ErrorReport> {
        self.pass.waits.filter(|_| self.aim.course == Course::Desired).map(Waits::error)
    }

    fn blocked(&self, report: AppReport, error: ErrorReport) -> Next {
        Next::Finished(AppReport { outcome: Some(Outcome::Blocked), error: Some(error), ..report })
    }

    /// Nothing is asked of a registry for an app that the host's policy denies: what stands in the way is told instead.
    async fn fetch_what_is_allowed(&mut self, look: &mut Look) -> Result<Fetching, StepError> {
        let tree = self.pass.head.trees.get(self.pass.app);
        if verdict::denials(&self.pass.host.settings, tree, &self.aim).is_empty() {
            self.fetch(look).await
        } else {
            Ok(Fetching::Nothing)
        }
    }

    pub(super) fn context(&self, revision: Option<u32>) -> Context<'_> {
        let settings = &self.pass.host.settings;
        Context {
            installation: &settings.installation,
            desired: &self.aim.desired,
            revision,
            secrets: &self.aim.secrets,
            roots: &settings.secrets.roots,
        }
    }

    async fn go(&mut self, look: &mut Look) -> Result<Next, RecordError> {
        let host = self.pass.host;
        let mut report = report::planned(&self.aim);
        if let Some(fields) = self.known_not_to_settle().await? {
            let error = Some(report::nonconvergent(&fields));
            return Ok(Next::Finished(AppReport { outcome: Some(Outcome::NonConvergent), error, ..report }));
        }
        match obstacles(host, self.pass.head.trees.get(self.pass.app), &mut self.aim).await {
            Ok(found) if found.is_empty() => {}
            Ok(found) => return self.obstructed(report, &found).await,
            Err(error) => return Ok(self.blocked(report, report::chain(Blame::World, &error))),
        }
        report.error = self.pass.refused(&self.aim);
        let number = entry::open(self.pass, &self.aim).await?;
        self.aim.observed.applied.kept_images = Some(entry::kept_images(self.pass, &self.aim, number).await?);
        let before = self.aim.plan();
        let mut observed = self.aim.observed.clone();
        let mut interruptions = Interruptions {
            watch: self.intents.as_mut(),
            ledger: &host.ledger,
            known: &self.aim.ledger,
            ending: self.ending,
        };
        let context = Context {
            installation: &host.settings.installation,
            desired: &self.aim.desired,
            revision: number,
            secrets: &self.aim.secrets,
            roots: &host.settings.secrets.roots,
        };
        let mut touched = BTreeSet::new();
        let ended = converge(host, self.aim.course, &context, &mut observed, &mut touched, &mut interruptions).await;
        if !before.steps.is_empty() {
            match look.after(&*host.hands.engine, self.pass.app, &touched, host.settings.parallel).await {
                Ok(again) => *look = again,
                Err(source) => return Ok(self.blocked(report, report::chain(Blame::World, &source))),
            }
        }
        learn::learn(host, &self.aim, &observed, look).await?;
        match ended {
            Ended::Done => settle::settle(self, report, number, &before, observed, look).await,
            Ended::Failed { role, failure } => {
                let health = report::health(&self.aim.desired, &observed);
                self.failed(AppReport { health, ..report }, number, role, failure).await
            }
            Ended::Blocked(StepError::Surprise { what }) => {
                tracing::info!(app = %self.pass.app, what, "the host has changed meanwhile: looking again");
                let error = ErrorReport::new(Blame::World, what, Some("it is looked at again".to_owned()));
                Ok(Next::Again(AppReport { outcome: Some(Outcome::Blocked), error: Some(error), ..report }))
            }
            Ended::Blocked(error) => {
                let error = report::step_error(&error);
                entry::close(self.pass, &self.aim, number, Outcome::Blocked, None, &error).await?;
                Ok(self.blocked(report, error))
            }
            Ended::Unrecorded(error) => Err(error),
            Ended::Intent => Ok(Next::Again(report)),
            Ended::Asked => Ok(self.blocked(report, asked_to_end())),
        }
    }

    async fn known_not_to_settle(&self) -> Result<Option<Vec<FieldChange>>, RecordError> {
        let (desired, asked) = (&self.aim.desired, !self.aim.observed.applied.replace.is_empty());
        let found = self.pass.host.ledger.nonconvergence(&desired.environment, &desired.app).await?;
        Ok(found.filter(|found| found.key == self.aim.key && !asked).map(|found| found.fields))
    }

    /// What stands in the way before the first step: nothing is begun. Where the revision itself is at fault it is
    /// condemned like one that failed later.
    async fn obstructed(&mut self, report: AppReport, found: &[Obstacle]) -> Result<Next, RecordError> {
        let Some(error) = report::obstacles(found) else { return Ok(Next::Finished(report)) };
        let by_revision = found.iter().all(|obstacle| obstacle.blame == Blame::Revision);
        if by_revision && self.aim.target == Target::Head && entry::is_wanted(&self.aim) {
            let service = found.first().and_then(|obstacle| obstacle.service.clone());
            let failure = Failure { summary: error.summary.clone(), ..Failure::default() };
            let number = entry::open(self.pass, &self.aim).await?;
            return self.failed(report, number, service.map(Role::Service), failure).await;
        }
        Ok(self.blocked(report, error))
    }

    /// Records a failure. The revision is condemned when it was being brought in; what ran well before is only degraded.
    async fn failed(
        &mut self,
        report: AppReport,
        number: Option<u32>,
        role: Option<Role>,
        failure: Failure,
    ) -> Result<Next, RecordError> {
        let desired = &self.aim.desired;
        let service = match &role {
            Some(Role::Service(name)) => Some(name.clone()),
            Some(Role::Job(name)) => desired.jobs.get(name).map(|job| job.service.clone()),
            None => None,
        };
        let action =
            service.as_ref().and_then(|name| desired.services.get(name)).map(|service| service.rollout.on_failure);
        let error = ErrorReport::of_failure(Blame::Revision, service, failure, None);
        let report = AppReport { outcome: Some(Outcome::Failed), error: Some(error.clone()), ..report };
        if !entry::is_wanted(&self.aim) {
            return Ok(Next::Finished(report));
        }
        let action = match action.unwrap_or_default() {
            FailureAction::Rollback if entry::is_futile_to_go_back(&self.aim) => FailureAction::Halt,
            action @ (FailureAction::Rollback | FailureAction::Halt) => action,
        };
        let hold = entry::hold_after(&self.aim, number, action, &error.summary);
        let held = hold.as_ref().map(report::held_by);
        entry::close(self.pass, &self.aim, number, Outcome::Failed, hold, &error).await?;
        let goes_back = self.aim.target == Target::Head && action == FailureAction::Rollback;
        if goes_back {
            return Ok(Next::Again(report));
        }
        Ok(Next::Finished(AppReport { held: held.or(report.held.clone()), ..report }))
    }
}
