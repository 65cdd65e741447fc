//! Whether an app does its work, from what was observed.

use crate::{
    desired::{Desired, DesiredService},
    observed::{Container, Life, Observed, Readiness},
    plan::cast::Cast,
    show::report::HealthWord,
};

/// The health of an app: that of its worst service. An app without services is complete.
#[must_use]
pub fn of_app(desired: &Desired, observed: &Observed) -> HealthWord {
    desired
        .services
        .values()
        .map(|service| of_service(service, desired, observed))
        .max()
        .unwrap_or(HealthWord::Completed)
}

/// The health of one service: that of the container that serves, which during a rollout is still the old one.
#[must_use]
pub fn of_service(service: &DesiredService, desired: &Desired, observed: &Observed) -> HealthWord {
    let cast = Cast::of(service, desired, observed);
    let members = cast.current.into_iter().chain(cast.others);
    if !service.running {
        return HealthWord::Suspended;
    }
    let health = members.map(|member| of_container(service, member.container)).min().unwrap_or(HealthWord::Missing);
    // Whoever asks for it by its name gets no answer, however well the container is.
    let trouble = observed.front.as_ref().and_then(|front| front.trouble(&service.name, observed.now));
    if trouble.is_some() && health == HealthWord::Healthy { HealthWord::Degraded } else { health }
}

/// True for an exit code of its own making: neither success nor what a signal from outside leaves behind.
fn died(code: i64) -> bool {
    const KILLED: i64 = 137;
    const TERMINATED: i64 = 143;
    !matches!(code, 0 | KILLED | TERMINATED)
}

/// The health of one container.
#[must_use]
pub fn of_container(service: &DesiredService, container: &Container) -> HealthWord {
    match (&container.life, &container.readiness) {
        (Life::Exited(0), _) if service.completes() && !container.stopped => HealthWord::Completed,
        (Life::Running, Readiness::Ready) => HealthWord::Healthy,
        (Life::Running, Readiness::Unproven) | (Life::Created, _) => HealthWord::Progressing,
        (Life::Running, Readiness::Failing | Readiness::Failed(_)) => HealthWord::Degraded,
        (Life::Exited(_) | Life::Stopping | Life::Removing | Life::Dead, Readiness::Failed(_)) => HealthWord::Degraded,
        (Life::Restarting | Life::Paused, _) => HealthWord::Degraded,
        (Life::Exited(code), _) if died(*code) && !container.stopped => HealthWord::Degraded,
        (
            Life::Exited(_) | Life::Stopping | Life::Removing | Life::Dead,
            Readiness::Unproven | Readiness::Ready | Readiness::Failing,
        ) => HealthWord::Missing,
        (Life::Unknown(_), _) => HealthWord::Unknown,
    }
}
