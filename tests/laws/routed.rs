//! Services that are reached through the proxy: every life of a container, every state of its route and certificate.

use crate::{
    draw::{World, app, settled},
    law::{Broken, Law, broken, serves},
    lives::{self, LIVES},
    one::WEB,
    walk::hold,
};
use reconcile::{
    desired::{Desired, Order},
    observed::{
        Certificate, Front, Observed, Role,
        front::{Held, Wanted},
    },
    plan::{Step, plan},
};
use serde_json::{Value, json};

const TLS: &[&str] = &["off", "internal", "acme"];

const ORDERS: &[&str] = &["start-first", "stop-first"];

/// What may have become of a route since it was right.
const ROUTES: &[&str] = &["right", "absent", "altered", "elsewhere", "outdated", "unseen", "away"];

/// What is known of its certificate: nothing, or what is held and what is to be had. The first two are what is said
/// where the certificate is not what the world is about.
fn certificates() -> Vec<Option<Certificate>> {
    let first = Certificate { held: Held::Shown, wanted: Wanted::Now };
    let every = [Held::Nothing, Held::Unshown, Held::Shown]
        .into_iter()
        .flat_map(|held| [Wanted::Nothing, Wanted::Now, Wanted::Later].map(|wanted| Certificate { held, wanted }));
    [None, Some(first)].into_iter().chain(every.filter(|it| *it != first).map(Some)).collect()
}

/// Requests go to whoever is ready, and to nobody who is to be stopped while another takes its place.
pub fn keeps_its_route(step: &Step, name: &str, desired: &Desired, observed: &Observed) -> Result<(), Broken> {
    let (Some(front), Some(facts)) = (&observed.front, observed.containers.get(name)) else { return Ok(()) };
    let Role::Service(service) = &facts.role else { return Ok(()) };
    let Some(wanted) = desired.services.get(service) else { return Ok(()) };
    let another = observed.containers.iter().any(|(other, it)| other != name && it.role == facts.role && serves(it));
    let leads = front.routes.get(service).is_some_and(|leading| leading.container == facts.id && leading.leads);
    let drained = wanted.route.as_ref().is_none_or(|route| route.drain.is_zero()) || front.drained.contains(&facts.id);
    if wanted.order == Order::StartFirst && wanted.running && wanted.route.is_some() && another && serves(facts) {
        if leads {
            return broken(Law::KeepsServing, format!("{step}, to which requests are led"));
        }
        if !drained {
            return broken(Law::KeepsServing, format!("{step}, which had no time to answer what was under way"));
        }
    }
    Ok(())
}

/// The app of one service, reached by a name or not.
fn web(order: &str, tls: &str, body: u8, routed: bool) -> Desired {
    let mut service = json!({"image": "app:1", "env": {"VERSION": body.to_string()}});
    match order {
        "start-first" => service["healthcheck"] = json!({"http": {"path": "/", "port": 80}}),
        _ => service["volumes"] = json!(["data:/data"]),
    }
    if routed {
        service["proxy"] = json!({"hosts": ["app.example.com"], "port": 80});
        service["tls"] = json!({"mode": tls});
    }
    let volumes: Value = if order == "stop-first" { json!({"data": {}}) } else { json!({}) };
    app(&json!({"services": {WEB: service}, "volumes": volumes}))
}

fn meet(front: &mut Front, route: &str, certificate: Option<Certificate>) {
    let service = WEB.parse().unwrap();
    match route {
        "absent" => drop(front.routes.remove(&service)),
        "away" => front.away = Some("cannot reach the proxy".to_owned()),
        _ => {
            if let Some(leading) = front.routes.get_mut(&service) {
                match route {
                    "altered" => leading.altered = true,
                    "elsewhere" => leading.leads = false,
                    "outdated" => leading.digest = reconcile::desired::SpecHash::of(&0),
                    "unseen" => leading.seen = false,
                    _ => {}
                }
            }
        }
    }
    front.certificates.extend(certificate.map(|state| (service, state)));
}

fn host(before: &Observed, life: &str, route: &str, certificate: Option<Certificate>) -> Observed {
    let mut observed = before.clone();
    observed.containers.values_mut().for_each(|container| lives::live(container, life));
    // A service that was not reached before has no proxy's word yet.
    meet(observed.front.get_or_insert_default(), route, certificate);
    observed
}

#[test]
fn whatever_became_of_a_route_requests_go_to_who_is_ready_and_nobody_else() {
    let certificates = certificates();
    let mut worlds = Vec::new();
    for order in ORDERS {
        for tls in TLS {
            for (old, new, body) in
                [(true, true, 1), (true, true, 2), (false, true, 2), (true, false, 1), (true, false, 2)]
            {
                let before = settled(&web(order, tls, 1, old));
                let desired = web(order, tls, body, new);
                for life in LIVES {
                    for route in ROUTES {
                        // Each with each would be the same again and again.
                        let certificates = match (*tls, *route) {
                            ("off", _) => &certificates[..1],
                            (_, "right" | "absent") => &certificates[..],
                            _ => &certificates[1..2],
                        };
                        for certificate in certificates {
                            worlds.push(World {
                                title: format!("{order} {tls} {old}→{new} body {body} {life} {route} {certificate:?}"),
                                desired: desired.clone(),
                                observed: host(&before, life, route, *certificate),
                            });
                        }
                    }
                }
            }
        }
    }
    hold(worlds, plan);
}
