//! A push, a push that fails, a kill in the middle: requests are answered all the while.

use super::{Proxy, Routed, load::Load, secured};
use crate::world::{World, until};
use std::{fs, path::Path};

stories! {
    both:
        a_rollout_a_failed_one_and_a_rollback_lose_no_request,
        a_rollout_a_failed_one_and_a_rollback_behind_caddy_lose_no_request,
        a_switch_that_is_killed_anywhere_is_finished_and_loses_nothing,
        a_switch_behind_caddy_that_is_killed_anywhere_is_finished_and_loses_nothing,
        the_only_port_that_an_image_exposes_is_where_a_route_leads,
        a_route_is_drift_when_somebody_changes_it_and_goes_with_its_service,
        a_reload_of_caddys_own_file_is_drift_and_its_routes_come_back,
        a_port_that_nobody_listens_at_condemns_the_revision_and_the_route_stays,
        a_proxy_that_refuses_is_the_worlds_fault_and_the_old_route_stays,
        a_daemon_follows_a_container_that_was_restarted_elsewhere;
    docker:
        rollouts_over_tls_lose_no_request,
        rollouts_over_tls_behind_caddy_lose_no_request;
}

const PLAIN: &str = "    tls: {mode: off}\n";

fn a_rollout_a_failed_one_and_a_rollback_lose_no_request(world: &World) {
    rollouts(&Routed::in_front_of(world), PLAIN, None);
}

/// N8
fn a_rollout_a_failed_one_and_a_rollback_behind_caddy_lose_no_request(world: &World) {
    rollouts(&Routed::with_caddy(world), PLAIN, None);
}

fn rollouts_over_tls_lose_no_request(world: &World) {
    let routed = Routed::in_front_of(world);
    let root = world.state().join("certs/_authority/current/certificate.pem");
    rollouts(&routed, "    tls: {mode: internal}\n", Some(&root));
}

/// Certificates of its own Caddy 2.6 lacks for some milliseconds after each change; files it has always.
fn rollouts_over_tls_behind_caddy_lose_no_request(world: &World) {
    let routed = Routed::with_caddy(world);
    let (tls, root) = secured::issued(&routed);
    rollouts(&routed, &tls, Some(&root));
}

/// The certificate of who signs what is shown, where the load is over TLS.
fn rollouts(routed: &Routed<'_>, tls: &str, root: Option<&Path>) {
    let world = routed.world;
    let answers = |word: &str| {
        let said = if root.is_none() { routed.get("/") } else { routed.get_secured("/") };
        assert!(said.ends_with(&format!("{word}\n")), "{word}: {said}");
    };
    world.push("web", &routed.manifest("zero", tls));
    world.converge();
    world.is_synced();
    answers("zero");
    let load = match root {
        None => Load::on(routed.http, &routed.host()),
        Some(root) => Load::over_tls(routed.https, &routed.host(), root),
    };
    let words = super::words();
    for word in &words {
        world.push("web", &routed.manifest(word, tls));
        world.converge();
        answers(word);
    }
    world.push("web", &routed.manifest("deaf", tls).replace("exec httpd -f -p 8080", "exec httpd -f -p 8081"));
    let failed = world.fails();
    assert_eq!(failed.json()["apps"][0]["outcome"], "RolledBack", "{}", failed.stdout);
    answers(&words[words.len() - 1]);
    world.run(&["rollback", "web"]).expect(0);
    answers(&words[words.len() - 2]);
    load.lost_nothing();
}

fn a_switch_that_is_killed_anywhere_is_finished_and_loses_nothing(world: &World) {
    kills(&Routed::in_front_of(world));
}

fn a_switch_behind_caddy_that_is_killed_anywhere_is_finished_and_loses_nothing(world: &World) {
    kills(&Routed::with_caddy(world));
}

fn kills(routed: &Routed<'_>) {
    let world = routed.world;
    world.push("web", &routed.manifest("zero", PLAIN));
    world.converge();
    let load = Load::on(routed.http, &routed.host());
    for (word, moment) in [("one", "start"), ("two", "route"), ("three", "drain")] {
        world.push("web", &routed.manifest(word, PLAIN));
        let old = world.one("web", "web");
        let mut run = world.start(&[]);
        let before = routed.told();
        until(&format!("the moment to {moment}"), 30, || match moment {
            "start" => world.running("web", "web").len() > 1,
            "route" => routed.told() != before,
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
    load.lost_nothing();
}

fn a_reload_of_caddys_own_file_is_drift_and_its_routes_come_back(world: &World) {
    let routed = Routed::with_caddy(world);
    world.push("web", &routed.manifest("one", "    tls: {mode: internal, policy: modern}\n"));
    world.converge();
    world.is_synced();
    let (web, told) = (world.one("web", "web"), routed.told());
    assert!(routed.get_secured("/").ends_with("one\n"));
    let Proxy::Caddy(caddy) = &routed.proxy else { panic!("it is behind caddy") };
    let id = format!("/id/reconcile_{}.web.web", world.name);
    caddy.tell("PATCH", &format!("{id}/match/0/host"), "[]");
    assert_eq!(world.changes(), ["route/web repair drift"]);
    world.converge();
    assert_eq!(routed.told(), told);
    caddy.reload();
    assert_eq!(world.changes(), ["route/web create drift"]);
    world.converge();
    world.is_synced();
    assert_eq!((world.one("web", "web"), routed.told()), (web, told));
    world.push_other();
    world.converge();
    world.git(&["rm", "-q", &format!("environments/{}/web.yaml", world.name)]);
    world.commit("web: gone");
    world.converge();
    assert!(!routed.told().contains("reconcile"), "{}", routed.told());
    // Whom Caddy is to believe, its own file says.
    world.host(&routed.settings().replace("listen:", "trusted_proxies: [10.0.0.0/8], listen:"));
    let refused = world.fails();
    assert!(refused.stderr.contains("is not supported with `driver: caddy`"), "{}", refused.text());
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
    let theirs = routed.directory().join("theirs.conf");
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
    // Podman complains where the daemon has started it again before it was done.
    world.engine.try_ask(&["stop", "-t", "1", &web.id]);
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

fn the_only_port_that_an_image_exposes_is_where_a_route_leads(world: &World) {
    let routed = Routed::in_front_of(world);
    let one = world.image("one-port", "EXPOSE 8080");
    let two = world.image("two-ports", "EXPOSE 8080 9090");
    let manifest = |image: &str| {
        routed.manifest("one", PLAIN).replace("image: bb:1", &format!("image: {image}")).replace("], port: 8080}", "]}")
    };
    world.push("web", &manifest(&one));
    world.converge();
    world.is_synced();
    assert!(routed.get("/").ends_with("one\n"));
    for (image, why) in [(two.as_str(), "exposes `8080`, `9090`"), ("bb:1", "exposes none")] {
        world.push("web", &manifest(image));
        let error = world.fails().json()["apps"][0]["error"].clone();
        assert_eq!(error["blame"], "revision", "{error}");
        let summary = error["summary"].as_str().unwrap();
        assert!(
            summary.contains(&format!("does not say which port it leads to, and image `{image}` {why}")),
            "{error}"
        );
        assert!(routed.get("/").ends_with("one\n"));
    }
}
