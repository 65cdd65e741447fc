//! Runs a plan: whatever may begin begins, each effect is folded into what was observed, and the plan is drawn anew.

use super::{Ending, Host, progress::UnderWay, verdict};
use crate::{
    apply::{Errand, StepError, errand, errand::Context},
    desired::Desired,
    engine::Engine,
    observed::{Container, Effect, Failure, Observed, Readiness, Role, fold},
    plan::{Plan, Step, plan},
    record::{AppLedger, IntentWatch, Ledger, RecordError},
    secret::mask,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::collections::BTreeSet;
use tokio::sync::watch;

/// How running a plan ended.
#[derive(Debug)]
pub enum Ended {
    /// Nothing is left to do.
    Done,
    /// The revision is at fault.
    Failed { role: Option<Role>, failure: Failure },
    /// The world is at fault.
    Blocked(StepError),
    /// The record cannot be written, so nothing is done that would have to be remembered.
    Unrecorded(RecordError),
    /// Somebody wrote an intent: choose the target again.
    Intent,
    /// The tool was asked to end.
    Asked,
}

/// Which plan is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// To what is desired.
    Desired,
    /// What failed is stopped.
    Halt,
    /// What may not be reached and is, is closed.
    Close,
}

impl Course {
    /// The plan as things stand.
    #[must_use]
    pub fn plan(self, desired: &Desired, observed: &Observed) -> Plan {
        match self {
            Self::Desired => plan(desired, observed),
            Self::Halt => crate::plan::halt(observed),
            Self::Close => crate::plan::close(desired, observed),
        }
    }
}

/// Runs the plan to its end, or to the first thing that goes wrong. `touched` gets the names of all containers that a
/// step was about.
pub async fn converge<E: Engine>(
    host: &Host<E>,
    course: Course,
    context: &Context<'_>,
    observed: &mut Observed,
    touched: &mut BTreeSet<String>,
    interruptions: &mut Interruptions<'_>,
) -> Ended {
    let mut under_way = FuturesUnordered::new();
    let mut busy: BTreeSet<Step> = BTreeSet::new();
    let mut ended: Option<Ended> = None;
    let (give_up, given_up) = watch::channel(false);
    loop {
        // What takes very long is not seen to its end for nothing.
        give_up.send_replace(ended.is_some());
        if ended.is_none() {
            if *interruptions.ending.borrow() {
                ended = Some(Ended::Asked);
            } else {
                let plan = course.plan(context.desired, observed);
                let begin: Vec<Step> = plan.ready(&busy).cloned().collect();
                for step in begin {
                    let Some(errand) = errand(&step, observed, context) else {
                        let what = format!("cannot {step}: what it is about is not there any more");
                        ended.get_or_insert(Ended::Blocked(StepError::Surprise { what }));
                        break;
                    };
                    touched.extend(step.names().map(str::to_owned));
                    busy.insert(step.clone());
                    let ends =
                        ends(&step, observed).map(|facts| Run { id: facts.id.clone(), began: Some(facts.started_at) });
                    under_way.push(perform(host, context, (step, errand), ends, given_up.clone()));
                }
            }
        }
        if under_way.is_empty() {
            return ended.unwrap_or(Ended::Done);
        }
        // Once it is over, what only waits is let go; what changes something is seen to its end.
        if ended.is_some() && busy.iter().all(Step::waits) {
            return ended.unwrap_or(Ended::Done);
        }
        tokio::select! {
            Some((step, effect)) = under_way.next() => {
                busy.remove(&step);
                if let Some(end) = carry_over(&step, effect, host.hands.engine.now(), context.desired, observed) {
                    ended.get_or_insert(end);
                }
                if let Some(stop) = overran(&step, observed)
                    && let Some(errand) = errand(&stop, observed, context)
                {
                    busy.insert(stop.clone());
                    let ends = ends(&stop, observed).map(|facts| Run { id: facts.id.clone(), began: None });
                    under_way.push(perform(host, context, (stop, errand), ends, given_up.clone()));
                }
            }
            interruption = interruptions.next(context.desired), if ended.is_none() => ended = Some(interruption),
        }
    }
}

/// A run of a container that a step ends.
struct Run {
    id: String,
    /// When it began; none where it began after the last look, and is asked for.
    began: Option<Option<jiff::Timestamp>>,
}

/// Performs a step; that it ends a run is remembered before.
async fn perform<E: Engine>(
    host: &Host<E>,
    context: &Context<'_>,
    (step, errand): (Step, Errand),
    ends: Option<Run>,
    given_up: watch::Receiver<bool>,
) -> (Step, Result<Effect, Ended>) {
    let desired = context.desired;
    if let Some(role) = step.begins()
        && let Err(denied) = verdict::last_look(&host.settings, desired, role)
    {
        return (step, Err(Ended::Blocked(denied)));
    }
    let told = UnderWay::begin(desired, &step);
    if let Some(Run { id, began }) = ends {
        let began = match began {
            Some(began) => Ok(began),
            None => host.hands.engine.container(&id).await.map(|detail| detail.and_then(|detail| detail.started_at)),
        };
        let began = match began {
            Ok(began) => began,
            Err(source) => {
                let doing = format!("look at what `{step}` ends");
                return (step, Err(Ended::Blocked(StepError::Engine { doing, source })));
            }
        };
        if let Err(error) = host.ledger.will_stop(&desired.environment, &desired.app, &id, began).await {
            return (step, Err(Ended::Unrecorded(error)));
        }
    }
    let effect = host.hands.perform_until(errand, Some(given_up)).await;
    told.end(&effect);
    (step, effect.map(|effect| masked(effect, context)).map_err(Ended::Blocked))
}

/// What a failed container and its engine said, without the values of secrets: an app may print its own variables.
fn masked(effect: Effect, context: &Context<'_>) -> Effect {
    let values = &context.secrets.values;
    match effect {
        Effect::Failed(failure) if !values.is_empty() => Effect::Failed(Failure {
            summary: mask::masked(&failure.summary, values),
            log: failure.log.iter().map(|line| mask::masked(line, values)).collect(),
            ..failure
        }),
        other @ (Effect::Failed(_)
        | Effect::Done
        | Effect::Pulled(_)
        | Effect::Made { .. }
        | Effect::Ready
        | Effect::Ended) => other,
    }
}

/// The container whose run a step ends.
fn ends<'a>(step: &Step, observed: &'a Observed) -> Option<&'a Container> {
    let Step::Stop { container, .. } = step else { return None };
    observed.containers.get(container)
}

/// The stop of a container that was to end by itself and is still alive when its time is over.
fn overran(step: &Step, observed: &Observed) -> Option<Step> {
    let Step::AwaitExit { container, role } = step else { return None };
    let facts = observed.containers.get(container)?;
    let overran = matches!(facts.readiness, Readiness::Failed(_)) && facts.life.is_up();
    overran.then(|| Step::Stop { container: container.clone(), role: role.clone() })
}

/// Folds an effect in; tells when it ends the run.
fn carry_over(
    step: &Step,
    effect: Result<Effect, Ended>,
    now: jiff::Timestamp,
    desired: &Desired,
    observed: &mut Observed,
) -> Option<Ended> {
    observed.now = now.max(observed.now);
    match effect {
        Ok(effect) => {
            tracing::debug!(app = %desired.app, %step, ?effect, "done");
            fold::fold(observed, desired, step, &effect);
            match (effect, step) {
                // Looked for again, and nothing waits for it.
                (Effect::Failed(_), Step::RemoveNetwork { .. } | Step::Certify { .. }) => None,
                (Effect::Failed(failure), _) => {
                    Some(Ended::Failed { role: step.about().map(|(_, role)| role.clone()), failure })
                }
                (Effect::Done | Effect::Ready | Effect::Ended | Effect::Pulled(_) | Effect::Made { .. }, _) => None,
            }
        }
        Err(ended) => Some(ended),
    }
}

/// What can end a run from outside.
pub struct Interruptions<'a> {
    pub watch: Option<&'a mut IntentWatch>,
    pub ledger: &'a Ledger,
    /// What the ledger said when aim was taken.
    pub known: &'a AppLedger,
    pub ending: &'a mut Ending,
}

impl Interruptions<'_> {
    /// Resolves when somebody holds, releases or suspends this app, or asks the tool to end.
    pub async fn next(&mut self, desired: &Desired) -> Ended {
        let watch = self.watch.as_deref_mut();
        let (ledger, known) = (self.ledger, self.known);
        tokio::select! {
            () = wished(watch, ledger, known, desired) => Ended::Intent,
            () = asked(self.ending) => Ended::Asked,
        }
    }
}

/// Resolves when the hold or suspension of this app is another than it was; what others write of other apps is none of
/// its business.
async fn wished(watch: Option<&mut IntentWatch>, ledger: &Ledger, known: &AppLedger, desired: &Desired) {
    if let Some(watch) = watch {
        while watch.changed().await.is_ok() {
            match ledger.app(&desired.environment, &desired.app).await {
                Ok(now) if now.hold != known.hold || now.suspended != known.suspended => return,
                Ok(_) | Err(_) => {}
            }
        }
    }
    std::future::pending().await
}

async fn asked(ending: &mut Ending) {
    if ending.wait_for(|asked| *asked).await.is_err() {
        // Nobody is left who could ask.
        std::future::pending().await
    }
}
