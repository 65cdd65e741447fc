//! The states a container, its evidence, its endpoints, its network and its image can be in.

use crate::draw::id_of;
use reconcile::{
    desired::{ContainerSpec, SpecHash},
    observed::{Container, Endpoint, Evidence, Image, Life, Network, Observed, Owner, Readiness},
    plan::FieldChange,
};

/// A container's state, by its word in a table.
pub const LIVES: &[&str] = &[
    "created",
    "unproven",
    "ready",
    "failing",
    "paused",
    "restarting",
    "exited 0",
    "exited 1",
    "stopped by us",
    "stopping",
    "removing",
    "dead",
];

/// Puts a container into a state.
pub fn live(container: &mut Container, word: &str) {
    let (life, readiness) = match word {
        "created" => (Life::Created, Readiness::Unproven),
        "unproven" => (Life::Running, Readiness::Unproven),
        "ready" => (Life::Running, Readiness::Ready),
        "failing" => (Life::Running, Readiness::Failing),
        "paused" => (Life::Paused, Readiness::Ready),
        "restarting" => (Life::Restarting, Readiness::Unproven),
        "exited 0" => (Life::Exited(0), Readiness::Ready),
        "exited 1" => (Life::Exited(1), Readiness::Unproven),
        "stopped by us" => (Life::Exited(0), Readiness::Ready),
        "stopping" => (Life::Stopping, Readiness::Unproven),
        "removing" => (Life::Removing, Readiness::Unproven),
        "dead" => (Life::Dead, Readiness::Unproven),
        other => panic!("`{other}` is no life"),
    };
    if life == Life::Created {
        container.started_at = None;
    }
    container.stopped = word == "stopped by us";
    container.life = life;
    container.readiness = readiness;
}

pub const NAMES: &[&str] = &["own", "next", "by hand"];

/// The name that a word stands for.
pub fn name(own: &str, word: &str) -> String {
    match word {
        "own" => own.to_owned(),
        "next" => reconcile::plan::naming::next_name(own),
        "by hand" => "somebody-renamed-it".to_owned(),
        other => panic!("`{other}` is no name"),
    }
}

pub const EVIDENCE: &[&str] = &["ours", "same", "differs", "declared right", "declared wrong"];

/// What is known of a container's body.
pub fn evidence(container: &mut Container, spec: &ContainerSpec, word: &str) {
    let difference =
        FieldChange { path: "HostConfig.Privileged".to_owned(), before: Some("true".to_owned()), after: None };
    container.evidence = match word {
        "ours" => Evidence::Ours,
        "same" => Evidence::Baseline(Vec::new()),
        "differs" => Evidence::Baseline(vec![difference]),
        "declared right" => Evidence::Declared(Box::new(spec.clone())),
        "declared wrong" => {
            let port = reconcile::desired::spec::PublishedPort {
                address: [0, 0, 0, 0].into(),
                host: 9999,
                container: 80,
                protocol: reconcile::desired::spec::Protocol::Tcp,
            };
            container.ports.insert(port.clone());
            let ports = spec.ports.iter().cloned().chain([port]).collect();
            Evidence::Declared(Box::new(ContainerSpec { ports, ..spec.clone() }))
        }
        other => panic!("`{other}` is no evidence"),
    };
}

pub const ENDPOINTS: &[&str] = &["right", "missing", "extra", "alias lost", "stale id"];

/// Where a container is connected.
pub fn endpoint(container: &mut Container, network: &str, word: &str) {
    match word {
        "right" => {}
        "missing" => drop(container.endpoints.remove(network)),
        "extra" => drop(container.endpoints.insert("bridge".to_owned(), Endpoint::default())),
        "alias lost" => container.endpoints.entry(network.to_owned()).or_default().aliases.clear(),
        "stale id" => {
            "the one before".clone_into(&mut container.endpoints.entry(network.to_owned()).or_default().network_id)
        }
        other => panic!("`{other}` is no endpoint"),
    }
}

pub const NETWORKS: &[&str] = &["right", "absent", "other body", "twice"];

/// What of the app's network is there.
pub fn network(observed: &mut Observed, name: &str, word: &str) {
    match word {
        "right" => {}
        "absent" => drop(observed.networks.remove(name)),
        "other body" => {
            if let Some(there) = observed.networks.get_mut(name) {
                there.spec_hash = Some(SpecHash::of(&"another"));
            }
        }
        "twice" => {
            if let Some(there) = observed.networks.get_mut(name) {
                there.duplicates.push("the-other".to_owned());
            }
        }
        other => panic!("`{other}` is no network"),
    }
}

/// A network of the app that the manifest has no more.
pub fn left_network() -> Network {
    Network {
        id: "left".to_owned(),
        owner: Owner::App,
        spec_hash: Some(SpecHash::of(&"left")),
        kept: false,
        duplicates: Vec::new(),
        unprunable: false,
    }
}

pub const IMAGES: &[&str] = &["present", "absent", "moved"];

/// What an image's reference means here.
pub fn image(observed: &mut Observed, reference: &str, word: &str) {
    match word {
        "present" => drop(observed.images.insert(reference.to_owned(), named(&id_of(reference)))),
        "absent" => drop(observed.images.remove(reference)),
        "moved" => drop(observed.images.insert(reference.to_owned(), named("sha256:moved"))),
        other => panic!("`{other}` is no image"),
    }
}

fn named(id: &str) -> Image {
    Image { id: id.to_owned(), ..Image::default() }
}
