//! A place for copies that has no room for another one.

use crate::{copies::on, watch::disk::Disk, world::World};

stories! {
    both: ;
    docker: a_place_without_room_loses_no_copy_and_has_the_next_one_when_there_is_some;
}

/// As many bytes are copied as a file says; no packing makes them fewer.
const MANIFEST: &str = r#"
services:
  app: {image: bb:1, command: [sleep, "36000"], stop_grace_period: 0s, rollout: {min_healthy_time: 0s}}
backup:
  items: [{name: out, type: exec, service: app, command: [sh, -c, "head -c $(cat /size) /dev/urandom"]}]
  retention: {keep_last: 2, keep_daily: 0, keep_weekly: 0}
"#;

fn a_place_without_room_loses_no_copy_and_has_the_next_one_when_there_is_some(world: &World) {
    let place = world.scratch("copies");
    let disk = Disk::mount(&place);
    world.host(&format!("backup: {{repositories: {{local: {{type: local, path: {}}}}}}}\n", place.display()));
    world.push("shop", MANIFEST);
    world.converge();
    let app = world.one("shop", "app");
    let writes = |bytes: &str| app.exec(&["sh", "-c", &format!("echo {bytes} > /size")]);
    writes("300000");
    let names = || on(&place, "cd \"$1\"; find . -type f -not -path './filler/*' | sort");
    let copied = || world.copy("shop")[0]["copy"]["id"].as_str().unwrap().to_owned();
    let (first, second) = (copied(), copied());
    let before = names();
    assert_eq!(before.lines().count(), 4, "{before}");

    // Full in the middle of it, and from the first byte on.
    for is_full in [false, true] {
        if is_full {
            disk.fill();
        }
        writes(if is_full { "300000" } else { "5000000" });
        let told = world.run(&["backup", "run", "shop", "--output", "json"]).expect(1).json();
        assert!(told[0]["error"].as_str().unwrap().contains("No space left on device"), "{told}");
        assert_eq!(told[0]["hint"], "make room there; copies of before are as they were", "{told}");
        assert_eq!(names(), before);
        world.run(&["status", "shop"]).expect(0).says("the last run of `out` made no copy").says("No space left");
    }
    let verified = world.run_alone(&["backup", "verify", "shop", "--output", "json"]);
    // Nothing can be noted there either.
    assert!(names() == before && !verified.stdout.contains("not what was written"), "{verified:?}");

    disk.free();
    world.run_alone(&["backup", "verify", "shop"]).expect(0);
    let third = copied();
    let after = names();
    let is_there = |id: &str| after.contains(&format!("/{id}."));
    assert_eq!([&first, &second, &third].map(|id| is_there(id)), [false, true, true], "{after}");
    assert_eq!(after.lines().count(), 4, "{after}");
    let listed = world.run(&["backup", "list"]).expect(0).stdout;
    assert!(!listed.contains("made no copy"), "{listed}");
}
