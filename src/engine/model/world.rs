//! What is on the model: plain data, free for a test to lay out and to meddle with.

use crate::{
    desired::{ContainerSpec, spec::EngineCheck},
    engine::{CreateContainer, NetworkView, RanInside, VolumeView, view::Health},
    observed::{Endpoint, Life},
    secret::SecretValue,
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What an image's process does, in virtual time from each start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its health check passes from then on; none: never.
    pub healthy_after: Option<Duration>,
    /// It ends by itself with this code.
    pub exits: Option<(Duration, i64)>,
    /// How long it takes to end on a stop signal, and with which code; the kill comes after the grace.
    pub on_stop: (Duration, i64),
    /// What it writes before it ends or serves.
    pub says: Vec<String>,
    /// The kernel kills it for want of memory when it ends by itself.
    pub oom: bool,
}

impl Script {
    /// Runs until it is stopped, healthy at once.
    #[must_use]
    pub fn serves() -> Self {
        Self {
            healthy_after: Some(Duration::ZERO),
            exits: None,
            on_stop: (Duration::ZERO, 0),
            says: Vec::new(),
            oom: false,
        }
    }

    /// Runs, and is healthy after a while.
    #[must_use]
    pub fn healthy_after(warm_up: Duration) -> Self {
        Self { healthy_after: Some(warm_up), ..Self::serves() }
    }

    /// Runs, and is never healthy.
    #[must_use]
    pub fn never_healthy() -> Self {
        Self { healthy_after: None, ..Self::serves() }
    }

    /// Ends by itself.
    #[must_use]
    pub fn exits(after: Duration, code: i64) -> Self {
        Self { exits: Some((after, code)), ..Self::serves() }
    }

    /// Ends at once with code 1, saying so.
    #[must_use]
    pub fn crashes() -> Self {
        Self { says: vec!["fatal: cannot start".to_owned()], ..Self::exits(Duration::ZERO, 1) }
    }
}

/// An image: what it is called, and what its process does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub references: BTreeSet<String>,
    pub volumes: BTreeSet<String>,
    pub exposed: BTreeSet<String>,
    pub has_healthcheck: bool,
    pub script: Script,
}

/// A container.
#[derive(Clone, Debug, PartialEq)]
pub struct Container {
    pub id: String,
    pub name: String,
    /// Labels of ownership and of the body.
    pub labels: BTreeMap<String, String>,
    pub image_id: String,
    pub spec: ContainerSpec,
    /// Variables with secrets in them.
    pub secret_env: BTreeMap<String, SecretValue>,
    pub endpoints: BTreeMap<String, Endpoint>,
    pub namespace_of: Option<String>,
    pub life: Life,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub exit_code: Option<i64>,
    pub restarts: u32,
    pub oom: bool,
    pub start_error: Option<String>,
    /// Somebody stopped it: `unless-stopped` holds no more.
    pub stopped_by_hand: bool,
    /// The signals that it was sent, but those of stops.
    pub signals: Vec<String>,
    /// The programs that were run in it, beside its own.
    pub ran: Vec<Vec<String>>,
}

/// The model's whole state.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// By id.
    pub containers: BTreeMap<String, Container>,
    /// By id.
    pub images: BTreeMap<String, Image>,
    /// What a pull of a reference gives: the image's id and the image.
    pub registry: BTreeMap<String, (String, Image)>,
    pub networks: Vec<NetworkView>,
    pub volumes: Vec<VolumeView>,
    /// Host ports held by processes that are no containers.
    pub held_ports: BTreeSet<u16>,
    /// How programs end that are run in containers; one that is not here ends well and says nothing.
    pub programs: BTreeMap<Vec<String>, RanInside>,
    /// Limits can be changed in place, as on Docker.
    pub adjusts: bool,
    /// The engine runs health checks itself, as Docker does.
    pub runs_healthchecks: bool,
    made: u64,
}

impl Default for World {
    fn default() -> Self {
        Self {
            containers: BTreeMap::new(),
            images: BTreeMap::new(),
            registry: BTreeMap::new(),
            networks: Vec::new(),
            volumes: Vec::new(),
            held_ports: BTreeSet::new(),
            programs: BTreeMap::new(),
            adjusts: true,
            runs_healthchecks: true,
            made: 0,
        }
    }
}

impl World {
    /// The image's id for a name of one of the tests' images: always the same.
    #[must_use]
    pub fn image_id(name: &str) -> String {
        format!("sha256:{}", crate::desired::SpecHash::of(&name))
    }

    /// Puts an image on the engine under one name, its id made of the name.
    pub fn add_image(&mut self, name: &str, script: Script) -> String {
        let id = Self::image_id(name);
        let references = BTreeSet::from([name.to_owned()]);
        let image =
            Image { references, volumes: BTreeSet::new(), exposed: BTreeSet::new(), has_healthcheck: false, script };
        self.images.insert(id.clone(), image);
        id
    }

    /// The container of an id or a name.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Container> {
        self.containers.get(id).or_else(|| self.containers.values().find(|container| container.name == id))
    }

    /// The container of an id or a name, to be changed.
    pub fn find_mut(&mut self, id: &str) -> Option<&mut Container> {
        let id = self.find(id)?.id.clone();
        self.containers.get_mut(&id)
    }

    /// The image of an id or a reference.
    #[must_use]
    pub fn image(&self, reference: &str) -> Option<(&String, &Image)> {
        self.images.iter().find(|(id, image)| *id == reference || image.references.contains(reference))
    }

    /// Gives a name to an image, and takes it off any other.
    pub fn name_image(&mut self, id: &str, reference: &str) {
        for (other, image) in &mut self.images {
            if other == id {
                image.references.insert(reference.to_owned());
            } else {
                image.references.remove(reference);
            }
        }
    }

    /// A new id, its first twelve digits different from all others'.
    pub fn next_id(&mut self) -> String {
        self.made += 1;
        format!("{:012x}{:052x}", self.made, 0)
    }

    /// What its process does; one whose image is gone serves.
    #[must_use]
    pub fn script(&self, container: &Container) -> Script {
        self.images.get(&container.image_id).map_or_else(Script::serves, |image| image.script.clone())
    }

    /// The engine's word on its health; none where it has no check.
    #[must_use]
    pub fn health(&self, container: &Container, now: Timestamp) -> Option<Health> {
        let checked = match &container.spec.healthcheck {
            EngineCheck::Test { .. } => true,
            EngineCheck::Disabled => false,
            EngineCheck::Inherit => self.images.get(&container.image_id).is_some_and(|image| image.has_healthcheck),
        };
        if !checked {
            return None;
        }
        let started = container.started_at.filter(|_| container.life == Life::Running);
        let passes = started.is_some_and(|started| {
            self.script(container).healthy_after.is_some_and(|warm_up| super::life::after(started, warm_up) <= now)
        });
        Some(if passes { Health::Healthy } else { Health::Starting })
    }

    /// A container as it stands right after creation.
    pub(super) fn made_from(&mut self, wanted: &CreateContainer, now: Timestamp) -> Container {
        let id = self.next_id();
        let place = |(name, aliases): &(String, BTreeSet<String>)| {
            (name.clone(), Endpoint { network_id: self.network_id(name), aliases: aliases.clone(), address: None })
        };
        Container {
            name: wanted.name.clone(),
            labels: wanted.spec.labels.clone().into_iter().chain(wanted.labels.clone()).collect(),
            image_id: wanted.image_id.clone(),
            spec: wanted.spec.clone(),
            secret_env: wanted.secret_env.clone(),
            endpoints: wanted.network.iter().map(place).collect(),
            namespace_of: wanted.namespace_of.clone(),
            life: Life::Created,
            created_at: now,
            started_at: None,
            finished_at: None,
            exit_code: None,
            restarts: 0,
            oom: false,
            start_error: None,
            stopped_by_hand: false,
            signals: Vec::new(),
            ran: Vec::new(),
            id,
        }
    }

    /// The network's id by its name or id; empty when there is none.
    #[must_use]
    pub fn network_id(&self, network: &str) -> String {
        self.networks
            .iter()
            .find(|view| view.name == network || view.id == network)
            .map(|view| view.id.clone())
            .unwrap_or_default()
    }
}
