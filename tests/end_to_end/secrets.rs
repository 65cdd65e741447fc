//! Secrets and configs: files below /run/secrets, variables, what a change does, and that no value is anywhere else.

use crate::world::{World, app, until};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

stories! {
    both:
        a_secret_is_a_file_that_a_variable_names_and_its_rotation_is_noticed,
        a_signalled_app_sees_the_new_value_and_is_the_same_container,
        a_template_reaches_the_container_where_the_policy_allows_it,
        a_config_is_a_file_of_the_revision,
        a_job_that_is_over_keeps_no_value_of_before,
        modes_are_right_under_any_umask,
        a_folder_that_is_gone_is_delivered_again,
        a_job_has_the_secrets_and_configs_of_its_service;
    docker:
        a_missing_secret_blocks_its_app_alone,
        staging_and_production_with_a_secret_of_one_name_stay_apart,
        another_host_key_costs_one_announced_recreation;
}

/// Writes the host file with places for secrets, and what is given.
pub fn host(world: &World, settings: &str) {
    let (folder, key) = (world.scratch("secrets"), world.scratch("keys").join("host.key"));
    world.host(&format!("secrets: {{dir: {}, key_file: {}}}\n{settings}", folder.display(), key.display()));
}

/// Writes a secret of the host.
pub fn secret(world: &World, app: &str, name: &str, value: &str) -> PathBuf {
    secret_in(world, &world.name, app, name, value)
}

fn secret_in(world: &World, environment: &str, app: &str, name: &str, value: &str) -> PathBuf {
    let folder = world.scratch(&format!("secrets/{environment}/{app}"));
    let path = folder.join(name);
    let _ = fs::remove_file(&path);
    fs::write(&path, value).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    path
}

/// The folders of deliveries for a service of the world, on this host.
pub fn delivered(world: &World, kind: &str, service: &str) -> Vec<PathBuf> {
    delivered_to(world, kind, &format!("service.{service}"))
}

/// The same for whoever has a folder of that name.
fn delivered_to(world: &World, kind: &str, role: &str) -> Vec<PathBuf> {
    let root = match kind {
        "secrets" => PathBuf::from("/run/reconcile/secrets"),
        _ => world.state().join("configs"),
    };
    let below = |path: &Path| -> Vec<PathBuf> {
        fs::read_dir(path).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    };
    let of_role = |root: PathBuf| below(&root.join(&world.name).join("web").join(role));
    below(&root).into_iter().flat_map(of_role).filter(|path| path.is_dir()).collect()
}

/// An app with a database that reads its password as postgres does.
pub fn database(on_change: &str) -> String {
    format!(
        r#"
secrets: {{db_password: {{}}}}
services:
  db:
    image: bb:1
    user: "1000:1000"
    command: [sh, -c, "trap 'cat $POSTGRES_PASSWORD_FILE > /tmp/seen' HUP; trap 'exit 0' TERM; cat $POSTGRES_PASSWORD_FILE > /tmp/seen; while true; do sleep 1 & wait; done"]
    secrets: [{{source: db_password, target: password, uid: 1000, gid: 1000, mode: "0400", env: POSTGRES_PASSWORD_FILE, on_change: {on_change}}}]
    tmpfs: [/tmp]
    stop_grace_period: 1s
    rollout: {{min_healthy_time: 0s}}
"#
    )
}

/// G13
fn a_secret_is_a_file_that_a_variable_names_and_its_rotation_is_noticed(world: &World) {
    host(world, "");
    secret(world, "web", "db_password", "hunter2-first");
    world.push("web", &database("restart"));
    world.converge();
    let first = world.one("web", "db");
    assert_eq!(first.exec(&["cat", "/run/secrets/password"]), "hunter2-first");
    assert_eq!(first.exec(&["stat", "-c", "%u:%g %a", "/run/secrets/password"]), "1000:1000 400");
    assert!(first.env().contains(&"POSTGRES_PASSWORD_FILE=/run/secrets/password".to_owned()), "{:?}", first.env());
    assert!(!first.succeeds(&["touch", "/run/secrets/other"]), "the container can write its secrets");
    until("the app read it", 60, || first.succeeds(&["grep", "-q", "hunter2-first", "/tmp/seen"]));
    world.is_synced();

    secret(world, "web", "db_password", "hunter2-second");
    assert_eq!(world.changes(), ["service/db replace secret"]);
    let told = world.run(&["--dry-run"]).expect(0);
    assert!(told.stdout.contains("secret db_password changed"), "{}", told.stdout);
    world.converge();
    let second = world.another("web", "db", &first.id);
    assert_eq!(second.exec(&["cat", "/run/secrets/password"]), "hunter2-second");
    world.is_synced();
    assert_eq!(delivered(world, "secrets", "db").len(), 1, "the earlier one is withdrawn");
    let history = world.run(&["history", "web", "--output", "json"]).expect(0).json();
    assert_eq!((&history[0]["cause"], &history[0]["number"]), (&"secret".into(), &2.into()), "{history:#}");
}

fn a_signalled_app_sees_the_new_value_and_is_the_same_container(world: &World) {
    host(world, "");
    secret(world, "web", "db_password", "hunter2-first");
    world.push("web", &database("signal"));
    world.converge();
    let container = world.one("web", "db");
    until("the app read it", 60, || container.succeeds(&["grep", "-q", "hunter2-first", "/tmp/seen"]));

    secret(world, "web", "db_password", "hunter2-second");
    assert_eq!(world.changes(), ["service/db update secret"]);
    world.converge();
    assert_eq!(world.one("web", "db"), container, "it was not to be made anew");
    until("the app heard of it", 60, || container.succeeds(&["grep", "-q", "hunter2-second", "/tmp/seen"]));
    assert_eq!(container.exec(&["stat", "-c", "%u:%g %a", "/run/secrets/password"]), "1000:1000 400");
    world.is_synced();

    world.push("web", &database("none"));
    world.converge();
    let unsignalled = world.one("web", "db");
    secret(world, "web", "db_password", "hunter2-third");
    assert_eq!(world.changes(), ["service/db update secret"]);
    world.converge();
    assert_eq!(world.one("web", "db"), unsignalled);
    assert_eq!(unsignalled.exec(&["cat", "/run/secrets/password"]), "hunter2-third");
    assert!(!unsignalled.succeeds(&["grep", "-q", "hunter2-third", "/tmp/seen"]), "it was signalled");
    world.is_synced();
}

/// N10
fn a_template_reaches_the_container_where_the_policy_allows_it(world: &World) {
    host(world, "");
    secret(world, "web", "db_password", "p@ss/word 1\n");
    let manifest = r#"
secrets: {db_password: {}}
services:
  app:
    image: bb:1
    command: [sleep, "36000"]
    env:
      DATABASE_URL: {template: "postgresql://app:${secret:db_password|urlencode}@db/app?x=$${y}"}
      PASSWORD: {secret: db_password}
    stop_grace_period: 0s
    rollout: {min_healthy_time: 0s}
"#;
    world.push("web", manifest);
    let refused = world.fails();
    refused
        .says("policy.secret_env")
        .says("secret_env: true")
        .says(&format!("environments/{}/web.yaml:8:", world.name));
    assert_eq!(world.everything(), Vec::<String>::new());

    host(world, "policy: {secret_env: true}\n");
    world.converge();
    let container = world.one("web", "app");
    let env = container.env();
    assert!(env.contains(&"DATABASE_URL=postgresql://app:p%40ss%2Fword%201@db/app?x=${y}".to_owned()), "{env:?}");
    assert!(env.contains(&"PASSWORD=p@ss/word 1".to_owned()), "{env:?}");
    world.is_synced();

    secret(world, "web", "db_password", "another-word\n");
    assert_eq!(world.changes(), ["service/app replace secret"]);
    world.converge();
    let other = world.another("web", "app", &container.id);
    assert!(other.env().contains(&"PASSWORD=another-word".to_owned()), "{:?}", other.env());
    world.is_synced();
}

fn a_config_is_a_file_of_the_revision(world: &World) {
    host(world, "");
    let manifest = |content: &str| {
        format!(
            r#"
configs: {{inline: {{content: "{content}\n"}}, vhosts: {{file: files/vhosts.conf}}}}
services:
  app:
    image: bb:1
    command: [sleep, "36000"]
    configs: [{{source: inline, target: /etc/app/app.ini, mode: "0440", gid: 1000}}, vhosts]
    stop_grace_period: 0s
    rollout: {{min_healthy_time: 0s}}
"#
        )
    };
    world.put("files/vhosts.conf", "proxy_pass http://${upstream};\n");
    world.push("web", &manifest("a=1"));
    world.converge();
    let first = world.one("web", "app");
    assert_eq!(first.exec(&["cat", "/etc/app/app.ini"]), "a=1");
    assert_eq!(first.exec(&["stat", "-c", "%u:%g %a", "/etc/app/app.ini"]), "0:1000 440");
    assert_eq!(first.exec(&["cat", "/vhosts"]), "proxy_pass http://${upstream};");
    assert!(!first.succeeds(&["sh", "-c", "echo b=2 > /etc/app/app.ini"]), "the container can write its config");
    world.is_synced();

    world.put("files/vhosts.conf", "proxy_pass http://${other};\n");
    world.commit("the file alone");
    assert_eq!(world.changes(), ["service/app replace commit"]);
    world.converge();
    let second = world.another("web", "app", &first.id);
    assert_eq!(second.exec(&["cat", "/vhosts"]), "proxy_pass http://${other};");
    world.is_synced();

    world.run(&["rollback", "web"]).expect(0);
    let third = world.another("web", "app", &second.id);
    assert_eq!(third.exec(&["cat", "/vhosts"]), "proxy_pass http://${upstream};");
    assert_eq!(delivered(world, "configs", "app").len(), 1, "the earlier ones are withdrawn");
}

/// G18
fn modes_are_right_under_any_umask(world: &World) {
    host(world, "");
    secret(world, "web", "db_password", "hunter2");
    let configs = "configs: {ini: {content: x}}\n";
    let used = "    configs: [{source: ini, target: /etc/x.ini}]\n    tmpfs";
    world.push("web", &format!("{configs}{}", database("restart").trim_start().replace("    tmpfs", used)));
    world.run_under("000", &[]).expect(0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let [secrets] = delivered(world, "secrets", "db").try_into().unwrap();
    let [configs] = delivered(world, "configs", "db").try_into().unwrap();
    for folder in [&secrets, &configs] {
        assert_eq!(mode(folder), 0o755, "{}", folder.display());
        for above in folder.ancestors().skip(1).take(4) {
            assert_eq!(mode(above), 0o700, "{}", above.display());
        }
    }
    assert_eq!((mode(&secrets.join("password")), mode(&configs.join("etc/x.ini"))), (0o400, 0o444));
    assert_eq!(mode(&world.scratch("keys").join("host.key")), 0o400);
    assert_eq!(mode(&world.state()), 0o700);
    let container = world.one("web", "db");
    assert_eq!(container.exec(&["stat", "-c", "%u:%g %a", "/run/secrets/password"]), "1000:1000 400");
}

/// What a boot leaves: containers, and no folder in memory.
fn a_folder_that_is_gone_is_delivered_again(world: &World) {
    host(world, "");
    secret(world, "web", "db_password", "hunter2");
    world.push("web", &database("restart"));
    world.converge();
    let container = world.one("web", "db");
    let [folder] = delivered(world, "secrets", "db").try_into().unwrap();
    world.engine.ask(&["stop", "-t", "0", &container.id]);
    fs::remove_dir_all(&folder).unwrap();
    world.converge();
    assert_eq!(world.one("web", "db"), container, "it is started again, not made anew");
    assert_eq!(container.exec(&["cat", "/run/secrets/password"]), "hunter2");
    world.is_synced();

    // Under a running container: it sees the new folder only after another start.
    fs::remove_dir_all(&folder).unwrap();
    world.converge();
    assert_eq!(world.one("web", "db"), container);
    assert_eq!(container.exec(&["cat", "/run/secrets/password"]), "hunter2");
    world.is_synced();
}

fn a_job_has_the_secrets_and_configs_of_its_service(world: &World) {
    host(world, "");
    secret(world, "web", "db_password", "hunter2");
    let shared = world.scratch("shared");
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();
    host(world, &format!("policy: {{data_roots: [\"{}\"]}}\n", shared.display()));
    let more = format!(
        r#"    configs: [{{source: ini, target: /etc/x.ini}}]
    volumes: ["{}:/shared"]
    tmpfs: [/tmp]
    stop_grace_period: 0s
    rollout: {{min_healthy_time: 0s}}
configs: {{ini: {{content: from-config}}}}
jobs:
  migrate: {{service: db, command: [sh, -c, "cat $POSTGRES_PASSWORD_FILE /etc/x.ini > /shared/job"]}}
"#,
        shared.display()
    );
    let manifest = database("restart");
    let (begins, _) = manifest.split_once("    tmpfs").unwrap();
    world.push("web", &format!("{begins}{more}"));
    world.converge();
    assert_eq!(fs::read_to_string(shared.join("job")).unwrap(), "hunter2from-config");
    world.is_synced();
    fs::remove_file(shared.join("job")).unwrap();
    secret(world, "web", "db_password", "hunter3");
    world.converge();
    assert!(!shared.join("job").exists(), "a rotation runs no job again");
}

fn a_job_that_is_over_keeps_no_value_of_before(world: &World) {
    host(world, "");
    secret(world, "web", "db_password", "hunter2-first");
    let job = "jobs:\n  migrate: {service: db, command: [cat, /run/secrets/password]}\n";
    world.push("web", &format!("{}{job}", database("restart").trim_start()));
    world.converge();
    let [of_job] = delivered_to(world, "secrets", "job.migrate").try_into().unwrap();
    assert_eq!(fs::read_to_string(of_job.join("password")).unwrap(), "hunter2-first", "it may be run again by hand");
    secret(world, "web", "db_password", "hunter2-second");
    world.converge();
    assert_eq!(delivered_to(world, "secrets", "job.migrate"), Vec::<PathBuf>::new());
    assert_eq!(world.everything().len(), 2, "its container is kept as a record");
    world.is_synced();
}

fn a_missing_secret_blocks_its_app_alone(world: &World) {
    host(world, "");
    world.push_other();
    world.push("web", &database("restart"));
    let ran = world.fails();
    let looked_for = world.scratch("secrets").join(&world.name).join("web/db_password");
    let error = app(&ran.json(), "web")["error"].clone();
    assert_eq!(app(&ran.json(), "web")["outcome"], "Blocked", "{error:#}");
    assert_eq!(error["blame"], "world", "{error:#}");
    assert!(error["summary"].as_str().unwrap().contains(&looked_for.display().to_string()), "{error:#}");
    assert_eq!(app(&ran.json(), "other")["outcome"], "Succeeded");
    assert_eq!(world.running("web", "db"), Vec::<String>::new());

    let path = secret(world, "web", "db_password", "hunter2");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = world.fails();
    let error = app(&ran.json(), "web")["error"].clone();
    assert_eq!(error["hint"], format!("`chmod 600 {}`", path.display()), "{error:#}");
    assert!(!error.to_string().contains("hunter2"));

    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    world.converge();
    let container = world.one("web", "db");
    fs::remove_file(&path).unwrap();
    assert_eq!(app(&world.fails().json(), "web")["changes"], Value::Array(Vec::new()));
    assert_eq!(world.one("web", "db"), container, "what runs is left");
}

fn staging_and_production_with_a_secret_of_one_name_stay_apart(world: &World) {
    host(world, "");
    let environments = [format!("{}-s", world.name), format!("{}-p", world.name)];
    for environment in &environments {
        secret_in(world, environment, "web", "db_password", &format!("of-{environment}"));
        world.put(format!("environments/{environment}/web.yaml"), &database("signal"));
    }
    world.commit("two environments");
    let both = environments.join(",");
    world.run_in(&both, &[]).expect(0);
    let seen = |environment: &str| {
        let [id] = world.engine.list(environment, "web", "reconcile.service=db").try_into().unwrap();
        world.engine.ask(&["exec", &id, "cat", "/run/secrets/password"])
    };
    for environment in &environments {
        assert_eq!(seen(environment), format!("of-{environment}"));
    }
    secret_in(world, &environments[0], "web", "db_password", "rotated");
    world.run_in(&both, &[]).expect(0);
    assert_eq!(seen(&environments[0]), "rotated");
    assert_eq!(seen(&environments[1]), format!("of-{}", environments[1]));
}

fn another_host_key_costs_one_announced_recreation(world: &World) {
    host(world, "");
    secret(world, "web", "db_password", "hunter2");
    world.push("web", &database("signal"));
    world.converge();
    let first = world.one("web", "db");
    fs::remove_file(world.scratch("keys").join("host.key")).unwrap();
    assert_eq!(world.changes(), ["service/db replace secret"]);
    world.run(&["--dry-run"]).expect(0).says("the host key was renewed");
    world.converge();
    world.another("web", "db", &first.id);
    world.is_synced();
}
