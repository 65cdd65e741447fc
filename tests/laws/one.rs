//! One service, and every state its containers can be in.

use crate::{
    draw::{World, app, id_of, settled},
    lives::{self, ENDPOINTS, EVIDENCE, IMAGES, LIVES, NAMES, NETWORKS},
    walk::hold,
};
use reconcile::{
    desired::Desired,
    observed::{Container, Observed},
    plan::plan,
};
use serde_json::{Value, json};

/// How a service is rolled out: what differs between kinds of services as far as a plan goes.
pub const MODES: &[&str] = &["start-first", "stop-first", "start-first pinned", "stop-first pinned", "completes"];

/// The only service's name.
pub const WEB: &str = "web";

/// A service of a kind, in a version of its body, with an image.
pub fn service(mode: &str, body: u8, image: &str) -> Value {
    let mut service = json!({"image": image, "env": {"VERSION": body.to_string()}});
    if mode.starts_with("start-first") {
        service["healthcheck"] = json!({"http": {"path": "/", "port": 80}});
    } else {
        service["volumes"] = json!(["data:/data"]);
    }
    if mode.ends_with("pinned") {
        service["container_name"] = json!("the-web");
    }
    if mode == "completes" {
        service["restart"] = json!("on-failure");
    }
    service
}

/// The app of one service.
pub fn one(mode: &str, body: u8, image: &str) -> Desired {
    app(&manifest(mode, body, image))
}

pub fn manifest(mode: &str, body: u8, image: &str) -> Value {
    let mut manifest = json!({"services": {WEB: service(mode, body, image)}});
    if !mode.starts_with("start-first") {
        manifest["volumes"] = json!({"data": {}});
    }
    manifest
}

/// The only container of a host that was brought to `desired`, under its name.
pub fn only(desired: &Desired) -> (String, Container) {
    settled(desired).containers.pop_first().unwrap()
}

fn spec(desired: &Desired) -> &reconcile::desired::ContainerSpec {
    &desired.services[WEB].spec
}

/// A host in sync, its container under another name and in another state.
pub fn host(before: &Observed, life: &str, name: &str) -> Observed {
    let mut observed = before.clone();
    let (own, mut container) = observed.containers.pop_first().unwrap();
    lives::live(&mut container, life);
    observed.containers.insert(lives::name(&own, name), container);
    observed
}

/// From a host in sync with the first body and image to each of the others: the old app, its host, the new app.
fn versions(mode: &'static str) -> impl Iterator<Item = (String, Desired, Observed, Desired)> {
    let old = one(mode, 1, "app:1");
    let before = settled(&old);
    [(1, "app:1"), (2, "app:1"), (1, "app:2"), (2, "app:2")].into_iter().map(move |(body, image)| {
        (format!("{mode}, to body {body} {image}"), old.clone(), before.clone(), one(mode, body, image))
    })
}

#[test]
fn a_container_in_any_life_under_any_name_is_brought_to_any_version() {
    let mut worlds = Vec::new();
    for mode in MODES {
        for (title, _, before, new) in versions(mode) {
            for life in LIVES {
                for name in NAMES {
                    for volume in ["there", "absent"] {
                        for running in [true, false] {
                            let mut desired = new.clone();
                            desired.services.get_mut(WEB).unwrap().running = running;
                            let mut observed = host(&before, life, name);
                            if volume == "absent" {
                                observed.volumes.clear();
                            }
                            let title = format!("{title}, {life}, name {name}, volume {volume}, running {running}");
                            worlds.push(World { title, desired, observed });
                        }
                    }
                }
            }
        }
    }
    hold(worlds, plan);
}

#[test]
fn whatever_was_done_to_a_body_or_its_connections_is_put_right() {
    let mut worlds = Vec::new();
    for mode in MODES {
        for (title, old, before, new) in versions(mode) {
            for life in LIVES {
                for evidence in EVIDENCE {
                    for endpoint in ENDPOINTS {
                        for network in NETWORKS {
                            let mut observed = host(&before, life, "own");
                            for container in observed.containers.values_mut() {
                                lives::evidence(container, spec(&old), evidence);
                                lives::endpoint(container, "test-app", endpoint);
                            }
                            lives::network(&mut observed, "test-app", network);
                            let title = format!("{title}, {life}, {evidence}, endpoint {endpoint}, network {network}");
                            worlds.push(World { title, desired: new.clone(), observed });
                        }
                    }
                }
            }
        }
    }
    hold(worlds, plan);
}

#[test]
fn whatever_an_image_means_it_is_known_before_the_first_stop() {
    let mut worlds = Vec::new();
    for mode in MODES {
        for (title, _, before, new) in versions(mode) {
            for life in LIVES {
                for image in IMAGES {
                    let pins =
                        [(None, None), (Some("app:1"), None), (Some("app:0"), None), (Some("app:0"), Some("app:0"))];
                    for (pinned, source) in pins {
                        for pull in ["missing", "always", "never", "daily"] {
                            let mut desired = new.clone();
                            let service = desired.services.get_mut(WEB).unwrap();
                            service.pinned_image = pinned.map(id_of);
                            service.pinned_source = source.map(str::to_owned);
                            service.pull = serde_json::from_value(json!(pull)).unwrap();
                            let mut observed = host(&before, life, "own");
                            lives::image(&mut observed, &service.spec.image, image);
                            let title =
                                format!("{title}, {life}, image {image}, pinned {pinned:?} of {source:?}, pull {pull}");
                            worlds.push(World { title, desired, observed });
                        }
                    }
                }
            }
        }
    }
    hold(worlds, plan);
}

#[test]
fn limits_are_changed_in_place_where_the_engine_can() {
    let mut worlds = Vec::new();
    for mode in MODES {
        for life in LIVES {
            for (limit, there) in [(Some("1m"), None), (None, Some("1m")), (Some("1m"), Some("2m"))] {
                for adjusts in [true, false] {
                    for network in NETWORKS {
                        let limited = |limit: Option<&str>| {
                            let mut manifest = manifest(mode, 1, "app:1");
                            if let Some(limit) = limit {
                                manifest["services"][WEB]["mem_limit"] = json!(limit);
                            }
                            app(&manifest)
                        };
                        let mut observed = host(&settled(&limited(there)), life, "own");
                        observed.abilities.adjusts = adjusts;
                        lives::network(&mut observed, "test-app", network);
                        let title =
                            format!("{mode}, {life}, {there:?} to {limit:?}, adjusts {adjusts}, network {network}");
                        worlds.push(World { title, desired: limited(limit), observed });
                    }
                }
            }
        }
    }
    hold(worlds, plan);
}

/// A host with two generations on it, as a crash leaves them.
pub struct Leftovers {
    mode: &'static str,
    wanted: [Desired; 3],
    /// What either was when all was well: its name and container.
    made: [(String, Container); 2],
    before: Observed,
}

impl Leftovers {
    pub fn of(mode: &'static str) -> Self {
        let wanted = [1, 2, 3].map(|body| one(mode, body, "app:1"));
        let made = [only(&wanted[0]), only(&wanted[1])];
        Self { mode, made, before: settled(&wanted[0]), wanted }
    }

    /// The two in these states and under these names; none where both would have one name.
    pub fn world(&self, lives_of: [&str; 2], names: [&str; 2], wanted: usize) -> Option<World> {
        let desired = self.wanted[wanted - 1].clone();
        let mut observed = self.before.clone();
        observed.applied.manifest = Some(desired.manifest.clone());
        observed.containers.clear();
        for (((own, container), life), name) in self.made.iter().zip(lives_of).zip(names) {
            let mut container = container.clone();
            lives::live(&mut container, life);
            container.id = format!("{own} {name}");
            observed.containers.insert(lives::name(own, name), container);
        }
        let title = format!("{}, {lives_of:?} under {names:?}, to {wanted}", self.mode);
        (observed.containers.len() == 2).then_some(World { title, desired, observed })
    }
}

#[test]
fn what_a_crash_left_of_two_generations_is_cleared() {
    let mut worlds = Vec::new();
    for mode in MODES {
        let leftovers = Leftovers::of(mode);
        for one in LIVES {
            for two in LIVES {
                for names in NAMES.iter().flat_map(|first| NAMES.iter().map(move |second| [*first, *second])) {
                    for wanted in [1, 2, 3] {
                        worlds.extend(leftovers.world([one, two], names, wanted));
                    }
                }
            }
        }
    }
    hold(worlds, plan);
}

#[test]
fn a_foreign_container_under_our_name_is_never_touched() {
    let mut worlds = Vec::new();
    for mode in MODES {
        for (title, _, before, new) in versions(mode) {
            for life in LIVES {
                for taken in ["own", "next"] {
                    let mut observed = host(&before, life, "by hand");
                    observed.foreign_names.insert(lives::name(&new.services[WEB].container_name, taken));
                    let title = format!("{title}, {life}, {taken} is another's");
                    worlds.push(World { title, desired: new.clone(), observed });
                }
            }
        }
    }
    hold(worlds, plan);
}

#[test]
fn drift_and_what_is_gone_are_left_where_the_manifest_says_so() {
    let mut worlds = Vec::new();
    for mode in MODES {
        for (title, old, before, new) in versions(mode) {
            for life in LIVES {
                for network in NETWORKS {
                    for evidence in ["same", "differs"] {
                        for (self_heal, prune) in [(false, true), (true, false), (false, false)] {
                            let mut desired = new.clone();
                            (desired.sync.self_heal, desired.sync.prune) = (self_heal, prune);
                            let mut observed = host(&before, life, "own");
                            for container in observed.containers.values_mut() {
                                lives::evidence(container, spec(&old), evidence);
                            }
                            lives::network(&mut observed, "test-app", network);
                            observed.networks.insert("test-app_left".to_owned(), lives::left_network());
                            let title = format!(
                                "{title}, {life}, {evidence}, network {network}, self_heal {self_heal}, prune {prune}"
                            );
                            worlds.push(World { title, desired, observed });
                        }
                    }
                }
            }
        }
    }
    hold(worlds, plan);
}
