//! A push, a push that fails, a kill in the middle: requests are answered all the while.

use super::{Routed, load::Load};
use crate::world::{World, until};
use std::fs;

stories! {
    both:
        a_rollout_a_failed_one_and_a_rollback_lose_no_request;
    docker:
        a_switch_that_is_killed_anywhere_is_finished_and_loses_nothing,
        a_route_is_drift_when_somebody_changes_it_and_goes_with_its_service,
        a_port_that_nobody_listens_at_condemns_the_revision_and_the_route_stays,
        a_proxy_that_refuses_is_the_worlds_fault_and_the_old_route_stays,
        a_daemon_follows_a_container_that_was_restarted_elsewhere;
}

const PLAIN: &str = "    tls: {mode: off}\n";

fn a_rollout_a_failed_one_and_a_rollback_lose_no_request(world: &World) {
    let routed = Routed::in_front_of(world);
    world.push("web", &routed.manifest("one", PLAIN));
    world.converge();
    world.is_synced();
    assert!(routed.get("/").ends_with("one\n"));
    let load = Load::on(routed.http, &routed.host());
    for word in ["two", "three", "four"] {
        world.push("web", &routed.manifest(word, PLAIN));
        world.converge();
        assert!(routed.get("/").ends_with(&format!("{word}\n")), "{word}");
    }
    world.push("web", &routed.manifest("five", PLAIN).replace("exec httpd -f -p 8080", "exec httpd -f -p 8081"));
    let failed = world.fails();
    assert_eq!(failed.json()["apps"][0]["outcome"], "RolledBack", "{}", failed.stdout);
    assert!(routed.get("/").ends_with("four\n"));
    world.run(&["rollback", "web"]).expect(0);
    assert!(routed.get("/").ends_with("three\n"));
    let (answered, lost) = load.end();
    assert_eq!(lost, 0, "of {answered}");
    assert!(answered > 100, "{answered}");
}

fn a_switch_that_is_killed_anywhere_is_finished_and_loses_nothing(world: &World) {
    let routed = Routed::in_front_of(world);
    let drained = |word: &str| routed.manifest(word, PLAIN);
    world.push("web", &drained("zero"));
    world.converge();
    let load = Load::on(routed.http, &routed.host());
    for (word, moment) in [("one", "start"), ("two", "route"), ("three", "drain")] {
        world.push("web", &drained(word));
        let old = world.one("web", "web");
        let mut run = world.start(&[]);
        let file = routed.file();
        let old_route = fs::read_to_string(&file).unwrap();
        until(&format!("the moment to {moment}"), 30, || match moment {
            "start" => world.running("web", "web").len() > 1,
            "route" => fs::read_to_string(&file).is_ok_and(|text| text != old_route),
            _ => routed.get("/").ends_with(&format!("{word}\n")) && world.running("web", "web").len() > 1,
        });
        assert!(!run.is_over(), "{moment}: it is over already");
        run.kill();
        assert!(world.running("web", "web").contains(&old.id) || moment == "drain", "{moment}");
        world.converge();
        world.is_synced();
        assert!(routed.get("/").ends_with(&format!("{word}\n")), "{moment}");
        assert_eq!(world.running("web", "web").len(), 1, "{moment}");
    }
    let (answered, lost) = load.end();
    assert_eq!(lost, 0, "of {answered}");
}

fn a_route_is_drift_when_somebody_changes_it_and_goes_with_its_service(world: &World) {
    let routed = Routed::in_front_of(world);
    world.push("web", &routed.manifest("one", PLAIN));
    world.converge();
    let web = world.one("web", "web");
    let file = routed.file();
    let written = fs::read_to_string(&file).unwrap();
    let meddled = |text: &str, action: &str| {
        fs::write(&file, text).unwrap();
        assert_eq!(world.changes(), [format!("route/web {action} drift")]);
        world.converge();
        world.is_synced();
        assert_eq!(fs::read_to_string(&file).unwrap(), written);
    };
    meddled(&written.replace("proxy_pass http", "add_header X-Evil 1; proxy_pass http"), "repair");
    // Of which nothing can be read.
    meddled("nonsense;\n", "create");
    fs::remove_file(&file).unwrap();
    assert_eq!(world.changes(), ["route/web create drift"]);
    world.converge();
    world.is_synced();
    assert_eq!(world.one("web", "web"), web, "no container was touched");
    // The service stays and is no longer reached; then it goes.
    let lines: String = routed
        .manifest("one", PLAIN)
        .lines()
        .filter(|l| !l.contains("proxy:") && !l.contains("tls:"))
        .map(|l| format!("{l}\n"))
        .collect();
    world.push("web", &lines);
    world.converge();
    assert!(!file.exists());
    assert_eq!(world.one("web", "web"), web);
    world.push("web", &routed.manifest("one", PLAIN));
    world.converge();
    assert!(file.exists());
    world.push_other();
    world.converge();
    world.git(&["rm", "-q", &format!("environments/{}/web.yaml", world.name)]);
    world.commit("web: gone");
    world.converge();
    assert!(!file.exists());
}

fn a_port_that_nobody_listens_at_condemns_the_revision_and_the_route_stays(world: &World) {
    let routed = Routed::in_front_of(world);
    world.push("web", &routed.manifest("one", PLAIN));
    world.converge();
    world.push("web", &routed.manifest("two", PLAIN).replace("port: 8080}\n    tls", "port: 9090}\n    tls"));
    let failed = world.fails().json();
    assert_eq!(failed["apps"][0]["outcome"], "RolledBack", "{failed}");
    let summary = failed["apps"][0]["error"]["summary"].as_str().unwrap();
    assert!(summary.contains("nothing answers at port 9090 of `proxy`"), "{summary}");
    assert!(routed.get("/").ends_with("one\n"));
}

fn a_proxy_that_refuses_is_the_worlds_fault_and_the_old_route_stays(world: &World) {
    let routed = Routed::in_front_of(world);
    world.push("web", &routed.manifest("one", PLAIN));
    world.converge();
    let theirs = routed.nginx.directory().join("theirs.conf");
    fs::write(&theirs, "server { listen nonsense; }\n").unwrap();
    world.push("web", &routed.manifest("two", PLAIN));
    let blocked = world.fails().json();
    assert_eq!(blocked["apps"][0]["outcome"], "Blocked", "{blocked}");
    assert_eq!(blocked["apps"][0]["error"]["blame"], "world", "{blocked}");
    assert!(blocked["apps"][0]["error"]["summary"].as_str().unwrap().contains("theirs.conf"), "{blocked}");
    assert!(routed.get("/").ends_with("one\n"));
    fs::remove_file(&theirs).unwrap();
    world.converge();
    assert!(routed.get("/").ends_with("two\n"));
    // A host name that is taken away is nobody's.
    let nobody = super::client::curl("http", "nobody.example.com", routed.http, "/", &[]);
    assert_eq!(super::client::status(&nobody), "404");
}

fn a_daemon_follows_a_container_that_was_restarted_elsewhere(world: &World) {
    let routed = Routed::in_front_of(world);
    world.push("web", &routed.manifest("one", PLAIN));
    let daemon = world.watch(&[]);
    until("the route answers", 60, || routed.answers("one"));
    let web = world.one("web", "web");
    // Its address goes to another one while it is down.
    world.engine.ask(&["stop", "-t", "1", &web.id]);
    let taker = format!("{}-taker", world.name);
    let network = web.networks().remove(0);
    world.engine.ask(&[
        "run",
        "-d",
        "--name",
        &taker,
        "--label",
        &world.label(),
        "--network",
        &network,
        "bb:1",
        "sleep",
        "36000",
    ]);
    until("the route answers again", 60, || routed.answers("one"));
    drop(daemon);
}
