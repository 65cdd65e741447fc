//! The way of requests to a service: switched when the next container is ready, seen, and only then is the one before
//! let go.

use super::{
    cast::Cast,
    change::{Action, Cause, Change, FieldChange, Interruption, Resource},
    delivery,
    draft::Draft,
    fields,
    graph::StepId,
    step::Step,
};
use crate::{
    blame::Blame,
    desired::{Desired, DesiredService, Order, Route, SpecHash, route::TlsMode},
    observed::{
        Certificate, Container, Front, Leading, Observed, Role,
        front::{Held, Wanted},
    },
    value::ServiceName,
};

/// How the way to a service is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Astray {
    /// There is none.
    Absent,
    /// It is what an earlier manifest said.
    Outdated,
    /// It asks for the users of before.
    OtherUsers,
    /// It leads to another container, or to where this one was before.
    Elsewhere,
    /// Somebody changed what the proxy was given.
    Altered,
}

/// Whether, and how, the way is not as it should be.
fn astray(
    service: &DesiredService,
    route: &Route,
    leading: Option<&Leading>,
    container: Option<&Container>,
) -> Option<Astray> {
    let Some(leading) = leading else { return Some(Astray::Absent) };
    let there = container.is_some_and(|container| container.id == leading.container);
    if leading.digest != SpecHash::of(route) {
        Some(Astray::Outdated)
    } else if service.users().is_some_and(|users| leading.users.as_ref() != Some(users)) {
        Some(Astray::OtherUsers)
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
        let astray = astray(service, route, leading, current);
        self.changes.extend(astray.and_then(|astray| change(service, astray, cast, desired, observed)));
        let left_alone = astray == Some(Astray::Altered) && !desired.sync.self_heal;
        let is_routed = restarts || astray.is_some() && !left_alone;
        let certified = self.certify_before(service, route, front, is_routed);
        let (role, name) = (role.clone(), container.to_owned());
        let route_step = is_routed.then(|| {
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
        self.show_certificate(service, route, front, (certified, last), is_routed);
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

    /// None where the manifest asks by name for two side by side, and the proxy would not lead to the one that is ready.
    pub fn speak_with_one_voice(&mut self, cast: &Cast<'_>) -> Option<()> {
        if !cast.insists_in_vain() {
            return Some(());
        }
        let name = &cast.service.name;
        let why = match cast.service.order {
            Order::StopFirst => "this host's proxy leads to a container as soon as it starts, ready or not",
            Order::StartFirst => {
                "its containers would tell the proxy different things side by side: which of them counts is chance"
            }
        };
        let hint = "leave `rollout.order` out: the one before is stopped first where that is so";
        let message = format!("`{name}` asks for `order: start-first`, and {why}");
        self.obstruct(name, Blame::World, message, Some(hint.to_owned()));
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
            if front.listens {
                // It is led to as long as it runs, and what guards the way goes after it.
                self.graph.after(gone, ends);
                continue;
            }
            for end in ends {
                self.graph.after(end, [gone]);
            }
        }
    }

    fn ends(&self, id: StepId, service: &ServiceName) -> bool {
        matches!(self.graph.step(id), Step::Stop { role: Role::Service(name), .. } if name == service)
    }

    /// A certificate of this host's own is had before anybody asks for it. One that another authority gives needs the
    /// route first, over which it is proved whose the name is: until then one of the host's own stands in for it.
    fn certify_before(
        &mut self,
        service: &DesiredService,
        route: &Route,
        front: &Front,
        is_routed: bool,
    ) -> Option<StepId> {
        let Certificate { held, wanted } = *front.certificates.get(&service.name)?;
        let service = service.name.clone();
        let step = match route.tls.mode {
            TlsMode::Internal | TlsMode::Files { .. } => (wanted == Wanted::Now).then_some(Step::Certify { service }),
            TlsMode::Acme => {
                let is_ordered_at_once = !is_routed && wanted == Wanted::Now;
                (held == Held::Nothing && !is_ordered_at_once).then_some(Step::StandIn { service })
            }
            TlsMode::Upstream | TlsMode::Off => None,
        };
        step.map(|step| self.graph.add(step))
    }

    fn show_certificate(
        &mut self,
        service: &DesiredService,
        route: &Route,
        front: &Front,
        (certified, routed): (Option<StepId>, Option<StepId>),
        is_routed: bool,
    ) {
        let Some(certificate) = front.certificates.get(&service.name) else { return };
        let show = |draft: &mut Self, after: Option<StepId>| {
            let step = draft.graph.add(Step::ShowCertificate { service: service.name.clone() });
            draft.graph.after(step, after.into_iter().chain(routed));
        };
        let is_unshown = certified.is_some() || certificate.held == Held::Unshown;
        let is_ordered = route.tls.mode == TlsMode::Acme && certificate.wanted == Wanted::Now;
        if is_ordered {
            let order = self.graph.add(Step::Certify { service: service.name.clone() });
            self.graph.after(order, routed);
            show(self, Some(order));
        } else if is_unshown && !is_routed {
            show(self, certified);
        }
        if is_ordered || certified.is_some() || certificate.held == Held::Unshown && !is_routed {
            self.changes.push(certificate_change(&service.name));
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
    let mut declared = declared(service, desired, observed);
    let (action, cause) = match astray {
        Astray::Absent if declared.is_empty() && observed.applied.manifest.is_some() => (Action::Create, Cause::Drift),
        Astray::Absent => (Action::Create, wanted),
        Astray::Outdated => (Action::Update, wanted),
        Astray::OtherUsers => (Action::Update, Cause::Secret),
        Astray::Elsewhere if cast.current.is_none() || !cast.others.is_empty() => return None,
        Astray::Elsewhere | Astray::Altered => (Action::Repair, Cause::Drift),
    };
    if astray == Astray::OtherUsers {
        let before = observed.front.as_ref().and_then(|front| front.routes.get(&service.name)?.users.as_ref());
        let secret = service.route.as_ref().and_then(|route| route.basic_auth.as_ref());
        declared.extend(secret.map(|secret| delivery::field(secret.as_str(), before, service.users())));
    }
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
pub fn declared(service: &DesiredService, desired: &Desired, observed: &Observed) -> Vec<FieldChange> {
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
