//! After a boot nothing is in memory, and no engine runs yet: `secret materialise` delivers what containers are shown.

use crate::{
    secrets::{database, delivered, host, secret},
    world::{Container, World, until},
};
use std::fs;

stories! {
    both:
        after_a_boot_secrets_are_there_before_the_engine_starts_anything,
        after_a_boot_a_revision_that_was_gone_back_to_has_what_it_was_delivered;
    docker:
        after_a_boot_an_app_that_is_held_has_what_it_was_delivered_meanwhile,
        what_a_pass_delivers_is_written_by_nobody_else_meanwhile,
        after_a_boot_folders_are_named_after_the_host_key_of_then;
}

/// The power goes, and comes back: the container starts with its folder, or not at all.
#[track_caller]
fn boot(world: &World, container: &Container) {
    let [folder] = delivered(world, "secrets", "db").try_into().unwrap();
    world.engine.ask(&["stop", "-t", "0", &container.id]);
    fs::remove_dir_all(folder.ancestors().nth(3).unwrap()).unwrap();
    assert!(!world.engine.try_ask(&["start", &container.id]).status.success(), "it starts without its secrets");
    world.run_alone(&["secret", "materialise"]).expect(0).says("1 delivered.");
    assert_eq!(delivered(world, "secrets", "db"), [folder], "it is another folder");
    world.engine.ask(&["start", &container.id]);
}

fn after_a_boot_secrets_are_there_before_the_engine_starts_anything(world: &World) {
    host(world, "");
    secret(world, "web", "db_password", "hunter2-first");
    world.push("web", &database("restart"));
    world.converge();
    // Another revision: the folder has another name than that of the first.
    secret(world, "web", "db_password", "hunter2-second");
    world.converge();
    let container = world.one("web", "db");
    boot(world, &container);
    assert_eq!(container.exec(&["cat", "/run/secrets/password"]), "hunter2-second");
    assert_eq!(container.exec(&["stat", "-c", "%u:%g %a", "/run/secrets/password"]), "1000:1000 400");
    world.converge();
    assert_eq!(world.one("web", "db"), container, "it was not to be made anew");
}

/// Two revisions, of which the second has the newer value, and the first again.
fn gone_back(world: &World) -> Container {
    host(world, "");
    secret(world, "web", "db_password", "hunter2-first");
    world.push("web", &database("restart"));
    world.converge();
    secret(world, "web", "db_password", "hunter2-second");
    world.push("web", &database("restart").replace("sleep 1", "sleep 2"));
    world.converge();
    let second = world.one("web", "db");
    world.run(&["rollback", "web"]).expect(0);
    world.another("web", "db", &second.id)
}

fn after_a_boot_a_revision_that_was_gone_back_to_has_what_it_was_delivered(world: &World) {
    let container = gone_back(world);
    assert_eq!(container.exec(&["cat", "/run/secrets/password"]), "hunter2-second", "a value is today's");
    boot(world, &container);
    assert_eq!(container.exec(&["cat", "/run/secrets/password"]), "hunter2-second");
    world.converge();
    assert_eq!(world.one("web", "db"), container, "it was not to be made anew");
}

fn after_a_boot_an_app_that_is_held_has_what_it_was_delivered_meanwhile(world: &World) {
    let before = gone_back(world);
    secret(world, "web", "db_password", "hunter2-third");
    world.converge();
    let container = world.another("web", "db", &before.id);
    boot(world, &container);
    assert_eq!(container.exec(&["cat", "/run/secrets/password"]), "hunter2-third");

    // One that is not there is known by what was delivered, and not by what the revision had at first.
    let path = secret(world, "web", "db_password", "hunter2-third");
    fs::remove_file(&path).unwrap();
    let report = world.fails().json();
    assert_eq!(crate::world::app(&report, "web")["changes"], serde_json::json!([]), "{report:#}");

    fs::write(&path, "hunter2-third").unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
    let key = world.scratch("keys").join("host.key");
    fs::remove_file(&key).unwrap();
    world.converge();
    let renewed = world.another("web", "db", &container.id);
    boot(world, &renewed);
    assert_eq!(renewed.exec(&["cat", "/run/secrets/password"]), "hunter2-third");
    world.converge();
    assert_eq!(world.one("web", "db"), renewed, "it was not to be made anew");
}

fn after_a_boot_folders_are_named_after_the_host_key_of_then(world: &World) {
    host(world, "");
    secret(world, "web", "db_password", "hunter2");
    world.push("web", &database("restart"));
    world.converge();
    let container = world.one("web", "db");
    fs::remove_file(world.scratch("keys").join("host.key")).unwrap();
    boot(world, &container);
    assert_eq!(container.exec(&["cat", "/run/secrets/password"]), "hunter2");
}

/// Holds what tells who delivers for an app, and waits until somebody waits for it.
fn what_a_pass_delivers_is_written_by_nobody_else_meanwhile(world: &World) {
    host(world, "");
    secret(world, "web", "db_password", "hunter2");
    world.push("web", &database("restart"));
    world.converge();
    let [folder] = delivered(world, "secrets", "db").try_into().unwrap();
    let container = world.one("web", "db");
    world.engine.ask(&["stop", "-t", "0", &container.id]);
    fs::remove_dir_all(&folder).unwrap();
    let locks = || {
        let ends = format!(".{}.web.lock", world.name);
        let files = fs::read_dir("/run/reconcile").unwrap().map(|entry| entry.unwrap().path());
        files.filter(move |path| path.to_string_lossy().ends_with(&ends)).map(|path| fs::File::open(path).unwrap())
    };
    let held: Vec<fs::File> = locks().collect();
    assert_eq!(held.len(), 2, "one for the engine, one for what is delivered");
    held.iter().for_each(|file| file.try_lock().unwrap());
    let started = world.start_alone(&["secret", "materialise"]);
    until("it waits", 60, || held.iter().any(is_waited_for));
    assert!(!folder.exists(), "it was written all the same");
    // The engine's is not waited for: nobody knows an engine at a boot.
    drop(held);
    started.finish().expect(0).says("waiting for the pass that is running").says("1 delivered.");
    assert!(folder.exists());

    let held: Vec<fs::File> = locks().filter(|file| file.try_lock().is_ok()).collect();
    let started = world.start(&[]);
    until("a pass waits too", 60, || held.iter().any(is_waited_for));
    drop(held);
    started.finish().expect(0);
}

/// Whether a process stands in the queue for a lock on this file: `1: -> FLOCK ADVISORY WRITE 4711 00:19:815 0 EOF`.
fn is_waited_for(file: &fs::File) -> bool {
    let inode = std::os::unix::fs::MetadataExt::ino(&file.metadata().unwrap()).to_string();
    let lines = fs::read_to_string("/proc/locks").unwrap();
    lines.lines().filter(|line| line.contains("->")).any(|line| line.contains(&format!(":{inode} ")))
}
