//! What the daemon tells those who watch it (rows V14).

use super::web;
use crate::{
    port::free_port,
    world::{World, until},
};
use std::{fs, os::unix::fs::PermissionsExt, process::Command};

stories! {
    both: health_readiness_and_figures_are_what_the_daemon_is;
    docker: a_signed_webhook_makes_it_look_and_its_body_is_not_believed;
}

/// The status and the body of an answer.
fn ask(arguments: &[&str]) -> (String, String) {
    let output =
        Command::new("curl").args(["-s", "-m", "10", "-w", "\n%{http_code}"]).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap_or(("", &text));
    (status.to_owned(), body.to_owned())
}

fn health_readiness_and_figures_are_what_the_daemon_is(world: &World) {
    let address = format!("127.0.0.1:{}", free_port());
    world.host(&format!("listen: {address}\n"));
    world.push("web", &web("one"));
    world.push("bad", "services: {one: {imgae: x}}\n");
    let _daemon = world.watch(&[]);
    let at = |path: &str| ask(&[&format!("http://{address}{path}")]);
    until("it is ready", 60, || at("/readyz").0 == "200");
    assert_eq!(at("/healthz").0, "200");
    world.answers("web", "web", "one");
    let labels = |app: &str| format!("environment=\"{}\",app=\"{app}\"", world.name);
    // Of what is counted, once is enough: a second look may find something to record.
    let has = |name: &str| {
        let is_there = |line: &str| line.strip_prefix(name).is_some_and(|value| value.trim() != "0");
        until(&format!("a figure {name}"), 30, || at("/metrics").1.lines().any(is_there));
    };
    has(&format!("reconcile_passes_total{{{},outcome=\"Succeeded\"}} ", labels("web")));
    has(&format!("reconcile_passes_total{{{},outcome=\"Failed\"}} ", labels("bad")));
    has(&format!("reconcile_app_health{{{},health=\"Healthy\"}} ", labels("web")));
    has(&format!("reconcile_app_revision{{{}}} ", labels("web")));
    has("reconcile_engine_up ");
    // Drift is counted when it is repaired.
    let web = world.one("web", "web");
    world.engine.ask(&["rm", "-f", &web.id]);
    world.another("web", "web", &web.id);
    has(&format!("reconcile_app_drift_total{{{}}} ", labels("web")));
}

fn a_signed_webhook_makes_it_look_and_its_body_is_not_believed(world: &World) {
    let address = format!("127.0.0.1:{}", free_port());
    let secret = world.scratch("hook").join("secret");
    fs::write(&secret, "a secret of more than sixteen characters").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    // Without events of the repository's files and with a long poll, only the webhook makes it look.
    world.host(&format!("listen: {address}\nwebhook: {{secret_file: {}}}\nsource: {{poll: 1h}}\n", secret.display()));
    world.push("web", &web("one"));
    let daemon = world.watch(&[("RECONCILE_VERBOSE", "2")]);
    world.answers("web", "web", "one");
    let body = r#"{"ref":"refs/heads/evil","repository":{"url":"http://127.0.0.1:1/evil.git"}}"#;
    let signature = |key: &str| {
        let script = format!("printf '%s' '{body}' | openssl dgst -sha256 -hmac '{key}' | sed 's/.*= //'");
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        format!("X-Hub-Signature-256: sha256={}", String::from_utf8(output.stdout).unwrap().trim())
    };
    let deliver = |key: &str, delivery: &str| {
        let (signature, delivery) = (signature(key), format!("X-GitHub-Delivery: {delivery}"));
        ask(&["-X", "POST", "-H", &signature, "-H", &delivery, "-d", body, &format!("http://{address}/webhook")]).0
    };
    let asked = || daemon.lines("the source was asked").len();
    let before = asked();
    assert_eq!(deliver("another secret of many characters", "1"), "401");
    assert_eq!(deliver("a secret of more than sixteen characters", "2"), "202");
    until("it looks", 60, || asked() > before);
    assert_eq!(world.answer("web", "web"), "one");
}
