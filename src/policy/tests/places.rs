//! Where copies may go.

use super::{app, told};
use crate::{
    host,
    policy::{of_app, stored},
};
use serde_json::json;

const PLACES: &str = "backup: {repositories: {near: {type: local, path: /srv/copies}, \
                      far: {type: s3, bucket: copies, access_key_id: a, secret_access_key_file: /etc/key}}}\n";

/// What is said of `production/gateway`, which copies a volume to these places.
fn judged(repositories: &[&str], consistency: &str) -> String {
    let item = json!({"name": "files", "type": "volume", "volume": "files", "consistency": consistency});
    let desired = app(&json!({
        "services": {"web": {"image": "a", "volumes": ["files:/files"]}, "other": {"image": "a"}},
        "volumes": {"files": {}},
        "backup": {"repositories": repositories, "items": [item]},
    }));
    let host = host::read("h.yaml", PLACES).unwrap();
    let denials = of_app(&desired, &[], |subject, _| stored(&host.settings.backup, subject));
    told(&denials.into_iter().map(|(_, denial)| denial).collect::<Vec<_>>())
}

#[test]
fn nobody_is_held_still_until_a_copy_is_in_a_bucket() {
    for consistency in ["pause", "stop"] {
        let told = judged(&["far", "near"], consistency);
        assert_eq!(
            told,
            "backup.repositories.0: whoever uses the data of `files` is held still for it, and would be for as long as it \
             takes to bring it to `far`: name a place on this host before it (`backup.repositories`) → nothing"
        );
        assert_eq!(judged(&["near", "far"], consistency), "");
    }
    assert_eq!(judged(&["far"], "none"), "");
}

#[test]
fn a_place_that_this_host_does_not_have_is_told_once() {
    let told = judged(&["near", "usb"], "none");
    assert_eq!(
        told,
        "backup.repositories.1: this host has no place `usb` for copies; it has `far`, `near` (`backup.repositories`) → \
         repositories: {usb: {type: local, path: /srv/backups}}"
    );
}
