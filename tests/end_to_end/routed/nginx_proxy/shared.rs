//! What others wrote, what others hold, and who else answers at a host.

use super::{PLAIN, Story, files};
use crate::{
    routed::{client::status, secured},
    world::World,
};
use std::fs;

stories! {
    both: ;
    docker:
        files_that_it_refuses_are_put_back_and_what_was_served_still_is,
        files_of_the_host_are_shown_and_two_services_share_a_host;
}

fn files_that_it_refuses_are_put_back_and_what_was_served_still_is(world: &World) {
    let story = Story::on(world);
    let limited = ", rate_limit: {rate: 100/s, burst: 100}";
    world.push("web", &story.manifest("one", limited, PLAIN));
    world.converge();
    let zones = |text: String| text.split("zone=").nth(1).and_then(|rest| rest.split(':').next()).map(str::to_owned);
    let folder = story.stand_in.folder("conf.d");
    let ours = files(&folder).into_values().find(|text| text.contains("limit_req_zone")).expect("a zone of ours");
    let zone = zones(ours).unwrap();
    world.push("web", &story.manifest("two", "", PLAIN));
    world.converge();
    story.says("two");
    // Somebody has a zone of that name, which counts something else.
    let theirs = folder.join("aaa-theirs.conf");
    fs::write(&theirs, format!("limit_req_zone $request_uri zone={zone}:1m rate=1r/s;\n")).unwrap();
    let (before, web) = (story.written(), world.one("web", "web"));
    world.push("web", &story.manifest("two", limited, PLAIN));
    let error = world.fails().json()["apps"][0]["error"].clone();
    let summary = error["summary"].as_str().unwrap();
    assert!(summary.contains("nginx-proxy refuses the routes of") && summary.contains(&zone), "{error:#}");
    assert_eq!(story.written(), before);
    assert_eq!(world.one("web", "web"), web);
    story.says("two");
    // It is told by none of what was put back that it may not be restarted.
    world.engine.ask(&["exec", &story.stand_in.container, "nginx", "-t", "-q"]);
    fs::remove_file(theirs).unwrap();
    world.run(&["resume", "web"]).expect(0);
    world.converge();
    world.is_synced();
    story.says("two");
}

fn files_of_the_host_are_shown_and_two_services_share_a_host(world: &World) {
    let story = Story::on(world);
    let (tls, _) = secured::issued(&story.routed);
    let web = story.manifest("one", "", &tls);
    let api = web
        .replace("services:\n  web:", "  api:")
        .replace("echo one", "echo api")
        .replace("], port: 8080}", "], port: 8080, path: /api, strip_path: true}");
    world.push("web", &format!("{web}{api}"));
    world.converge();
    world.is_synced();
    let ends = |path: &str, word: &str| {
        let answer = story.routed.get_secured(path);
        assert!(answer.ends_with(&format!("{word}\n")), "{path}: {answer}");
    };
    ends("/index.html", "one");
    ends("/api/index.html", "api");
    assert!(story.routed.issuer().contains("CN = root"), "{}", story.routed.issuer());
    let shown = story.routed.fingerprint();
    secured::issued(&story.routed);
    world.converge();
    world.is_synced();
    assert_ne!(story.routed.fingerprint(), shown);
    // One of them goes, and the other stays.
    let page = world.one("web", "web");
    world.push("web", &web);
    world.converge();
    world.is_synced();
    assert_eq!(world.one("web", "web"), page);
    ends("/index.html", "one");
    assert_eq!(status(&story.routed.get_secured("/api/index.html")), "404");
}
