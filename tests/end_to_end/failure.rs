//! Revisions that fail, each in its own way: the app stays on, or goes back to, the last good one, and says why.

use crate::world::{World, app};
use serde_json::Value;

stories! {
    both:
        a_revision_that_is_never_healthy_leaves_the_old_one_serving,
        a_revision_that_dies_at_once_is_reported_with_its_last_words,
        a_failing_job_stops_the_rollout,
        a_good_commit_after_a_bad_one_is_taken;
    docker:
        a_missing_image_blocks_and_condemns_nothing,
        a_stop_first_service_comes_back_when_the_new_one_dies,
        the_very_first_revision_that_fails_is_kept_for_a_look,
        a_condemned_revision_is_not_tried_again;
}

const SERVE: &str = "mkdir -p /www; echo good > /www/index.html; exec httpd -f -p 8080 -h /www";

fn manifest(script: &str, rest: &str) -> String {
    format!(
        r#"
services:
  web:
    image: bb:1
    command: [sh, -c, "{script}"]
    healthcheck: {{http: {{path: /index.html, port: 8080}}, interval: 1s, timeout: 1s, retries: 2}}
    rollout: {{healthy_deadline: 6s, drain: 0s}}
    stop_grace_period: 1s
{rest}
"#
    )
}

/// A good revision that serves.
fn begun(world: &World) {
    world.push("web", &manifest(SERVE, ""));
    world.converge();
    assert_eq!(world.answer("web", "web"), "good");
}

/// A pass fails, the good revision serves, and the next pass changes nothing of it.
fn holds(world: &World) -> Value {
    let failed = world.fails();
    assert_ne!(failed.stderr.trim(), "", "nothing was said on stderr");
    assert_eq!(world.answer("web", "web"), "good");
    world.converge();
    assert_eq!(world.answer("web", "web"), "good");
    app(&failed.json(), "web").clone()
}

fn a_revision_that_is_never_healthy_leaves_the_old_one_serving(world: &World) {
    begun(world);
    let good = world.one("web", "web");
    world.push("web", &manifest("sleep 36000", ""));
    let report = holds(world);
    assert_eq!(report["outcome"], "RolledBack", "{report:#}");
    assert_eq!(report["held"]["by"], "reconcile", "{report:#}");
    assert_eq!(world.one("web", "web"), good, "start-first replaced the serving container");
}

fn a_revision_that_dies_at_once_is_reported_with_its_last_words(world: &World) {
    begun(world);
    world.push("web", &manifest("echo no such database >&2; exit 3", ""));
    let report = holds(world);
    let error = &report["error"];
    assert_eq!((&error["blame"], &error["exit_code"]), (&"revision".into(), &3.into()), "{report:#}");
    assert_eq!((&error["service"], &error["oom"]), (&"web".into(), &false.into()), "{report:#}");
    let log: Vec<_> = error["log"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(log.iter().any(|line| line.contains("no such database")), "{report:#}");
    status_tells_the_last_words(world);
    world.push("web", &manifest(SERVE, "# mended"));
    world.converge();
    assert_eq!(world.run(&["status", "web", "--output", "json"]).expect(0).json()[0]["error"], Value::Null);
}

/// Whoever comes later learns as much as who was there.
fn status_tells_the_last_words(world: &World) {
    let status = world.run(&["status", "web", "--output", "json"]).expect(0).json();
    let error = &status[0]["error"];
    assert_eq!((&error["service"], &error["exit_code"]), (&"web".into(), &3.into()), "{status:#}");
    assert!(error["log"].to_string().contains("no such database"), "{status:#}");
    assert!(error["summary"].as_str().unwrap().starts_with("revision 2 failed: "), "{status:#}");
    for form in ["text", "markdown"] {
        for words in [&["status", "--output", form][..], &["show", "web", "2", "--output", form]] {
            world.run(words).expect(0).says("no such database").says("exit code 3");
        }
    }
    let shown = world.run(&["show", "web", "2", "--output", "json"]).expect(0).json();
    assert_eq!((&shown["outcome"], &shown["error"]["exit_code"]), (&"Failed".into(), &3.into()), "{shown:#}");
    assert_eq!(world.run(&["show", "web", "1", "--output", "json"]).expect(0).json()["error"], Value::Null);
}

fn a_failing_job_stops_the_rollout(world: &World) {
    begun(world);
    let good = world.one("web", "web");
    let job = "jobs: {migrate: {service: web, command: [sh, -c, 'echo column is missing; exit 7'], when: pre_sync}}";
    world.push("web", &manifest(&format!("true; {SERVE}"), job));
    let report = holds(world);
    assert_eq!(report["error"]["exit_code"], 7, "{report:#}");
    assert!(report["error"].to_string().contains("column is missing"), "{report:#}");
    assert_eq!(world.one("web", "web"), good);
}

fn a_good_commit_after_a_bad_one_is_taken(world: &World) {
    begun(world);
    world.push("web", &manifest("exit 1", ""));
    world.fails();
    world.push("web", &manifest(&SERVE.replace("good", "better"), ""));
    world.converge();
    assert_eq!(world.answer("web", "web"), "better");
    world.is_synced();
}

fn a_missing_image_blocks_and_condemns_nothing(world: &World) {
    begun(world);
    world.push("web", &manifest(SERVE, "").replace("bb:1", &format!("{}-later:1", world.name)));
    let report = app(&world.fails().json(), "web").clone();
    assert_eq!((&report["outcome"], &report["error"]["blame"]), (&"Blocked".into(), &"world".into()), "{report:#}");
    assert_eq!(world.answer("web", "web"), "good");
    world.image("later:1", "LABEL is=here");
    world.converge();
    assert_eq!(world.answer("web", "web"), "good");
    world.is_synced();
}

fn a_stop_first_service_comes_back_when_the_new_one_dies(world: &World) {
    let with_volume = |script: &str| {
        manifest(script, "").replace("    stop_grace", "    volumes: [\"data:/data\"]\n    stop_grace")
            + "volumes: {data: {}}\n"
    };
    world.push("web", &with_volume(SERVE));
    world.converge();
    let good = world.one("web", "web");
    world.push("web", &with_volume("exit 4"));
    assert_eq!(app(&world.plan(), "web")["changes"][0]["order"], "stop-first");
    let report = holds(world);
    assert_eq!(report["outcome"], "RolledBack", "{report:#}");
    assert_eq!(world.one("web", "web"), good, "the old container was made anew");
}

fn the_very_first_revision_that_fails_is_kept_for_a_look(world: &World) {
    world.push("web", &manifest("echo never ran >&2; exit 5", ""));
    let report = app(&world.fails().json(), "web").clone();
    assert_eq!(report["outcome"], "Failed", "{report:#}");
    assert_eq!(world.running("web", "web"), Vec::<String>::new());
    let kept = world.everything();
    assert_eq!(kept.len(), 1, "what failed is kept");
    assert!(world.engine.ask(&["logs", &kept[0]]).contains("never ran") || report.to_string().contains("never ran"));
}

fn a_condemned_revision_is_not_tried_again(world: &World) {
    begun(world);
    world.push("web", &manifest("exit 6", ""));
    world.fails();
    let before = world.run(&["history", "web", "--output", "json"]).expect(0).stdout;
    world.commit("another app's business");
    world.converge();
    assert_eq!(world.run(&["history", "web", "--output", "json"]).expect(0).stdout, before);
    world.run(&["resume", "web"]).expect(0);
    world.fails();
    assert_eq!(world.answer("web", "web"), "good");
}
