//! HTTPS with a certificate of the host's own authority, and one of an ACME authority.

use super::{
    Routed,
    client::{header, status},
};
use crate::world::World;

stories! {
    both: ;
    docker: a_service_answers_over_https_with_a_certificate_of_the_hosts_own;
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
