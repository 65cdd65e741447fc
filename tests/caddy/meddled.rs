//! Hands beside ours: in what is ours, and in what is not, at the same time.

use crate::{
    backend::Backend,
    client::header,
    rig::{name, rig, secured, settings},
    route::site,
};
use reconcile::proxy::{Driver, SiteName, caddy::Caddy};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_in_a_route_is_seen_and_put_right() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let mut route = secured();
    route.tls.policy = reconcile::desired::route::TlsPolicy::Modern;
    rig.lead(&route, web.address).await;
    let told = rig.caddy.config();
    let id = "/id/reconcile_test.app.web";
    for (method, path, body) in [
        ("PATCH", format!("{id}/handle/0/routes/1/handle/0/response/set"), "{}"),
        ("PATCH", format!("{id}/match/0/host"), r#"["other.example.com"]"#),
        ("DELETE", format!("{id}.issuer"), ""),
        ("PATCH", format!("{id}.offer/protocol_min"), r#""tls1.2""#),
        ("DELETE", format!("{id}.offer"), ""),
        // What stands in front answers.
        (
            "PUT",
            "/config/apps/http/servers/srv0/routes/0".to_owned(),
            r#"{"handle": [{"handler": "static_response"}]}"#,
        ),
    ] {
        rig.caddy.tell(method, &path, body);
        assert!(!rig.is_as_told().await, "{method} {path}");
        rig.lead(&route, web.address).await;
        assert!(rig.is_as_told().await, "{method} {path}");
        assert_eq!(header(&rig.get("app.example.com", "/"), "x-frame-options"), ["DENY"]);
    }
    rig.caddy.tell("DELETE", "/config/apps/http/servers/srv0/routes/1", "");
    assert_eq!(rig.caddy.config(), told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_of_its_own_file_takes_the_routes_away_and_they_are_told_again() {
    let (rig, web) = (rig(), Backend::named("web").await);
    rig.lead(&secured(), web.address).await;
    let told = rig.caddy.config();
    rig.caddy.reload();
    assert_eq!(rig.driver.installed(&name()).await.unwrap(), None);
    rig.lead(&secured(), web.address).await;
    assert_eq!(rig.caddy.config(), told);
}

#[tokio::test(flavor = "multi_thread")]
async fn apps_that_are_told_of_at_the_same_time_are_all_served() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let tell = |number: u8| {
        // Each of its own: nobody waits for anybody's turn.
        let driver = Caddy::open(settings(&rig.caddy)).unwrap();
        let name = SiteName { app: format!("app{number}").parse().unwrap(), ..name() };
        let mut route = crate::route::plain();
        route.hosts = vec![format!("app{number}.example.com")];
        let site = site(&route, web.address);
        async move {
            driver.install(&name, &site).await.unwrap();
            driver.installed(&name).await.unwrap().unwrap()
        }
    };
    let all = futures_util::future::join_all((0..6).map(tell)).await;
    assert!(all.iter().all(|there| !there.altered));
    for number in 0..6 {
        assert!(rig.plain(&format!("app{number}.example.com"), "/").contains("web\nGET"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_others_is_written_again() {
    let (rig, web) = (rig(), Backend::named("web").await);
    rig.lead(&secured(), web.address).await;
    let next = Backend::named("next").await;
    rig.lead(&secured(), next.address).await;
    // A switch is one change, of one object.
    let log = std::fs::read_to_string(rig.caddy.folder.path().join("log")).unwrap();
    let told = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let paths: Vec<String> =
        told.filter(|it| it["method"] == "PATCH").filter_map(|it| Some(it["uri"].as_str()?.to_owned())).collect();
    assert_eq!(paths.len(), 2, "{paths:?}");
    assert_eq!(paths[1], "/config/apps/http/servers/srv0/routes/0");
}
