//! Copies that do not get to every place, and what becomes of the place that lacks them.

use crate::{
    bucket::Server,
    copies::{POLICY, on},
    world::World,
};
use std::fs;

stories! {
    both: ;
    docker:
        what_a_bucket_missed_it_gets_when_its_key_is_right_again;
}

fn what_a_bucket_missed_it_gets_when_its_key_is_right_again(world: &World) {
    let server = Server::begin();
    let secret = world.secret("s3", "not+the+secret");
    let near = world.scratch("near").join("copies");
    world.host(&format!(
        "{POLICY}backup: {{repositories: {{near: {{type: local, path: {}}}, away: {{type: s3, endpoint: \"http://127.0.0.1:{}\", \
         bucket: copies, access_key_id: {}, secret_access_key_file: {}}}}}}}\n",
        near.display(),
        server.port,
        server.key,
        secret.display()
    ));
    world.push(
        "shop",
        "services: {app: {image: bb:1, command: [sleep, \"36000\"], stop_grace_period: 0s, rollout: {min_healthy_time: 0s}}}\n\
         backup: {before_deploy: never, repositories: [near, away], items: [{name: out, type: exec, service: app, command: [echo, hello]}], \
         hooks: {after: [{service: app, command: [touch, /after]}]}}\n",
    );
    world.converge();
    let told = world.run(&["backup", "run", "shop", "--output", "json"]).expect(1);
    let copy = told.json()[0]["copy"].clone();
    assert_eq!(
        (told.json()[0]["error"].as_str().unwrap().contains("the key is refused"), copy.is_null()),
        (true, false)
    );
    assert_eq!(world.one("shop", "app").exec(&["ls", "/after"]).trim(), "/after");
    let copies = || on(&near, "find \"$1\" -name '*.json' | wc -l");
    assert_eq!(copies(), "1");
    world.run(&["status", "shop"]).expect(0).says("the last copy of `out` did not get to `away`, at ");
    // The next run brings both.
    fs::write(&secret, &server.secret).unwrap();
    world.run(&["backup", "run", "shop"]).expect(0);
    assert_eq!(copies(), "2");
    let keys = server.asked("for o in s3.list_objects_v2(Bucket='copies')['Contents']: print(o['Key'])");
    assert_eq!(keys.iter().filter(|key| key.ends_with(".json")).count(), 2, "{keys:?}");
    let status = world.run(&["status", "shop"]).expect(0);
    assert!(!status.text().contains("did not get to"), "{}", status.text());
}
