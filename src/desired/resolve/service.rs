//! A service: its container's body, and how to get there.

use super::{Resolving, order::order, route};
use crate::{
    desired::{Dependency, DesiredService, Probe, ProbeKind, Rollout, names},
    manifest::{Healthcheck, HttpCheck, OrderChoice, Service},
    value::{Duration, ServiceName},
};

/// How long a container without a probe must have been up before it counts as ready.
const UP_WITHOUT_PROBE: Duration = Duration::from_secs(5);

impl Resolving<'_> {
    pub(super) fn service(&self, name: &ServiceName, service: &Service) -> DesiredService {
        let spec = self.body(name, service);
        let spec_hash = spec.hash();
        let pinned = service.container_name.as_ref().map(|name| name.as_str().to_owned());
        let probe = service.healthcheck.as_ref().and_then(probe);
        let depends_on = service.depends_on.0.iter().map(|(other, dependency)| {
            let dependency = Dependency {
                condition: dependency.condition,
                required: dependency.required,
                restart: dependency.restart,
            };
            (other.clone(), dependency)
        });
        DesiredService {
            name: name.clone(),
            container_name: pinned.unwrap_or_else(|| names::container(self.environment, self.app, name, &spec_hash)),
            spec_hash,
            spec,
            pull: service.pull_policy,
            pinned_image: self.context.pins.get(name).cloned(),
            pinned_source: None,
            running: service.scale > 0,
            order: order(service),
            depends_on: depends_on.collect(),
            rollout: rollout(service, probe.is_some()),
            probe,
            internal_only: service.internal_only,
            closed: service.internal_only,
            secrets: self.used_secrets(name, service),
            route: route::route(service),
            insists: service.rollout.order == OrderChoice::StartFirst,
            said: None,
        }
    }
}

fn rollout(service: &Service, has_probe: bool) -> Rollout {
    let least = if has_probe { Duration::default() } else { UP_WITHOUT_PROBE };
    Rollout {
        healthy_deadline: service.rollout.healthy_deadline.into(),
        min_healthy_time: service.rollout.min_healthy_time.unwrap_or(least).into(),
        on_failure: service.rollout.on_failure.into(),
    }
}

fn probe(check: &Healthcheck) -> Option<Probe> {
    let kind = match (&check.http, &check.tcp, check.engine_test()) {
        (Some(http), _, _) => http_probe(http),
        (None, Some(tcp), _) => ProbeKind::Tcp { port: tcp.port },
        (None, None, Some(_)) => ProbeKind::Engine,
        (None, None, None) => return None,
    };
    Some(Probe {
        kind,
        interval: check.interval.into(),
        timeout: check.timeout.into(),
        retries: check.retries,
        start_period: check.start_period.into(),
        start_interval: check.start_interval.into(),
    })
}

fn http_probe(http: &HttpCheck) -> ProbeKind {
    ProbeKind::Http {
        path: http.path.to_string(),
        port: http.port,
        scheme: http.scheme,
        host: http.host.as_ref().map(ToString::to_string),
        status: (http.status.first, http.status.last),
    }
}
