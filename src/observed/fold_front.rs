//! Carries over what was done to the routes of an app.

use super::{
    Certificate, Effect, Leading, Observed, Role,
    fold::fail,
    front::{Held, Wanted},
};
use crate::{
    desired::{Desired, SpecHash},
    value::ServiceName,
};

/// Requests of a route go to this container now.
pub fn route(observed: &mut Observed, desired: &Desired, (container, role): (&str, &Role), effect: &Effect) {
    if let Effect::Failed(failure) = effect {
        return fail(observed, container, failure);
    }
    let Role::Service(service) = role else { return };
    let wanted = desired.services.get(service);
    let users = wanted.and_then(|service| service.users()).cloned();
    let route = wanted.and_then(|service| service.route.as_ref());
    let (Some(route), Some(container)) = (route, id(observed, container)) else { return };
    let digest = SpecHash::of(route);
    let Some(front) = &mut observed.front else { return };
    let leading = Leading { digest, users, container, leads: true, altered: false, seen: false };
    front.routes.insert(service.clone(), leading);
    if let Some(certificate) = front.certificates.get_mut(service).filter(|it| it.held == Held::Unshown) {
        certificate.held = Held::Shown;
    }
}

/// An answer came through the proxy.
pub fn seen(observed: &mut Observed, (container, role): (&str, &Role), effect: &Effect) {
    if let Effect::Failed(failure) = effect {
        return fail(observed, container, failure);
    }
    let Role::Service(service) = role else { return };
    if let Some(leading) = observed.front.as_mut().and_then(|front| front.routes.get_mut(service)) {
        leading.seen = true;
    }
}

/// It had its time.
pub fn drained(observed: &mut Observed, container: &str) {
    if let (Some(id), Some(front)) = (id(observed, container), &mut observed.front) {
        front.drained.insert(id);
    }
}

/// The route is gone.
pub fn unrouted(observed: &mut Observed, service: &ServiceName) {
    if let Some(front) = &mut observed.front {
        front.routes.remove(service);
        front.certificates.remove(service);
    }
}

/// A certificate came, or did not: then it is asked for again in its time.
pub fn certified(observed: &mut Observed, service: &ServiceName, effect: &Effect) {
    let Some(certificate) = certificate(observed, service) else { return };
    match effect {
        Effect::Failed(_) => certificate.wanted = Wanted::Later,
        Effect::Done | Effect::Ready | Effect::Ended | Effect::Pulled(_) | Effect::Made { .. } => {
            *certificate = Certificate { held: Held::Unshown, wanted: Wanted::Nothing };
        }
    }
}

/// There is a certificate to be shown now.
pub fn stood_in(observed: &mut Observed, service: &ServiceName) {
    if let Some(certificate) = certificate(observed, service) {
        certificate.held = Held::Unshown;
    }
}

/// The proxy shows what is held.
pub fn shown(observed: &mut Observed, service: &ServiceName) {
    if let Some(certificate) = certificate(observed, service) {
        certificate.held = Held::Shown;
    }
}

fn certificate<'a>(observed: &'a mut Observed, service: &ServiceName) -> Option<&'a mut Certificate> {
    observed.front.as_mut()?.certificates.get_mut(service)
}

/// A container that is stopped, and then started, is found elsewhere than before.
pub fn leads_nowhere(observed: &mut Observed, container: &str) {
    let Some(id) = id(observed, container) else { return };
    let Some(front) = &mut observed.front else { return };
    for leading in front.routes.values_mut().filter(|leading| leading.container == id) {
        leading.leads = false;
    }
}

fn id(observed: &Observed, container: &str) -> Option<String> {
    observed.containers.get(container).map(|facts| facts.id.clone())
}
