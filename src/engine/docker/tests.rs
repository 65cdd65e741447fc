//! The driver on the real engines; one that is missing fails. Image `bb:1` (busybox) must be on both.

use super::*;
use crate::{
    desired::spec::{
        ContainerSpec, EngineCheck, Mount, MountSource, Network, Protocol, PublishedPort, Restart, Ulimit,
    },
    observed::Life,
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
            ..ContainerSpec::default()
        },
        network: None,
        namespace_of: None,
        labels: mark(run),
    }
}

/// A body with every field the engines here can honour.
async fn rich(engine: &Docker, run: &str, port: u16) -> CreateContainer {
    let plain = bare(engine, run, "trap 'exit 7' TERM; while :; do sleep 0.1; done").await;
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

async fn reads_back_what_was_sent(engine: Docker, run: &str, port: u16) {
    sweep(&engine, run).await;
    let network = CreateNetwork { name: run.to_owned(), internal: false, driver: None, labels: mark(run) };
    engine.create_network(&network).await.unwrap();
    assert!(engine.create_network(&network).await.is_err(), "a second network of the same name is refused");
    engine.create_volume(run, &mark(run)).await.unwrap();
    let sent = rich(&engine, run, port).await;
    let id = engine.create(&sent).await.unwrap();
    assert_eq!(inspect(&engine, &id).await.life, Life::Created);
    engine.start(&id).await.unwrap();
    engine.start(&id).await.unwrap();

    let detail = inspect(&engine, &id).await;
    assert_eq!(detail.life, Life::Running);
    assert!(detail.pid.is_some() && detail.started_at.is_some() && detail.finished_at.is_none());
    assert_eq!((detail.name.as_str(), &detail.image_id), (run, &sent.image_id));
    assert_eq!(detail.endpoints[run].aliases, BTreeSet::from(["web".to_owned()]));
    assert!(detail.endpoints[run].address.is_some());
    let (was, now) = (&sent.spec, &detail.body);
    assert_eq!(now.env.get("GREETING"), was.env.get("GREETING"));
    assert_eq!(detail.labels, sent.labels.clone().into_iter().chain(was.labels.clone()).collect());
    assert_eq!(
        (&now.command, &now.working_dir, &now.user, &now.hostname, &now.network, &now.ports, &now.mounts),
        (&was.command, &was.working_dir, &was.user, &was.hostname, &was.network, &was.ports, &was.mounts),
    );
    assert_eq!(
        (&now.shm_size, &now.group_add, now.read_only, &now.cap_add, &now.security_opt, now.privileged),
        (&was.shm_size, &was.group_add, was.read_only, &was.cap_add, &was.security_opt, was.privileged),
    );
    assert_eq!(
        (
            &now.stop_signal,
            &now.stop_grace_seconds,
            &now.extra_hosts,
            &now.dns,
            &now.healthcheck,
            &now.tmpfs.get("/run")
        ),
        (
            &was.stop_signal,
            &was.stop_grace_seconds,
            &was.extra_hosts,
            &was.dns,
            &was.healthcheck,
            &was.tmpfs.get("/run")
        ),
    );
    assert_eq!(now.adjustable, was.adjustable);
    assert!(now.cap_drop.is_superset(&was.cap_drop) && now.expose.is_superset(&was.expose));
    assert_eq!(now.ulimits, was.ulimits);
    assert_eq!(now.unspoken, BTreeMap::new());

    let filter = vec![(MARK.to_owned(), Some(run.to_owned()))];
    let listed = engine.containers(&filter).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].id, &listed[0].life, &listed[0].image_id), (&id, &Life::Running, &sent.image_id));
    assert_eq!((&listed[0].ports, &listed[0].networks), (&was.ports, &BTreeSet::from([run.to_owned()])));

    engine.stop(&id, Duration::from_secs(5)).await.unwrap();
    engine.stop(&id, Duration::from_secs(5)).await.unwrap();
    assert_eq!(inspect(&engine, &id).await.life, Life::Exited(7), "the signal came before the kill");
    assert_eq!(engine.containers(&filter).await.unwrap()[0].life, Life::Exited(7));
    sweep(&engine, run).await;
    assert_eq!(engine.container(&id).await.unwrap(), None);
}

#[tokio::test]
async fn docker_reads_back_what_was_sent() {
    reads_back_what_was_sent(docker().await, "rec-driver-back-d", 18_101).await;
}

#[tokio::test]
async fn podman_reads_back_what_was_sent() {
    reads_back_what_was_sent(podman().await, "rec-driver-back-p", 18_102).await;
}

#[tokio::test]
async fn each_engine_says_who_it_is() {
    let docker = docker().await.info().await.unwrap();
    assert_eq!((docker.kind, docker.adjusts, docker.runs_healthchecks), (EngineKind::Docker, true, true));
    let podman = podman().await.info().await.unwrap();
    assert_eq!((podman.kind, podman.runs_healthchecks), (EngineKind::Podman, false));
    assert!(!docker.host.is_empty() && !podman.version.is_empty());
}
