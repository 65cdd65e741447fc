//! Remembers what was seen: accepted containers, jobs that ran.

use super::{Host, aim::Aim};
use crate::{
    engine::{Detail, Engine},
    observe::Look,
    observed::{Container, Life, Observed, Readiness, Role},
    plan::job,
    record::{Learned, RecordError},
};
use std::{collections::BTreeSet, sync::Arc};

/// Records what the containers look like that were seen ready, and the jobs that have run. `after` is a look from after
/// the last step.
///
/// # Errors
/// The record cannot be written.
pub async fn learn<E: Engine>(host: &Host<E>, aim: &Aim, before: &Observed, after: &Look) -> Result<(), RecordError> {
    let (environment, app) = (&aim.desired.environment, &aim.desired.app);
    let version = host.hands.engine_version();
    for container in before.containers.values() {
        let Some(detail) = after.containers.get(&container.id) else { continue };
        let Role::Service(service) = &container.role else { continue };
        let known = aim.observed.applied.baselines.get(&container.id);
        let same_run =
            known.is_some_and(|baseline| baseline.started_at == detail.started_at && baseline.projection.is_some());
        if container.readiness == Readiness::Ready && over_or_running(&detail.life) && !same_run {
            let secret = aim.desired.body_of(&container.role).into_iter().flat_map(|body| body.secret_env.keys());
            let learned = Learned {
                service: service.clone(),
                started_at: detail.started_at,
                projection: detail.projection.clone().without_values(secret),
                engine_version: version.clone(),
            };
            host.ledger.learn(environment, app, &container.id, learned).await?;
        }
    }
    for (name, key) in before.applied.jobs_done.difference(&aim.observed.applied.jobs_done) {
        host.ledger.job_done(environment, app, name, key, after.now).await?;
    }
    for wanted in aim.desired.jobs.values() {
        let ended_well = |container: &&Container| container.life == Life::Exited(0) && !container.stopped;
        if let Some(container) = before.containers.get(&wanted.container_name).filter(ended_well) {
            let key = job::key(wanted, &container.image_id);
            if !before.applied.jobs_done.contains(&(wanted.name.clone(), key.clone())) {
                host.ledger.job_done(environment, app, &wanted.name, &key, after.now).await?;
            }
        }
    }
    let applied = &aim.observed.applied;
    for (id, started_at) in &applied.stopped {
        // The tool set out to stop it and never did: when it ends, that will be its own end.
        let outlived = |detail: &&Arc<Detail>| detail.life.is_up() && detail.started_at == *started_at;
        if after.containers.get(id).filter(outlived).is_some() {
            host.ledger.forget_stop(environment, app, id).await?;
        }
    }
    let here: BTreeSet<String> = after.containers.keys().cloned().collect();
    if applied.baselines.keys().chain(applied.stopped.keys()).any(|id| !here.contains(id)) {
        host.ledger.forget_others(environment, app, &here).await?;
    }
    Ok(())
}

fn over_or_running(life: &Life) -> bool {
    match life {
        Life::Running | Life::Exited(_) => true,
        Life::Created
        | Life::Paused
        | Life::Restarting
        | Life::Stopping
        | Life::Removing
        | Life::Dead
        | Life::Unknown(_) => false,
    }
}
