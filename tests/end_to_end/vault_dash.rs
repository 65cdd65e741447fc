//! vault-dash: a dashboard with redis beside it, deployed by CI to a host behind a VPN.

use crate::port::free_port;
use crate::world::{Engine, SLEEPER, World, app, server};
use serde_json::Value;
use std::time::Instant;

stories! {
    both:
        typed_values_defaults_of_the_base_and_overrides_reach_the_container,
        a_port_without_an_address_is_published_on_loopback_only,
        a_pass_waits_until_the_dashboard_is_green,
        a_dashboard_that_stays_red_goes_back_by_itself_and_is_held,
        a_manual_rollback_brings_back_the_last_good_dashboard,
        the_dashboard_waits_for_redis_to_be_healthy,
        a_container_that_runs_out_of_memory_is_reported_so;
    docker:
        staging_and_production_run_side_by_side_on_one_base,
        a_public_port_needs_a_line_of_the_host_file,
        a_merge_request_is_previewed_without_an_engine,
        the_exit_code_of_a_preview_tells_whether_changes_are_pending;
}

/// The dashboard of every environment.
fn base() -> String {
    format!(
        r#"
services:
  dash:
    image: bb:1
    command: {}
    env: {{LOG_LEVEL: info, PORT: 8080, DEBUG: false, RATIO: 1.10, SHARE: "50%"}}
    healthcheck: {{http: {{path: /index.html, port: 8080}}, interval: 500ms}}
    rollout: {{healthy_deadline: 20s, drain: 0s}}
    stop_grace_period: 1s
"#,
        server("dash")
    )
}

/// V3
fn typed_values_defaults_of_the_base_and_overrides_reach_the_container(world: &World) {
    world.put("environments/_base/vault-dash.yaml", &base());
    let own = "extends: ../_base/vault-dash.yaml\nservices: {dash: {env: {LOG_LEVEL: debug, SHARE: null}}}\n";
    world.push("vault-dash", own);
    world.converge();
    let env = world.one("vault-dash", "dash").env();
    for value in ["LOG_LEVEL=debug", "PORT=8080", "DEBUG=false", "RATIO=1.10"] {
        assert!(env.contains(&value.to_owned()), "no {value} in {env:?}");
    }
    assert!(!env.iter().any(|value| value.starts_with("SHARE")), "null removes nothing: {env:?}");
}

/// V5
fn a_port_without_an_address_is_published_on_loopback_only(world: &World) {
    let port = free_port();
    let ports = format!("    ports: [\"{port}:8080\"]\n    rollout");
    world.push("vault-dash", &base().replace("    rollout", &ports));
    world.run(&["--dry-run"]).expect(0).says("127.0.0.1");
    world.converge();
    let bindings = world.one("vault-dash", "dash").inspect()["HostConfig"]["PortBindings"]["8080/tcp"].clone();
    assert_eq!(bindings, serde_json::json!([{"HostIp": "127.0.0.1", "HostPort": port.to_string()}]));
}

/// V5
fn a_public_port_needs_a_line_of_the_host_file(world: &World) {
    let port = free_port();
    let ports = format!("    ports: [\"*:{port}:8080\"]\n    rollout");
    world.push("vault-dash", &base().replace("    rollout", &ports));
    let refused = world.run(&[]).expect(1);
    refused.says("publish").says(&format!("environments/{}/vault-dash.yaml:", world.name));
    assert_eq!(world.everything(), Vec::<String>::new());
    world.host(&format!("policy: {{publish: [\"0.0.0.0:{port}\", \"[::]:{port}\"]}}\n"));
    world.converge();
    let bindings = world.one("vault-dash", "dash").inspect()["HostConfig"]["PortBindings"]["8080/tcp"].to_string();
    assert!(bindings.contains(&port.to_string()) && !bindings.contains("127.0.0.1"), "{bindings}");
}

/// V6
fn a_pass_waits_until_the_dashboard_is_green(world: &World) {
    let script = "mkdir -p /www; httpd -p 8080 -h /www; sleep 2; echo dash > /www/index.html; exec sleep 36000";
    let began = Instant::now();
    world.push("vault-dash", &base().replace(&server("dash"), &format!("[sh, -c, \"{script}\"]")));
    let report = world.converge().json();
    assert!(began.elapsed().as_secs() >= 2, "the pass did not wait for green");
    assert_eq!(app(&report, "vault-dash")["health"], "Healthy", "{report:#}");
    assert_eq!(world.answer("vault-dash", "dash"), "dash");
}

/// V7
fn a_dashboard_that_stays_red_goes_back_by_itself_and_is_held(world: &World) {
    world.push("vault-dash", &base());
    world.converge();
    let red =
        base().replace("echo dash > /www/index.html", "true").replace("healthy_deadline: 20s", "healthy_deadline: 4s");
    world.push("vault-dash", &red);
    let ran = world.fails();
    let report = ran.json();
    let dash = app(&report, "vault-dash");
    assert_eq!(dash["outcome"], "RolledBack", "{report:#}");
    assert_eq!((&dash["held"]["revision"], &dash["held"]["by"]), (&1.into(), &"reconcile".into()), "{report:#}");
    assert_eq!(world.answer("vault-dash", "dash"), "dash");
    world.run(&["status", "vault-dash"]).expect(0).says("reconcile");
    let status = world.run(&["status", "vault-dash", "--output", "json"]).expect(0).json();
    assert_eq!(status[0]["held"]["revision"], 1, "{status:#}");
    assert_eq!(status[0]["health"], "Healthy", "{status:#}");
}

/// V8
fn a_manual_rollback_brings_back_the_last_good_dashboard(world: &World) {
    for word in ["one", "two", "three"] {
        world.push("vault-dash", &base().replace("echo dash", &format!("echo {word}")));
        world.converge();
    }
    world.run(&["rollback", "vault-dash"]).expect(0);
    assert_eq!(world.answer("vault-dash", "dash"), "two");
    world.run(&["rollback", "vault-dash"]).expect(0);
    assert_eq!(world.answer("vault-dash", "dash"), "one");
    world.run(&["rollback", "vault-dash", "3"]).expect(0);
    assert_eq!(world.answer("vault-dash", "dash"), "three");
    world.run(&["rollback", "vault-dash", "99"]).expect(1).says("99");
}

/// V12
fn the_dashboard_waits_for_redis_to_be_healthy(world: &World) {
    let redis = r#"
  redis:
    image: bb:1
    command: [sh, -c, "sleep 2; exec httpd -f -p 6379 -h /bin"]
    healthcheck: {tcp: {port: 6379}, interval: 200ms}
    stop_grace_period: 1s
"#;
    let waits = "    depends_on: {redis: {condition: service_healthy}}\n    rollout";
    world.push("vault-dash", &(base().replace("    rollout", waits) + redis));
    world.converge();
    let (redis, dash) = (world.one("vault-dash", "redis"), world.one("vault-dash", "dash"));
    let waited = dash.started_at().duration_since(redis.started_at());
    assert!(waited.as_secs_f64() >= 2.0, "the dashboard started {waited:?} after redis, which was not healthy yet");
    assert!(dash.succeeds(&["wget", "-qO-", "http://redis:6379/sh"]), "redis is not known by its name");
    world.is_synced();
}

/// V13
fn staging_and_production_run_side_by_side_on_one_base(world: &World) {
    let (staging, production) = (format!("{}-s", world.name), format!("{}-p", world.name));
    world.put("environments/_base/vault-dash.yaml", &base());
    for (environment, level) in [(&staging, "debug"), (&production, "warn")] {
        let own = format!("extends: ../_base/vault-dash.yaml\nservices: {{dash: {{env: {{LOG_LEVEL: {level}}}}}}}\n");
        world.put(format!("environments/{environment}/vault-dash.yaml"), &own);
    }
    world.commit("two environments");
    let ran = world.run_in(&format!("{staging},{production}"), &["--output", "json"]).expect(0);
    let seen: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(seen.len(), 2, "one line for each environment");
    assert!(seen.iter().all(|report| app(report, "vault-dash")["outcome"] == "Succeeded"), "{seen:#?}");
    let level = |environment: &str| {
        let filter = format!("label=reconcile.environment={environment}");
        let id = world.engine.ask(&["ps", "-q", "--filter", &filter]);
        world.engine.ask(&["exec", &id, "sh", "-c", "echo $LOG_LEVEL"])
    };
    assert_eq!((level(&staging).as_str(), level(&production).as_str()), ("debug", "warn"));

    world.git(&["rm", "-q", &format!("environments/{staging}/vault-dash.yaml")]);
    world.put(
        format!("environments/{staging}/other.yaml"),
        &format!("services: {{o: {{image: bb:1, command: {SLEEPER}}}}}\n"),
    );
    world.commit("staging has another app");
    world.run_in(&production, &[]).expect(0);
    assert_eq!(level(&staging), "debug", "a pass of one environment removed something of another");
}

/// V16
fn a_container_that_runs_out_of_memory_is_reported_so(world: &World) {
    let greedy = base()
        .replace("exec httpd", "echo filling up; exec tail /dev/zero; httpd")
        .replace("    rollout", "    mem_limit: 16m\n    restart: \"no\"\n    rollout");
    world.push("vault-dash", &greedy);
    let ran = world.fails();
    let error = app(&ran.json(), "vault-dash")["error"].clone();
    assert_eq!(error["blame"], "revision", "{error:#}");
    assert!(error["log"].to_string().contains("filling up"), "{error:#}");
    assert_eq!(error["exit_code"], 137, "{error:#}");
    // Podman 4.3 does not tell it with conmon 2.1.6, see docs/podman.md: `OOMKilled` stays false.
    if world.engine == Engine::Docker {
        assert_eq!(error["oom"], true, "{error:#}");
        ran.says("memory");
    }
}

/// V17
fn a_merge_request_is_previewed_without_an_engine(world: &World) {
    world.push("vault-dash", &base());
    world.git(&["branch", "deployed"]);
    world.push("vault-dash", &base().replace("LOG_LEVEL: info", "LOG_LEVEL: debug"));
    let preview = ["--dry-run", "--against", "deployed", "--output", "markdown"];
    let ran = world.run_alone(&preview).expect(0);
    for words in ["vault-dash", "services.dash.env.LOG_LEVEL", "info", "debug"] {
        assert!(ran.stdout.contains(words), "no {words} in:\n{}", ran.stdout);
    }
    let pending = [&preview[..], &["--detailed-exitcode"]].concat();
    world.run_alone(&pending).expect(2);
    world.git(&["branch", "-f", "deployed"]);
    world.run_alone(&pending).expect(0);
}

/// V17
fn the_exit_code_of_a_preview_tells_whether_changes_are_pending(world: &World) {
    world.push("vault-dash", &base());
    let look = ["--dry-run", "--detailed-exitcode", "--output", "markdown"];
    world.run(&look).expect(2).says("service/dash");
    world.converge();
    world.run(&look).expect(0);
    world.app("vault-dash", &base().replace("LOG_LEVEL: info", "LOG_LEVEL: debug"));
    world.run(&look).expect(0);
    world.run(&[&look[..], &["--worktree"]].concat()).expect(2);
    world.push("vault-dash", "services: {dash: {imgae: bb:1}}\n");
    world.run(&look).expect(1);
}
