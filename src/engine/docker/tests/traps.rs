//! What the two engines do differently, or worse than one would think (research, engine §0–§1; stack §0).

use super::*;
use crate::{
    engine::{PullFault, RunInside, view::EventKind},
    observed::Life,
};
use tokio::time::timeout;

/// A busy machine starts a container in seconds.
const SOON: Duration = Duration::from_secs(60);

/// Awaits a state of a container, looking again at each turn.
async fn until(engine: &Docker, id: &str, wanted: impl Fn(&Detail) -> bool) -> Detail {
    let look = async {
        loop {
            let seen = inspect(engine, id).await;
            if wanted(&seen) {
                return seen;
            }
            // An engine that is asked without end comes to nothing else.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, look).await.expect("the container comes to the state that is waited for")
}

fn over(detail: &Detail) -> bool {
    matches!(detail.life, Life::Exited(_))
}

async fn made(engine: &Docker, container: &CreateContainer) -> String {
    let id = engine.create(container).await.unwrap();
    engine.start(&id).await.unwrap();
    id
}

/// Runs on both engines, each with a run of its own.
macro_rules! on_both {
    ($name:ident, $docker:ident, $podman:ident) => {
        #[tokio::test]
        async fn $docker() {
            $name(docker().await, concat!("rec-", stringify!($docker))).await;
        }
        #[tokio::test]
        async fn $podman() {
            $name(podman().await, concat!("rec-", stringify!($podman))).await;
        }
    };
}

async fn events_tell(engine: Docker, run: &str) {
    sweep(&engine, run).await;
    // Nothing happens meanwhile: the answer may not wait for a first event.
    let mut events = timeout(SOON, engine.events()).await.expect("a subscription at once").unwrap();
    let id = made(&engine, &bare(&engine, run, "exit 0").await).await;
    let mut wanted = vec![EventKind::Started, EventKind::Died];
    while !wanted.is_empty() {
        let event = timeout(SOON, events.recv()).await.expect("an event in time").expect("the stream is open");
        if let Event::Container { id: of, kind: seen, .. } = event
            && of == id
        {
            wanted.retain(|kind| *kind != seen);
        }
    }
    sweep(&engine, run).await;
    let is_removal =
        |event: Event| matches!(event, Event::Container { id: of, kind: EventKind::Removed, .. } if of == id);
    let removed = async { while !is_removal(events.recv().await.expect("the stream is open")) {} };
    timeout(SOON, removed).await.expect("the removal is told");
}
on_both!(events_tell, docker_tells_events, podman_tells_events);

async fn ends_are_told(engine: Docker, run: &str) {
    sweep(&engine, run).await;
    let id = made(&engine, &bare(&engine, run, "echo out; echo err >&2; echo last; exit 3").await).await;
    assert_eq!(timeout(SOON, engine.wait(&id)).await.unwrap().unwrap(), 3);
    let seen = until(&engine, &id, over).await;
    assert_eq!((seen.life, seen.exit_code), (Life::Exited(3), Some(3)));
    // For a life of a moment, both engines may put the end before the start.
    assert!(seen.finished_at.is_some() && seen.started_at.is_some());
    assert_eq!(engine.last_words(&id, 1).await.unwrap().len(), 1);
    // The engine reads two pipes: their order between each other is chance.
    let mut all = engine.last_words(&id, 20).await.unwrap();
    all.sort();
    assert_eq!(all, ["err", "last", "out"]);
    sweep(&engine, run).await;
}
on_both!(ends_are_told, docker_tells_ends_and_last_words, podman_tells_ends_and_last_words);

async fn the_list_stands(engine: Docker, run: &str) {
    sweep(&engine, run).await;
    // The signal is not heard, so the stop takes its second.
    let id = made(&engine, &bare(&engine, run, "trap '' TERM; while :; do sleep 0.1; done").await).await;
    let filter = vec![(MARK.to_owned(), Some(run.to_owned()))];
    let stopping = engine.clone();
    let stop = tokio::spawn({
        let id = id.clone();
        async move { stopping.stop(&id, Duration::from_secs(1)).await }
    });
    while !stop.is_finished() {
        let listed = engine.containers(&filter).await.unwrap();
        assert_eq!(listed.len(), 1);
        let known = !matches!(listed[0].life, Life::Unknown(_));
        assert!(known, "{:?}", listed[0].life);
        inspect(&engine, &id).await;
    }
    stop.await.unwrap().unwrap();
    until(&engine, &id, |seen| seen.life == Life::Exited(137)).await;
    sweep(&engine, run).await;
}
on_both!(the_list_stands, docker_lists_while_it_stops, podman_lists_while_it_stops);

async fn a_grace_is_known(engine: Docker, run: &str) {
    sweep(&engine, run).await;
    let id = made(&engine, &bare(&engine, run, "trap 'exit 5' TERM; while :; do sleep 0.1; done").await).await;
    assert_eq!(inspect(&engine, &id).await.body.stop_grace_seconds, Some(10));
    // A stop by hand that names no time.
    engine.0.writes.stop_container(&id, None::<bollard::query_parameters::StopContainerOptions>).await.unwrap();
    until(&engine, &id, |seen| seen.life == Life::Exited(5)).await;
    sweep(&engine, run).await;
}
on_both!(a_grace_is_known, docker_has_a_grace_for_stops_by_hand, podman_has_a_grace_for_stops_by_hand);

async fn a_missing_path_fails(engine: Docker, run: &str) {
    sweep(&engine, run).await;
    let path = std::env::temp_dir().join(format!("{run}-missing"));
    let mut wanted = bare(&engine, run, "exit 0").await;
    let source = MountSource::Bind(path.display().to_string());
    wanted.spec.mounts = vec![Mount { source, target: "/x".to_owned(), read_only: false }];
    let failed = match engine.create(&wanted).await {
        Ok(id) => engine.start(&id).await.is_err(),
        Err(_) => true,
    };
    assert!(failed && !path.exists());
    sweep(&engine, run).await;
}
on_both!(a_missing_path_fails, docker_refuses_a_missing_host_path, podman_refuses_a_missing_host_path);

async fn a_pull_that_fails_is_an_error(engine: Docker, _: &str) {
    let nobody = PullImage { reference: "127.0.0.1:1/nobody/there:1", platform: None, credentials: None };
    let refused = engine.pull(&nobody).await.unwrap_err();
    assert!(matches!(refused, EngineError::NotPulled { fault: PullFault::Away, .. }), "{refused:?}");
}
on_both!(a_pull_that_fails_is_an_error, docker_tells_a_failed_pull, podman_tells_a_failed_pull);

async fn a_tmpfs_can_be_written(engine: Docker, run: &str) {
    sweep(&engine, run).await;
    let mut wanted = bare(&engine, run, "touch /scratch/x").await;
    wanted.spec.user = Some("1000:1000".to_owned());
    wanted.spec.tmpfs = BTreeMap::from([("/scratch".to_owned(), String::new())]);
    let id = made(&engine, &wanted).await;
    assert_eq!(until(&engine, &id, over).await.life, Life::Exited(0), "{:?}", engine.last_words(&id, 5).await);
    sweep(&engine, run).await;
}
on_both!(a_tmpfs_can_be_written, docker_gives_a_tmpfs_to_all_users, podman_gives_a_tmpfs_to_all_users);

async fn a_port_clash_fails(engine: Docker, run: &str) {
    sweep(&engine, run).await;
    // None of those that outgoing connections are given: another test may be given it once it is free.
    let taken = std::iter::repeat_with(|| std::net::TcpListener::bind(("127.0.0.1", fastrand::u16(20_000..32_000))));
    let taken = taken.flatten().next().unwrap();
    let network = CreateNetwork { name: run.to_owned(), internal: false, driver: None, labels: mark(run) };
    engine.create_network(&network).await.unwrap();
    let mut wanted = bare(&engine, run, "sleep 100").await;
    wanted.network = Some((run.to_owned(), BTreeSet::new()));
    wanted.spec.network = Network::Networks(BTreeMap::from([(run.to_owned(), BTreeSet::new())]));
    wanted.spec.ports = BTreeSet::from([PublishedPort {
        address: [127, 0, 0, 1].into(),
        host: taken.local_addr().unwrap().port(),
        container: 80,
        protocol: Protocol::Tcp,
    }]);
    let id = engine.create(&wanted).await.unwrap();
    let refused = engine.start(&id).await.unwrap_err();
    assert!(matches!(refused, EngineError::Refused { .. }), "{refused:?}");
    let seen = inspect(&engine, &id).await;
    assert_eq!((seen.life, seen.started_at), (Life::Created, None));
    drop(taken);
    engine.start(&id).await.unwrap();
    sweep(&engine, run).await;
}
on_both!(
    a_port_clash_fails,
    docker_leaves_a_container_created_when_its_port_is_taken,
    podman_leaves_a_container_created_when_its_port_is_taken
);

async fn more_rights_are_seen(engine: Docker, run: &str) {
    sweep(&engine, run).await;
    let mut body = body::create(&bare(&engine, run, "sleep 100").await).unwrap();
    let host = body.host_config.as_mut().unwrap();
    host.pid_mode = Some("host".to_owned());
    host.binds = Some(vec!["/tmp:/tmp:rshared".to_owned()]);
    let options = bollard::query_parameters::CreateContainerOptionsBuilder::default().name(run).build();
    let id = engine.0.writes.create_container(Some(options), body).await.unwrap().id;
    let unspoken = inspect(&engine, &id).await.body.unspoken;
    let wanted = [("Mounts./tmp", "rshared"), ("PidMode", "host")];
    assert_eq!(unspoken, wanted.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    sweep(&engine, run).await;
}
on_both!(more_rights_are_seen, docker_tells_rights_no_manifest_gives, podman_tells_rights_no_manifest_gives);

#[tokio::test]
async fn on_podman_a_health_check_runs_when_it_is_asked() {
    let (engine, run) = (podman().await, "rec-driver-health-p");
    sweep(&engine, run).await;
    let mut wanted = bare(&engine, run, "sleep 600").await;
    let test = ["CMD", "test", "-e", "/ok"].map(str::to_owned).to_vec();
    wanted.spec.healthcheck = EngineCheck::Test { test, interval: 1000, timeout: 30_000, start_period: 0, retries: 3 };
    let id = made(&engine, &wanted).await;
    assert!(inspect(&engine, &id).await.health.is_some());
    assert_eq!(inspect(&engine, &id).await.body.healthcheck, wanted.spec.healthcheck);
    assert!(!engine.run_healthcheck(&id).await.unwrap(), "the file is not there yet");
    assert_eq!(engine.run_inside(&id, &RunInside::briefly(&["touch", "/ok"])).await.unwrap().code, 0);
    assert!(engine.run_healthcheck(&id).await.unwrap(), "the file is there");
    sweep(&engine, run).await;
}

#[tokio::test]
async fn on_podman_a_health_check_that_takes_too_long_did_not_pass() {
    let (engine, run) = (podman().await, "rec-driver-slow-p");
    sweep(&engine, run).await;
    let mut wanted = bare(&engine, run, "sleep 100").await;
    let test = ["CMD", "sleep", "3"].map(str::to_owned).to_vec();
    wanted.spec.healthcheck = EngineCheck::Test { test, interval: 1000, timeout: 1000, start_period: 0, retries: 1 };
    let id = made(&engine, &wanted).await;
    assert!(!engine.run_healthcheck(&id).await.unwrap());
    sweep(&engine, run).await;
}

async fn a_name_of_an_image_comes_and_goes(engine: Docker, run: &str) {
    let tag = format!("reconcile.local/test/app/{run}:1");
    let image = engine.image("bb:1").await.unwrap().unwrap();
    engine.tag(&image.id, &tag).await.unwrap();
    let listed = engine.images().await.unwrap();
    let tagged = listed.iter().find(|listed| listed.answers_to(&tag)).expect("the tag is listed");
    assert_eq!(tagged.id, image.id);
    assert!(tagged.answers_to("bb:1"));
    engine.untag(&tag).await.unwrap();
    assert_eq!(engine.image(&tag).await.unwrap(), None);
    assert_eq!(engine.image("bb:1").await.unwrap().unwrap().id, image.id);
}
on_both!(a_name_of_an_image_comes_and_goes, docker_names_images, podman_names_images);
