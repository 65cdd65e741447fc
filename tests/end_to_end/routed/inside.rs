//! An nginx in a container of this host, told there.

use super::{
    Proxy, Routed,
    asked::{ADA, keep_secrets},
    client::curl,
    contained::{self, Contained},
    load::Load,
    server,
};
use crate::{
    port::free_port,
    secrets::secret,
    world::{World, until},
};
use std::{fs::DirBuilder, os::unix::fs::DirBuilderExt};

stories! {
    both:
        an_nginx_in_a_container_is_told_there_and_a_rollout_loses_no_request;
    docker:
        a_service_that_it_does_not_reach_is_refused_before_anything_is_touched;
}

/// A world whose nginx is in a container, which sees the certificates elsewhere.
fn in_front_of(world: &World) -> Routed<'_> {
    let (http, https) = (free_port(), free_port());
    let (name, network) = (format!("{}-edge", world.name), format!("{}-front", world.name));
    let directory = world.scratch("edge-conf");
    let certificates = world.state().join("certs");
    DirBuilder::new().recursive(true).mode(0o700).create(&certificates).unwrap();
    let shown = [
        (contained::main_file(world), "/etc/nginx/nginx.conf"),
        (directory.clone(), "/etc/nginx/conf.d"),
        (certificates, "/certificates"),
    ];
    let shown: Vec<_> = shown.iter().map(|(here, there)| (here.as_path(), *there)).collect();
    contained::run(world, (&name, &network), (http, https), &shown, &["nginx", "-g", "daemon off;"]);
    let driver = format!("nginx, container: {name}, directory: {}, certificates: /certificates", directory.display());
    Routed::with(world, Proxy::Contained(Contained { driver, directory }), http, https)
}

/// A service on the network of the proxy, that says a word.
fn manifest(routed: &Routed<'_>, word: &str, proxy: &str, more: &str) -> String {
    format!(
        "networks: {{front: {{external: true, name: {}-front}}}}\nservices:\n  web:\n    image: bb:1\n    command: {}\n\
         \x20   networks: [front]\n    stop_grace_period: 2s\n\
         \x20   healthcheck: {{http: {{path: /index.html, port: 8080}}, interval: 500ms}}\n\
         \x20   rollout: {{drain: 4s, healthy_deadline: 12s}}\n\
         \x20   proxy: {{hosts: [{}], port: 8080{proxy}}}\n{more}",
        routed.world.name,
        server(word),
        routed.host()
    )
}

fn an_nginx_in_a_container_is_told_there_and_a_rollout_loses_no_request(world: &World) {
    let routed = in_front_of(world);
    let plain = "    tls: {mode: off}\n";
    world.push("web", &manifest(&routed, "one", "", plain));
    world.converge();
    world.is_synced();
    assert!(routed.get("/").ends_with("one\n"), "{}", routed.get("/"));
    let load = Load::on(routed.http, &routed.host());
    for word in ["two", "three"] {
        world.push("web", &manifest(&routed, word, "", plain));
        world.converge();
        assert!(routed.get("/").ends_with(&format!("{word}\n")), "{word}");
    }
    world.push("web", &manifest(&routed, "four", "", plain).replace("exec httpd -f -p 8080", "exec httpd -f -p 8081"));
    assert_eq!(world.fails().json()["apps"][0]["outcome"], "RolledBack");
    load.lost_nothing();
    // Certificates and users are where it sees them.
    keep_secrets(&routed);
    secret(world, "web", "users", ADA);
    let guarded = "    tls: {mode: internal}\nsecrets: {users: {}}\n";
    world.push("web", &manifest(&routed, "five", ", basic_auth: {secret: users}", guarded));
    world.converge();
    world.is_synced();
    assert!(routed.get("/").starts_with("HTTP/1.1 301"), "{}", routed.get("/"));
    assert!(routed.get_secured("/").starts_with("HTTP/1.1 401"), "{}", routed.get_secured("/"));
    let ada = curl("https", &routed.host(), routed.https, "/", &["--http1.1", "-u", "ada:lovelace"]);
    assert!(ada.ends_with("five\n"), "{ada}");
    assert!(routed.issuer().contains("reconcile"), "{}", routed.issuer());
}

fn a_service_that_it_does_not_reach_is_refused_before_anything_is_touched(world: &World) {
    let routed = in_front_of(world);
    let plain = "    tls: {mode: off}\n";
    world.push("web", &manifest(&routed, "one", "", plain));
    world.converge();
    let web = world.one("web", "web");
    let elsewhere = manifest(&routed, "two", "", plain).replace("    networks: [front]\n", "");
    world.push("web", &elsewhere);
    let error = world.fails().json()["apps"][0]["error"].clone();
    assert_eq!(error["blame"], "world", "{error}");
    assert_eq!(error["summary"], "`web` is on no network on which the proxy's container is", "{error}");
    assert!(error["hint"].as_str().unwrap().contains(&format!("`{}-front`", world.name)), "{error}");
    assert_eq!(world.one("web", "web"), web);
    // One that is stopped serves nobody, and what runs is left to run.
    world.engine.ask(&["stop", "-t", "1", &format!("{}-edge", world.name)]);
    world.push("web", &manifest(&routed, "three", "", plain));
    let error = world.fails().json()["apps"][0]["error"].clone();
    assert!(error["summary"].as_str().unwrap().contains("is stopped"), "{error}");
    assert_eq!(world.one("web", "web"), web);
    world.engine.ask(&["start", &format!("{}-edge", world.name)]);
    until("it is served again", 60, || world.run(&[]).code == Some(0));
    assert!(routed.get("/").ends_with("three\n"), "{}", routed.get("/"));
}
