//! Plans of services that are reached through the host's proxy.

#[path = "../nginx/route.rs"]
mod plainest;

use crate::{
    draw, probed,
    row::{Row, from_to, in_sync},
    web,
};
use insta::assert_snapshot;
use reconcile::{
    desired::{Desired, Route, route::TlsMode},
    observed::{
        Certificate, Observed,
        front::{Held, Wanted},
    },
};
use serde_json::json;
use std::time::Duration;

fn route(mode: TlsMode) -> Route {
    let mut route = plainest::plain();
    route.drain = Duration::from_secs(10);
    route.tls.mode = mode;
    route.tls.redirect = true;
    route
}

fn routed(mut desired: Desired, mode: TlsMode) -> Desired {
    desired.services.first_entry().unwrap().into_mut().route = Some(route(mode));
    desired
}

fn plain(version: u8) -> Desired {
    routed(web(version, &probed()), TlsMode::Off)
}

fn certificate(row: Row, state: Certificate) -> Row {
    row.met(|host| {
        host.front.as_mut().unwrap().certificates.insert("web".parse().unwrap(), state);
    })
}

#[test]
fn the_first_container_is_led_to_when_it_is_ready() {
    let new = plain(1);
    assert_snapshot!(in_sync(&new).met(|host| *host = draw::blank(&new)).plan(), @"
    0 create network test-app
    1 create volume test-app_data
    2 create web-v1                              0
    3 start web-v1                               2
    4 await web-v1                               3
    5 route to web-v1                            3 4
    6 see web-v1 through the proxy               3 4 5
    ");
}

#[test]
fn requests_go_to_the_next_before_the_one_before_is_drained_and_stopped() {
    assert_snapshot!(from_to(plain(1), plain(2)).plan(), @"
    0 create web-v2
    1 start web-v2                               0
    2 await web-v2                               1
    3 route to web-v2                            1 2
    4 see web-v2 through the proxy               1 2 3
    5 drain web-v1                               4
    6 stop web-v1                                0 1 2 4 5
    7 remove web-v1                              2 4 6
    ");
}

#[test]
fn one_that_is_stopped_first_is_led_to_where_it_is_afterwards() {
    let stop_first = |version| {
        let mut more = probed();
        super::merge(&mut more, &json!({"volumes": ["data:/data"]}));
        routed(web(version, &more), TlsMode::Off)
    };
    assert_snapshot!(from_to(stop_first(1), stop_first(2)).plan(), @"
    0 create web-v2
    1 stop web-v1                                0
    2 start web-v2                               0 1
    3 await web-v2                               1 2
    4 route to web-v2                            2 3
    5 see web-v2 through the proxy               2 3 4
    6 remove web-v1                              1 3 5
    ");
}

#[test]
fn a_route_that_changes_touches_no_container() {
    let mut new = plain(1);
    let service = new.services.first_entry().unwrap().into_mut();
    service.route.as_mut().unwrap().max_body = 7;
    assert_snapshot!(from_to(plain(1), new).plan(), @"
    0 route to web-v1
    1 see web-v1 through the proxy               0
    ");
}

#[test]
fn other_users_change_the_route_and_no_container() {
    let asking = |digest: Option<&str>| {
        let mut desired = plain(1);
        let service = desired.services.first_entry().unwrap().into_mut();
        let secret: reconcile::value::SecretName = "users".parse().unwrap();
        service.route.as_mut().unwrap().basic_auth = Some(secret.clone());
        service.secrets.routed = digest.into_iter().map(|digest| (secret.clone(), digest.to_owned())).collect();
        desired
    };
    let known = asking(Some("0a1b2c3d4e5f"));
    assert_snapshot!(from_to(known.clone(), asking(Some("00112233aabb"))).plan(), @"
    0 route to web-v1
    1 see web-v1 through the proxy               0
    ");
    assert_snapshot!(in_sync(&known).plan(), @"In sync.");
    // While nobody knows what they are, those that are asked for stay.
    assert_snapshot!(from_to(known, asking(None)).plan(), @"In sync.");
}

#[test]
fn a_route_that_somebody_changed_is_put_right_where_drift_is() {
    let altered = |host: &mut Observed| {
        for leading in host.front.as_mut().unwrap().routes.values_mut() {
            leading.altered = true;
        }
    };
    assert_snapshot!(in_sync(&plain(1)).met(altered).plan(), @"
    0 route to web-v1
    1 see web-v1 through the proxy               0
    ");
    let mut told = plain(1);
    told.sync.self_heal = false;
    assert_snapshot!(in_sync(&told).met(altered).plan(), @"In sync.");
}

#[test]
fn a_route_that_leads_to_where_nobody_is_any_more_follows() {
    let moved = |host: &mut Observed| {
        for leading in host.front.as_mut().unwrap().routes.values_mut() {
            leading.leads = false;
        }
    };
    let mut told = plain(1);
    told.sync.self_heal = false;
    assert_snapshot!(in_sync(&told).met(moved).plan(), @"
    0 route to web-v1
    1 see web-v1 through the proxy               0
    ");
}

#[test]
fn a_route_is_taken_away_before_who_answered_there() {
    let gone = reconcile::desired::Desired::gone("test".parse().unwrap(), "app".parse().unwrap());
    assert_snapshot!(from_to(plain(1), gone).plan(), @"
    0 take the route of web away
    1 stop web-v1                                0
    2 remove web-v1                              1
    3 remove network test-app                    2
    ");
    assert_snapshot!(from_to(plain(1), web(1, &probed())).plan(), @"0 take the route of web away");
    let mut asleep = plain(1);
    asleep.services.first_entry().unwrap().into_mut().running = false;
    assert_snapshot!(from_to(plain(1), asleep).plan(), @"
    0 take the route of web away
    1 stop web-v1                                0
    ");
}

#[test]
fn a_certificate_of_the_hosts_own_comes_before_the_route_and_another_authoritys_after_it() {
    let fresh = |mode| {
        let new = routed(web(1, &probed()), mode);
        let due = Certificate { held: Held::Nothing, wanted: Wanted::Now };
        certificate(in_sync(&new).met(|host| *host = draw::blank(&new)), due)
    };
    assert_snapshot!(fresh(TlsMode::Internal).plan(), @"
    0 create network test-app
    1 create volume test-app_data
    2 create web-v1                              0
    3 start web-v1                               2
    4 await web-v1                               3
    5 get the certificate of web
    6 route to web-v1                            3 4 5
    7 see web-v1 through the proxy               3 4 6
    ");
    assert_snapshot!(fresh(TlsMode::Acme).plan(), @"
    0 create network test-app
    1 create volume test-app_data
    2 create web-v1                              0
    3 start web-v1                               2
    4 await web-v1                               3
    5 make a certificate for web meanwhile
    6 route to web-v1                            3 4 5
    7 see web-v1 through the proxy               3 4 6
    8 get the certificate of web                 7
    9 show the certificate of web                7 8
    ");
}

#[test]
fn a_renewed_certificate_is_shown_and_nobody_is_led_elsewhere() {
    let row = |mode, held, wanted| certificate(in_sync(&routed(web(1, &probed()), mode)), Certificate { held, wanted });
    assert_snapshot!(row(TlsMode::Internal, Held::Shown, Wanted::Now).plan(), @"
    0 get the certificate of web
    1 show the certificate of web                0
    ");
    assert_eq!(
        row(TlsMode::Internal, Held::Shown, Wanted::Now).plan(),
        row(TlsMode::Acme, Held::Shown, Wanted::Now).plan(),
        "whoever gives it"
    );
    assert_snapshot!(row(TlsMode::Acme, Held::Unshown, Wanted::Nothing).plan(), @"0 show the certificate of web");
    assert_snapshot!(row(TlsMode::Acme, Held::Shown, Wanted::Later).plan(), @"In sync.");
}

#[test]
fn files_that_are_gone_are_stood_in_for_while_no_authority_gives_others() {
    let lost = |wanted| {
        let state = Certificate { held: Held::Nothing, wanted };
        certificate(in_sync(&routed(web(1, &probed()), TlsMode::Acme)), state)
    };
    assert_snapshot!(lost(Wanted::Now).plan(), @"
    0 get the certificate of web
    1 show the certificate of web                0
    ");
    assert_snapshot!(lost(Wanted::Later).plan(), @"
    0 make a certificate for web meanwhile
    1 show the certificate of web                0
    ");
}

#[test]
fn after_a_crash_in_the_middle_of_a_switch_the_rest_is_done() {
    let (old, new) = (plain(1), plain(2));
    let mut host = draw::settled(&old);
    for step in ["create", "start", "await", "route to", "see", "drain", "stop", "remove"] {
        let plan = reconcile::plan::plan(&new, &host);
        let next = plan.ready(&Default::default()).next().cloned().unwrap();
        assert!(next.to_string().starts_with(step), "{next} instead of {step}");
        draw::perform(&mut host, &new, &next);
    }
    assert!(reconcile::plan::plan(&new, &host).steps.is_empty());
}

#[test]
fn while_the_proxy_is_away_what_serves_goes_on_and_nothing_takes_its_place() {
    let away = |host: &mut Observed| host.front.as_mut().unwrap().away = Some("cannot reach caddy".to_owned());
    assert_snapshot!(in_sync(&plain(1)).met(away).plan(), @"In sync.");
    assert_snapshot!(from_to(plain(1), plain(2)).met(away).plan(), @"! cannot reach caddy");
    let killed = |host: &mut Observed| {
        away(host);
        host.containers.values_mut().for_each(|it| it.life = reconcile::observed::Life::Exited(137));
    };
    assert_snapshot!(in_sync(&plain(1)).met(killed).plan(), @"
    0 start web-v1
    1 await web-v1                               0
    ");
}
