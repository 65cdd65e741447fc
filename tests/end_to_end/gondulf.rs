//! Gondulf: an IndieAuth server on SQLite, on Docker or Podman.

use crate::{
    copies::{POLICY, on, writer},
    world::{Engine, SLEEPER, World, app, until},
};
use std::{fs, os::unix::fs::MetadataExt};

stories! {
    both:
        a_non_root_user_on_a_read_only_root_without_capabilities,
        a_named_volume_survives_every_recreation,
        a_start_that_dies_of_its_configuration_is_reported_and_rolled_back;
    docker:
        the_nightly_copies_are_packed_closed_and_opened_by_what_everybody_has,
        one_manifest_has_one_outcome_on_both_engines;
}

fn manifest(more: &str) -> String {
    format!(
        r#"
volumes: {{data: {{}}}}
services:
  gondulf:
    image: bb:1
    command: [sh, -c, "[ $(printf %s $SECRET_KEY | wc -c) -ge 32 ] || {{ echo SECRET_KEY must have 32 characters >&2; exit 78; }}; cp /bin/busybox /tmp/b; exec httpd -f -p 8080 -h /data"]
    env: {{SECRET_KEY: 0123456789abcdef0123456789abcdef}}
    volumes: ["data:/data"]
    healthcheck: {{tcp: {{port: 8080}}, interval: 500ms}}
    rollout: {{healthy_deadline: 20s}}
    stop_grace_period: 1s
{more}
"#
    )
}

/// G1
fn one_manifest_has_one_outcome_on_both_engines(docker: &World) {
    let podman = World::on(Engine::Podman);
    let told = [docker, &podman].map(|world| {
        let mut told = Vec::new();
        let dead = manifest("").replace("0123456789abcdef0123456789abcdef", "short");
        for manifest in [manifest(""), manifest("    hostname: other"), dead] {
            world.push("gondulf", &manifest);
            for ran in [world.run(&["--dry-run", "--output", "json"]), world.run(&["--output", "json"])] {
                let mut report = ran.json();
                report["revision"].take();
                // Each engine built its own test image.
                report["apps"][0]["images"].take();
                // Whether a death is seen before or after the engine's restarts is chance.
                report["apps"][0]["error"]["summary"].take();
                if let Some(log) = report["apps"][0]["error"]["log"].as_array_mut() {
                    log.dedup();
                }
                report["apps"][0]["held"]["reason"].take();
                told.push((ran.code, report.to_string().replace(&world.name, "here")));
            }
        }
        told
    });
    assert_eq!(told[0], told[1]);
    let all = told[0].iter().map(|(_, report)| report.as_str()).collect::<String>();
    assert!(all.contains("Succeeded") && all.contains("RolledBack") && all.contains("replace"), "{all}");
}

/// G3
fn a_non_root_user_on_a_read_only_root_without_capabilities(world: &World) {
    let hardened = "    user: \"1000:1000\"\n    read_only: true\n    tmpfs: [/tmp]\n    cap_drop: [ALL]\n    security_opt: [no-new-privileges]";
    world.push("gondulf", &manifest(hardened));
    world.converge();
    let gondulf = world.one("gondulf", "gondulf");
    assert_eq!(gondulf.exec(&["id", "-u"]), "1000");
    assert!(!gondulf.succeeds(&["touch", "/written"]), "the root file system is writable");
    assert!(gondulf.succeeds(&["touch", "/tmp/written"]), "/tmp is not writable");
    let status = gondulf.exec(&["grep", "-E", "^(CapEff|CapBnd|NoNewPrivs):", "/proc/self/status"]);
    let values: Vec<_> = status.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(values, ["0000000000000000", "0000000000000000", "1"], "{status}");
    world.is_synced();
}

/// G4
fn a_named_volume_survives_every_recreation(world: &World) {
    world.push("gondulf", &manifest(""));
    world.converge();
    let first = world.one("gondulf", "gondulf");
    first.exec(&["sh", "-c", "echo kept > /data/file"]);
    world.push("gondulf", &manifest("    hostname: other"));
    world.converge();
    let second = world.one("gondulf", "gondulf");
    assert_ne!(first, second, "the container was not made anew");
    assert_eq!(second.exec(&["cat", "/data/file"]), "kept");
    world.run(&["--replace", "gondulf"]).expect(0);
    assert_ne!(world.one("gondulf", "gondulf"), second, "--replace made no new container");
    world.run(&["rollback", "gondulf"]).expect(0);
    assert_eq!(world.one("gondulf", "gondulf").exec(&["cat", "/data/file"]), "kept");
    world.run(&["resume", "gondulf"]).expect(0);

    world.put(
        format!("environments/{}/other.yaml", world.name),
        &format!("services: {{o: {{image: bb:1, command: {SLEEPER}}}}}\n"),
    );
    world.put(
        format!("environments/{}/third.yaml", world.name),
        &format!("services: {{o: {{image: bb:1, command: {SLEEPER}}}}}\n"),
    );
    world.commit("others");
    world.converge();
    world.git(&["rm", "-q", &format!("environments/{}/gondulf.yaml", world.name)]);
    world.commit("gone");
    world.converge();
    assert_eq!(world.running("gondulf", "gondulf"), Vec::<String>::new());
    world.git(&["revert", "--no-edit", "HEAD"]);
    world.converge();
    assert_eq!(world.one("gondulf", "gondulf").exec(&["cat", "/data/file"]), "kept");
}

/// G12
fn a_start_that_dies_of_its_configuration_is_reported_and_rolled_back(world: &World) {
    world.push("gondulf", &manifest(""));
    world.converge();
    let good = world.one("gondulf", "gondulf");
    world.push("gondulf", &manifest("").replace("0123456789abcdef0123456789abcdef", "short"));
    let ran = world.fails();
    let report = ran.json();
    let gondulf = app(&report, "gondulf");
    assert_eq!((&gondulf["outcome"], &gondulf["error"]["exit_code"]), (&"RolledBack".into(), &78.into()), "{report:#}");
    ran.says("SECRET_KEY must have 32 characters");
    assert_eq!(world.one("gondulf", "gondulf"), good, "the old container was made anew");
}

/// G6, with the section of the deployment itself.
fn the_nightly_copies_are_packed_closed_and_opened_by_what_everybody_has(world: &World) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/environments/production/gondulf.yaml");
    let deployment = fs::read_to_string(path).unwrap();
    let section = deployment.split("\nbackup:\n").nth(1).expect("a section `backup`");
    let app = writer().split("\nbackup:").next().unwrap().replace("app.db", "gondulf.db");
    world.host(POLICY);
    world.push("gondulf", &format!("{app}\nbackup:\n{section}"));
    world.converge();
    until("the app writes", 60, || world.one("gondulf", "app").succeeds(&["test", "-s", "/data/gondulf.db"]));
    let made = world.run_wide_open(&["backup", "run", "gondulf", "--output", "json"]).expect(0).json();
    let file = made[0]["copy"]["file"].as_str().unwrap();
    assert!(file.starts_with(made[0]["copy"]["id"].as_str().unwrap()) && file.ends_with(".gz"), "{file}");
    let path = world.state().join("backups").join(&world.name).join("gondulf/database").join(file);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let line = "gunzip -c \"$1\" > \"$1.x\"; sqlite3 \"$1.x\" 'pragma integrity_check; select count(*) > 0 from one'";
    assert_eq!(on(&path, line), "ok\n1");
}
