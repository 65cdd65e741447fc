//! Secrets that the repository keeps, encrypted: they arrive, and an altered one stops its app alone and says why.

#[allow(dead_code)]
#[path = "../../src/secret/sops/tests/sealing.rs"]
mod sealing;

use crate::{
    secrets::delivered,
    world::{World, app},
};
use sealing::{Plain, Sealing, map, text};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

stories! {
    both:
        encrypted_files_of_the_repository_arrive_and_altered_ones_block_their_app_alone;
    docker:
        a_rollback_takes_the_secrets_of_the_commit_that_was_accepted,
        what_is_encrypted_is_listed_without_a_value;
}

const MANIFEST: &str = r#"
secrets:
  password: {file: secrets/password.age}
  tls_key: {file: secrets/tls.sops.yaml, key: tls.key}
services:
  web:
    image: bb:1
    command: [sleep, "36000"]
    secrets: [password, tls_key]
    stop_grace_period: 0s
    rollout: {min_healthy_time: 0s}
"#;

/// Makes an identity, and tells its file and its recipient.
pub fn identity(world: &World) -> (PathBuf, String) {
    let key = world.scratch("keys").join("age.key");
    let made = Command::new("age-keygen").arg("-o").arg(&key).output().expect("`age-keygen` is needed: make tools");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o400)).unwrap();
    (key, String::from_utf8(made.stderr).unwrap().trim().replace("Public key: ", ""))
}

/// Makes this host's identity, and tells its recipient.
fn host(world: &World) -> String {
    let ((key, recipient), folder) = (identity(world), world.scratch("secrets"));
    let host_key = world.scratch("keys").join("host.key");
    world.host(&format!(
        "secrets: {{dir: {}, age_identity: {}, key_file: {}}}\n",
        folder.display(),
        key.display(),
        host_key.display()
    ));
    recipient
}

/// Encrypts with the binary, as a person does.
fn encrypt(world: &World, recipient: &str, value: &str) {
    let clear = world.scratch("clear").join("value");
    fs::write(&clear, value).unwrap();
    let out = world.manifests().join("secrets/password.age");
    fs::create_dir_all(out.parent().unwrap()).unwrap();
    let (out, clear) = (out.display().to_string(), clear.display().to_string());
    world.run(&["secret", "encrypt", "--recipient", recipient, "--out", &out, &clear]).expect(0);
}

fn tls(key: &str) -> Plain {
    map([("tls", map([("key", text(key)), ("cert", text("public"))])), ("port", Plain::Int(443))])
}

fn encrypted_files_of_the_repository_arrive_and_altered_ones_block_their_app_alone(world: &World) {
    let recipient = host(world);
    let sealed = Sealing::to(&recipient).yaml(&tls("canary-key"));
    encrypt(world, &recipient, "canary-password\n");
    world.put("secrets/tls.sops.yaml", &sealed);
    world.push("web", MANIFEST);
    world.converge();
    let container = world.one("web", "web");
    assert_eq!(container.exec(&["cat", "/run/secrets/password"]), "canary-password");
    assert_eq!(container.exec(&["stat", "-c", "%s", "/run/secrets/password"]), "16", "the newline is a part of it");
    assert_eq!(container.exec(&["cat", "/run/secrets/tls_key"]), "canary-key");
    world.is_synced();

    // Encrypted again, the bytes of the file are others, and the value is not: nothing changes.
    encrypt(world, &recipient, "canary-password\n");
    world.commit("password: encrypted again");
    world.is_synced();

    let password = fs::read_to_string(world.manifests().join("secrets/password.age")).unwrap();
    let changed = |text: &str, from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        changed
    };
    let line = password.lines().nth(3).unwrap();
    let turned: String = line.chars().rev().collect();
    // The other ways to alter one stand beside the code.
    for (file, content, why) in [
        ("secrets/tls.sops.yaml", changed(&sealed, "\"port\":", "\"part\":"), "`part` was changed, renamed"),
        ("secrets/tls.sops.yaml", "tls: {key: canary-clear}\n".to_owned(), "neither an age file nor a SOPS file"),
        ("secrets/password.age", changed(&password, line, &turned), "it is damaged, cut off, or was changed"),
    ] {
        let before = fs::read_to_string(world.manifests().join(file)).unwrap();
        world.put(file, &content);
        world.commit(&format!("{file}: altered"));
        world.push_other();
        let ran = world.fails();
        let report = ran.json();
        let error = &app(&report, "web")["error"];
        assert_eq!(app(&report, "web")["outcome"], "Blocked", "{error:#}");
        let told = format!("{error} {}", ran.text());
        assert!(told.contains(file) && told.contains(why), "{why}: {told}");
        assert!(!told.contains("canary"), "{told}");
        assert_ne!(app(&report, "other")["outcome"], "Blocked", "{report:#}");
        assert_eq!(world.one("web", "web"), container, "what runs is left");
        world.put(file, &before);
        world.commit(&format!("{file}: as it was"));
    }
    world.converge();

    // The blob of the commit is read, never the work tree.
    world.put("secrets/tls.sops.yaml", "not committed");
    world.is_synced();
    world.put("secrets/tls.sops.yaml", &Sealing::to(&recipient).yaml(&tls("canary-new-key")));
    world.commit("tls: another key");
    assert_eq!(world.changes(), ["service/web replace secret"]);
    world.converge();
    let container = world.another("web", "web", &container.id);
    assert_eq!(container.exec(&["cat", "/run/secrets/tls_key"]), "canary-new-key");

    // After a boot it is what was accepted that is delivered, whatever else was pushed.
    world.put("secrets/tls.sops.yaml", &Sealing::to(&recipient).yaml(&tls("canary-of-nobody")));
    world.commit("tls: a key that nobody accepted");
    let [folder] = delivered(world, "secrets", "web").try_into().unwrap();
    world.engine.ask(&["stop", "-t", "0", &container.id]);
    fs::remove_dir_all(folder).unwrap();
    world.run_alone(&["secret", "materialise"]).expect(0).says("1 delivered.");
    world.engine.ask(&["start", &container.id]);
    assert_eq!(container.exec(&["cat", "/run/secrets/tls_key"]), "canary-new-key");
}

fn a_rollback_takes_the_secrets_of_the_commit_that_was_accepted(world: &World) {
    let recipient = host(world);
    let manifest = MANIFEST
        .replace("[password, tls_key]", "[password]")
        .replace("  tls_key: {file: secrets/tls.sops.yaml, key: tls.key}\n", "");
    encrypt(world, &recipient, "canary-first");
    world.push("web", &manifest);
    world.converge();
    encrypt(world, &recipient, "canary-accepted");
    world.push("web", &manifest.replace("36000", "36001"));
    world.converge();
    let second = world.one("web", "web");

    // Pushed, and applied by nobody.
    encrypt(world, &recipient, "canary-of-nobody");
    world.commit("password: of nobody");
    world.run(&["rollback", "web"]).expect(0);
    let container = world.another("web", "web", &second.id);
    assert_eq!(container.exec(&["cat", "/run/secrets/password"]), "canary-accepted");
    let value =
        |number: usize| world.run(&["history", "web", "--output", "json"]).expect(0).json()[number]["cause"].clone();
    assert_eq!(value(0), "rollback");
}

fn what_is_encrypted_is_listed_without_a_value(world: &World) {
    let recipient = host(world);
    encrypt(world, &recipient, "canary-password");
    world.push(
        "web",
        &MANIFEST.replace("services:", "  of_host: {}\nservices:").replace("[password,", "[of_host, password,"),
    );
    let ran = world.run_alone(&["secret", "list", "--output", "json"]).expect(0);
    let list = ran.json();
    let told = |index: usize, key: &str| list[index][key].as_str().unwrap_or("-").to_owned();
    let looked_for = world.scratch("secrets").join(&world.name).join("web/of_host");
    assert_eq!(told(0, "file"), looked_for.display().to_string(), "{list:#}");
    assert!(told(0, "error").contains("was looked for"), "{list:#}");
    assert_eq!([told(1, "secret"), told(1, "kept"), told(1, "error")], ["password", "repository", "-"], "{list:#}");
    assert!(told(2, "error").contains("`secrets/tls.sops.yaml` was looked for in the repository"), "{list:#}");
    // Of the work tree what is not committed is seen too.
    world.put("secrets/tls.sops.yaml", &Sealing::to(&recipient).yaml(&tls("canary-key")));
    let text = world.run_alone(&["secret", "list", "--worktree"]).expect(0);
    text.says("secrets/tls.sops.yaml (tls.key)").says("there").says("hint: write its value there");
    assert!(!format!("{}{}", ran.text(), text.text()).contains("canary"), "{}", text.text());
}
