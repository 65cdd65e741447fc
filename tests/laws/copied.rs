//! Rollouts that wait for copies: every life of the containers that change, and of those beside them.

use crate::{
    draw::{World, app, settled},
    law::{Broken, Law, broken},
    lives::{self, LIVES, NAMES},
    mutants::{hasty, without},
    one::{self, MODES, WEB},
    walk::{Planner, hold, walk},
};
use reconcile::{
    desired::Desired,
    observed::{Observed, Owed, Role},
    plan::{Action, Plan, Resource, Step, copy_first::owed, plan},
};
use serde_json::{Value, json};

/// What must hold when a step begins while copies are owed.
pub fn copies_first(step: &Step, observed: &Observed, plan: &Plan) -> Result<(), Broken> {
    let Some(owed) = &observed.applied.owed else { return Ok(()) };
    let Some(copies) = plan.steps.iter().find(|it| matches!(it.step, Step::CopyFirst { .. })) else {
        return broken(Law::CopiesFirst, "no copy is made");
    };
    let is_pull = |place: &usize| matches!(plan.steps[*place].step, Step::Pull { .. });
    if let Some(place) = copies.after.iter().find(|place| !is_pull(place)) {
        return broken(Law::CopiesFirst, format!("{} waits for {}", copies.step, plan.steps[*place].step));
    }
    let changes = |role: &Role| match role {
        Role::Service(name) => owed.services.contains(name),
        Role::Job(_) => true,
    };
    match step {
        Step::Stop { .. } => broken(Law::CopiesFirst, format!("{step} before {}", copies.step)),
        _ if step.about().is_some_and(|(_, role)| changes(role)) => {
            broken(Law::CopiesFirst, format!("{step} before {}", copies.step))
        }
        _ => Ok(()),
    }
}

/// What is copied of an app: what a command of the web server writes, and where there is one the volume.
fn copied(mut manifest: Value) -> Value {
    let out = json!({"name": "out", "type": "exec", "service": WEB, "command": ["dump"]});
    let files = json!({"name": "files", "type": "volume", "volume": "data"});
    let items = if manifest.get("volumes").is_some() { vec![out, files] } else { vec![out] };
    manifest["backup"] = json!({"items": items});
    manifest
}

fn one(mode: &str, body: u8) -> Desired {
    app(&copied(one::manifest(mode, body, "app:1")))
}

/// The worlds in which copies are owed, with what is owed there.
fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    let mut add = |title: String, before: &Desired, desired: Desired, mut observed: Observed| {
        let drawn = plan(&desired, &observed);
        observed.applied.owed = owed(&desired, &observed, before, &drawn);
        worlds.push(World { title, desired, observed });
    };
    for mode in MODES {
        let before = one(mode, 1);
        let there = settled(&before);
        for life in LIVES {
            for name in NAMES {
                let observed = one::host(&there, life, name);
                add(format!("{mode}, {life}, name {name}"), &before, one(mode, 2), observed);
            }
        }
        let mut to_be_pulled = there.clone();
        to_be_pulled.images.clear();
        let mut other = one(mode, 2);
        other.services.get_mut(WEB).unwrap().pull = serde_json::from_value(json!("always")).unwrap();
        add(format!("{mode}, pulled"), &before, other, to_be_pulled);
        let mut stopped = one(mode, 1);
        stopped.services.get_mut(WEB).unwrap().running = false;
        add(format!("{mode}, scaled to nothing"), &before, stopped, there);
    }
    // A server beside it that is as before, whatever became of it, and a job.
    let both = |body: u8, with_side: bool| {
        let mut manifest = one::manifest("stop-first", body, "app:1");
        manifest["services"]["db"] = json!({"image": "db:1", "healthcheck": {"http": {"path": "/", "port": 80}}});
        manifest["services"]["web"]["depends_on"] = json!({"db": {"condition": "service_healthy"}});
        manifest["jobs"] = json!({"migrate": {"service": "web", "command": ["migrate", body.to_string()]}});
        if with_side {
            manifest["services"]["side"] = json!({"image": "side:1", "volumes": ["data:/data"]});
        }
        app(&copied(manifest))
    };
    let db = Role::Service("db".parse().unwrap());
    for life in LIVES {
        let before = both(1, true);
        let mut observed = settled(&before);
        observed.containers.values_mut().filter(|it| it.role == db).for_each(|it| lives::live(it, life));
        add(format!("beside one that is {life}"), &before, both(2, true), observed.clone());
        add(format!("one is gone beside one that is {life}"), &before, both(1, false), observed);
    }
    worlds
}

#[test]
fn nothing_is_done_to_what_changes_before_there_is_a_copy() {
    let worlds = worlds();
    let owing = worlds.iter().filter(|world| world.observed.applied.owed.is_some()).count();
    assert!(owing > worlds.len() / 2, "copies are owed in {owing} of {} worlds", worlds.len());
    hold(worlds, plan);
}

#[test]
fn plans_that_do_not_wait_for_copies_are_caught() {
    let is_copy = |step: &Step| matches!(step, Step::CopyFirst { .. });
    let never: Planner =
        |desired, observed| without(plan(desired, observed), |it| matches!(it, Step::CopyFirst { .. }));
    let stops: Planner = |desired, observed| {
        let is_copy = |step: &Step| matches!(step, Step::CopyFirst { .. });
        hasty(plan(desired, observed), |step| matches!(step, Step::Stop { .. }), is_copy)
    };
    let starts: Planner = |desired, observed| {
        let is_copy = |step: &Step| matches!(step, Step::CopyFirst { .. });
        hasty(plan(desired, observed), |step| matches!(step, Step::Start { .. }), is_copy)
    };
    let waits: Planner = |desired, observed| {
        let mut drawn = plan(desired, observed);
        let network = drawn.steps.iter().position(|it| matches!(it.step, Step::CreateNetwork { .. }));
        let copy = drawn.steps.iter().position(|it| matches!(it.step, Step::CopyFirst { .. }));
        if let (Some(network), Some(copy)) = (network, copy) {
            drawn.steps[copy].after.push(network);
        }
        drawn
    };
    assert!(
        worlds().iter().any(|world| plan(&world.desired, &world.observed).steps.iter().any(|it| is_copy(&it.step)))
    );
    let mut without_network = worlds();
    without_network.iter_mut().for_each(|world| world.observed.networks.clear());
    for (name, planner, worlds) in [
        ("never copies", never, worlds()),
        ("stops before", stops, worlds()),
        ("starts before", starts, worlds()),
        ("waits for a network", waits, without_network),
    ] {
        let found = worlds.iter().filter_map(|world| walk(world, planner).err()).any(|it| it.law == Law::CopiesFirst);
        assert!(found, "a plan that {name} is not caught");
    }
}

/// What is owed on a host in sync with `before` that something happened to, on the way to `after`.
fn items(before: &Value, after: &Value, happened: impl FnOnce(&mut Observed)) -> Vec<String> {
    let (before, after) = (app(before), app(after));
    let mut observed = settled(&before);
    happened(&mut observed);
    let owed = owed(&after, &observed, &before, &plan(&after, &observed));
    owed.map_or_else(Vec::new, |Owed { backup, .. }| backup.items.iter().map(|item| item.name.to_string()).collect())
}

#[test]
fn a_copy_is_owed_where_something_is_rolled_out_and_never_of_who_is_down() {
    for mode in MODES {
        for life in LIVES {
            let manifest = |body| copied(one::manifest(mode, body, "app:1"));
            let live = |observed: &mut Observed| observed.containers.values_mut().for_each(|it| lives::live(it, life));
            let up = ["unproven", "ready", "failing"].contains(life);
            let has_volume = !mode.starts_with("start-first");
            let expected: Vec<&str> =
                [("out", up), ("files", has_volume)].into_iter().filter(|it| it.1).map(|it| it.0).collect();
            assert_eq!(items(&manifest(1), &manifest(2), live), expected, "{mode}, {life}");
            // One that was made and never started is on its way to be rolled out.
            if *life != "created" {
                assert_eq!(items(&manifest(1), &manifest(1), live), [""; 0], "{mode}, {life}, the same");
            }
        }
    }
}

/// An app whose web server depends on a cache that depends on a database, and a cron beside them that says nothing.
fn several(change: impl FnOnce(&mut Value)) -> Value {
    let mut manifest = json!({
        "services": {
            "db": {"image": "db:1"},
            "cache": {"image": "cache:1", "depends_on": ["db"]},
            "web": {"image": "web:1", "depends_on": ["cache"], "volumes": ["files:/files"]},
            "cron": {"image": "cron:1", "volumes": ["other:/other"]},
        },
        "volumes": {"files": {}, "other": {}},
        "backup": {"items": [
            {"name": "pg", "type": "postgres", "service": "db", "database": "app"},
            {"name": "files", "type": "volume", "volume": "files"},
            {"name": "jobs", "type": "exec", "service": "cron", "command": ["dump"]},
        ]},
    });
    change(&mut manifest);
    manifest
}

#[test]
fn what_is_copied_is_what_a_service_that_changes_uses() {
    let before = several(|_| {});
    let version =
        |service: &'static str| move |it: &mut Value| it["services"][service]["env"] = json!({"VERSION": "2"});
    let changed = |change: fn(&mut Value)| several(change);
    for (what, after, expected) in [
        ("nothing", several(|_| {}), vec![]),
        ("who gives it out", several(version("db")), vec!["pg", "jobs"]),
        ("who depends on it", several(version("cache")), vec!["pg", "jobs"]),
        ("who depends on who does", several(version("web")), vec!["pg", "files", "jobs"]),
        // Nobody says that it depends on cron, so anybody may.
        ("who says nothing", several(version("cron")), vec!["jobs"]),
        ("what copies are kept", changed(|it| it["backup"]["retention"] = json!({"keep_last": 9})), vec![]),
        ("a limit", changed(|it| it["services"]["web"]["mem_limit"] = json!("64m")), vec![]),
        (
            "a service is gone",
            changed(|it| drop(it["services"].as_object_mut().unwrap().remove("web"))),
            vec!["pg", "files", "jobs"],
        ),
        (
            "a service is new",
            changed(|it| it["services"]["new"] = json!({"image": "new:1", "volumes": ["files:/files"]})),
            vec!["files", "jobs"],
        ),
        (
            "a job is new",
            changed(|it| it["jobs"] = json!({"migrate": {"service": "web", "command": ["migrate"]}})),
            vec!["pg", "files", "jobs"],
        ),
        (
            "always",
            changed(|it| {
                it["backup"]["before_deploy"] = json!("always");
                it["services"]["cron"]["env"] = json!({"VERSION": "2"});
            }),
            vec!["pg", "files", "jobs"],
        ),
        ("always, and nothing else", changed(|it| it["backup"]["before_deploy"] = json!("always")), vec![]),
        (
            "never",
            changed(|it| {
                it["backup"]["before_deploy"] = json!("never");
                it["services"]["web"]["env"] = json!({"VERSION": "2"});
            }),
            vec![],
        ),
        (
            "an item is new",
            changed(|it| {
                it["services"]["web"]["env"] = json!({"VERSION": "2"});
                let items = it["backup"]["items"].as_array_mut().unwrap();
                items.push(json!({"name": "late", "type": "exec", "service": "web", "command": ["not-there-yet"]}));
            }),
            vec!["pg", "files", "jobs"],
        ),
        (
            "an item is gone",
            changed(|it| {
                it["services"]["web"]["env"] = json!({"VERSION": "2"});
                it["backup"]["items"].as_array_mut().unwrap().remove(0);
            }),
            vec!["files", "jobs"],
        ),
    ] {
        assert_eq!(items(&before, &after, |_| {}), expected, "{what}");
    }
    // Drift is put right without one.
    let all_gone = |observed: &mut Observed| observed.containers.clear();
    assert_eq!(items(&before, &before, all_gone), [""; 0]);
}

#[test]
fn an_item_is_copied_as_the_manifest_in_force_says() {
    let command = |word: &str, version: &str| {
        several(|it| {
            it["services"]["cron"]["env"] = json!({"VERSION": version});
            it["backup"]["items"][2]["command"] = json!([word]);
            it["backup"]["hooks"] = json!({"before": [
                {"service": "cron", "command": [word]}, {"service": "web", "command": [word]},
            ]});
            it["backup"]["timeout"] = json!(if word == "new" { "5m" } else { "1h" });
        })
    };
    let (before, after) = (app(&command("old", "1")), app(&command("new", "2")));
    let mut observed = settled(&before);
    let web = Role::Service("web".parse().unwrap());
    observed.containers.values_mut().filter(|it| it.role == web).for_each(|it| lives::live(it, "exited 1"));
    let owed = owed(&after, &observed, &before, &plan(&after, &observed)).unwrap();
    let told = serde_json::to_value(&owed.backup).unwrap();
    assert_eq!(told["items"][0]["data"]["exec"]["command"], json!(["old"]), "{told}");
    // Who is down hears of nothing, and where copies go is what the branch says.
    assert_eq!(told["before"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!((&told["before"][0]["command"], owed.backup.timeout.as_secs()), (&json!(["old"]), 300), "{told}");
}

#[test]
fn a_plan_tells_of_the_copies_first_with_the_cause_of_the_rollout() {
    let (before, after) = (one("stop-first", 1), one("stop-first", 2));
    let mut observed = settled(&before);
    observed.applied.rollback = true;
    observed.applied.owed = owed(&after, &observed, &before, &plan(&after, &observed));
    let told = plan(&after, &observed).changes;
    let words: Vec<String> = told.iter().map(|it| format!("{} {:?} {:?}", it.resource, it.action, it.cause)).collect();
    assert_eq!(words, ["backup/out Run Rollback", "backup/files Run Rollback", "service/web Replace Rollback"]);
    assert!(
        matches!(&told[0].resource, Resource::Backup(item) if item.as_str() == "out") && told[0].action == Action::Run
    );
    // Git against git tells of it as well.
    let told = reconcile::plan::paper::changes(&before, &after);
    assert_eq!(told.iter().filter(|it| matches!(it.resource, Resource::Backup(_))).count(), 2, "{told:?}");
}
