//! Somebody had a hand in what was delivered, or the engine does not see it: it is noticed, put right, and held against
//! no revision.

use crate::{
    secrets::{database, delivered, host, secret},
    world::{Container, World, app},
};
use std::fs;

stories! {
    both:
        a_config_that_was_changed_by_hand_is_put_right_where_the_container_sees_it,
        a_forged_container_with_another_secret_in_a_variable_is_replaced;
    docker:
        an_engine_that_does_not_see_what_was_delivered_condemns_no_revision,
        a_forged_value_that_no_label_names_is_written_down_nowhere;
}

fn a_config_that_was_changed_by_hand_is_put_right_where_the_container_sees_it(world: &World) {
    let manifest = r#"
configs: {ini: {content: "a=1\n"}}
services:
  app:
    image: bb:1
    command: [httpd, -f, -p, "8080", -h, /etc]
    configs: [{source: ini, target: /etc/app.ini}]
    healthcheck: {http: {path: /app.ini, port: 8080}, interval: 200ms}
    stop_grace_period: 0s
"#;
    world.push("web", manifest);
    world.converge();
    let container = world.one("web", "app");
    let [folder] = delivered(world, "configs", "app").try_into().unwrap();
    fs::write(folder.join("etc/app.ini"), "a=evil\n").unwrap();
    assert_eq!(container.exec(&["cat", "/etc/app.ini"]), "a=evil", "the story is about nothing");
    assert_eq!(world.changes(), ["service/app replace drift"]);
    world.run(&["--dry-run"]).expect(0).says("configs.etc/app.ini");
    world.converge();
    let another = world.another("web", "app", &container.id);
    assert_eq!(another.exec(&["cat", "/etc/app.ini"]), "a=1");
    world.is_synced();

    // Put right on the disk alone, as a pass leaves it that is killed there: the container still has the other file.
    let right = fs::read(folder.join("etc/app.ini")).unwrap();
    fs::remove_file(folder.join("etc/app.ini")).unwrap();
    fs::write(folder.join("etc/app.ini"), right).unwrap();
    fs::set_permissions(folder.join("etc/app.ini"), std::os::unix::fs::PermissionsExt::from_mode(0o444)).unwrap();
    assert_eq!(world.changes(), ["service/app replace drift"]);
    world.converge();
    world.another("web", "app", &another.id);
    world.is_synced();
}

/// An app with secrets in variables, one of them with several lines.
const VARIABLES: &str = r#"
secrets: {password: {}, key: {}}
services:
  app:
    image: bb:1
    command: [sleep, "36000"]
    env:
      KEY: {secret: key}
      URL: {template: "scheme://app:${secret:password|urlencode}@db/x?a=b&c=\"d\""}
    stop_grace_period: 0s
    rollout: {min_healthy_time: 0s}
"#;

const KEY: &str = "-----BEGIN KEY-----\nMC4CAQ='\"$\\ ö\n\n-----END KEY-----\n";

fn with_variables(world: &World, settings: &str) -> Container {
    host(world, &format!("policy: {{secret_env: true}}\n{settings}"));
    secret(world, "web", "password", "p@ss/word 1");
    secret(world, "web", "key", KEY);
    world.push("web", VARIABLES);
    world.converge();
    world.is_synced();
    world.one("web", "app")
}

/// Makes a container by hand in the place of another: with its name, network and labels, and these variables.
fn forge(world: &World, container: &Container, label: impl Fn(&str, &str) -> String, variables: &[(&str, &str)]) {
    let seen = container.inspect();
    let labels = seen["Config"]["Labels"].as_object().unwrap().iter();
    let labels = labels.map(|(key, value)| format!("--label={key}={}", label(key, value.as_str().unwrap())));
    let variables = variables.iter().map(|(name, value)| format!("--env={name}={value}"));
    let more: Vec<String> = labels.chain(variables).collect();
    let (name, network) = (container.name(), container.networks().remove(0));
    world.engine.ask(&["rm", "-f", &container.id]);
    let head = ["run", "-d", "--name", &name, "--network", &network, "--network-alias", "app"];
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    world.engine.ask(&[&head, &more[..], &["bb:1", "sleep", "36000"]].concat());
}

const RIGHT_URL: &str = "scheme://app:p%40ss%2Fword%201@db/x?a=b&c=\"d\"";

fn a_forged_container_with_another_secret_in_a_variable_is_replaced(world: &World) {
    with_variables(world, "");
    let as_it_is = |_: &str, value: &str| value.to_owned();
    let key = KEY.trim_end_matches('\n');
    for forged in
        [&[("URL", "canary://forged"), ("KEY", key)][..], &[("URL", RIGHT_URL), ("KEY", "x")], &[("KEY", key)]]
    {
        let before = world.one("web", "app");
        forge(world, &before, as_it_is, forged);
        assert_eq!(world.changes(), ["service/app replace drift"], "{forged:?}");
        let told = world.run(&["--dry-run"]).expect(0).text();
        assert!(told.contains("another value") && !told.contains("canary"), "{told}");
        let forged = world.one("web", "app");
        world.converge();
        let right = world.another("web", "app", &forged.id);
        assert!(right.env().contains(&format!("URL={RIGHT_URL}")), "{:?}", right.env());
        assert!(right.env().contains(&format!("KEY={key}")), "{:?}", right.env());
        world.is_synced();
    }
    // What is the same all through is no drift, whoever made it.
    let before = world.one("web", "app");
    forge(world, &before, as_it_is, &[("URL", RIGHT_URL), ("KEY", key)]);
    let changes = world.plan()["apps"][0]["changes"].to_string();
    assert!(!changes.contains("env"), "{changes}");
}

fn a_forged_value_that_no_label_names_is_written_down_nowhere(world: &World) {
    let before = with_variables(world, "drift: report\n");
    let unnamed = |key: &str, value: &str| match key {
        "reconcile.secrets" => value.split(' ').filter(|word| !word.starts_with('$')).collect::<Vec<_>>().join(" "),
        _ => value.to_owned(),
    };
    forge(world, &before, unnamed, &[("URL", "canary-forged"), ("KEY", "canary-forged")]);
    for arguments in [&["-vvv"][..], &["-vvv", "--dry-run"], &["-vvv", "status"]] {
        let told = world.run(arguments).text();
        assert!(!told.contains("canary-forged"), "{arguments:?}: {told}");
    }
    assert_eq!(world.changes(), ["service/app replace drift"]);
    let kept = fs::read_dir(world.state()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    for file in kept {
        let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        assert!(!text.contains("canary-forged"), "{}", file.display());
    }
}

/// As one on another machine, or a tool that runs in a container of its own. (Podman refuses nothing: it makes an empty
/// folder where there is none.)
fn an_engine_that_does_not_see_what_was_delivered_condemns_no_revision(world: &World) {
    host(world, "");
    secret(world, "web", "db_password", "hunter2");
    world.push("web", &database("restart"));
    let report = world.run_apart(&["--output", "json"]).expect(1).json();
    let web = app(&report, "web");
    assert_eq!((&web["outcome"], &web["error"]["blame"]), (&"Blocked".into(), &"world".into()), "{report:#}");
    assert!(web["error"]["hint"].as_str().unwrap().contains("--engine"), "{report:#}");
    world.converge();
    assert_eq!(world.one("web", "db").exec(&["cat", "/run/secrets/password"]), "hunter2");
    let history = world.run(&["history", "web", "--output", "json"]).expect(0).json();
    assert_eq!(history.as_array().unwrap().len(), 1, "{history:#}");
    world.is_synced();
}
