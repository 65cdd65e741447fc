//! Asks those that were ready whether they still are.

use crate::{
    blame::Blame,
    desired::{Desired, Probe, ProbeKind, spec::Network},
    engine::{Answer, Detail, Engine, view::Health},
    observed::{Life, Observed, Readiness, Role},
    probe::{self, Target},
};
use futures_util::{StreamExt, stream};
use std::{collections::BTreeMap, sync::Arc};

/// Probes at once.
const SIDE_BY_SIDE: usize = 16;

/// Marks containers `Failing` whose probe does not pass now. A probe that does not apply leaves them as they are.
pub async fn ask_again<E: Engine>(
    engine: &E,
    runs_healthchecks: bool,
    desired: &Desired,
    observed: &mut Observed,
    details: &BTreeMap<String, Arc<Detail>>,
) {
    let asked: Vec<_> = observed
        .containers
        .iter()
        .filter(|(_, container)| container.life == Life::Running && container.readiness == Readiness::Ready)
        .filter_map(|(name, container)| {
            let Role::Service(service) = &container.role else { return None };
            let service = desired.services.get(service)?;
            let (name, detail) = (name.clone(), details.get(&container.id)?);
            Some(async move {
                let network = &service.spec.network;
                let passes = passes(engine, runs_healthchecks, service.probe.as_ref(), network, detail).await;
                // Where nobody can tell, the container stays what it was.
                let fails = |passes: Result<(), Unready>| passes.is_err_and(|found| found.blame == Blame::Revision);
                passes.is_ok_and(fails).then_some(name)
            })
        })
        .collect();
    let failing: Vec<String> =
        stream::iter(asked).buffer_unordered(SIDE_BY_SIDE).filter_map(|name| async move { name }).collect().await;
    for name in failing {
        if let Some(container) = observed.containers.get_mut(&name) {
            container.readiness = Readiness::Failing;
        }
    }
}

/// Why a container is not seen ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unready {
    pub why: String,
    /// The world's where nobody can tell from here.
    pub blame: Blame,
}

impl Unready {
    /// The container says so itself.
    #[must_use]
    pub fn by_itself(why: &str) -> Self {
        Self { why: why.to_owned(), blame: Blame::Revision }
    }
}

/// Whether a running container passes its probe now, and if not, why.
///
/// # Errors
/// The engine does not answer.
pub async fn passes<E: Engine>(
    engine: &E,
    runs_healthchecks: bool,
    probe: Option<&Probe>,
    network: &Network,
    detail: &Detail,
) -> Answer<Result<(), Unready>> {
    match probe {
        Some(probe @ Probe { kind: ProbeKind::Http { .. } | ProbeKind::Tcp { .. }, .. }) => {
            let asked = probe::ask(probe, &target(network, detail)).await;
            Ok(asked.map_err(|failure| Unready { blame: failure.blame(), why: failure.to_string() }))
        }
        Some(Probe { kind: ProbeKind::Engine, .. }) | None => by_engine(engine, runs_healthchecks, detail).await,
    }
}

/// The engine's own check, run by us where the engine's timers need systemd.
async fn by_engine<E: Engine>(engine: &E, runs_healthchecks: bool, detail: &Detail) -> Answer<Result<(), Unready>> {
    let unready = |why: &str| Err(Unready::by_itself(why));
    match detail.health {
        None => Ok(Ok(())),
        Some(_) if !runs_healthchecks => {
            let passed = engine.run_healthcheck(&detail.id).await?;
            Ok(if passed { Ok(()) } else { unready("its health check fails") })
        }
        Some(Health::Healthy) => Ok(Ok(())),
        Some(Health::Starting) => Ok(unready("its health check has not passed yet")),
        Some(Health::Unhealthy) => Ok(unready("its health check fails")),
    }
}

/// Where a container is asked.
#[must_use]
pub fn target(network: &Network, detail: &Detail) -> Target {
    Target {
        addresses: detail.endpoints.values().filter_map(|endpoint| endpoint.address).collect(),
        pid: detail.pid,
        host_network: *network == Network::Host,
    }
}
