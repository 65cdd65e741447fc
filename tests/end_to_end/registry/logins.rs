//! Who opens a registry.

use super::{PASSWORD, Place, Registry, USER, on_both};
use crate::world::{Tokens, app};
use serde_json::json;
use std::{fs, path::Path};

on_both!(
    a_private_image_is_pulled_with_the_host_files_login,
    a_wrong_password_is_told_and_a_right_one_counts_at_once,
    the_engines_own_login_is_used_and_a_helper_is_told_by_name,
);

/// ROWS V2.
fn a_private_image_is_pulled_with_the_host_files_login(place: Place) {
    let Place { world, registry, .. } = &place;
    let digest = registry.push("app:1", "one");
    place.login(PASSWORD, "");
    place.push("app:1", "");
    let ran = world.run(&["-vvv", "--output", "json"]).expect(0);
    assert_eq!(place.word(), "one");
    world.is_synced();
    let by_digest = format!("{}@{digest}", registry.name("app"));
    assert_eq!(app(&ran.json(), "app")["images"][registry.name("app:1")], by_digest);
    let history = world.run(&["history", "app", "--output", "json"]).expect(0).json();
    assert_eq!(history[0]["images"][registry.name("app:1")], by_digest);
    // Neither said at any level nor written down anywhere.
    assert!(!ran.text().contains(PASSWORD), "{}", ran.text());
    let container = world.one("app", "web").inspect().to_string();
    assert!(!container.contains(PASSWORD), "{container}");
    assert_eq!(files_with(&world.state(), PASSWORD), Vec::<String>::new());
}

fn a_wrong_password_is_told_and_a_right_one_counts_at_once(place: Place) {
    let Place { world, registry, .. } = &place;
    registry.push("app:1", "one");
    let image = registry.name("app:1");
    place.push("app:1", "");
    let address = registry.address();

    let report = world.fails().json();
    let error = &app(&report, "app")["error"];
    assert_eq!(error["blame"], "world");
    says(error, &format!("registry `{address}` wants a login for image `{image}`, and none is known"));
    hints(error, &format!("name a user below `registries` in the host file, or run `docker login {address}` here"));

    place.login("wrong-canary", "");
    let wrong = world.run(&["-vvv", "--output", "json"]).expect(1);
    assert!(!wrong.text().contains("wrong-canary"), "{}", wrong.text());
    let report = wrong.json();
    let error = &app(&report, "app")["error"];
    assert_eq!((&error["blame"], &app(&report, "app")["outcome"]), (&json!("world"), &json!("Blocked")));
    says(error, &format!("registry `{address}` does not take the login of `{USER}` for image `{image}`"));
    hints(error, "see that user and password are right: they are from `registries` in the host file and `");

    fs::remove_file(world.secret("registry-password", "")).unwrap();
    let gone = world.fails();
    says(
        &app(&gone.json(), "app")["error"],
        &format!("the password of `{USER}` for registry `{address}` is not known"),
    );

    place.login(PASSWORD, "");
    world.converge();
    assert_eq!(place.word(), "one");
}

fn the_engines_own_login_is_used_and_a_helper_is_told_by_name(place: Place) {
    let Place { world, registry, .. } = &place;
    registry.push("app:1", "one");
    place.push("app:1", "");
    let helper = json!({"auths": {registry.address(): {}}, "credsStore": "canary"});
    fs::create_dir_all(world.logins()).unwrap();
    fs::write(world.logins().join("config.json"), helper.to_string()).unwrap();
    says(
        &app(&world.fails().json(), "app")["error"],
        "leaves it to the credential helper `canary` (`credsStore`), which is not run",
    );
    registry.login(&world.logins(), PASSWORD);
    world.converge();
    assert_eq!(place.word(), "one");
}

mod tokens {
    use super::{Place, Registry};

    #[test]
    fn docker_opens_a_registry_behind_a_token_service() {
        super::a_token_service(|tokens| Place::at(Registry::behind(tokens), false));
    }

    #[test]
    fn podman_opens_a_registry_behind_a_token_service() {
        super::a_token_service(|tokens| Place::at(Registry::behind(tokens), true));
    }
}

fn a_token_service(place: impl FnOnce(&Tokens) -> Place) {
    let tokens = Tokens::start(USER, PASSWORD, "identity-canary");
    let place = place(&tokens);
    let Place { world, registry, .. } = &place;
    registry.push("app:1", "one");
    registry.push("app:2", "two");
    place.push("app:1", "");
    place.login("wrong", "");
    let report = world.fails().json();
    let error = &app(&report, "app")["error"];
    says(error, &format!("registry `{}` does not take the login of `{USER}`", registry.address()));
    place.login(PASSWORD, "");
    world.converge();
    assert_eq!(place.word(), "one");

    world.host("");
    registry.login_entry(&world.logins(), &json!({"identitytoken": "identity-canary"}));
    place.push("app:2", "");
    let ran = world.run(&["-vvv", "--output", "json"]).expect(0);
    assert_eq!(place.word(), "two");
    assert!(!ran.text().contains("identity-canary"), "{}", ran.text());
}

#[track_caller]
pub fn says(error: &serde_json::Value, words: &str) {
    let summary = error["summary"].as_str().unwrap_or_default();
    assert!(summary.contains(words), "`{words}` is not in: {error:#}");
}

#[track_caller]
pub fn hints(error: &serde_json::Value, words: &str) {
    let hint = error["hint"].as_str().unwrap_or_default();
    assert!(hint.contains(words), "`{words}` is not hinted: {error:#}");
}

/// The files below a folder that hold a text.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if let Ok(bytes) = fs::read(&path)
            && bytes.windows(text.len()).any(|window| window == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}
