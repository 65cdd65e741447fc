//! What stands in for a service while a copy of its data is drilled, seen while it does; and copies that are sealed.

use crate::{
    encrypted::identity,
    port::free_port,
    secrets::secret,
    world::{Container, World, until},
};
use serde_json::{Value, json};

stories! {
    both: ;
    docker:
        what_stands_in_for_a_service_has_a_sealed_copy_of_its_data_and_reaches_nothing_and_nobody;
}

/// Serves its volume. It is well where it filled that itself, or as soon as somebody says so.
fn manifest(world: &World, recipient: &str, port: u16) -> String {
    format!(
        r#"
volumes: {{files: {{}}}}
secrets: {{token: {{}}}}
services:
  web:
    image: bb:1
    command: [sh, -c, "[ -e /www/index.html ] || {{ echo first > /www/index.html; touch /well; }}; exec httpd -f -p 8080 -h /www"]
    volumes: ["files:/www", "{}:/shared"]
    ports: ["127.0.0.1:{port}:8080"]
    env: {{VIRTUAL_HOST: shop.example.com, TOKEN: {{secret: token}}, MODE: usual}}
    labels: {{traefik.enable: "true", traefik.http.routers.shop.rule: "Host(`shop.example.com`)"}}
    healthcheck: {{test: [CMD, test, -e, /well], interval: 500ms}}
    rollout: {{healthy_deadline: 60s}}
    stop_grace_period: 0s
backup:
  before_deploy: never
  encryption: {{age: [{recipient}]}}
  items: [{{name: files, type: volume, volume: files}}]
"#,
        world.scratch("shared").display()
    )
}

impl World {
    fn stand_in(&self) -> Option<Container> {
        let mark = format!("label=reconcile.porter={0}/{0}/shop/drill", self.name);
        let found =
            self.engine.ask(&["ps", "-q", "--no-trunc", "--filter", &mark, "--filter", "label=reconcile.service"]);
        found.lines().next().map(|id| Container::of(self.engine, id))
    }
}

fn what_stands_in_for_a_service_has_a_sealed_copy_of_its_data_and_reaches_nothing_and_nobody(world: &World) {
    let ((key, recipient), port) = (identity(world), free_port());
    let (secrets, host_key) = (world.scratch("secrets"), world.scratch("keys").join("host.key"));
    let host = |identity: &str| {
        let (secrets, host_key, shared) = (secrets.display(), host_key.display(), world.scratch("shared"));
        world.host(&format!(
            "secrets: {{dir: {secrets}, key_file: {host_key}{identity}}}\npolicy: {{secret_env: true, data_roots: [{}]}}\n",
            shared.display()
        ));
    };
    host("");
    secret(world, "shop", "token", "hunter2222");
    world.push("shop", &manifest(world, &recipient, port));
    world.converge();
    let app = world.one("shop", "web");
    let made = world.run(&["backup", "run", "shop", "--output", "json"]).expect(0).json();
    let file = made[0]["copy"]["file"].as_str().unwrap();
    let path = world.state().join("backups").join(&world.name).join("shop/files").join(file);
    assert!(std::fs::read(path).unwrap().starts_with(b"age-encryption.org/v1"));
    app.exec(&["sh", "-c", "echo second > /www/index.html"]);
    let started = app.started_at();

    // Nobody here can open it.
    for command in [&["drill", "shop"][..], &["restore", "shop", "files"]] {
        world.run(command).expect(1).says("is encrypted, and no identity of this host opens it");
    }
    assert_eq!((world.stand_in(), app.started_at()), (None, started));

    host(&format!(", age_identity: {}", key.display()));
    let drill = world.start(&["drill", "shop", "--output", "json"]);
    until("it stands in", 60, || {
        world.stand_in().is_some_and(|it| it.succeeds(&["wget", "-qO-", "http://127.0.0.1:8080/"]))
    });
    let stand_in = world.stand_in().unwrap();
    let seen = stand_in.inspect();
    assert_eq!(stand_in.exec(&["wget", "-qO-", "http://127.0.0.1:8080/"]).trim(), "first", "it has the copy");
    assert_eq!((&seen["HostConfig"]["NetworkMode"], stand_in.networks()), (&json!("none"), vec!["none".to_owned()]));
    assert_eq!(stand_in.exec(&["ls", "/sys/class/net"]).trim(), "lo");
    let published = (&seen["HostConfig"]["PortBindings"], &seen["NetworkSettings"]["Ports"]);
    assert!(
        [published.0, published.1].iter().all(|ports| ports.as_object().is_none_or(serde_json::Map::is_empty)),
        "{published:?}"
    );
    let labels: Vec<&String> = seen["Config"]["Labels"].as_object().unwrap().keys().collect();
    assert_eq!(labels, ["reconcile.porter", "reconcile.service"]);
    let env = stand_in.env();
    let tokens: Vec<&String> = env.iter().filter(|line| line.starts_with("TOKEN=")).collect();
    assert!(
        env.contains(&"MODE=usual".to_owned()) && tokens.len() == 1 && tokens[0].starts_with("TOKEN=drill"),
        "{env:?}"
    );
    assert!(!env.iter().any(|line| line.contains("hunter2222") || line.contains("example.com")), "{env:?}");
    let mounts = seen["Mounts"].as_array().unwrap();
    let of = |kind: &str| -> Vec<&Value> { mounts.iter().filter(|mount| mount["Type"] == kind).collect() };
    assert_eq!(
        of("bind").iter().map(|bind| (&bind["Destination"], &bind["RW"])).collect::<Vec<_>>(),
        [(&json!("/shared"), &json!(false))]
    );
    assert!(!stand_in.succeeds(&["touch", "/shared/here"]) && app.succeeds(&["touch", "/shared/there"]));
    let own = format!("{}-shop_files", world.name);
    assert!(of("volume").len() == 1 && of("volume")[0]["Name"] != own.as_str(), "{mounts:?}");
    // Meanwhile all is as it was, and who looks sees nothing of it.
    assert_eq!((world.answer("shop", "web").as_str(), world.one("shop", "web")), ("second", app.clone()));
    world.is_synced();
    stand_in.exec(&["touch", "/well"]);
    let drilled = drill.finish().expect(0).json();
    assert!(drilled[0]["error"].is_null() && world.stand_in().is_none(), "{drilled}");
    assert_eq!(app.started_at(), started);

    // None is started where nobody wants it: nobody would have said that it is well.
    let without = "backup:\n  drill: {schedule: \"@monthly\", healthcheck: false}\n";
    world.push("shop", &manifest(world, &recipient, port).replace("backup:\n", without));
    let drilled = world.run(&["drill", "shop", "--output", "json"]).expect(0).json();
    assert!(drilled[0]["error"].is_null() && drilled[0]["copy"].is_string(), "{drilled}");

    world.run(&["restore", "shop", "files"]).expect(0);
    assert_eq!(world.answer("shop", "web"), "first");
}
