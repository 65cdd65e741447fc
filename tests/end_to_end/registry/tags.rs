//! What a tag means, and to whom: it is resolved once for a revision, and a revision keeps what it was.

use super::{PASSWORD, Place, on_both};
use crate::world::app;
use std::time::{Duration, Instant};

on_both!(
    a_tag_that_moves_is_taken_as_the_pull_policy_says,
    a_rollback_fetches_the_image_of_then_by_its_digest,
    a_host_that_requires_digests_holds_to_it_also_when_it_goes_back,
);

fn a_tag_that_moves_is_taken_as_the_pull_policy_says(place: Place) {
    let Place { world, registry, .. } = &place;
    place.login(PASSWORD, "");
    registry.push("app:1", "one");
    place.push("app:1", "pull_policy: missing");
    world.converge();
    let first = world.one("app", "web").id;
    registry.push("app:1", "two");
    world.is_synced();
    world.converge();
    assert_eq!(world.one("app", "web").id, first, "`missing` takes what is here");

    place.push("app:1", "pull_policy: never");
    world.converge();
    assert_eq!((world.one("app", "web").id, place.word()), (first, "one".to_owned()), "`never` asks nobody");

    place.push("app:1", "pull_policy: always");
    world.converge();
    assert_eq!(place.word(), "two", "`always` asks for a new revision");
    registry.push("app:1", "three");
    world.converge();
    assert_eq!(place.word(), "two", "and only once for it");

    place.push("app:1", "pull_policy: daily");
    world.converge();
    assert_eq!(place.word(), "two", "`daily` was asked today");
    place.push("app:1", "pull_policy: every_1s");
    let deadline = Instant::now() + Duration::from_secs(60);
    while place.word() != "three" {
        assert!(Instant::now() < deadline, "`every_1s` asks anew");
        world.converge();
    }
}

fn a_rollback_fetches_the_image_of_then_by_its_digest(place: Place) {
    let Place { world, registry, .. } = &place;
    place.login(PASSWORD, "");
    let digest = registry.push("app:1", "one");
    place.push("app:1", "");
    world.converge();
    let image = world.one("app", "web").inspect()["Image"].as_str().unwrap().to_owned();
    registry.push("app:2", "two");
    place.push("app:2", "");
    world.converge();

    // The tag means something else now, and what it meant is gone from the host.
    registry.push("app:1", "moved");
    place.forget(&image);
    let back = world.run(&["rollback", "app", "--output", "json"]).expect(0);
    assert_eq!(place.word(), "one");
    assert_eq!(world.one("app", "web").inspect()["Image"], image.as_str());
    let by_digest = format!("{}@{digest}", registry.name("app"));
    assert_eq!(app(&back.json(), "app")["images"][registry.name("app:1")], by_digest);

    // Going on and back again finds it here: the registry may be away.
    world.run(&["resume", "app"]).expect(0);
    world.converge();
    assert_eq!(place.word(), "two");
}

fn a_host_that_requires_digests_holds_to_it_also_when_it_goes_back(place: Place) {
    let Place { world, registry, .. } = &place;
    place.login(PASSWORD, "");
    let digest = registry.push("app:1", "one");
    place.push("app:1", "");
    world.converge();
    let before = world.one("app", "web").id;

    // A tag beside a digest says nothing: the digest counts.
    place.push(&format!("app:9@{digest}"), "");
    place.login(PASSWORD, "policy: {require_digest: true}\n");
    world.converge();
    assert_ne!(world.one("app", "web").id, before);
    assert_eq!(place.word(), "one");
    world.is_synced();

    let refused = world.run(&["rollback", "app", "--output", "json"]).expect(1);
    refused.says("names no digest (`@sha256:…`), and this host requires one (`policy.require_digest`)");
    world.run(&["resume", "app"]).expect(0);
    world.is_synced();
}
