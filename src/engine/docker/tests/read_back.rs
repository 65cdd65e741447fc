//! What was sent is what is read, on both engines.

use super::*;
use crate::observed::Life;

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
    let mut labels = detail.labels.clone();
    // Podman marks the images it builds.
    labels.remove("io.buildah.version");
    assert_eq!(labels, sent.labels.clone().into_iter().chain(was.labels.clone()).collect());
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
