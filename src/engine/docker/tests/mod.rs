//! The driver on the real engines; one that is missing fails. Image `bb:1` (busybox) must be on both.

mod create_body;
mod projection;
mod pulls;
mod read_back;
mod scripted;
mod traps;

use super::*;
use crate::desired::spec::{
    ContainerSpec, EngineCheck, Mount, MountSource, Network, Protocol, PublishedPort, Restart, Ulimit,
};

const MARK: &str = "reconcile.test";

async fn engine(name: &str, default: &str) -> Docker {
    let uri = std::env::var(name).unwrap_or_else(|_| default.to_owned());
    Docker::connect(&uri).await.unwrap()
}

async fn docker() -> Docker {
    engine("RECONCILE_TEST_DOCKER", "unix:///var/run/docker.sock").await
}

async fn podman() -> Docker {
    engine("RECONCILE_TEST_PODMAN", "unix:///run/podman/podman.sock").await
}

fn mark(run: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(MARK.to_owned(), run.to_owned())])
}

/// Removes what a run made, after it and before it.
async fn sweep(engine: &Docker, run: &str) {
    let ours = vec![(MARK.to_owned(), Some(run.to_owned()))];
    for container in engine.containers(&ours).await.unwrap() {
        drop(engine.unpause(&container.id).await);
        engine.stop(&container.id, Duration::ZERO).await.unwrap();
        engine.remove(&container.id).await.unwrap();
    }
    for network in engine.networks().await.unwrap() {
        if network.labels.get(MARK).is_some_and(|mark| mark == run) {
            engine.remove_network(&network.id).await.unwrap();
        }
    }
    let client = &engine.0.writes;
    client.remove_volume(run, None::<bollard::query_parameters::RemoveVolumeOptions>).await.ok();
}

async fn bare(engine: &Docker, run: &str, command: &str) -> CreateContainer {
    let image = engine.image("bb:1").await.unwrap().expect("image bb:1 on the engine");
    CreateContainer {
        name: run.to_owned(),
        image_id: image.id,
        spec: ContainerSpec {
            command: Some(["sh", "-c", command].map(str::to_owned).to_vec()),
            network: Network::None,
            adjustable: Adjustable { restart: Restart::No, ..Adjustable::default() },
            ..ContainerSpec::default()
        },
        network: None,
        secret_env: BTreeMap::new(),
        namespace_of: None,
        labels: mark(run),
    }
}

/// A body with every field the engines here can honour.
async fn rich(engine: &Docker, run: &str, port: u16) -> CreateContainer {
    let plain = bare(engine, run, "trap 'exit 7' TERM; sleep 3600 & wait").await;
    let aliases = BTreeSet::from(["web".to_owned()]);
    CreateContainer {
        network: Some((run.to_owned(), aliases.clone())),
        spec: ContainerSpec {
            network: Network::Networks(BTreeMap::from([(run.to_owned(), aliases)])),
            env: BTreeMap::from([("GREETING".to_owned(), "a=b c".to_owned())]),
            labels: BTreeMap::from([("of.manifest".to_owned(), "yes".to_owned())]),
            working_dir: Some("/tmp".to_owned()),
            user: Some("1000:1000".to_owned()),
            hostname: Some("webhost".to_owned()),
            ports: BTreeSet::from([PublishedPort {
                address: [127, 0, 0, 1].into(),
                host: port,
                container: 80,
                protocol: Protocol::Tcp,
            }]),
            expose: BTreeSet::from(["9000/tcp".to_owned()]),
            mounts: vec![Mount {
                source: MountSource::Volume(run.to_owned()),
                target: "/data".to_owned(),
                read_only: true,
            }],
            tmpfs: BTreeMap::from([("/run".to_owned(), "size=1m".to_owned())]),
            healthcheck: EngineCheck::Disabled,
            adjustable: Adjustable {
                restart: Restart::OnFailure(3),
                memory: Some(64 << 20),
                memory_reservation: Some(32 << 20),
                nano_cpus: Some(500_000_000),
                cpuset: Some("0".to_owned()),
                pids_limit: Some(50),
            },
            shm_size: Some(1 << 20),
            // Podman without `nproc` asks for the host's, which a test machine may not give.
            ulimits: ["nofile", "nproc"].map(|name| (name.to_owned(), Ulimit { soft: 512, hard: 1024 })).into(),
            group_add: vec!["2000".to_owned()],
            read_only: true,
            cap_drop: BTreeSet::from(["CHOWN".to_owned()]),
            cap_add: BTreeSet::from(["NET_ADMIN".to_owned()]),
            security_opt: vec!["no-new-privileges".to_owned()],
            stop_signal: Some("SIGTERM".to_owned()),
            stop_grace_seconds: Some(5),
            extra_hosts: vec!["other:10.0.0.9".to_owned()],
            dns: vec!["10.0.0.53".to_owned()],
            ..plain.spec
        },
        ..plain
    }
}

async fn inspect(engine: &Docker, id: &str) -> Detail {
    engine.container(id).await.unwrap().expect("the container is there")
}
