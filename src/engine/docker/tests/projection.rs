//! A container's projection stays the same while it is only started and stopped, and changes when it is changed.

use super::*;
use crate::observed::projection::Projection;
use bollard::models::{ContainerCreateBody, ContainerUpdateBody, HostConfig};

async fn projection(engine: &Docker, id: &str) -> Projection {
    inspect(engine, id).await.projection
}

/// A started container of the full body, its id and its projection then.
async fn accepted_container(engine: &Docker, run: &str, port: u16) -> (CreateContainer, String, Projection) {
    sweep(engine, run).await;
    let network = CreateNetwork { name: run.to_owned(), internal: false, driver: None, labels: mark(run) };
    engine.create_network(&network).await.unwrap();
    engine.create_volume(run, &mark(run)).await.unwrap();
    let sent = rich(engine, run, port).await;
    let id = engine.create(&sent).await.unwrap();
    engine.start(&id).await.unwrap();
    let accepted = projection(engine, &id).await;
    (sent, id, accepted)
}

async fn stays_the_same(engine: Docker, run: &str, port: u16) {
    let (_, id, accepted) = accepted_container(&engine, run, port).await;
    assert!(accepted.0.len() > 20, "{accepted:?}");
    assert_eq!(accepted.0["Config.Env.GREETING"], "a=b c");
    let grace = Duration::from_secs(5);
    engine.0.writes.restart_container(&id, None::<bollard::query_parameters::RestartContainerOptions>).await.unwrap();
    assert_eq!(projection(&engine, &id).await.differences(&accepted), []);
    engine.stop(&id, grace).await.unwrap();
    assert_eq!(projection(&engine, &id).await.differences(&accepted), []);
    engine.start(&id).await.unwrap();
    assert_eq!(projection(&engine, &id).await.differences(&accepted), []);
    sweep(&engine, run).await;
}

#[tokio::test]
async fn docker_tells_the_same_over_starts_and_stops() {
    stays_the_same(docker().await, "rec-driver-same-d", 18_103).await;
}

#[tokio::test]
async fn podman_tells_the_same_over_starts_and_stops() {
    stays_the_same(podman().await, "rec-driver-same-p", 18_104).await;
}

/// Names the paths that differ once somebody made the container again with another body.
async fn made_again(
    engine: &Docker,
    sent: &CreateContainer,
    id: &str,
    accepted: &Projection,
    change: impl FnOnce(&mut ContainerCreateBody, &mut HostConfig),
) -> Vec<String> {
    engine.stop(id, Duration::ZERO).await.unwrap();
    engine.remove(id).await.unwrap();
    let mut body = body::create(sent).unwrap();
    let mut host = body.host_config.take().unwrap();
    change(&mut body, &mut host);
    body.host_config = Some(host);
    let name = bollard::query_parameters::CreateContainerOptionsBuilder::default().name(&sent.name).build();
    let id = engine.0.writes.create_container(Some(name), body).await.unwrap().id;
    engine.start(&id).await.unwrap();
    let now = projection(engine, &id).await;
    let paths = accepted.differences(&now).into_iter().map(|field| field.path).collect();
    engine.stop(&id, Duration::ZERO).await.unwrap();
    engine.remove(&id).await.unwrap();
    paths
}

async fn shows_each_change(engine: Docker, run: &str, port: u16) {
    type Change = fn(&mut ContainerCreateBody, &mut HostConfig);
    let changes: [(&str, Change); 8] = [
        ("Config.Env.EXTRA", |body, _| body.env.as_mut().unwrap().push("EXTRA=1".to_owned())),
        ("Config.User", |body, _| body.user = Some("0".to_owned())),
        ("Config.Labels.by.hand", |body, _| {
            drop(body.labels.as_mut().unwrap().insert("by.hand".to_owned(), "1".to_owned()));
        }),
        ("HostConfig.Privileged", |_, host| host.privileged = Some(true)),
        ("HostConfig.PidMode", |_, host| host.pid_mode = Some("host".to_owned())),
        ("HostConfig.CapAdd", |_, host| host.cap_add = Some(vec!["SYS_ADMIN".to_owned()])),
        ("Mounts./host", |_, host| host.binds = Some(vec!["/tmp:/host".to_owned()])),
        ("HostConfig.PortBindings.80/tcp", |_, host| host.port_bindings = None),
    ];
    let (sent, mut id, accepted) = accepted_container(&engine, run, port).await;
    for (path, change) in changes {
        let seen = made_again(&engine, &sent, &id, &accepted, change).await;
        assert!(seen.iter().any(|seen| seen == path), "{path} is not among {seen:?}");
        id = engine.create(&sent).await.unwrap();
    }
    sweep(&engine, run).await;
}

#[tokio::test]
async fn docker_shows_each_change_of_a_container() {
    shows_each_change(docker().await, "rec-driver-change-d", 18_105).await;
}

#[tokio::test]
async fn podman_shows_each_change_of_a_container() {
    shows_each_change(podman().await, "rec-driver-change-p", 18_106).await;
}

#[tokio::test]
async fn on_docker_limits_are_facts_of_their_own_and_other_limits_are_shown() {
    let (engine, run) = (docker().await, "rec-driver-limits-d");
    let (_, id, accepted) = accepted_container(&engine, run, 18_107).await;
    let to = Adjustable {
        restart: Restart::Always,
        memory: Some(128 << 20),
        pids_limit: Some(60),
        ..inspect(&engine, &id).await.adjustable.unwrap()
    };
    engine.adjust(&id, &to).await.unwrap();
    let now = inspect(&engine, &id).await;
    assert_eq!(now.adjustable, Some(to));
    assert_eq!(accepted.differences(&now.projection), []);
    let by_hand = ContainerUpdateBody { cpu_shares: Some(512), memory_swap: Some(-1), ..Default::default() };
    engine.0.writes.update_container(&id, by_hand).await.unwrap();
    let paths: Vec<String> =
        accepted.differences(&projection(&engine, &id).await).into_iter().map(|field| field.path).collect();
    assert_eq!(paths, ["HostConfig.CpuShares", "HostConfig.MemorySwap"]);
    sweep(&engine, run).await;
}
