//! HTTPS with a certificate of the host's own authority, and one of an ACME authority.

use super::{
    Routed,
    authority::Authority,
    client::{header, status},
    openssl,
};
use crate::world::World;
use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

stories! {
    both:
        a_service_answers_over_https_with_a_certificate_of_the_hosts_own,
        a_certificate_is_ordered_over_the_route_and_an_authority_that_is_away_holds_nothing_up,
        files_of_the_host_are_judged_and_shown_anew_when_somebody_renews_them,
        files_of_the_host_are_shown_by_caddy_too;
    docker: ;
}

fn a_service_answers_over_https_with_a_certificate_of_the_hosts_own(world: &World) {
    let routed = Routed::in_front_of(world);
    let tls = "    tls: {mode: internal}\n";
    world.push("web", &routed.manifest("one", tls));
    world.converge();
    world.is_synced();
    let plain = routed.get("/a");
    assert_eq!(status(&plain), "301");
    assert_eq!(header(&plain, "location"), [format!("https://{}:{}/a", routed.host(), routed.https)]);
    let answer = routed.get_secured("/");
    assert!(answer.ends_with("one\n"), "{answer}");
    assert_eq!(header(&answer, "strict-transport-security"), ["max-age=31536000"]);
    assert_eq!(header(&answer, "x-content-type-options"), ["nosniff"]);
    // The next pass issues nothing anew, and a rollout keeps the certificate.
    let shown = || {
        let certs = world.state().join("certs");
        let mut names: Vec<String> = walk(&certs);
        names.sort();
        names
    };
    let before = shown();
    world.push("web", &routed.manifest("two", tls));
    world.converge();
    assert!(routed.get_secured("/").ends_with("two\n"));
    assert_eq!(shown(), before);
}

fn a_certificate_is_ordered_over_the_route_and_an_authority_that_is_away_holds_nothing_up(world: &World) {
    let routed = Routed::in_front_of(world);
    let proxy = SocketAddr::from(([127, 0, 0, 1], routed.http));
    let mut authority = Authority::start(&world.scratch("acme"), proxy, Duration::from_secs(1_000 * 3_600));
    let (directory, root) = (authority.directory(), authority.root());
    let acme = format!("acme: {{directory: \"{directory}\", ca_file: {}, preflight: \"{proxy}\"}}\n", root.display());
    world.host(&format!("{}{acme}", routed.settings()));
    world.push("web", &routed.manifest("one", ""));
    world.converge();
    world.is_synced();
    assert!(routed.get_secured("/").ends_with("one\n"));
    assert!(routed.issuer().contains("Pebble"), "{}", routed.issuer());
    assert_eq!(status(&routed.get("/")), "301");
    let told = world.run(&["status", "web", "--output", "json"]).expect(0).json();
    let (app, route) = (&told[0], &told[0]["services"][0]["route"]);
    assert_eq!((&app["health"], &route["answers"]), (&"Healthy".into(), &true.into()), "{told}");
    let until: jiff::Timestamp = route["certificate_until"].as_str().unwrap().parse().unwrap();
    assert!((900..=1000).contains(&until.duration_since(jiff::Timestamp::now()).as_hours()), "{until}");
    // A rollout orders nothing, and needs nobody's authority.
    authority.stop();
    world.push("web", &routed.manifest("two", ""));
    world.converge();
    assert!(routed.get_secured("/").ends_with("two\n"));
    assert_eq!(authority.orders(), 1);
    // A name more cannot be had now: what is there is shown, and people are told.
    let more = format!("www.{}", routed.host());
    world.push("web", &routed.manifest("two", "").replace("hosts: [", &format!("hosts: [{more}, ")));
    let ran = world.converge();
    assert_eq!(ran.json()["apps"][0]["health"], "Degraded", "{}", ran.stdout);
    assert!(routed.get_secured("/").ends_with("two\n"));
    let told = world.run(&["status", "web"]).expect(0).stdout;
    assert!(told.contains("the certificate of `web` is not to be had yet"), "{told}");
}

/// G16, V10
fn files_of_the_host_are_judged_and_shown_anew_when_somebody_renews_them(world: &World) {
    files(&Routed::in_front_of(world));
}

fn files_of_the_host_are_shown_by_caddy_too(world: &World) {
    files(&Routed::with_caddy(world));
}

fn files(routed: &Routed<'_>) {
    let world = routed.world;
    let folder = world.scratch("tls");
    let at = |file: &str| folder.join(file).display().to_string();
    let issue = |name: &str, days: &str| {
        let (key, chain, names) = (at("key.pem"), at("chain.pem"), format!("subjectAltName=DNS:{name}"));
        let made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=files";
        let words: Vec<&str> = made.split(' ').collect();
        openssl(&[&words[..], &["-days", days, "-addext", &names, "-keyout", &key, "-out", &chain]].concat());
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        openssl(&["x509", "-noout", "-fingerprint", "-in", &chain])
    };
    let tls = format!("    tls: {{mode: files, cert_file: {}, key_file: {}}}\n", at("chain.pem"), at("key.pem"));
    world.push("web", &routed.manifest("one", &tls));
    let blocked = || world.fails().json()["apps"][0]["error"].clone();
    let error = blocked();
    assert_eq!(error["blame"], "world", "{error}");
    assert!(error["summary"].as_str().unwrap().contains("chain.pem` is not there"), "{error}");
    issue("other.example.com", "90");
    let error = blocked();
    assert!(error["summary"].as_str().unwrap().contains(&routed.host()), "{error}");
    assert!(world.everything().is_empty(), "something was made for a route that cannot be");

    let first = issue(&routed.host(), "90");
    world.converge();
    world.is_synced();
    assert!(routed.get_secured("/").ends_with("one\n"));
    assert_eq!(routed.fingerprint(), first);
    let web = world.one("web", "web");
    let second = issue(&routed.host(), "90");
    assert_eq!(world.changes(), ["certificate/web update drift"]);
    world.converge();
    world.is_synced();
    assert_eq!(routed.fingerprint(), second);
    assert_eq!(world.one("web", "web"), web, "a renewed certificate is no reason for a new container");
}

/// What a manifest says of a certificate for the story's host, and who signed it.
pub fn issued(routed: &Routed<'_>) -> (String, PathBuf) {
    let folder = routed.world.scratch("issued");
    let at = |file: &str| folder.join(file).display().to_string();
    let make = |subject: &str, key: &str, certificate: &str, more: &[&str]| {
        let made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj";
        let words: Vec<&str> = made.split(' ').collect();
        openssl(&[&words[..], &[subject, "-keyout", &at(key), "-out", &at(certificate)], more].concat());
        fs::set_permissions(at(key), fs::Permissions::from_mode(0o600)).unwrap();
    };
    make("/CN=root", "root.key", "root.pem", &[]);
    let names = format!("subjectAltName=DNS:{}", routed.host());
    let signed = ["-CA", &at("root.pem"), "-CAkey", &at("root.key"), "-addext", &names];
    make(
        "/CN=leaf",
        "key.pem",
        "chain.pem",
        &[&signed[..], &["-addext", "basicConstraints=critical,CA:FALSE"]].concat(),
    );
    let tls = format!("    tls: {{mode: files, cert_file: {}, key_file: {}}}\n", at("chain.pem"), at("key.pem"));
    (tls, folder.join("root.pem"))
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found.push(path.display().to_string());
        if path.is_dir() && !path.is_symlink() {
            found.extend(walk(&path));
        }
    }
    found
}
