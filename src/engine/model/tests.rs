//! The model's own time and faults; that it agrees with real engines is seen in `tests/conformance`.

use super::*;
use crate::desired::{
    ContainerSpec,
    spec::{EngineCheck, Restart},
};

fn container(name: &str, image: &str, restart: Restart) -> CreateContainer {
    CreateContainer {
        name: name.to_owned(),
        image_id: World::image_id(image),
        spec: ContainerSpec {
            healthcheck: EngineCheck::Test {
                test: vec!["CMD".to_owned(), "true".to_owned()],
                interval: 1000,
                timeout: 1000,
                start_period: 0,
                retries: 3,
            },
            adjustable: Adjustable { restart, ..Adjustable::default() },
            ..ContainerSpec::default()
        },
        network: None,
        secret_env: BTreeMap::new(),
        namespace_of: None,
        labels: BTreeMap::new(),
    }
}

async fn running(script: Script, restart: Restart) -> (Model, String) {
    let mut world = World::default();
    world.add_image("app:1", script);
    let model = Model::new(world);
    let id = model.create(&container("web", "app:1", restart)).await.unwrap();
    model.start(&id).await.unwrap();
    (model, id)
}

async fn look(model: &Model, id: &str) -> Detail {
    model.container(id).await.unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn health_comes_after_its_time() {
    let (model, id) = running(Script::healthy_after(Duration::from_secs(60)), Restart::No).await;
    assert_eq!(look(&model, &id).await.health, Some(Health::Starting));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(look(&model, &id).await.health, Some(Health::Healthy));
}

#[tokio::test(start_paused = true)]
async fn a_one_shot_ends_and_is_waited_for() {
    let (model, id) = running(Script::exits(Duration::from_secs(3600), 4), Restart::No).await;
    assert_eq!(model.wait(&id).await.unwrap(), 4);
    assert_eq!(look(&model, &id).await.life, Life::Exited(4));
}

#[tokio::test(start_paused = true)]
async fn a_crash_is_restarted_with_longer_and_longer_pauses_until_it_is_stopped() {
    let (model, id) = running(Script::crashes(), Restart::UnlessStopped).await;
    assert_eq!(look(&model, &id).await.life, Life::Restarting);
    sleep(Duration::from_secs(2)).await;
    let seen = look(&model, &id).await;
    // 0.1 + 0.2 + 0.4 + 0.8 s
    assert_eq!((seen.restarts, &seen.exit_code), (4, &Some(1)));
    model.stop(&id, Duration::from_secs(10)).await.unwrap();
    sleep(Duration::from_secs(600)).await;
    assert_eq!(look(&model, &id).await.life, Life::Exited(1));
    assert_eq!(model.last_words(&id, 5).await.unwrap(), ["fatal: cannot start"]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_takes_the_grace_of_one_that_does_not_listen() {
    let script = Script { on_stop: (Duration::from_secs(100), 0), ..Script::serves() };
    let (model, id) = running(script, Restart::UnlessStopped).await;
    let before = model.now();
    model.stop(&id, Duration::from_secs(10)).await.unwrap();
    assert_eq!(look(&model, &id).await.life, Life::Exited(137));
    assert_eq!(model.now().duration_since(before).as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_fault_before_leaves_the_world_as_it_was_and_one_after_does_not() {
    let (model, id) = running(Script::serves(), Restart::No).await;
    let failing = |at: When| {
        model.with_faults(Arc::new(move |when, call: &Call| match call.name {
            "rename" if when == at => Fate::Fail(effects::refused("rename", 500, "lost")),
            _ => Fate::Go,
        }))
    };
    failing(When::Before).rename(&id, "other").await.unwrap_err();
    assert_eq!(look(&model, &id).await.name, "web");
    failing(When::After).rename(&id, "other").await.unwrap_err();
    assert_eq!(look(&model, &id).await.name, "other");
}

#[tokio::test(start_paused = true)]
async fn a_caller_killed_in_a_call_hears_nothing_more() {
    let (model, id) = running(Script::serves(), Restart::No).await;
    let killed = model.with_faults(Arc::new(|when, call: &Call| match (when, call.effect) {
        (When::After, true) => Fate::Hang,
        (When::Before | When::After, _) => Fate::Go,
    }));
    let stopping = tokio::time::timeout(Duration::from_secs(3600), killed.stop(&id, Duration::ZERO));
    stopping.await.unwrap_err();
    assert_eq!(look(&model, &id).await.life, Life::Exited(0));
}

#[tokio::test(start_paused = true)]
async fn the_projection_stays_over_a_stop_and_a_start_and_shows_a_changed_body() {
    let (model, id) = running(Script::serves(), Restart::No).await;
    let accepted = look(&model, &id).await.projection;
    model.stop(&id, Duration::ZERO).await.unwrap();
    model.start(&id).await.unwrap();
    model.rename(&id, "other").await.unwrap();
    model.adjust(&id, &Adjustable { memory: Some(1 << 20), ..Adjustable::default() }).await.unwrap();
    assert_eq!(accepted.differences(&look(&model, &id).await.projection), []);
    model.by_hand(|world| world.find_mut("other").unwrap().spec.privileged = true);
    assert_eq!(accepted.differences(&look(&model, &id).await.projection)[0].path, "Body.privileged");
}
