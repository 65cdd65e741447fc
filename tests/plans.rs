//! Plans as pictures: what is there, what should be, and the way between.

#[path = "laws/draw.rs"]
#[allow(dead_code, reason = "the laws draw more than the pictures do")]
mod draw;
#[path = "plans/routes.rs"]
mod routes;
#[path = "plans/row.rs"]
mod row;

use draw::{app, settled};
use insta::assert_snapshot;
use reconcile::{
    desired::Desired,
    observed::{Image, Life, Observed, Readiness},
};
use row::{from_to, in_sync, picture};
use serde_json::{Value, json};

fn web(version: u8, more: &Value) -> Desired {
    let mut service = json!({"image": "app:1", "env": {"VERSION": version.to_string()}});
    merge(&mut service, more);
    app(&json!({"services": {"web": service}, "volumes": {"data": {}}}))
}

fn merge(into: &mut Value, more: &Value) {
    for (key, value) in more.as_object().unwrap() {
        into[key] = value.clone();
    }
}

fn probed() -> Value {
    json!({"healthcheck": {"http": {"path": "/", "port": 80}}})
}

fn writing() -> Value {
    json!({"volumes": ["data:/data"]})
}

fn rename(observed: &mut Observed, to: &str) {
    let (_, container) = observed.containers.pop_first().unwrap();
    observed.containers.insert(to.to_owned(), container);
}

#[test]
fn an_app_comes_to_an_empty_host() {
    let new = web(1, &writing());
    let row = in_sync(&new).met(|host| *host = draw::blank(&new));
    assert_snapshot!(row.plan(), @"
    0 create network test-app
    1 create volume test-app_data
    2 create web-v1                              0 1
    3 start web-v1                               2
    4 await web-v1                               3
    ");
}

#[test]
fn start_first_the_new_one_is_ready_before_the_old_one_stops() {
    let row = from_to(web(1, &probed()), web(2, &probed()));
    assert_snapshot!(row.plan(), @"
    0 create web-v2
    1 start web-v2                               0
    2 await web-v2                               1
    3 stop web-v1                                0 1 2
    4 remove web-v1                              2 3
    ");
}

#[test]
fn stop_first_the_new_one_is_made_before_the_old_one_stops() {
    let row = from_to(web(1, &writing()), web(2, &writing()));
    assert_snapshot!(row.plan(), @"
    0 create web-v2
    1 stop web-v1                                0
    2 start web-v2                               0 1
    3 await web-v2                               1 2
    4 remove web-v1                              1 3
    ");
}

#[test]
fn a_pinned_name_is_taken_over_by_a_rename() {
    let pinned = json!({"healthcheck": {"http": {"path": "/", "port": 80}}, "container_name": "the-web"});
    let row = from_to(web(1, &pinned), web(2, &pinned));
    assert_snapshot!(row.plan(), @"
    0 create the-web-next
    1 start the-web-next                         0
    2 await the-web-next                         1
    3 stop the-web                               0 1 2
    4 remove the-web                             2 3
    5 rename the-web-next to the-web             0 1 2 4
    ");
}

#[test]
fn a_crash_after_the_start_leaves_the_rest() {
    let (name, mut made) = settled(&web(2, &probed())).containers.pop_first().unwrap();
    made.readiness = Readiness::Unproven;
    let row = from_to(web(1, &probed()), web(2, &probed())).met(|host| drop(host.containers.insert(name, made)));
    assert_snapshot!(row.plan(), @"
    0 await web-v2
    1 stop web-v1                                0
    2 remove web-v1                              0 1
    ");
}

#[test]
fn a_hand_gave_another_name() {
    let row = in_sync(&web(1, &probed())).met(|host| rename(host, "somebody-renamed-it"));
    assert_snapshot!(row.plan(), @"0 rename somebody-renamed-it to web-v1");
}

#[test]
fn a_foreign_container_has_the_name() {
    let same = web(1, &json!({"container_name": "the-web"}));
    let row = in_sync(&same).met(|host| {
        *host = draw::blank(&same);
        host.foreign_names.insert("the-web".to_owned());
    });
    assert_snapshot!(row.plan(), @"
    0 create network test-app
    1 create volume test-app_data
    ! the name `the-web` is taken by a container that is not this app's
    ");
}

#[test]
fn a_foreign_container_has_the_name_of_one_that_serves() {
    let row = in_sync(&web(1, &json!({"container_name": "the-web"}))).met(|host| {
        rename(host, "somebody-renamed-it");
        host.foreign_names.insert("the-web".to_owned());
    });
    assert_snapshot!(row.plan(), @"! the name `the-web` is taken by a container that is not this app's");
}

/// Two services, each under a name and in a version.
fn named(one: (&str, u8), two: (&str, u8)) -> Desired {
    let service = |(name, version): (&str, u8)| json!({"image": "app:1", "container_name": name, "env": {"VERSION": version.to_string()}});
    app(&json!({"services": {"one": service(one), "two": service(two)}}))
}

#[test]
fn two_services_swap_their_names_and_nobody_stops() {
    let row = from_to(named(("red", 1), ("blue", 1)), named(("blue", 1), ("red", 1)));
    assert_snapshot!(row.plan(), @"
    0 rename red to blue-next
    1 rename blue to red                         0
    2 rename blue-next to blue                   0 1
    ");
}

#[test]
fn two_services_swap_their_names_and_one_changes() {
    let row = from_to(named(("red", 1), ("blue", 1)), named(("blue", 2), ("red", 1)));
    assert_snapshot!(row.plan(), @"
    0 create blue-next
    1 stop red                                   0
    2 start blue-next                            0 1
    3 await blue-next                            1 2
    4 remove red                                 1 3
    5 rename blue to red                         0 4
    6 rename blue-next to blue                   0 2 3 5
    ");
}

#[test]
fn a_name_that_another_service_gives_up_is_taken_after_it() {
    let row = from_to(named(("red", 1), ("blue", 1)), named(("blue", 1), ("green", 1)));
    assert_snapshot!(row.plan(), @"
    0 rename blue to green
    1 rename red to blue                         0
    ");
}

#[test]
fn a_sleeping_service_makes_room_for_who_wants_its_name() {
    let asleep = |mut desired: Desired| {
        desired.services.get_mut("two").unwrap().running = false;
        desired
    };
    let row = from_to(named(("red", 1), ("blue", 1)), asleep(named(("blue", 1), ("green", 1))));
    assert_snapshot!(row.plan(), @"
    0 stop blue
    1 rename blue to green                       0
    2 rename red to blue                         1
    ");
}

#[test]
fn a_name_of_a_service_that_is_gone_is_taken_after_its_end() {
    let alone =
        app(&json!({"services": {"one": {"image": "app:1", "container_name": "blue", "env": {"VERSION": "1"}}}}));
    let row = from_to(named(("red", 1), ("blue", 1)), alone);
    assert_snapshot!(row.plan(), @"
    0 stop blue
    1 remove blue                                0
    2 rename red to blue                         1
    ");
}

#[test]
fn who_was_stopped_by_hand_is_started() {
    let row = in_sync(&web(1, &probed()))
        .met(|host| host.containers.values_mut().for_each(|container| container.life = Life::Exited(137)));
    assert_snapshot!(row.plan(), @"
    0 start web-v1
    1 await web-v1                               0
    ");
}

#[test]
fn scale_nought_stops_and_keeps() {
    let row =
        from_to(web(1, &probed()), web(1, &json!({"healthcheck": {"http": {"path": "/", "port": 80}}, "scale": 0})));
    assert_snapshot!(row.plan(), @"0 stop web-v1");
}

#[test]
fn a_moved_tag_is_another_image() {
    let another = Image { id: "sha256:moved".to_owned(), ..Image::default() };
    let row = in_sync(&web(1, &probed())).met(|host| drop(host.images.insert("app:1".to_owned(), another)));
    assert_snapshot!(row.plan(), @"
    0 create web-v1-next
    1 start web-v1-next                          0
    2 await web-v1-next                          1
    3 stop web-v1                                0 1 2
    4 remove web-v1                              2 3
    5 rename web-v1-next to web-v1               0 1 2 4
    ");
}

#[test]
fn limits_change_in_place() {
    let row = from_to(
        web(1, &probed()),
        web(1, &json!({"healthcheck": {"http": {"path": "/", "port": 80}}, "mem_limit": "64m"})),
    );
    assert_snapshot!(row.plan(), @"0 adjust web-v1");
}

fn two(db: u8, dependency: &Value) -> Desired {
    app(&json!({"services": {
        "db": {"image": "db:1", "env": {"VERSION": db.to_string()}},
        "web": {"image": "app:1", "depends_on": {"db": dependency}},
    }}))
}

#[test]
fn a_dependency_is_replaced_and_its_dependent_left_alone() {
    let dependency = json!({"condition": "service_healthy"});
    let row = from_to(two(1, &dependency), two(2, &dependency));
    assert_snapshot!(row.plan(), @"
    0 create db-v2
    1 stop db-v1                                 0
    2 start db-v2                                0 1
    3 await db-v2                                1 2
    4 remove db-v1                               1 3
    ");
}

#[test]
fn who_needs_what_a_hand_stopped_is_not_begun_where_that_is_left_alone() {
    let web = |web: u8| {
        let mut desired = app(&json!({"services": {
            "db": {"image": "db:1"},
            "web": {"image": "app:1", "env": {"VERSION": web.to_string()}, "depends_on": ["db"]},
        }}));
        desired.sync.self_heal = false;
        desired
    };
    let stop_db = |host: &mut Observed| {
        let db = host.containers.values_mut().find(|it| it.image_id.contains("db")).unwrap();
        db.life = Life::Exited(137);
    };
    let row = from_to(web(1), web(2)).met(stop_db);
    assert_snapshot!(row.plan(), @"! `web` needs `db`, which is not running and is left so");
    let nobody_moves = in_sync(&web(1)).met(stop_db);
    assert_snapshot!(nobody_moves.plan(), @"In sync.");
}

#[test]
fn a_dependency_with_restart_takes_its_dependent_along() {
    let dependency = json!({"condition": "service_healthy", "restart": true});
    let row = from_to(two(1, &dependency), two(2, &dependency));
    assert_snapshot!(row.plan(), @"
    0 create db-v2
    1 stop db-v1                                 0
    2 start db-v2                                0 1
    3 await db-v2                                1 2
    4 remove db-v1                               1 3
    5 stop web-v1                                3
    6 start web-v1                               3 5
    7 await web-v1                               6
    ");
}

#[test]
fn a_guest_is_made_anew_in_the_network_of_its_new_host() {
    let shared = |version: u8| {
        app(&json!({"services": {
            "vpn": {"image": "vpn:1", "env": {"VERSION": version.to_string()}},
            "web": {"image": "app:1", "network_mode": "service:vpn"},
        }}))
    };
    let row = from_to(shared(1), shared(2));
    assert_snapshot!(row.plan(), @"
    0 create vpn-v2
    1 stop vpn-v1                                0
    2 start vpn-v2                               0 1
    3 await vpn-v2                               1 2
    4 remove vpn-v1                              1 3
    5 create web-v1-next                         3
    6 stop web-v1                                3 5
    7 start web-v1-next                          3 5 6
    8 await web-v1-next                          6 7
    9 remove web-v1                              6 8
    10 rename web-v1-next to web-v1               5 7 8 9
    ");
}

fn with_job(version: u8, when: &str) -> Desired {
    app(&json!({
        "services": {"web": {"image": "app:1", "env": {"VERSION": version.to_string()}, "volumes": ["data:/data"]}},
        "jobs": {"migrate": {"service": "web", "command": ["migrate"], "when": when}},
        "volumes": {"data": {}},
    }))
}

#[test]
fn a_job_runs_between_the_old_writer_and_the_new() {
    let row = from_to(with_job(1, "pre_sync"), with_job(2, "pre_sync"));
    assert_snapshot!(row.plan(), @"
    0 create migrate-v2
    1 create web-v2
    2 stop web-v1                                1
    3 start migrate-v2                           0 2
    4 await exit of migrate-v2                   3
    5 remove migrate-v1                          4
    6 start web-v2                               1 2 4
    7 await web-v2                               2 6
    8 remove web-v1                              2 7
    ");
}

#[test]
fn a_job_after_the_sync_waits_for_its_service() {
    let row = from_to(with_job(1, "post_sync"), with_job(2, "post_sync"));
    assert_snapshot!(row.plan(), @"
    0 create web-v2
    1 stop web-v1                                0
    2 start web-v2                               0 1
    3 await web-v2                               1 2
    4 create migrate-v2
    5 start migrate-v2                           3 4
    6 await exit of migrate-v2                   3 5
    7 remove migrate-v1                          6
    8 remove web-v1                              1 3 6
    ");
}

#[test]
fn going_back_runs_no_job() {
    let (old, new) = (with_job(1, "pre_sync"), with_job(2, "pre_sync"));
    let mut back = settled(&new);
    back.applied.rollback = true;
    assert_snapshot!(picture(&old, &back, &[("v1", &old), ("v2", &new)]), @"
    0 create web-v1
    1 stop web-v2                                0
    2 start web-v1                               0 1
    3 await web-v1                               1 2
    4 remove web-v2                              1 3
    ");
}

#[test]
fn a_service_that_got_another_name_writes_its_volume_after_the_one_before() {
    let called = |name: &str| {
        app(&json!({"services": {name: {"image": "db:1", "volumes": ["data:/data"]}}, "volumes": {"data": {}}}))
    };
    let row = from_to(called("db"), called("postgres"));
    assert_snapshot!(row.plan(), @"
    0 create postgres-v2
    1 stop db-v1                                 0
    2 start postgres-v2                          0 1
    3 await postgres-v2                          2
    4 remove db-v1                               1 3
    ");
}

#[test]
fn ports_that_are_swapped_are_free_before_they_are_taken() {
    let on = |one: u16, two: u16| {
        let service = |port: u16| json!({"image": "app:1", "ports": [format!("{port}:80")]});
        app(&json!({"services": {"one": service(one), "two": service(two)}}))
    };
    let row = from_to(on(8001, 8002), on(8002, 8001));
    assert_snapshot!(row.plan(), @"
    0 create one-v2
    1 stop one-v1                                0
    2 create two-v2
    3 stop two-v1                                2
    4 start one-v2                               0 1 3
    5 await one-v2                               1 4
    6 remove one-v1                              1 5
    7 start two-v2                               1 2 3
    8 await two-v2                               3 7
    9 remove two-v1                              3 8
    ");
}

#[test]
fn a_network_is_made_anew_under_everybody() {
    let on = |internal: bool| {
        app(&json!({
            "services": {"web": {"image": "app:1", "networks": ["back"]}},
            "networks": {"back": {"internal": internal}},
        }))
    };
    let row = from_to(on(false), on(true));
    assert_snapshot!(row.plan(), @"
    0 disconnect web-v1 from test-app_back
    1 remove network test-app_back               0
    2 create network test-app_back               1
    3 connect web-v1 to test-app_back            2
    ");
}

#[test]
fn what_is_gone_from_the_manifest_goes_last() {
    let row = from_to(
        two(1, &json!({"condition": "service_started"})),
        app(&json!({"services": {"web": {"image": "app:1", "env": {"VERSION": "2"}}}})),
    );
    assert_snapshot!(row.plan(), @"
    0 create web-v2
    1 stop web-v1                                0
    2 start web-v2                               0 1
    3 await web-v2                               1 2
    4 remove web-v1                              1 3
    5 stop db-v1                                 3
    6 remove db-v1                               3 5
    ");
}

#[test]
fn nothing_is_done_where_nothing_differs() {
    assert_snapshot!(in_sync(&with_job(1, "pre_sync")).plan(), @"In sync.");
}

#[test]
fn going_back_fetches_an_image_that_is_gone_by_the_digest_of_then() {
    let back = |source: Option<&str>, more: &Value| {
        let mut old = web(2, more);
        let service = old.services.first_entry().unwrap().into_mut();
        service.pinned_image = Some("sha256:0123456789abcdef".to_owned());
        service.pinned_source = source.map(str::to_owned);
        from_to(web(1, more), old)
    };
    let source = "registry.example.com/app@sha256:aa";
    assert_snapshot!(back(Some(source), &probed()).plan(), @"
    0 pull registry.example.com/app@sha256:aa
    1 create web-v2                              0
    2 start web-v2                               1
    3 await web-v2                               2
    4 stop web-v1                                0 1 2 3
    5 remove web-v1                              3 4
    ");
    assert_snapshot!(back(None, &probed()).plan(), @"! image `app:1` of that revision (`sha256:0123456789ab…`) is gone from this host, and it came from no registry");
    let pulled = |host: &mut Observed| host.applied.pulled = [source.to_owned()].into();
    assert_snapshot!(back(Some(source), &probed()).met(pulled).plan(), @"! image `app:1` of that revision (`sha256:0123456789ab…`) is gone, and `registry.example.com/app@sha256:aa` is another one");
    let mut never = probed();
    merge(&mut never, &json!({"pull_policy": "never"}));
    assert_snapshot!(back(Some(source), &never).plan(), @"! image `app:1` is not here, and `pull_policy: never` forbids to fetch it");
}
