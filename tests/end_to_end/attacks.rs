//! Who may push does not own the host: what the policy denies is refused by whichever way it comes, and nothing is made.

use crate::world::{Ran, SLEEPER, World, app};
use std::{fs, os::unix::fs::symlink};

stories! {
    both:
        whoever_may_push_gets_nothing_of_the_host,
        a_revision_from_before_the_policy_is_not_brought_back,
        what_may_not_be_reached_is_closed_by_manifest_rollback_and_drift,
        what_may_not_be_reached_is_closed_while_its_app_is_denied;
    docker:
        a_path_that_leads_elsewhere_is_not_followed,
        the_engines_socket_is_told_of_in_every_plan;
}

fn service(name: &str, fields: &str) -> String {
    format!(
        "services:\n  {name}: {{image: bb:1, command: {SLEEPER}, stop_grace_period: 1s, rollout: {{min_healthy_time: 0s}}, {fields}}}\n"
    )
}

/// Every command that looks at the work tree or at the branch.
fn every_way(world: &World) -> Vec<(&'static str, Ran)> {
    let manifests = world.manifests().join("environments");
    let (manifests, host) = (manifests.to_str().unwrap(), world.host_file());
    let mut ran = Vec::new();
    for output in ["text", "json", "markdown"] {
        ran.push(("worktree", world.run(&["--dry-run", "--worktree", "--output", output])));
        ran.push((
            "validate",
            world.run(&["validate", manifests, "--policy", host.to_str().unwrap(), "--output", output]),
        ));
    }
    world.commit("an attack");
    for output in ["text", "json", "markdown"] {
        ran.push(("plan", world.run(&["--dry-run", "--output", output])));
        ran.push(("pass", world.run(&["--output", output])));
    }
    ran
}

/// Each way tells where, what, by which rule, and what would allow it.
#[track_caller]
fn refused(world: &World, file: &str, field: &str, rule: &str, remedy: &str) {
    for (way, ran) in every_way(world) {
        let told = ran.text().replace("&quot;", "\"");
        assert_eq!(ran.code, Some(1), "{way}: {told}");
        for words in [&format!("environments/{file}"), field, rule, remedy] {
            assert!(told.contains(words), "{way} does not say `{words}`:\n{told}");
        }
    }
    assert_eq!(world.everything(), Vec::<String>::new());
}

fn whoever_may_push_gets_nothing_of_the_host(world: &World) {
    world.host("policy: {never_expose: [web/inner]}\n");
    world.commit("begin");
    let here = format!("{}/web.yaml", world.name);
    let attacks = [
        ("web", r#"volumes: ["/:/host"]"#, "volumes", "policy.engine_socket"),
        ("web", r#"volumes: ["/var/run/docker.sock:/s", "/etc:/e"]"#, "volumes", "policy.data_roots"),
        ("web", "privileged: true", "privileged", "policy.privileged"),
        ("web", "network_mode: host", "network_mode", "policy.network_mode_host"),
        ("web", "logging: {driver: json-file, options: {path: /etc/cron.d/x}}", "logging", "policy.privileged"),
        ("inner", r#"ports: ["18999:80"]"#, "ports", "policy.never_expose"),
    ];
    for (name, fields, field, rule) in attacks {
        let text = service(name, fields);
        let remedy = if rule == "policy.privileged" { "below `policy` in " } else { "" };
        world.app("web", &text);
        refused(world, &here, &format!("services.{name}.{field}"), rule, remedy);
        world.put("environments/_base/web.yaml", &text);
        world.app("web", "extends: ../_base/web.yaml\n");
        refused(world, "_base/web.yaml", &format!("services.{name}.{field}"), rule, remedy);
        fs::remove_file(world.manifests().join("environments/_base/web.yaml")).unwrap();
    }
    // All at once, each with its line.
    world.push("web", &service("web", r#"privileged: true, cap_add: [ALL], ports: ["*:1:1"], volumes: ["/etc:/e"]"#));
    let ran = world.run(&[]).expect(1);
    for rule in ["privileged", "cap_add", "publish", "data_roots"] {
        ran.says(&format!("(`policy.{rule}`)"));
    }
    ran.says(&format!("hint: to allow it, set `privileged: [{}/web/web]` below `policy` in ", world.name));
    ran.says("hint: to allow it, set `publish: [\"0.0.0.0:1\"]` below `policy` in ");
    assert_eq!(world.everything(), Vec::<String>::new());
}

fn a_revision_from_before_the_policy_is_not_brought_back(world: &World) {
    world.host("policy: {cap_add: [NET_ADMIN], privileged: [web/web]}\n");
    world.push("web", &service("web", r#"cap_add: [NET_ADMIN], security_opt: ["seccomp:unconfined"], env: {V: "1"}"#));
    world.converge();
    world.push("web", &service("web", "env: {V: \"2\"}"));
    world.converge();
    let harmless = world.one("web", "web");

    world.host("");
    let back = world.run(&["rollback", "web", "--output", "json"]).expect(1).json();
    let told = &app(&back, "web")["error"];
    for words in ["services.web.cap_add", "(`policy.cap_add`)", "services.web.security_opt", "(`policy.privileged`)"] {
        assert!(told["summary"].as_str().unwrap().contains(words), "{told:#}");
    }
    assert_eq!(app(&back, "web")["outcome"], "Blocked", "{back:#}");
    assert_eq!(world.one("web", "web"), harmless, "the container of now was touched");
    world.run(&["resume", "web"]).expect(0);
    world.converge();
    assert_eq!(world.one("web", "web"), harmless);
}

/// N4
fn what_may_not_be_reached_is_closed_by_manifest_rollback_and_drift(world: &World) {
    let other = format!("{}-other", world.name);
    world.engine.ask(&["network", "create", "--label", &world.label(), &other]);
    let joined = format!("networks: {{others: {{external: true, name: {other}}}}}\n");
    // Before anybody thought of it.
    world.push("web", &format!("{joined}{}", service("ollama", "networks: [others]")));
    world.converge();
    world.push("web", &service("ollama", "env: {V: \"2\"}"));
    world.converge();

    world.host("drift: report\npolicy: {never_expose: [web/ollama]}\n");
    let closed = world.one("web", "ollama");
    let own = closed.networks();
    world.run(&["rollback", "web"]).expect(1).says("(`policy.never_expose`)").says(&other);
    assert_eq!(world.one("web", "ollama"), closed);
    world.run(&["resume", "web"]).expect(0);

    // By hand, although drift is only told of.
    world.engine.ask(&["network", "connect", &other, &closed.id]);
    world.converge();
    assert_eq!(world.one("web", "ollama").networks(), own);
    let (inspect, name) = (closed.inspect(), closed.name());
    let labels = inspect["Config"]["Labels"].as_object().unwrap().iter();
    let labels: Vec<_> = labels.map(|(key, value)| format!("--label={key}={}", value.as_str().unwrap())).collect();
    let labels: Vec<_> = labels.iter().map(String::as_str).collect();
    world.engine.ask(&["rm", "-f", &closed.id]);
    let head = ["run", "-d", "--name", &name, "-p", "127.0.0.1::11434"];
    world.engine.ask(&[&head, &labels[..], &["bb:1", "sleep", "36000"]].concat());
    world.converge();
    let again = world.one("web", "ollama");
    let published = again.inspect()["NetworkSettings"]["Ports"].to_string();
    assert!(!published.contains("HostPort"), "{published}");
    assert_eq!(again.networks(), own);
    world.is_synced();
}

fn what_may_not_be_reached_is_closed_while_its_app_is_denied(world: &World) {
    let other = format!("{}-other", world.name);
    world.engine.ask(&["network", "create", "--label", &world.label(), &other]);
    world.push("web", &service("ollama", "internal_only: true"));
    world.converge();
    let closed = world.one("web", "ollama");
    let own = closed.networks();
    // Nothing of this app may be made any more.
    world.push("web", &service("ollama", "internal_only: true, privileged: true"));
    world.run(&[]).expect(1).says("(`policy.privileged`)");
    world.engine.ask(&["network", "connect", &other, &closed.id]);
    world.run(&[]).expect(1).says("(`policy.privileged`)").says("could be reached and may not be");
    assert_eq!(world.one("web", "ollama").id, closed.id);
    assert_eq!(closed.networks(), own);

    let (inspect, name) = (closed.inspect(), closed.name());
    let labels = inspect["Config"]["Labels"].as_object().unwrap().iter();
    let labels: Vec<_> = labels.map(|(key, value)| format!("--label={key}={}", value.as_str().unwrap())).collect();
    let labels: Vec<_> = labels.iter().map(String::as_str).collect();
    world.engine.ask(&["rm", "-f", &closed.id]);
    let head = ["run", "-d", "--name", &name, "-p", "127.0.0.1::11434"];
    world.engine.ask(&[&head, &labels[..], &["bb:1", "sleep", "36000"]].concat());
    world.run(&[]).expect(1).says("could be reached and may not be");
    assert_eq!(world.engine.ask(&["inspect", "--format", "{{.State.Running}}", &name]).trim(), "false");
}

fn a_path_that_leads_elsewhere_is_not_followed(world: &World) {
    let data = world.scratch("data");
    fs::create_dir(data.join("real")).unwrap();
    symlink("/etc", data.join("link")).unwrap();
    symlink("real", data.join("inside")).unwrap();
    world.host(&format!("policy: {{data_roots: [\"{}\"]}}\n", data.display()));
    for (below, words) in [("link", "leads to another place"), ("link/ssl", "leads to"), ("inside", "is a link")] {
        world.push("web", &service("web", &format!(r#"volumes: ["{}:/x:ro"]"#, data.join(below).display())));
        world.run(&[]).expect(1).says(words).says("services.web.volumes").says("(`policy.data_roots`)");
        assert_eq!(world.everything(), Vec::<String>::new());
    }
    world.push("web", &service("web", &format!(r#"volumes: ["{}:/x"]"#, data.join("real").display())));
    world.converge();
    world.is_synced();
    // What it runs with is turned into a link: it is not started again that way.
    let web = world.one("web", "web");
    world.engine.ask(&["stop", "-t", "1", &web.id]);
    fs::remove_dir(data.join("real")).unwrap();
    symlink("/etc", data.join("real")).unwrap();
    world.run(&[]).expect(1).says("leads to another place");
    assert_eq!(world.running("web", "web"), Vec::<String>::new());
}

fn the_engines_socket_is_told_of_in_every_plan(world: &World) {
    let socket = world.engine.address().trim_start_matches("unix://").to_owned();
    let bind = format!(r#"volumes: ["{socket}:/run/api.sock:ro"]"#);
    world.push("agent", &service("agent", &bind));
    world.run(&[]).expect(1).says("policy.engine_socket").says(&format!("engine_socket: [{}/agent/agent]", world.name));
    world.host("policy: {engine_socket: [agent/agent]}\n");
    let words = "service `agent` has the engine's socket";
    world.run(&["--dry-run"]).expect(0).says(words);
    world.converge();
    world.run(&["--dry-run"]).expect(0).says(words).says("In sync.");
    world.run(&["--dry-run", "--output", "markdown"]).expect(0).says(words);
    let plan = world.plan();
    assert_eq!(app(&plan, "agent")["engine_socket"], serde_json::json!(["service/agent"]), "{plan:#}");
}
