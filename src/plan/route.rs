//! The way of requests to a service: switched when the next container is ready, seen, and only then is the one before
//! let go.

use super::{
    cast::Cast,
    change::{Action, Cause, Change, FieldChange, Interruption, Resource},
    draft::Draft,
    fields,
    graph::StepId,
    step::Step,
};
use crate::{
    blame::Blame,
    desired::{Desired, DesiredService, Route, SpecHash, route::TlsMode},
    observed::{Certificate, Container, Front, Leading, Observed, Role},
    value::ServiceName,
};

/// How the way to a service is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Astray {
    /// There is none.
    Absent,
    /// It is what an earlier manifest said.
    Outdated,
    /// It leads to another container, or to where this one was before.
    Elsewhere,
    /// Somebody changed what the proxy was given.
    Altered,
}

/// Whether, and how, the way is not as it should be.
fn astray(route: &Route, leading: Option<&Leading>, container: Option<&Container>) -> Option<Astray> {
    let Some(leading) = leading else { return Some(Astray::Absent) };
    let there = container.is_some_and(|container| container.id == leading.container);
    if leading.digest != SpecHash::of(route) {
        Some(Astray::Outdated)
    } else if !there || !leading.leads {
        Some(Astray::Elsewhere)
    } else {
        leading.altered.then_some(Astray::Altered)
    }
}

impl Draft<'_> {
    /// Lays the way of requests to the container that carries on: after `ready`, and always where it is started again,
    /// since it may be found elsewhere then. The last step of it.
    pub fn lead(
        &mut self,
        cast: &Cast<'_>,
        container: &str,
        role: &Role,
        ready: &[StepId],
        restarts: bool,
    ) -> Option<StepId> {
        let (desired, observed) = (self.desired, self.observed);
        let service = cast.service;
        let (front, route) = observed.front.as_ref().zip(service.route.as_ref())?;
        if front.away.is_some() {
            return None;
        }
        let leading = front.routes.get(&service.name);
        let current = cast.current.map(|member| member.container);
        let astray = astray(route, leading, current);
        self.changes.extend(astray.and_then(|astray| change(service, astray, cast, desired, observed)));
        let left_alone = astray == Some(Astray::Altered) && !desired.sync.self_heal;
        let certified = self.certify_before(service, route, front);
        let (role, name) = (role.clone(), container.to_owned());
        let route_step = (restarts || astray.is_some() && !left_alone).then(|| {
            let step = self.graph.add(Step::Route { container: name.clone(), role: role.clone() });
            self.graph.after(step, ready.iter().copied().chain(certified));
            step
        });
        let is_seen = route_step.is_none() && leading.is_none_or(|leading| leading.seen);
        let seen = (!is_seen).then(|| {
            let step = self.graph.add(Step::SeeRouted { container: name, role });
            self.graph.after(step, route_step.into_iter().chain(ready.iter().copied()));
            step
        });
        let last = seen.or(route_step);
        self.show_certificate(service, route, front, (certified, last), route_step.is_some());
        last
    }

    /// None where requests would have to go another way, and the proxy is away: what serves goes on serving.
    pub fn reach_the_proxy(&mut self, cast: &Cast<'_>) -> Option<()> {
        let away = self.observed.front.as_ref().and_then(|front| front.away.as_ref());
        let Some(why) = away.filter(|_| cast.service.route.is_some()) else { return Some(()) };
        if cast.current.is_some() && cast.others.is_empty() {
            return Some(());
        }
        let hint = "see that the proxy runs, and what the host file says of it: it is tried again".to_owned();
        self.obstruct(&cast.service.name, Blame::World, why.clone(), Some(hint));
        None
    }

    /// Lays the time in which a container answers what was under way when requests went to the next.
    pub fn drain(
        &mut self,
        service: &DesiredService,
        name: &str,
        container: &Container,
        routed: Option<StepId>,
    ) -> Option<StepId> {
        let front = self.observed.front.as_ref()?;
        let drain = service.route.as_ref()?.drain;
        let is_due = container.life.is_up() && !drain.is_zero() && !front.drained.contains(&container.id);
        is_due.then(|| {
            let step = self.graph.add(Step::Drain { container: name.to_owned(), role: container.role.clone() });
            self.graph.after(step, routed);
            step
        })
    }

    /// Takes the routes away that nobody wants any more; whoever answered there is stopped after it.
    pub fn take_routes_away(&mut self) {
        let (desired, observed) = (self.desired, self.observed);
        let Some(front) = &observed.front else { return };
        let wanted = |name: &ServiceName| {
            desired.services.get(name).is_some_and(|service| service.running && service.route.is_some())
        };
        for service in front.routes.keys().filter(|name| !wanted(name)) {
            let is_there = desired.services.contains_key(service);
            self.changes.push(Change {
                resource: Resource::Route(service.clone()),
                action: Action::Delete,
                cause: if observed.applied.rollback { Cause::Rollback } else { Cause::Commit },
                order: None,
                interruption: Interruption::Stopped,
                fields: Vec::new(),
            });
            if !is_there && !desired.sync.prune {
                continue;
            }
            let gone = self.graph.add(Step::Unroute { service: service.clone() });
            let ends: Vec<StepId> = self.graph.ids().filter(|id| self.ends(*id, service)).collect();
            for end in ends {
                self.graph.after(end, [gone]);
            }
        }
    }

    fn ends(&self, id: StepId, service: &ServiceName) -> bool {
        matches!(self.graph.step(id), Step::Stop { role: Role::Service(name), .. } if name == service)
    }

    /// A certificate of this host's own is had before anybody asks for it; one that another authority gives needs the
    /// route first, over which it is proved whose the name is.
    fn certify_before(&mut self, service: &DesiredService, route: &Route, front: &Front) -> Option<StepId> {
        let is_own = match route.tls.mode {
            TlsMode::Internal | TlsMode::Files { .. } => true,
            TlsMode::Acme | TlsMode::Upstream | TlsMode::Off => false,
        };
        let is_due = front.certificates.get(&service.name) == Some(&Certificate::Due);
        (is_own && is_due).then(|| self.graph.add(Step::Certify { service: service.name.clone() }))
    }

    fn show_certificate(
        &mut self,
        service: &DesiredService,
        route: &Route,
        front: &Front,
        (certified, routed): (Option<StepId>, Option<StepId>),
        is_routed: bool,
    ) {
        let certificate = front.certificates.get(&service.name);
        let ordered = (route.tls.mode == TlsMode::Acme && certificate == Some(&Certificate::Due)).then(|| {
            let order = self.graph.add(Step::Certify { service: service.name.clone() });
            self.graph.after(order, routed);
            order
        });
        let is_shown_by_route = is_routed && ordered.is_none();
        let comes = certified.or(ordered);
        if comes.is_some() || certificate == Some(&Certificate::Unshown) {
            self.changes.push(certificate_change(&service.name));
            if !is_shown_by_route {
                let show = self.graph.add(Step::ShowCertificate { service: service.name.clone() });
                self.graph.after(show, comes.into_iter().chain(routed));
            }
        }
    }
}

fn certificate_change(service: &ServiceName) -> Change {
    Change {
        resource: Resource::Certificate(service.clone()),
        action: Action::Update,
        cause: Cause::Drift,
        order: None,
        interruption: Interruption::None,
        fields: Vec::new(),
    }
}

/// What is told of a way that is astray; nothing where it follows a container that changes for a reason of its own.
fn change(
    service: &DesiredService,
    astray: Astray,
    cast: &Cast<'_>,
    desired: &Desired,
    observed: &Observed,
) -> Option<Change> {
    let wanted = if observed.applied.rollback { Cause::Rollback } else { Cause::Commit };
    let declared = declared(service, desired, observed);
    let (action, cause) = match astray {
        Astray::Absent if declared.is_empty() && observed.applied.manifest.is_some() => (Action::Create, Cause::Drift),
        Astray::Absent => (Action::Create, wanted),
        Astray::Outdated => (Action::Update, wanted),
        Astray::Elsewhere if cast.current.is_none() || !cast.others.is_empty() => return None,
        Astray::Elsewhere | Astray::Altered => (Action::Repair, Cause::Drift),
    };
    Some(Change {
        resource: Resource::Route(service.name.clone()),
        action,
        cause,
        order: None,
        interruption: Interruption::None,
        fields: declared,
    })
}

/// The sections of a service that are about its way, and are no part of its container.
pub const SECTIONS: [&str; 2] = ["proxy", "tls"];

/// Fields of the way in which the manifest differs from the one in force.
fn declared(service: &DesiredService, desired: &Desired, observed: &Observed) -> Vec<FieldChange> {
    let Some(applied) = &observed.applied.manifest else { return Vec::new() };
    let of = |manifest: &serde_json::Value, section: &str| {
        manifest.get("services").and_then(|all| all.get(service.name.as_str())).and_then(|it| it.get(section)).cloned()
    };
    let between = |section: &&str| {
        let path = format!("services.{}.{section}", service.name);
        fields::between(&path, of(applied, section).as_ref(), of(&desired.manifest, section).as_ref())
    };
    SECTIONS.iter().flat_map(between).collect()
}
