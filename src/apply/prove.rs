//! Sees a container ready, or failed; sees a job's end.

use super::{
    begun::{Begun, Uptime},
    nudges::Nudges,
    perform::StepError,
};
use crate::{
    blame::Blame,
    desired::DesiredService,
    engine::{Detail, Engine, EngineInfo},
    observe::readiness::{Unready, passes},
    observed::{Effect, Failure, Life, Role},
};
use std::time::Duration;

/// How many lines of its output are kept of a container that failed.
const LAST_WORDS: usize = 20;

/// The first pause between two asks; it doubles up to the probe's own `start_interval`, so that what is ready at once
/// is seen at once.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// What proving needs of the engine.
pub struct Prover<'a, E> {
    pub engine: &'a E,
    pub info: &'a EngineInfo,
    pub nudges: &'a Nudges,
    pub begun: &'a Begun,
}

impl<E: Engine> Prover<'_, E> {
    /// Waits until a service's container is ready, or has failed by dying, restarting, or missing its deadline.
    ///
    /// # Errors
    /// The engine does not answer, or the container was taken away meanwhile.
    pub async fn ready(&self, id: &str, name: &str, service: &DesiredService) -> Result<Effect, StepError> {
        let seen = self.see_ready(id, name, service).await;
        self.begun.forget(id);
        seen
    }

    async fn see_ready(&self, id: &str, name: &str, service: &DesiredService) -> Result<Effect, StepError> {
        let mut waiter = self.nudges.about(id);
        let mut uptime = Uptime::default();
        let mut restarts_before = None;
        let mut pause = FIRST_PAUSE;
        loop {
            let detail = self.look(id, name).await?;
            let up_for = uptime.of(id, detail.started_at, self.begun, self.engine.now());
            let restarts = *restarts_before.get_or_insert(accepted_restarts(&detail, up_for));
            if let Some(effect) = self.ended(&detail, service, restarts).await {
                return Ok(effect);
            }
            let verdict = match &detail.life {
                Life::Running => passes(
                    self.engine,
                    self.info.runs_healthchecks,
                    service.probe.as_ref(),
                    &service.spec.network,
                    &detail,
                )
                .await
                .map_err(|source| StepError::Engine { doing: format!("see whether `{name}` is ready"), source })?,
                Life::Created
                | Life::Paused
                | Life::Restarting
                | Life::Stopping
                | Life::Exited(_)
                | Life::Removing
                | Life::Dead
                | Life::Unknown(_) => Err(Unready::by_itself(&format!("it is {:?}", detail.life).to_lowercase())),
            };
            let rest = service.rollout.min_healthy_time.saturating_sub(up_for);
            match verdict {
                Ok(()) if rest.is_zero() => return Ok(Effect::Ready),
                Ok(()) => {
                    waiter.nudged(rest).await;
                    continue;
                }
                Err(unready) if up_for >= service.rollout.healthy_deadline => {
                    let Unready { why, blame } = unready;
                    if blame == Blame::World {
                        return Err(StepError::Taken {
                            what: format!("whether `{name}` is ready cannot be seen from here: {why}"),
                            hint: "run it as root on the host, or in a container as `docs/hosts.md` shows".to_owned(),
                        });
                    }
                    let deadline = words(service.rollout.healthy_deadline);
                    return Ok(Effect::Failed(
                        self.failure(&detail, format!("`{name}` did not become ready within {deadline}: {why}")).await,
                    ));
                }
                Err(_) => {
                    let at_most = service.probe.as_ref().map_or(Duration::from_secs(1), |probe| probe.start_interval);
                    let left = service.rollout.healthy_deadline.saturating_sub(up_for).max(Duration::from_millis(1));
                    waiter.nudged(pause.min(at_most).min(left)).await;
                    pause = pause.saturating_mul(2).min(at_most);
                }
            }
        }
    }

    /// Waits for the end of a one-shot container; it has failed unless its exit code is 0.
    ///
    /// # Errors
    /// The engine does not answer, or the container was taken away meanwhile.
    pub async fn ended_well(&self, id: &str, name: &str, role: &Role, timeout: Duration) -> Result<Effect, StepError> {
        let seen = self.see_end(id, name, role, timeout).await;
        self.begun.forget(id);
        seen
    }

    async fn see_end(&self, id: &str, name: &str, role: &Role, timeout: Duration) -> Result<Effect, StepError> {
        let mut waiter = self.nudges.about(id);
        let mut uptime = Uptime::default();
        loop {
            let detail = self.look(id, name).await?;
            match &detail.life {
                Life::Exited(0) => return Ok(Effect::Ended),
                Life::Exited(code) => {
                    let summary = format!("{role} failed: `{name}` exited with {code}");
                    return Ok(Effect::Failed(self.failure(&detail, summary).await));
                }
                Life::Created
                | Life::Running
                | Life::Paused
                | Life::Restarting
                | Life::Stopping
                | Life::Removing
                | Life::Dead
                | Life::Unknown(_) => {}
            }
            let left = timeout.saturating_sub(uptime.of(id, detail.started_at, self.begun, self.engine.now()));
            if left.is_zero() {
                let summary = format!("{role} did not end within {}: `{name}` is stopped", words(timeout));
                // Stopped as a step of its own, so that it is known whose doing its end was.
                return Ok(Effect::Failed(self.failure(&detail, summary).await));
            }
            waiter.nudged(left).await;
        }
    }

    pub(super) async fn look(&self, id: &str, name: &str) -> Result<Detail, StepError> {
        let detail = self
            .engine
            .container(id)
            .await
            .map_err(|source| StepError::Engine { doing: format!("look at `{name}`"), source })?;
        detail.ok_or_else(|| StepError::Surprise { what: format!("container `{name}` was taken away") })
    }

    /// What its death means, when it is dead.
    async fn ended(&self, detail: &Detail, service: &DesiredService, restarts_before: u32) -> Option<Effect> {
        let name = &detail.name;
        match &detail.life {
            Life::Exited(0) if service.completes() => Some(Effect::Ended),
            Life::Exited(code) => {
                Some(Effect::Failed(self.failure(detail, format!("`{name}` exited with {code}")).await))
            }
            Life::Restarting | Life::Running if detail.restarts > restarts_before => {
                let summary = match &detail.life {
                    Life::Restarting => format!("`{name}` died and is being restarted"),
                    Life::Running
                    | Life::Created
                    | Life::Paused
                    | Life::Stopping
                    | Life::Exited(_)
                    | Life::Removing
                    | Life::Dead
                    | Life::Unknown(_) => {
                        format!("`{name}` died and was restarted")
                    }
                };
                Some(Effect::Failed(self.failure(detail, summary).await))
            }
            Life::Restarting => {
                Some(Effect::Failed(self.failure(detail, format!("`{name}` died and is being restarted")).await))
            }
            Life::Created
            | Life::Running
            | Life::Paused
            | Life::Stopping
            | Life::Removing
            | Life::Dead
            | Life::Unknown(_) => None,
        }
    }

    /// What is kept of a container that failed: its exit code, and its last words.
    pub async fn failure(&self, detail: &Detail, summary: String) -> Failure {
        let log = self.engine.last_words(&detail.id, LAST_WORDS).await.unwrap_or_default();
        let exit_code = match &detail.life {
            Life::Exited(code) => Some(*code),
            Life::Restarting | Life::Stopping | Life::Removing | Life::Dead => {
                self.engine.last_exit(&detail.id).await.unwrap_or_default().or(detail.exit_code)
            }
            // What runs has no exit code yet, whatever engines say: only one that was restarted has ended before.
            Life::Created | Life::Running | Life::Paused | Life::Unknown(_) if detail.restarts == 0 => None,
            Life::Created | Life::Running | Life::Paused | Life::Unknown(_) => {
                self.engine.last_exit(&detail.id).await.unwrap_or_default()
            }
        };
        let summary = if detail.oom { format!("{summary}, killed for want of memory") } else { summary };
        Failure { summary, exit_code, oom: detail.oom, log }
    }
}

/// Restarts that are no sign of a failed start: those of a container that has been up for long. One that was just
/// started has had none.
fn accepted_restarts(detail: &Detail, up_for: Duration) -> u32 {
    const SETTLED: Duration = Duration::from_secs(60);
    if up_for > SETTLED { detail.restarts } else { 0 }
}

fn words(duration: Duration) -> String {
    format!("{:#}", jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::MAX))
}
