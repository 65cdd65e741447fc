//! neuronetz-gateway: an API gateway with postgres, redis and ollama, behind a proxy that is somebody else's.

use crate::world::{Container, SLEEPER, World, app, server, until};

stories! {
    both:
        the_gateway_alone_is_on_the_proxys_network_and_the_rest_is_internal,
        a_port_published_by_hand_on_an_internal_service_is_taken_away,
        pinned_names_hold_through_rollouts_and_rollbacks,
        a_migration_runs_once_for_each_new_spec;
    docker:
        an_internal_service_that_publishes_is_refused_before_anything_is_touched,
        what_the_host_never_exposes_is_refused,
        mistakes_are_told_with_their_places_before_anything_is_touched,
        devices_and_gpus_reach_the_engine_where_the_host_allows_them;
}

fn gateway(greeting: &str) -> String {
    format!(
        r#"
  gateway:
    image: bb:1
    command: {}
    container_name: PINNED
    networks: [backend, proxy]
    depends_on: [postgres, redis, ollama]
    healthcheck: {{http: {{path: /index.html, port: 8080}}, interval: 500ms}}
    rollout: {{healthy_deadline: 20s, drain: 0s}}
    stop_grace_period: 1s
"#,
        server(greeting)
    )
}

fn manifest(world: &World, greeting: &str) -> String {
    let inner = |name: &str| {
        format!(
            "  {name}: {{image: bb:1, command: {SLEEPER}, internal_only: true, networks: [backend], rollout: {{min_healthy_time: 0s}}}}\n"
        )
    };
    let head =
        format!("networks: {{backend: {{internal: true}}, proxy: {{external: true, name: {}-proxy}}}}\n", world.name);
    let inners = ["postgres", "redis", "ollama"].map(inner).concat();
    let pinned = format!("{}-pinned", world.name);
    format!("{head}services:\n{inners}{}", gateway(greeting).replace("PINNED", &pinned))
}

fn make_proxy_network(world: &World) {
    world.engine.ask(&["network", "create", "--label", &world.label(), &format!("{}-proxy", world.name)]);
}

/// N1
fn the_gateway_alone_is_on_the_proxys_network_and_the_rest_is_internal(world: &World) {
    world.push("gateway", &manifest(world, "one"));
    world.run(&[]).expect(1).says(&format!("{}-proxy", world.name));
    assert_eq!(world.everything(), Vec::<String>::new(), "something was made although the proxy's network is missing");

    make_proxy_network(world);
    world.converge();
    let (backend, proxy) = (format!("{}-gateway_backend", world.name), format!("{}-proxy", world.name));
    assert_eq!(world.one("gateway", "gateway").networks(), [backend.clone(), proxy.clone()]);
    for inner in ["postgres", "redis", "ollama"] {
        assert_eq!(world.one("gateway", inner).networks(), std::slice::from_ref(&backend));
    }
    let internal = world.engine.ask(&["network", "inspect", "--format", "{{.Internal}}", &backend]);
    assert_eq!(internal, "true");
    // The dot keeps busybox from asking for `postgres.dns.podman`, which Podman's server of the other network denies.
    let gateway = world.one("gateway", "gateway");
    until("postgres is known by its name", 60, || gateway.succeeds(&["nslookup", "postgres."]));
    world.is_synced();
}

/// N3
fn an_internal_service_that_publishes_is_refused_before_anything_is_touched(world: &World) {
    make_proxy_network(world);
    let exposed =
        manifest(world, "one").replace("internal_only: true", "internal_only: true, ports: [\"11434:11434\"]");
    world.push("gateway", &exposed);
    let place = format!("environments/{}/gateway.yaml:4:", world.name);
    world
        .run(&["validate", world.manifests().join("environments").to_str().unwrap()])
        .expect(1)
        .says(&place)
        .says("internal_only");
    world.run(&[]).expect(1).says(&place);
    assert_eq!(world.everything(), Vec::<String>::new());
}

/// N3
fn a_port_published_by_hand_on_an_internal_service_is_taken_away(world: &World) {
    make_proxy_network(world);
    world.push("gateway", &manifest(world, "one"));
    world.converge();
    let ollama = world.one("gateway", "ollama");
    let (inspect, name) = (ollama.inspect(), ollama.name());
    let labels = inspect["Config"]["Labels"].as_object().unwrap().iter();
    let labels: Vec<_> = labels.map(|(key, value)| format!("--label={key}={}", value.as_str().unwrap())).collect();
    let labels: Vec<_> = labels.iter().map(String::as_str).collect();
    world.engine.ask(&["rm", "-f", &ollama.id]);
    let head = ["run", "-d", "--name", &name, "-p", "127.0.0.1::11434"];
    world.engine.ask(&[&head, &labels[..], &["bb:1", "sleep", "36000"]].concat());

    world.converge();
    let ollama: Container = world.one("gateway", "ollama");
    let published = ollama.inspect()["NetworkSettings"]["Ports"].to_string();
    assert!(!published.contains("HostPort"), "{published}");
    assert_eq!(ollama.networks(), [format!("{}-gateway_backend", world.name)]);
    world.is_synced();
}

/// N3, N4
fn what_the_host_never_exposes_is_refused(world: &World) {
    make_proxy_network(world);
    world.host("policy: {never_expose: [gateway/ollama]}\n");
    let (before, ollama) =
        manifest(world, "one").split_once("  ollama: ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let exposed = ollama.replacen("internal_only: true", "ports: [\"11434:11434\"]", 1);
    world.push("gateway", &format!("{before}  ollama: {exposed}"));
    world.run(&[]).expect(1).says("never_expose").says("ollama");
    assert_eq!(world.running("gateway", "ollama"), Vec::<String>::new());
}

/// N5
fn pinned_names_hold_through_rollouts_and_rollbacks(world: &World) {
    make_proxy_network(world);
    let pinned = format!("{}-pinned", world.name);
    for greeting in ["one", "two"] {
        world.push("gateway", &manifest(world, greeting));
        world.converge();
        assert_eq!(world.one("gateway", "gateway").name(), pinned);
        assert_eq!(world.answer("gateway", "gateway"), greeting);
    }
    world.run(&["rollback", "gateway"]).expect(0);
    assert_eq!(world.one("gateway", "gateway").name(), pinned);
    assert_eq!(world.answer("gateway", "gateway"), "one");
}

/// N6
fn a_migration_runs_once_for_each_new_spec(world: &World) {
    let with_job = |greeting: &str, elsewhere: &str| {
        format!(
            r#"
volumes: {{runs: {{}}}}
services:
  gateway:
    image: bb:1
    command: {SLEEPER}
    env: {{GREETING: {greeting}}}
    volumes: ["runs:/runs"]
    stop_grace_period: 1s
    rollout: {{min_healthy_time: 0s}}
  redis: {{image: bb:1, command: {SLEEPER}, env: {{ELSEWHERE: {elsewhere}}}, rollout: {{min_healthy_time: 0s}}}}
jobs:
  migrate: {{service: gateway, command: [sh, -c, "echo $GREETING >> /runs/log"], when: pre_sync, timeout: 1m}}
"#
        )
    };
    let ran =
        || world.one("gateway", "gateway").exec(&["cat", "/runs/log"]).lines().map(str::to_owned).collect::<Vec<_>>();
    world.push("gateway", &with_job("one", "a"));
    assert!(world.changes().contains(&"job/migrate run commit".to_owned()), "{:?}", world.changes());
    world.converge();
    assert_eq!(ran(), ["one"]);
    world.converge();
    world.push("gateway", &with_job("one", "b"));
    world.converge();
    assert_eq!(ran(), ["one"], "it ran again although its service did not change");
    world.push("gateway", &with_job("two", "b"));
    world.converge();
    assert_eq!(ran(), ["one", "two"]);
    world.run(&["rollback", "gateway"]).expect(0);
    assert_eq!(ran(), ["one", "two"], "a rollback ran the migration");
    world.run(&["resume", "gateway"]).expect(0);
    world.converge();
    assert_eq!(ran(), ["one", "two"]);
}

/// N11
fn mistakes_are_told_with_their_places_before_anything_is_touched(world: &World) {
    let wrong = "services:\n  gateway:\n    imgae: bb:1\n    ports: [8000:x]\n    mem_limit: lots\n";
    world.push("gateway", wrong);
    let path = format!("environments/{}/gateway.yaml", world.name);
    for ran in [
        world.run(&["validate", world.manifests().join("environments").to_str().unwrap()]).expect(1),
        world.run(&[]).expect(1),
        world.run(&["--dry-run"]).expect(1),
    ] {
        ran.says(&format!("{path}:3:5")).says("`image`").says(&format!("{path}:4:")).says(&format!("{path}:5:"));
    }
    assert_eq!(world.everything(), Vec::<String>::new());
}

/// N15: there is no GPU here, so that the engine refuses the start; what it was asked for is seen in the container.
fn devices_and_gpus_reach_the_engine_where_the_host_allows_them(world: &World) {
    let with = |field: &str| {
        format!(
            "services:\n  ollama: {{image: bb:1, command: {SLEEPER}, {field}, rollout: {{min_healthy_time: 0s, healthy_deadline: 5s}}}}\n"
        )
    };
    world.push("gateway", &with("devices: [\"/dev/null:/dev/other:r\"]"));
    world.run(&[]).expect(1).says("devices");
    world.host("policy: {devices: [gateway/ollama]}\n");
    world.converge();
    let device = world.one("gateway", "ollama").inspect()["HostConfig"]["Devices"][0].clone();
    let wanted =
        serde_json::json!({"PathOnHost": "/dev/null", "PathInContainer": "/dev/other", "CgroupPermissions": "r"});
    assert_eq!(device, wanted);

    world.host("policy: {devices: [gateway/ollama, other/ollama]}\n");
    world.push("other", &with("gpus: all"));
    let report = world.fails().json();
    assert_ne!(app(&report, "other")["error"], serde_json::Value::Null, "{report:#}");
    let asked = world.everything().into_iter().any(|id| {
        let requests = Container::of(world.engine, &id).inspect()["HostConfig"]["DeviceRequests"].clone();
        requests[0]["Capabilities"] == serde_json::json!([["gpu"]]) && requests[0]["Count"] == -1
    });
    assert!(asked, "no container asks for all GPUs");
}
