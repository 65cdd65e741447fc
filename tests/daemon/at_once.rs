//! What is seen to at once: a sweep would see to it too, most of a minute later.

use crate::{
    dependencies::depending,
    house::{House, app, service},
};
use reconcile::engine::model::World;

fn memory(world: &mut World) -> &mut Option<u64> {
    &mut world.containers.values_mut().next().unwrap().spec.adjustable.memory
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_events_that_is_back_is_followed_by_a_full_look() {
    let house = House::of(&["test"]).await;
    house.push("c1", &[app("test", "web", &service(1))]);
    house.until("it runs", |house| house.version("web").is_some()).await;
    house.quiet().await;
    house.swept().await;
    house.model.cut_events();
    // Nobody hears of this one, and no list shows it.
    house.model.by_hand(|world| *memory(world) = Some(1 << 20));
    house.soon("it has its limits back", |house| house.model.by_hand(|world| memory(world).is_none())).await;
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_blocked_is_tried_again_by_its_own_timer() {
    let house = House::of(&["test"]).await;
    house.push("c1", &[app("test", "web", &service(1))]);
    house.until("it runs", |house| house.version("web").is_some()).await;
    house.quiet().await;
    house.swept().await;
    let mut missing = service(2);
    missing["services"]["one"]["image"] = "late:1".into();
    house.push("c2", &[app("test", "web", &missing)]);
    house.soon("it is asked for", |house| house.calls().iter().any(|call| call.name == "pull")).await;
    // Nobody is told that the registry has it now.
    house.model.by_hand(|world| {
        let image = world.images.values().next().unwrap().clone();
        world.registry.insert("late:1".to_owned(), ("sha256:late".to_owned(), image));
    });
    house.soon("it runs", |house| house.version("web").as_deref() == Some("2")).await;
    house.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_commit_leaves_alone_keeps_nobody_waiting() {
    let house = House::of(&["test"]).await;
    let web = |version| depending("test", "web", &service(version), ("test", "proxy"));
    let proxy = app("test", "proxy", &service(1));
    house.push("c1", &[web(1), proxy.clone()]);
    house.until("both run", |house| house.version("web").is_some()).await;
    house.quiet().await;
    house.swept().await;
    house.push("c2", &[web(2), proxy]);
    house.soon("the push is live", |house| house.version("web").as_deref() == Some("2")).await;
    house.end().await;
}
