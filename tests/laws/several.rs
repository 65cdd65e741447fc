//! Services that need each other, jobs, and what is gone from the manifest.

use crate::{
    draw::{World, app, settled},
    lives::{self, LIVES, NETWORKS},
    one::service,
    walk::hold,
};
use reconcile::{
    desired::Desired,
    observed::{Failure, Observed, Readiness, Role},
    plan::plan,
};
use serde_json::{Value, json};

/// Puts the containers of a role into a state; an absent one is taken away.
fn set(observed: &mut Observed, role: &Role, life: &str) {
    if life == "absent" {
        observed.containers.retain(|_, container| container.role != *role);
    }
    for container in observed.containers.values_mut().filter(|container| container.role == *role) {
        lives::live(container, life);
    }
}

fn web() -> Role {
    Role::Service("web".parse().unwrap())
}

fn db() -> Role {
    Role::Service("db".parse().unwrap())
}

fn migrate() -> Role {
    Role::Job("migrate".parse().unwrap())
}

const SOME: &[&str] = &[
    "absent",
    "created",
    "unproven",
    "ready",
    "failing",
    "paused",
    "exited 0",
    "exited 1",
    "stopped by us",
    "stopping",
];

/// `web` needs `db` in some way.
fn pair(web: (&str, u8), db: (&str, u8), dependency: &Value) -> Desired {
    let mut web = service(web.0, web.1, "app:1");
    web["depends_on"] = json!({"db": dependency});
    app(&json!({"services": {"web": web, "db": service(db.0, db.1, "db:1")}, "volumes": {"data": {}}}))
}

fn dependencies() -> Vec<(Value, &'static str)> {
    let mut all = Vec::new();
    for (condition, kind) in [
        ("service_started", "stop-first"),
        ("service_healthy", "stop-first"),
        ("service_completed_successfully", "completes"),
    ] {
        for required in [true, false] {
            for restart in [true, false] {
                all.push((json!({"condition": condition, "required": required, "restart": restart}), kind));
            }
        }
    }
    all
}

#[test]
fn services_that_need_each_other_come_in_their_order() {
    let mut worlds = Vec::new();
    for (dependency, kind) in dependencies() {
        for versions in [(1, 1), (2, 1), (1, 2), (2, 2)] {
            for mode in ["start-first", "stop-first pinned"] {
                let before = settled(&pair((mode, 1), (kind, 1), &dependency));
                let desired = pair((mode, versions.0), (kind, versions.1), &dependency);
                for first in SOME {
                    for second in SOME {
                        let mut observed = before.clone();
                        set(&mut observed, &web(), first);
                        set(&mut observed, &db(), second);
                        let title = format!("web {mode} {first}, db {kind} {second}, to {versions:?}, {dependency}");
                        worlds.push(World { title, desired: desired.clone(), observed });
                    }
                }
            }
        }
    }
    hold(worlds, plan);
}

#[test]
fn what_cannot_be_had_holds_up_only_what_requires_it() {
    let mut worlds = Vec::new();
    for (dependency, kind) in dependencies() {
        let before = settled(&pair(("start-first", 1), (kind, 1), &dependency));
        for version in [1, 2] {
            let wanted = pair(("start-first", 1), (kind, version), &dependency);
            for first in SOME {
                for second in SOME {
                    for why in ["name is foreign", "scale 0", "no image", "drift is left", "failed"] {
                        let (mut desired, mut observed) = (wanted.clone(), before.clone());
                        set(&mut observed, &web(), first);
                        set(&mut observed, &db(), second);
                        let service = desired.services.get_mut("db").unwrap();
                        match why {
                            "name is foreign" => drop(observed.foreign_names.insert(service.container_name.clone())),
                            "scale 0" => service.running = false,
                            "no image" => {
                                service.pull = serde_json::from_value(json!("never")).unwrap();
                                observed.images.remove("db:1");
                            }
                            "drift is left" => desired.sync.self_heal = false,
                            _ => {
                                for container in observed.containers.values_mut().filter(|it| it.role == db()) {
                                    container.readiness = Readiness::Failed(Failure::default());
                                }
                            }
                        }
                        if why == "name is foreign" && observed.containers.values().any(|it| it.role == db()) {
                            let name = observed.containers.iter().find(|(_, it)| it.role == db()).unwrap().0.clone();
                            let container = observed.containers.remove(&name).unwrap();
                            observed.containers.insert("by-hand".to_owned(), container);
                        }
                        let title = format!("db {why}, web {first}, db {kind} {second}, to {version}, {dependency}");
                        worlds.push(World { title, desired, observed });
                    }
                }
            }
        }
    }
    hold(worlds, plan);
}

/// `web` lives in the network of `vpn`.
fn shared(web: u8, vpn: u8) -> Desired {
    let mut guest = service("stop-first", web, "app:1");
    guest["network_mode"] = json!("service:db");
    app(&json!({"services": {"web": guest, "db": service("start-first", vpn, "db:1")}, "volumes": {"data": {}}}))
}

#[test]
fn a_guest_of_anothers_network_follows_its_host() {
    let mut worlds = Vec::new();
    let before = settled(&shared(1, 1));
    for versions in [(1, 1), (2, 1), (1, 2), (2, 2)] {
        let desired = shared(versions.0, versions.1);
        for first in SOME {
            for second in LIVES.iter().chain(&["absent"]) {
                for network in NETWORKS {
                    let mut observed = before.clone();
                    set(&mut observed, &web(), first);
                    set(&mut observed, &db(), second);
                    lives::network(&mut observed, "test-app", network);
                    let title = format!("guest {first}, host {second}, network {network}, to {versions:?}");
                    worlds.push(World { title, desired: desired.clone(), observed });
                }
            }
        }
    }
    hold(worlds, plan);
}

fn with_job(mode: &str, body: u8, when: &str) -> Desired {
    let mut manifest = crate::one::manifest(mode, body, "app:1");
    manifest["jobs"] = json!({"migrate": {"service": "web", "command": ["migrate"], "when": when}});
    app(&manifest)
}

const JOBS: &[&str] =
    &["absent", "created", "unproven", "paused", "exited 0", "exited 1", "stopping", "removing", "failed"];

/// The host of the first body, with the job's container of either.
fn hosts(mode: &str, when: &str) -> Vec<(&'static str, Observed)> {
    let (before, next) = (settled(&with_job(mode, 1, when)), settled(&with_job(mode, 2, when)));
    let mut mixed = before.clone();
    mixed.containers.retain(|_, container| container.role != migrate());
    mixed.containers.extend(next.containers.into_iter().filter(|(_, container)| container.role == migrate()));
    vec![("its job", before), ("the next job", mixed)]
}

#[test]
fn jobs_run_in_their_time_and_never_on_the_way_back() {
    let mut worlds = Vec::new();
    for mode in ["start-first", "stop-first", "stop-first pinned", "completes"] {
        for when in ["pre_sync", "post_sync"] {
            for (whose, before) in hosts(mode, when) {
                for body in [1, 2] {
                    let desired = with_job(mode, body, when);
                    for life in LIVES.iter().chain(&["absent"]) {
                        for job in JOBS {
                            for (ledger, rollback) in [("knows", false), ("knows", true), ("forgot", false)] {
                                let mut observed = before.clone();
                                set(&mut observed, &web(), life);
                                set(&mut observed, &migrate(), if *job == "failed" { "exited 1" } else { job });
                                if *job == "failed" {
                                    for container in observed.containers.values_mut().filter(|it| it.role == migrate())
                                    {
                                        container.readiness = Readiness::Failed(Failure::default());
                                    }
                                }
                                if ledger == "forgot" {
                                    observed.applied.jobs_done.clear();
                                }
                                observed.applied.rollback = rollback;
                                let title = format!(
                                    "{mode} {life} to {body}, {when}, {whose} {job}, ledger {ledger}, rollback {rollback}"
                                );
                                worlds.push(World { title, desired: desired.clone(), observed });
                            }
                        }
                    }
                }
            }
        }
    }
    hold(worlds, plan);
}

#[test]
fn what_is_gone_from_the_manifest_goes_when_the_rest_is_well() {
    let mut worlds = Vec::new();
    let none = json!({"condition": "service_started"});
    for kept in ["stop-first", "start-first"] {
        let before = settled(&pair((kept, 1), ("stop-first", 1), &none));
        for version in [1, 2] {
            let wanted = crate::one::one(kept, version, "app:1");
            for first in LIVES.iter().chain(&["absent"]) {
                for second in LIVES.iter().chain(&["absent"]) {
                    for prune in [true, false] {
                        for unprunable in [true, false] {
                            for network in ["right", "absent", "twice"] {
                                let mut observed = before.clone();
                                set(&mut observed, &web(), first);
                                set(&mut observed, &db(), second);
                                for container in observed.containers.values_mut().filter(|it| it.role == db()) {
                                    container.unprunable = unprunable;
                                    container
                                        .endpoints
                                        .insert("test-app_left".to_owned(), reconcile::observed::Endpoint::default());
                                }
                                observed.networks.insert("test-app_left".to_owned(), lives::left_network());
                                lives::network(&mut observed, "test-app_left", network);
                                let mut desired = wanted.clone();
                                desired.sync.prune = prune;
                                let title = format!(
                                    "{kept} {first} to {version}, gone {second}, prune {prune}, kept by label {unprunable}, its network {network}"
                                );
                                worlds.push(World { title, desired, observed });
                            }
                        }
                    }
                }
            }
        }
    }
    hold(worlds, plan);
}

/// Three services with a pinned name each.
fn pinned(names: [&str; 3], body: u8) -> Desired {
    let mut services = serde_json::Map::new();
    for (service_name, (name, mode)) in
        ["one", "two", "web"].iter().zip(names.iter().zip(["start-first", "stop-first", "completes"]))
    {
        let mut manifest = service(mode, if *service_name == "one" { body } else { 1 }, "app:1");
        manifest["container_name"] = json!(name);
        services.insert((*service_name).to_owned(), manifest);
    }
    app(&json!({"services": services, "volumes": {"data": {}}}))
}

#[test]
fn names_that_go_round_come_to_whom_they_belong() {
    let mut worlds = Vec::new();
    let before = settled(&pinned(["red", "blue", "green"], 1));
    let one = Role::Service("one".parse().unwrap());
    for names in [
        ["blue", "red", "green"],
        ["blue", "green", "red"],
        ["green", "red", "blue"],
        ["blue", "green", "grey"],
        ["red", "green", "blue"],
        ["grey", "red", "blue"],
    ] {
        for body in [1, 2] {
            for first in SOME {
                for third in SOME {
                    for litter in [None, Some("blue-next"), Some("green-next")] {
                        let mut observed = before.clone();
                        set(&mut observed, &one, first);
                        set(&mut observed, &web(), third);
                        if let Some(litter) = litter {
                            // With both its names held by others, one that is to be made is told so, and waits.
                            if third == &"absent" {
                                continue;
                            }
                            let mut left = before.containers["red"].clone();
                            left.id = "litter".to_owned();
                            left.spec_hash = reconcile::desired::SpecHash::of(&"litter");
                            lives::live(&mut left, "exited 1");
                            observed.containers.insert(litter.to_owned(), left);
                        }
                        let title = format!("to {names:?}, body {body}, {first}, {third}, litter {litter:?}");
                        worlds.push(World { title, desired: pinned(names, body), observed });
                    }
                }
            }
        }
    }
    hold(worlds, plan);
}

/// `one`, under whatever name, has a volume and a port, and `two` has one; a job may be there that is gone later.
fn holding(one: &str, ports: [u16; 2], body: u8, with_job: bool) -> Desired {
    let mut first = service("stop-first", body, "app:1");
    first["ports"] = json!([format!("{}:80", ports[0])]);
    let mut second = service("stop-first", body, "app:1");
    second["volumes"] = json!([]);
    second["ports"] = json!([format!("{}:80", ports[1])]);
    let mut manifest = json!({"services": {one: first, "two": second}, "volumes": {"data": {}}});
    if with_job {
        manifest["jobs"] = json!({"migrate": {"service": one, "command": ["migrate"]}});
    }
    app(&manifest)
}

#[test]
fn who_takes_over_a_volume_or_a_port_waits_for_who_had_it() {
    let mut worlds = Vec::new();
    for with_job in [true, false] {
        let before = settled(&holding("web", [8001, 8002], 1, with_job));
        for (one, ports) in [("web", [8001, 8002]), ("web", [8002, 8001]), ("api", [8001, 8002]), ("api", [8002, 8003])]
        {
            for body in [1, 2] {
                for first in SOME {
                    for job in ["absent", "unproven", "exited 0", "exited 1"] {
                        for rollback in [true, false] {
                            let mut observed = before.clone();
                            set(&mut observed, &web(), first);
                            set(&mut observed, &migrate(), job);
                            observed.applied.rollback = rollback;
                            let title = format!(
                                "to {one} on {ports:?}, body {body}, {first}, job {job} {with_job}, rollback {rollback}"
                            );
                            worlds.push(World { title, desired: holding(one, ports, body, false), observed });
                        }
                    }
                }
            }
        }
    }
    hold(worlds, plan);
}

#[test]
fn an_app_that_is_gone_goes_whole() {
    let mut worlds = Vec::new();
    let before = settled(&pair(("start-first", 1), ("stop-first", 1), &json!({"condition": "service_started"})));
    for first in LIVES {
        for second in LIVES {
            let mut observed = before.clone();
            set(&mut observed, &web(), first);
            set(&mut observed, &db(), second);
            let desired = Desired::gone("test".parse().unwrap(), "app".parse().unwrap());
            worlds.push(World { title: format!("gone: {first}, {second}"), desired, observed });
        }
    }
    hold(worlds, plan);
}

/// `web` and its job on two networks, of which the manifest says something.
fn on_two_networks(body: u8, internal: bool) -> Desired {
    let mut web = service("stop-first", body, "app:1");
    web["networks"] = json!(["front", "back"]);
    app(&json!({
        "services": {"web": web},
        "jobs": {"migrate": {"service": "web", "command": ["migrate"]}},
        "networks": {"front": {}, "back": {"internal": internal}},
        "volumes": {"data": {}},
    }))
}

#[test]
fn a_network_that_changes_takes_nobody_off_for_good() {
    let mut worlds = Vec::new();
    let before = settled(&on_two_networks(1, false));
    for body in [1, 2] {
        for internal in [false, true] {
            for self_heal in [true, false] {
                let mut desired = on_two_networks(body, internal);
                desired.sync.self_heal = self_heal;
                for life in LIVES.iter().chain(&["absent"]) {
                    for job in ["absent", "created", "unproven", "exited 0", "exited 1"] {
                        for network in NETWORKS {
                            for off in [None, Some("test-app_back"), Some("test-app_front")] {
                                let mut observed = before.clone();
                                set(&mut observed, &web(), life);
                                set(&mut observed, &migrate(), job);
                                observed.applied.jobs_done.clear();
                                for container in observed.containers.values_mut() {
                                    container.endpoints.retain(|name, _| Some(name.as_str()) != off);
                                }
                                lives::network(&mut observed, "test-app_back", network);
                                let title = format!(
                                    "{life} to {body}, job {job}, off {off:?}, network {network}, internal {internal}, self_heal {self_heal}"
                                );
                                worlds.push(World { title, desired: desired.clone(), observed });
                            }
                        }
                    }
                }
            }
        }
    }
    hold(worlds, plan);
}
