//! The engines under test, and what a hand does on them that the trait has no word for.

use bollard::{
    models::NetworkDisconnectRequest,
    query_parameters::{
        InspectContainerOptions, InspectNetworkOptions, RemoveContainerOptionsBuilder, RemoveVolumeOptions,
    },
};
use reconcile::{
    desired::{
        ContainerSpec,
        spec::{Adjustable, Network, Restart},
    },
    engine::{
        CreateContainer, CreateNetwork, Engine,
        docker::Docker,
        model::{Model, Script, World},
    },
    observed::Life,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

const MARK: &str = "reconcile.conformance";

/// A hand on an engine, beside the tool.
pub enum Hand {
    Client { client: bollard::Docker, podman: bool },
    Model(Model),
}

impl Hand {
    pub async fn pause(&self, id: &str) {
        match self {
            // On a busy machine `runc pause` fails now and then, and takes long to do so.
            Self::Client { client, .. } => {
                let paused = async { while client.pause_container(id).await.is_err() {} };
                tokio::time::timeout(Duration::from_secs(180), paused).await.expect("the container can be paused");
            }
            Self::Model(model) => model.by_hand(|world| world.find_mut(id).unwrap().life = Life::Paused),
        }
    }

    /// How long a deaf container is being stopped: longer than any write takes on a busy machine, but for Podman, which lets some
    /// of them wait until it is stopped.
    pub fn stopping(&self) -> Duration {
        match self {
            Self::Client { podman: true, .. } => Duration::from_secs(15),
            Self::Client { podman: false, .. } | Self::Model(_) => Duration::from_secs(120),
        }
    }

    /// Ends a container's process at once.
    pub async fn kill(&self, id: &str) {
        match self {
            // It may be over or gone already.
            Self::Client { client, .. } => {
                let seen = client.inspect_container(id, None::<InspectContainerOptions>).await;
                let process = seen.ok().and_then(|seen| seen.state?.pid).filter(|process| *process > 0);
                if let Some(process) = process {
                    std::process::Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap();
                }
            }
            // Its clock is at the end of the grace by the time that anybody waits.
            Self::Model(_) => {}
        }
    }

    /// Removes a container whatever it does.
    pub async fn discard(&self, id: &str) {
        match self {
            Self::Client { client, .. } => {
                let force = RemoveContainerOptionsBuilder::default().force(true).build();
                // It may be gone already.
                client.remove_container(id, Some(force)).await.ok();
            }
            Self::Model(model) => drop(model.by_hand(|world| world.containers.remove(id))),
        }
    }

    pub async fn drop_volume(&self, name: &str) {
        match self {
            Self::Client { client, .. } => client.remove_volume(name, None::<RemoveVolumeOptions>).await.unwrap(),
            Self::Model(model) => model.by_hand(|world| world.volumes.retain(|volume| volume.name != name)),
        }
    }

    /// Podman starts a crashed container again at once, so that no pause is ever seen.
    pub fn pauses_between_restarts(&self) -> bool {
        match self {
            Self::Client { podman, .. } => !podman,
            Self::Model(_) => true,
        }
    }

    /// Takes everything off a network: Docker 20.10 may keep a place on it for a container that crashed meanwhile.
    async fn empty(&self, network: &str) {
        if let Self::Client { client, podman: false } = self {
            let Ok(seen) = client.inspect_network(network, None::<InspectNetworkOptions>).await else { return };
            for container in seen.containers.unwrap_or_default().into_values().filter_map(|place| place.name) {
                let request = NetworkDisconnectRequest { container, force: Some(true) };
                // It may have gone by itself.
                client.disconnect_network(network, request).await.ok();
            }
        }
    }
}

async fn real(variable: &str, default: &str, podman: bool) -> (Docker, Hand) {
    let uri = std::env::var(variable).unwrap_or_else(|_| default.to_owned());
    let engine = Docker::connect(&uri).await.expect("the engine answers");
    let path = uri.strip_prefix("unix://").unwrap_or(&uri);
    let client = bollard::Docker::connect_with_unix(path, 60, bollard::API_DEFAULT_VERSION).unwrap();
    (engine, Hand::Client { client, podman })
}

pub async fn docker() -> (Docker, Hand) {
    real("RECONCILE_TEST_DOCKER", "unix:///var/run/docker.sock", false).await
}

pub async fn podman() -> (Docker, Hand) {
    real("RECONCILE_TEST_PODMAN", "unix:///run/podman/podman.sock", true).await
}

pub fn model() -> (Model, Hand) {
    let mut world = World::default();
    world.add_image("bb:1", Script::serves());
    let model = Model::new(world);
    (model.clone(), Hand::Model(model))
}

/// What a container says once its trap is set.
pub const LISTENS: &str = "listens";
/// What one says that goes on after the signal.
pub const ASKED: &str = "asked";

/// What a container of the tests does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Runs, and ends with 7 on the signal.
    Serves,
    /// Runs, and goes on after the signal.
    Deaf,
    /// Ends with 3 at once, and stays so.
    Ends,
    /// Ends with 1 at once, and is started again.
    Crashes,
}

impl Work {
    fn command(self) -> &'static str {
        match self {
            Self::Serves => "trap 'exit 7' TERM; trap : HUP; echo listens; while :; do sleep 0.1; done",
            Self::Deaf => "trap 'echo asked' TERM; trap : HUP; echo listens; while :; do sleep 0.1; done",
            Self::Ends => "exit 3",
            Self::Crashes => "exit 1",
        }
    }

    fn restart(self) -> Restart {
        match self {
            Self::Serves | Self::Deaf | Self::Crashes => Restart::UnlessStopped,
            Self::Ends => Restart::No,
        }
    }

    fn script(self) -> Script {
        let far = Duration::from_secs(3600);
        match self {
            Self::Serves => Script { on_stop: (Duration::ZERO, 7), says: vec![LISTENS.into()], ..Script::serves() },
            Self::Deaf => Script { on_stop: (far, 0), says: vec![LISTENS.into()], ..Script::serves() },
            Self::Ends => Script::exits(Duration::ZERO, 3),
            Self::Crashes => Script::exits(Duration::ZERO, 1),
        }
    }
}

/// Two networks and a container whose name is taken.
pub struct Place {
    /// What all of it is labelled with, in every run.
    mark: String,
    /// What the names of this run begin with: Docker may never let go of a network of an earlier one.
    pub run: String,
    pub own: String,
    pub other: String,
    pub taken: String,
}

impl Place {
    pub async fn prepare<E: Engine>(engine: &E, hand: &Hand, mark: &str) -> Self {
        let run = format!("{mark}-{}", std::process::id());
        let place = Self {
            mark: mark.to_owned(),
            own: format!("{run}-own"),
            other: format!("{run}-other"),
            taken: format!("{run}-taken"),
            run,
        };
        place.clear(engine, hand).await;
        for name in [&place.own, &place.other] {
            let network = CreateNetwork { name: name.clone(), internal: true, driver: None, labels: place.mark() };
            engine.create_network(&network).await.unwrap();
        }
        engine.create(&place.container(engine, &place.taken, Work::Serves).await).await.unwrap();
        place
    }

    pub fn mark(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(MARK.to_owned(), self.mark.clone())])
    }

    pub async fn container<E: Engine>(&self, engine: &E, name: &str, work: Work) -> CreateContainer {
        let image_id = engine.image("bb:1").await.unwrap().expect("image bb:1 on the engine").id;
        CreateContainer {
            name: name.to_owned(),
            image_id,
            spec: ContainerSpec {
                command: Some(["sh", "-c", work.command()].map(str::to_owned).to_vec()),
                network: Network::Networks(BTreeMap::from([(self.own.clone(), BTreeSet::new())])),
                adjustable: Adjustable { restart: work.restart(), ..Adjustable::default() },
                ..ContainerSpec::default()
            },
            network: Some((self.own.clone(), BTreeSet::new())),
            secret_env: BTreeMap::new(),
            namespace_of: None,
            labels: self.mark(),
        }
    }

    /// On the model, the image's script stands for the command.
    pub fn rehearse(hand: &Hand, id: &str, work: Work) {
        if let Hand::Model(model) = hand {
            model.by_hand(|world| {
                let image = world.add_image(work.command(), work.script());
                world.find_mut(id).unwrap().image_id = image;
            });
        }
    }

    pub async fn clear<E: Engine>(&self, engine: &E, hand: &Hand) {
        let ours = vec![(MARK.to_owned(), Some(self.mark.clone()))];
        for container in engine.containers(&ours).await.unwrap() {
            hand.discard(&container.id).await;
        }
        for network in engine.networks().await.unwrap() {
            if network.labels.get(MARK) == Some(&self.mark) {
                hand.empty(&network.id).await;
                // Docker 20.10 may keep a place on it for a container that is gone, under a name that nobody tells, until it
                // is started anew (seen in two whole runs). What it does with containers is judged by now.
                if let Err(error) = engine.remove_network(&network.id).await {
                    eprintln!("left behind: {error}");
                }
            }
        }
    }
}
