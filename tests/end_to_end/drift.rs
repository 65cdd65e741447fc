//! What people do to containers by hand: named in the plan, put right, and the plan is empty afterwards.

use crate::world::{Container, Engine, SLEEPER, World};

stories! {
    both:
        every_change_by_hand_is_named_and_put_right,
        a_foreign_container_is_never_touched;
    docker:
        a_tag_that_moved_is_noticed,
        drift_is_only_told_where_the_host_file_says_report;
}

fn manifest() -> String {
    format!(
        r#"
services:
  web: {{image: bb:1, command: {SLEEPER}, mem_limit: 64m, env: {{A: "1"}}, rollout: {{min_healthy_time: 0s}}}}
  two: {{image: bb:1, command: {SLEEPER}, rollout: {{min_healthy_time: 0s}}}}
"#
    )
}

/// Meddles, sees the drift named, has it put right, and sees nothing left.
#[track_caller]
fn put_right(world: &World, what: &str, meddle: impl FnOnce(&Container)) {
    let untouched = world.one("web", "two");
    meddle(&world.one("web", "web"));
    let changes = world.changes();
    assert!(!changes.is_empty() && changes.iter().all(|c| c.ends_with(" drift")), "{what}: {changes:?}");
    assert!(changes.iter().all(|change| !change.starts_with("service/two ")), "{what}: {changes:?}");
    world.converge();
    world.is_synced();
    let web = world.one("web", "web").inspect();
    assert_eq!(web["State"]["Paused"], false, "{what}");
    assert_eq!(world.one("web", "two"), untouched, "{what}: the other service was touched");
}

fn every_change_by_hand_is_named_and_put_right(world: &World) {
    let ask = |arguments: &[&str]| world.engine.ask(arguments);
    world.push("web", &manifest());
    world.converge();
    world.is_synced();
    let (name, network) = (world.one("web", "web").name(), world.one("web", "web").networks().remove(0));
    let other = format!("{}-other", world.name);
    ask(&["network", "create", "--label", &world.label(), &other]);

    put_right(world, "removed", |web| drop(ask(&["rm", "-f", &web.id])));
    put_right(world, "stopped", |web| drop(ask(&["stop", "-t", "1", &web.id])));
    put_right(world, "killed", |web| drop(ask(&["kill", &web.id])));
    put_right(world, "paused", |web| drop(ask(&["pause", &web.id])));
    put_right(world, "renamed", |web| drop(ask(&["rename", &web.id, &format!("{}-renamed", world.name)])));
    assert_eq!(world.one("web", "web").name(), name);
    put_right(world, "network removed", |web| drop(ask(&["network", "disconnect", &network, &web.id])));
    put_right(world, "network added", |web| drop(ask(&["network", "connect", &other, &web.id])));
    assert_eq!(world.one("web", "web").networks(), std::slice::from_ref(&network));
    put_right(world, "alias lost", |web| {
        ask(&["network", "disconnect", &network, &web.id]);
        ask(&["network", "connect", &network, &web.id]);
    });
    // Podman 4 changes limits only through its own interface, and its inspect does not tell (research, engine §2).
    if world.engine == Engine::Docker {
        put_right(world, "limits", |web| {
            drop(ask(&["update", "--memory", "128m", "--memory-swap", "256m", &web.id]));
        });
        assert_eq!(world.one("web", "web").inspect()["HostConfig"]["Memory"], 64 * 1024 * 1024);
        put_right(world, "restart policy", |web| drop(ask(&["update", "--restart", "no", &web.id])));
    }

    let forge = |web: &Container, image: &str, more: &[&str]| {
        let labels = web.inspect()["Config"]["Labels"].clone();
        let labels = labels.as_object().unwrap().iter();
        let labels: Vec<_> = labels.map(|(key, value)| format!("--label={key}={}", value.as_str().unwrap())).collect();
        let labels: Vec<_> = labels.iter().map(String::as_str).collect();
        ask(&["rm", "-f", &web.id]);
        let head = ["run", "-d", "--name", &name, "--network", &network, "--network-alias", "web", "-m", "64m"];
        ask(&[&head, &labels[..], more, &[image, "sleep", "36000"]].concat());
    };
    put_right(world, "made anew with another environment", |web| forge(web, "bb:1", &["-e", "A=evil"]));
    assert!(!world.one("web", "web").env().contains(&"A=evil".to_owned()), "the forged container was accepted");
    let bind = format!("{}:/evil", world.scratch("bind").display());
    put_right(world, "made anew with a bind", |web| forge(web, "bb:1", &["-e", "A=1", "-v", &bind]));
    assert!(!world.one("web", "web").succeeds(&["ls", "/evil"]), "the forged container was accepted");
    put_right(world, "made anew with a port", |web| forge(web, "bb:1", &["-e", "A=1", "-p", "127.0.0.1::8080"]));
    let image = world.image("swapped:1", "ENV SWAPPED=1");
    forge(&world.one("web", "web"), &image, &["-e", "A=1"]);
    // The label names one image, the container has another: that is a replacement, whoever did it.
    assert_eq!(world.changes(), ["service/web replace image"]);
    world.converge();
    world.is_synced();
    assert!(!world.one("web", "web").env().contains(&"SWAPPED=1".to_owned()), "the forged container was accepted");
}

fn a_foreign_container_is_never_touched(world: &World) {
    let name = format!("{}-foreign", world.name);
    let foreign =
        world.engine.ask(&["run", "-d", "--name", &name, "--label", &world.label(), "bb:1", "sleep", "36000"]);
    let foreign = Container::of(world.engine, &foreign);
    let before = foreign.started_at();
    world.push("web", &manifest());
    world.converge();
    world.git(&["rm", "-qr", "environments"]);
    world.commit("all gone");
    world.run(&["--allow-empty"]).expect(0);
    assert_eq!(foreign.started_at(), before);
    assert_eq!(foreign.inspect()["State"]["Running"], true);
}

fn a_tag_that_moved_is_noticed(world: &World) {
    let image = world.image("app:1", "ENV BUILD=1");
    world.push("web", &manifest().replace("bb:1", &image));
    world.converge();
    world.image("app:1", "ENV BUILD=2");
    let changes = world.changes();
    assert_eq!(changes, ["service/two replace image", "service/web replace image"]);
    world.converge();
    assert!(world.one("web", "web").env().contains(&"BUILD=2".to_owned()));
    world.is_synced();
    world.run(&["rollback", "web"]).expect(0);
    assert!(world.one("web", "web").env().contains(&"BUILD=1".to_owned()), "rollback does not pin the image");
}

fn drift_is_only_told_where_the_host_file_says_report(world: &World) {
    world.push("web", &manifest());
    world.converge();
    world.host("drift: report\n");
    world.engine.ask(&["stop", "-t", "1", &world.one("web", "web").id]);
    world.run(&[]);
    assert_eq!(world.running("web", "web"), Vec::<String>::new(), "it was repaired");
    world.host("drift: repair\n");
    world.converge();
    assert_eq!(world.running("web", "web").len(), 1);
}
