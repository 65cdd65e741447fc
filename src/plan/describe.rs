//! Says what is different about a service, and why.

use super::{
    cast::{Cast, Member, Mismatch, limits},
    change::{Action, Cause, Change, FieldChange, Interruption, Resource},
    delivery::{self, InPlace},
    fields, route,
};
use crate::{
    desired::{Desired, DesiredService, Order, spec::Network},
    observed::{Container, Life, Observed, Readiness},
};

/// What is different about a service; nothing when it is as it should be.
#[must_use]
pub fn service(cast: &Cast<'_>, desired: &Desired, observed: &Observed) -> Option<Change> {
    let Difference { action, cause, fields } = difference(cast, desired, observed)?;
    let replaces = action == Action::Replace;
    Some(Change {
        resource: Resource::Service(cast.service.name.clone()),
        action,
        cause,
        order: replaces.then_some(cast.order),
        interruption: interruption(cast, action),
        fields,
    })
}

struct Difference {
    action: Action,
    cause: Cause,
    fields: Vec<FieldChange>,
}

fn difference(cast: &Cast<'_>, desired: &Desired, observed: &Observed) -> Option<Difference> {
    let service = cast.service;
    let declared = declared_fields(service, desired, observed);
    let wanted = if observed.applied.rollback { Cause::Rollback } else { Cause::Commit };
    if !service.running {
        let up = cast.current.is_some_and(|member| member.container.life.is_up());
        let action = if cast.others.is_empty() { Action::Update } else { Action::Replace };
        return (up || !cast.others.is_empty() || !declared.is_empty()).then_some(Difference {
            action,
            cause: wanted,
            fields: declared,
        });
    }
    if let Some(mismatch) = cast.mismatch(desired, observed) {
        let mut declared = declared;
        // Where the proxy listens, its container says its route.
        if observed.front.as_ref().is_some_and(|front| front.listens) {
            declared.extend(route::declared(service, desired, observed));
        }
        let (cause, fields) = explain(mismatch, cast, declared, wanted, (desired, observed));
        return Some(Difference { action: Action::Replace, cause, fields });
    }
    let Some(current) = cast.current else {
        let (cause, fields) = if observed.applied.manifest.is_some() && declared.is_empty() {
            (Cause::Drift, vec![field(service, "container", None, Some(&service.container_name))])
        } else {
            (wanted, declared)
        };
        return Some(Difference { action: Action::Create, cause, fields });
    };
    if current.container.life == Life::Created {
        return Some(Difference { action: Action::Create, cause: wanted, fields: declared });
    }
    if !declared.is_empty() {
        return Some(Difference { action: Action::Update, cause: wanted, fields: declared });
    }
    let InPlace { rotated, drifted } = delivery::in_place(service, current, desired, observed);
    if !rotated.is_empty() {
        return Some(Difference { action: Action::Update, cause: Cause::Secret, fields: rotated });
    }
    let mut drift = drift_in_place(service, current, observed);
    drift.extend(drifted);
    if drift.is_empty() {
        return None;
    }
    // Who was taken off a network that the manifest changed is put back for the same reason.
    if stands_on_new_ground(service, desired, observed) {
        return Some(Difference { action: Action::Update, cause: wanted, fields: drift });
    }
    Some(Difference { action: Action::Repair, cause: Cause::Drift, fields: drift })
}

fn stands_on_new_ground(service: &DesiredService, desired: &Desired, observed: &Observed) -> bool {
    let Network::Networks(networks) = &service.spec.network else { return false };
    observed.applied.manifest.is_some()
        && networks
            .keys()
            .filter_map(|name| desired.networks.get(name))
            .any(|network| !super::network::declared_anew(network, desired, observed).is_empty())
}

/// Fields of the service in which the manifest differs from the one in force.
fn declared_fields(service: &DesiredService, desired: &Desired, observed: &Observed) -> Vec<FieldChange> {
    let Some(applied) = &observed.applied.manifest else { return Vec::new() };
    let of = |manifest: &serde_json::Value| {
        let mut said = manifest.get("services")?.get(service.name.as_str())?.clone();
        if let Some(said) = said.as_object_mut() {
            said.retain(|section, _| !route::SECTIONS.contains(&section.as_str()));
        }
        Some(said)
    };
    let mut fields =
        fields::between(&format!("services.{}", service.name), of(applied).as_ref(), of(&desired.manifest).as_ref());
    fields.extend(declared_configs(service, applied, &desired.manifest));
    fields
}

/// Contents of the service's configs in which the two differ.
fn declared_configs(
    service: &DesiredService,
    before: &serde_json::Value,
    after: &serde_json::Value,
) -> Vec<FieldChange> {
    let used = after["services"][service.name.as_str()]["configs"].as_array().into_iter().flatten();
    let names = used.filter_map(|item| item.as_str().or_else(|| item["source"].as_str()));
    let of = |manifest: &serde_json::Value, name: &str| {
        manifest.get("configs").and_then(|configs| configs.get(name)).and_then(|config| config.get("content")).cloned()
    };
    names
        .flat_map(|name| {
            fields::between(&format!("configs.{name}.content"), of(before, name).as_ref(), of(after, name).as_ref())
        })
        .collect()
}

fn explain(
    mismatch: Mismatch,
    cast: &Cast<'_>,
    declared: Vec<FieldChange>,
    wanted: Cause,
    (desired, observed): (&Desired, &Observed),
) -> (Cause, Vec<FieldChange>) {
    if !declared.is_empty() {
        return (wanted, declared);
    }
    match mismatch {
        Mismatch::Asked => (Cause::Manual, Vec::new()),
        Mismatch::Image => (image_cause(wanted), vec![image_field(cast)]),
        Mismatch::Secret(fields) => (Cause::Secret, fields),
        Mismatch::Body if !other_secrets(cast, desired).is_empty() => (Cause::Secret, other_secrets(cast, desired)),
        Mismatch::Drift(fields) | Mismatch::Limits(fields) => (Cause::Drift, fields),
        // With a manifest in force that says the same, an older body is what somebody, or a crash, left behind.
        Mismatch::Body | Mismatch::Dying | Mismatch::Namespace
            if observed.applied.manifest.is_some() && wanted == Cause::Commit =>
        {
            (
                Cause::Drift,
                vec![field(cast.service, "container", newest_name(cast), Some(&cast.service.container_name))],
            )
        }
        Mismatch::Body | Mismatch::Dying | Mismatch::Namespace => (wanted, Vec::new()),
    }
}

fn image_cause(wanted: Cause) -> Cause {
    if wanted == Cause::Rollback { Cause::Rollback } else { Cause::Image }
}

fn image_field(cast: &Cast<'_>) -> FieldChange {
    let reference = &cast.service.spec.image;
    let with = |id: &str| format!("{reference} ({})", id.trim_start_matches("sha256:").get(..12).unwrap_or(id));
    FieldChange {
        path: format!("services.{}.image", cast.service.name),
        before: cast
            .others
            .iter()
            .max_by_key(|member| member.container.created_at)
            .map(|member| with(&member.container.image_id)),
        after: cast.image_id.map(with),
    }
}

/// The secrets that changed since the newest of the earlier containers was made, where nothing else did.
fn other_secrets(cast: &Cast<'_>, desired: &Desired) -> Vec<FieldChange> {
    let newest = cast.others.iter().max_by_key(|member| member.container.created_at);
    newest.map(|member| delivery::changed_at_all(cast.service, member.container, desired)).unwrap_or_default()
}

fn newest_name<'a>(cast: &Cast<'a>) -> Option<&'a str> {
    cast.others.iter().max_by_key(|member| member.container.created_at).map(|member| member.name)
}

/// What somebody changed about the current container that can be put right in place.
fn drift_in_place(service: &DesiredService, current: Member<'_>, observed: &Observed) -> Vec<FieldChange> {
    let mut fields = Vec::new();
    if let Some(life) = idle(service, current.container) {
        fields.push(field(service, "state", Some(&life), Some("running")));
    }
    if current.name != service.container_name {
        fields.push(field(service, "container_name", Some(current.name), Some(&service.container_name)));
    }
    fields.extend(limits(service, current.container));
    if let Network::Networks(wanted) = &service.spec.network {
        for (network, aliases) in wanted {
            match current.container.endpoints.get(network) {
                None => fields.push(field(service, &format!("networks.{network}"), None, Some("connected"))),
                Some(endpoint) if !aliases.is_subset(&endpoint.aliases) => {
                    let list = |names: &std::collections::BTreeSet<String>| {
                        names.iter().cloned().collect::<Vec<_>>().join(", ")
                    };
                    fields.push(field(
                        service,
                        &format!("networks.{network}.aliases"),
                        Some(&list(&endpoint.aliases)),
                        Some(&list(aliases)),
                    ));
                }
                Some(endpoint) if super::network::is_stale(network, endpoint, observed) => {
                    fields.push(field(
                        service,
                        &format!("networks.{network}"),
                        Some("another network of this name"),
                        Some("connected"),
                    ));
                }
                Some(_) => {}
            }
        }
        for network in current.container.endpoints.keys().filter(|it| !wanted.contains_key(*it) && !service.joins(it)) {
            fields.push(field(service, &format!("networks.{network}"), Some("connected"), None));
        }
    }
    fields
}

/// The state of a container that should run and does not, in words.
#[must_use]
pub fn idle(service: &DesiredService, container: &Container) -> Option<String> {
    match &container.life {
        Life::Exited(0) if service.completes() && !container.stopped => None,
        Life::Exited(code) => Some(format!("exited ({code})")),
        Life::Paused => Some("paused".to_owned()),
        Life::Stopping => Some("stopping".to_owned()),
        Life::Created | Life::Running | Life::Restarting | Life::Removing | Life::Dead | Life::Unknown(_) => None,
    }
}

fn field(service: &DesiredService, name: &str, before: Option<&str>, after: Option<&str>) -> FieldChange {
    FieldChange {
        path: format!("services.{}.{name}", service.name),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    }
}

fn interruption(cast: &Cast<'_>, action: Action) -> Interruption {
    match action {
        Action::Create | Action::Run => Interruption::None,
        Action::Delete => Interruption::Stopped,
        Action::Update | Action::Repair if !cast.service.running => Interruption::Stopped,
        Action::Update | Action::Repair => Interruption::None,
        Action::Replace if !cast.service.running => Interruption::Stopped,
        Action::Replace => {
            let serving = cast.others.iter().any(|member| member.container.life.is_up());
            let proved = cast.current.is_some_and(|member| member.container.readiness == Readiness::Ready);
            match cast.order {
                Order::StopFirst if serving && !proved => Interruption::Brief,
                Order::StopFirst | Order::StartFirst => Interruption::None,
            }
        }
    }
}
