//! Services that are reached through the proxy: every life of a container, every state of its route and certificate.

use crate::{
    draw::{World, app, settled},
    lives::{self, LIVES},
    one::WEB,
    walk::hold,
};
use reconcile::{
    desired::Desired,
    observed::{Certificate, Front, Observed},
    plan::plan,
};
use serde_json::{Value, json};

const TLS: &[&str] = &["off", "internal", "acme"];

const ORDERS: &[&str] = &["start-first", "stop-first"];

/// What may have become of a route since it was right.
const ROUTES: &[&str] = &["right", "absent", "altered", "elsewhere", "outdated", "unseen", "away"];

const CERTIFICATES: &[Option<Certificate>] =
    &[None, Some(Certificate::Due), Some(Certificate::Unshown), Some(Certificate::Awaited), Some(Certificate::Current)];

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
                            ("off", _) => &CERTIFICATES[..1],
                            (_, "right") => CERTIFICATES,
                            _ => &CERTIFICATES[1..2],
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
