//! Whether containers that were just started are well, and stay so.

use super::copies::PORTER;
use crate::{
    backup::{User, restore::Health},
    desired::{Desired, label, spec::Network},
    engine::Engine,
    observe::readiness,
    observed::{Life, Role},
};
use futures_util::{FutureExt, future::BoxFuture};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Looks at containers until they are well, or have had their time.
pub struct Looking<'a, E> {
    pub engine: &'a E,
    pub runs_healthchecks: bool,
    pub desired: &'a Desired,
}

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// For so long it has to be well at every look: what dies soon was well before.
const STEADY: Duration = Duration::from_secs(3);

impl<E: Engine> Looking<'_, E> {
    async fn is_well(&self, user: &User) -> Result<(), String> {
        let (begun, mut since, mut restarts) = (Instant::now(), None, None);
        loop {
            match self.look(user, &mut restarts).await? {
                Ok(steady) => {
                    let since = *since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= steady {
                        return Ok(());
                    }
                }
                Err((why, patience)) if begun.elapsed() > patience => {
                    return Err(format!("`{}`: {why}, after {} s", user.name, patience.as_secs()));
                }
                Err(_) => since = None,
            }
            sleep(PAUSE).await;
        }
    }

    /// Whether it is well now, and for how long it has to be, or why not, and how long it may take; an error where it never will be.
    async fn look(
        &self,
        user: &User,
        before: &mut Option<u32>,
    ) -> Result<Result<Duration, (String, Duration)>, String> {
        let seen = self.engine.container(&user.id).await.map_err(|error| error.to_string())?;
        let Some(detail) = seen else { return Err(format!("`{}` is gone", user.name)) };
        let before = *before.get_or_insert(detail.restarts);
        if detail.life != Life::Running || detail.restarts > before {
            let code = detail.exit_code.map(|code| format!(" (exit code {code})")).unwrap_or_default();
            return Err(format!("`{}` died{code}", user.name));
        }
        let service = match label::role(&detail.labels) {
            Some(Role::Service(name)) => self.desired.services.get(&name),
            Some(Role::Job(_)) | None => None,
        };
        let probe = service.and_then(|service| service.probe.as_ref());
        let network = service.map_or(&Network::None, |service| &service.spec.network);
        // One that stands in for it for a drill has none.
        let network = if detail.labels.contains_key(PORTER) { &Network::None } else { network };
        let asked = readiness::passes(self.engine, self.runs_healthchecks, probe, network, &detail).await;
        let steady = service.map_or(STEADY, |service| service.rollout.min_healthy_time.max(STEADY));
        let patience = service.map_or(STEADY, |service| service.rollout.healthy_deadline);
        // An engine that is slow to tell has not said that it is not well.
        Ok(match asked {
            Ok(asked) => asked.map(|()| steady).map_err(|unready| (unready.why, patience)),
            Err(error) => Err((error.to_string(), patience)),
        })
    }
}

impl<E: Engine> Health for Looking<'_, E> {
    fn are_well<'a>(&'a self, started: &'a [User]) -> BoxFuture<'a, Result<(), String>> {
        async move {
            for user in started {
                self.is_well(user).await?;
            }
            Ok(())
        }
        .boxed()
    }
}
