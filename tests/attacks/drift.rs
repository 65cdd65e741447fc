//! Hands on the engine: a service that nobody may reach is closed again, whatever else is said of drift.

use crate::rig::{Rig, app};
use reconcile::{
    desired::{Desired, spec::PublishedPort},
    engine::{NetworkView, model::World, model::faults},
    host,
    observed::Endpoint,
    record::Outcome,
};
use serde_json::json;

/// `inner` is closed by the manifest, `named` by the host; `open` by nobody.
fn three(self_heal: bool) -> Desired {
    app(&json!({
        "services": {
            "inner": {"image": "web:1", "internal_only": true},
            "named": {"image": "web:1"},
            "open": {"image": "web:1"},
        },
        "sync": {"self_heal": self_heal},
    }))
}

async fn rig(drift: &str, desired: &Desired) -> Rig {
    let mut rig = Rig::new();
    let text = format!("drift: {drift}\npolicy: {{never_expose: [app/named]}}\n");
    rig.host_file = host::read("host.yaml", &text).unwrap();
    let report = rig.pass(desired, faults::none()).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
    rig
}

type Hand = fn(&mut World);

/// As a hand does it that makes the container anew with `-p`.
fn publish(world: &mut World) {
    for (place, container) in (0_u16..).zip(world.containers.values_mut()) {
        let port = PublishedPort {
            address: [127, 0, 0, 1].into(),
            host: 18_000 + place,
            container: 80,
            protocol: Default::default(),
        };
        container.spec.ports.insert(port);
    }
}

fn connect(world: &mut World) {
    let network = NetworkView { id: "n".repeat(64), name: "shared".to_owned(), ..NetworkView::default() };
    for container in world.containers.values_mut() {
        let endpoint = Endpoint { network_id: network.id.clone(), ..Endpoint::default() };
        container.endpoints.insert(network.name.clone(), endpoint);
    }
    world.networks.push(network);
}

/// The services that somebody beyond the app's network can reach.
fn reached(rig: &Rig) -> Vec<String> {
    rig.model.by_hand(|world| {
        let exposed = world
            .containers
            .values()
            .filter(|it| it.life.is_up() && (!it.spec.ports.is_empty() || it.endpoints.contains_key("shared")));
        let mut services: Vec<String> = exposed.map(|it| it.labels["reconcile.service"].clone()).collect();
        services.sort();
        services
    })
}

#[tokio::test(start_paused = true)]
async fn an_exposure_is_closed_again_whatever_is_said_of_drift() {
    let hands: [(&str, Hand); 2] = [("publish", publish), ("connect", connect)];
    for (what, hand) in hands {
        for (drift, self_heal) in [("repair", true), ("report", true), ("repair", false), ("report", false)] {
            let told = format!("{what}, drift: {drift}, self_heal: {self_heal}");
            let desired = three(self_heal);
            let rig = rig(drift, &desired).await;
            rig.model.by_hand(hand);
            assert_eq!(reached(&rig), ["inner", "named", "open"], "{told}");
            rig.pass(&desired, faults::none()).await;
            let left: &[&str] = if drift == "repair" && self_heal { &[] } else { &["open"] };
            assert_eq!(reached(&rig), left, "{told}");
            let names: Vec<String> =
                rig.model.by_hand(|world| world.containers.values().map(|it| it.name.clone()).collect());
            assert!(names.len() == 3 && names.iter().all(|name| !name.ends_with("-next")), "{told}: {names:?}");
        }
    }
}
