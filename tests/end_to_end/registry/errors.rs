//! What is told when an image does not come: each thing as itself, the world's, and tried again.

use super::{
    PASSWORD, Place,
    logins::{hints, says},
    manifest, on_both,
};
use crate::world::{Answering, Engine, World, app, until};
use serde_json::Value;
use std::net::TcpListener;

on_both!(
    an_unknown_tag_condemns_nothing_and_is_taken_once_it_is_pushed,
    a_registry_that_is_away_is_told_and_asked_again
);

fn error(report: &Value) -> Value {
    let app = app(report, "app");
    assert_eq!((&app["outcome"], &app["held"]), (&Value::from("Blocked"), &Value::Null), "{report:#}");
    assert_eq!(app["error"]["blame"], "world", "{report:#}");
    app["error"].clone()
}

fn an_unknown_tag_condemns_nothing_and_is_taken_once_it_is_pushed(mut place: Place) {
    place.registry.push("app:1", "one");
    place.login(PASSWORD, "");
    place.push("app:1", "");
    place.world.converge();
    let running = place.world.one("app", "web").id;

    place.push("app:2", "");
    let told = error(&place.world.fails().json());
    let (registry, image) = (place.registry.address(), place.registry.name("app:2"));
    says(&told, &format!("registry `{registry}` has no image `{image}`"));
    hints(&told, "push it there, or correct its name");
    assert_eq!(place.world.one("app", "web").id, running, "what runs stays as it is");

    // Nobody commits anything: the daemon asks again.
    let daemon = place.world.watch(&[]);
    daemon.says("has no image");
    place.registry.push("app:2", "two");
    place.world.another("app", "web", &running);
    assert_eq!(place.word(), "two");
    drop(daemon);
    place.registry.stop();
}

fn a_registry_that_is_away_is_told_and_asked_again(mut place: Place) {
    place.registry.push("app:1", "one");
    place.login(PASSWORD, "");
    place.push("app:1", "");
    place.registry.stop();
    let told = error(&place.world.fails().json());
    let (registry, image) = (place.registry.address(), place.registry.name("app:1"));
    says(&told, &format!("registry `{registry}` is away: image `{image}` cannot be pulled"));
    place.registry.start();
    place.world.converge();
    assert_eq!(place.word(), "one");
}

/// On Docker alone: Podman tries for two minutes by itself before it tells. Its words are in the table of the driver.
#[test]
fn a_registry_that_takes_no_more_pulls_is_told() {
    let world = World::on(Engine::Docker);
    let limited = Answering::start(|asked| match asked.path.as_str() {
        "/v2/" => (200, vec!["Docker-Distribution-Api-Version: registry/2.0".to_owned()], "{}".to_owned()),
        _ => {
            let told = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}"#;
            (429, vec!["Retry-After: 60".to_owned()], told.to_owned())
        }
    });
    world.push("app", &manifest(&format!("{}/team/app:1", limited.address()), ""));
    let told = error(&world.fails().json());
    says(&told, &format!("registry `{}` takes no more pulls for now", limited.address()));
    hints(&told, "it is tried again");
}

/// Neither other apps nor the end of the tool wait for a registry that takes the connection and says nothing. Docker gives
/// up by itself; a pull of Podman's is over after five minutes without progress, which the driver's tests show.
#[test]
fn a_registry_that_stalls_keeps_nobody_else_waiting() {
    let world = World::on(Engine::Docker);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    world.app("app", &manifest(&format!("{address}/team/app:1"), ""));
    world.push("other", &manifest("bb:1", "command: [sh, -c, \"trap 'exit 0' TERM; sleep 36000 & wait\"]"));
    let mut daemon = world.watch(&[]);
    until("the other app runs", 60, || !world.running("other", "web").is_empty());
    daemon.says("says nothing");
    // It is in the next try by now, or soon; it ends all the same.
    daemon.signal("TERM");
    assert_eq!(daemon.ends().code(), Some(0));
    let told = error(&world.fails().json());
    says(
        &told,
        &format!("registry `{address}` says nothing: the pull of image `{address}/team/app:1` makes no progress"),
    );
}
