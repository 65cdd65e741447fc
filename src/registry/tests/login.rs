//! The files that `docker login` and `podman login` write.

use crate::{
    registry::{
        credentials::Proof,
        login::{Login, LoginFile},
    },
    value::ImageReference,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

fn auth(text: &str) -> String {
    STANDARD.encode(text)
}

/// What a login file says of an image, in words.
fn said(file: &Value, image: &str) -> String {
    let file = LoginFile::read(&file.to_string()).unwrap();
    match file.of(&image.parse::<ImageReference>().unwrap()) {
        Login::None => "nothing".to_owned(),
        Login::Garbled => "garbled".to_owned(),
        Login::Helper { name, setting } => format!("{setting} {name}"),
        Login::Known(known) => match &known.proof {
            Proof::Password(secret) => format!("{} {}", known.username, secret.expose_secret()),
            Proof::IdentityToken(secret) => format!("{} token {}", known.username, secret.expose_secret()),
        },
    }
}

#[test]
fn each_form_of_an_entry_is_read() {
    let table = [
        (json!({"auth": auth("ann:pa:ss")}), "ann pa:ss"),
        (json!({"auth": auth("ann:s3cret\0\0")}), "ann s3cret"),
        (json!({"username": "ann", "password": "s3cret"}), "ann s3cret"),
        (json!({"auth": auth("ann:s3cret"), "username": "bob", "password": "other", "email": "a@b"}), "ann s3cret"),
        (json!({"auth": auth("0000:"), "identitytoken": "tok"}), "0000 token tok"),
        (json!({"username": "ann", "identitytoken": "tok"}), "ann token tok"),
        (json!({"auth": "not base64"}), "garbled"),
        (json!({"auth": auth("no colon")}), "garbled"),
        (json!({"auth": auth(":nobody")}), "garbled"),
        (json!({"username": "ann"}), "nothing"),
        (json!({"auth": ""}), "nothing"),
        (json!({}), "nothing"),
    ];
    for (entry, expected) in table {
        let file = json!({"auths": {"registry.example.com": entry}, "HttpHeaders": {"User-Agent": "x"}});
        assert_eq!(said(&file, "registry.example.com/team/app:1"), expected, "{file}");
        assert_eq!(said(&file, "nginx:1"), "nothing");
    }
}

#[test]
fn an_image_belongs_to_the_entry_of_its_registry() {
    let hub = "https://index.docker.io/v1/";
    let table = [
        (hub, "nginx", true),
        (hub, "nginx:1.27", true),
        (hub, "team/app:1", true),
        (hub, "docker.io/team/app:1", true),
        (hub, "index.docker.io/team/app:1", true),
        (hub, "localhost/app:1", false),
        ("index.docker.io/v1/", "nginx", true),
        ("docker.io", "nginx", true),
        ("docker.io/team", "team/app", true),
        ("docker.io/team", "nginx", false),
        ("registry.example.com", "registry.example.com/app", true),
        ("registry.example.com", "registry.example.com:5000/app", false),
        ("registry.example.com:5000", "registry.example.com:5000/app", true),
        ("https://registry.example.com:5000", "registry.example.com:5000/app", true),
        ("https://registry.example.com/v2/", "registry.example.com/app", true),
        ("http://127.0.0.1:5000", "127.0.0.1:5000/app", true),
        ("localhost:5000", "localhost:5000/app", true),
        ("localhost", "localhost/app", true),
        ("REGISTRY.example.com", "registry.example.com/app", true),
        ("registry.example.com/team", "registry.example.com/team/app", true),
        ("registry.example.com/team", "registry.example.com/teams/app", false),
        ("registry.example.com/team/app", "registry.example.com/team/app:1", true),
        ("not a host", "nginx", false),
    ];
    for (key, image, opens) in table {
        let file = json!({"auths": {key: {"auth": auth("ann:s3cret")}}});
        assert_eq!(said(&file, image), if opens { "ann s3cret" } else { "nothing" }, "{key} and {image}");
    }
}

#[test]
fn the_entry_with_the_longest_path_counts() {
    let file = json!({"auths": {
        "registry.example.com": {"auth": auth("all:1")},
        "registry.example.com/team": {"auth": auth("team:2")},
        "registry.example.com/team/app": {"auth": auth("app:3")},
    }});
    assert_eq!(said(&file, "registry.example.com/team/app:1"), "app 3");
    assert_eq!(said(&file, "registry.example.com/team/other"), "team 2");
    assert_eq!(said(&file, "registry.example.com/other"), "all 1");
}

#[test]
fn a_credential_helper_is_told_by_name() {
    let store = json!({"auths": {"registry.example.com": {}}, "credsStore": "desktop"});
    assert_eq!(said(&store, "registry.example.com/app"), "credsStore desktop");
    let helpers = json!({"auths": {"other.example.com": {"auth": auth("ann:s3cret")}},
        "credHelpers": {"registry.example.com": "ecr-login"}, "credsStore": "desktop"});
    assert_eq!(said(&helpers, "registry.example.com/app"), "credHelpers ecr-login");
    assert_eq!(said(&helpers, "other.example.com/app"), "ann s3cret");
}

#[test]
fn what_is_no_login_file_is_told_by_its_place_and_nothing_of_it() {
    for text in [r#"{"auths": "s3cret"}"#, "s3cret", r#"{"auths": {"a.b": {"auth": ["s3cret"]}}}"#, "{\n s3cret"] {
        let told = LoginFile::read(text).unwrap_err();
        assert!(told.to_string().starts_with("line "), "{told}");
        assert!(!format!("{told} {told:?}").contains("s3cret"), "{told}");
    }
}
