//! What is served of a route, beside what others have.

use crate::{
    backend::Backend,
    client::{curl, header, status},
    port::free_port,
    rig::{name, rig, secured, settings},
    route::site,
};
use reconcile::{
    desired::route::TlsMode,
    proxy::{
        CertificateFiles, Driver, Site,
        caddy::{Caddy, Settings},
    },
};
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn a_route_is_served_beside_those_of_others_and_goes_alone() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let before = rig.caddy.config();
    rig.lead(&secured(), web.address).await;
    let answer = rig.get("app.example.com", "/a?b");
    assert!(answer.contains("web\nGET /a?b HTTP/1.1"), "{answer}");
    assert!(answer.contains("X-Forwarded-Proto: https") && answer.contains("X-Forwarded-For: 127.0.0.1"), "{answer}");
    assert_eq!(header(&answer, "x-frame-options"), ["DENY"]);
    assert_eq!(header(&answer, "strict-transport-security"), ["max-age=31536000"]);
    assert_eq!(status(&rig.plain("app.example.com", "/a")), "308");
    assert!(rig.get("theirs.example.com", "/").ends_with("theirs"));
    let there = rig.driver.installed(&name()).await.unwrap().unwrap();
    assert_eq!((there.site, there.altered, there.served), (site(&secured(), web.address), false, true));
    rig.install(&Site::default()).await;
    assert_eq!(rig.driver.installed(&name()).await.unwrap(), None);
    assert_eq!(rig.caddy.config(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_networks_and_other_names_are_as_the_manifest_says() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let mut api = secured();
    (api.path, api.strip_path) = ("/api".to_owned(), true);
    rig.lead(&api, web.address).await;
    assert!(rig.get("app.example.com", "/api/v1").contains("GET /v1 HTTP"));
    assert!(!rig.get("app.example.com", "/apis").contains("GET"));
    let mut inner = secured();
    inner.allow_from = BTreeSet::from(["10.0.0.0/8".to_owned()]);
    rig.lead(&inner, web.address).await;
    assert_eq!(status(&rig.get("app.example.com", "/")), "403");
    let mut main = secured();
    main.redirect_from = vec!["www.example.com".to_owned()];
    rig.lead(&main, web.address).await;
    let answer = rig.get("www.example.com", "/a?b");
    assert_eq!((status(&answer), header(&answer, "location")), ("308", vec!["https://app.example.com/a?b"]));
    let mut small = secured();
    small.max_body = 10;
    rig.lead(&small, web.address).await;
    let answer = curl("https", "app.example.com", rig.caddy.https, "/", &["--http1.1", "--data", &"x".repeat(100)]);
    // 413 from those that tell it apart; 2.6 says 502 of any body that cannot be passed on.
    assert!(matches!(status(&answer), "413" | "502"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_path_and_the_most_precise_name_answer_whatever_came_first() {
    let (rig, whole, part, any) =
        (rig(), Backend::named("whole").await, Backend::named("part").await, Backend::named("any").await);
    let mut wide = secured();
    wide.hosts = vec!["*.example.com".to_owned()];
    let mut api = secured();
    api.path = "/api".to_owned();
    let mut other = secured();
    other.redirect_from = vec!["www.example.com".to_owned()];
    let mut site = site(&other, whole.address);
    let served =
        |route, address| reconcile::proxy::Served { route, address, ..site.routes.values().next().unwrap().clone() };
    let more = [("a-wide", served(wide, any.address)), ("z-api", served(api, part.address))];
    site.routes.extend(more.map(|(service, served)| (service.parse().unwrap(), served)));
    rig.install(&site).await;
    rig.shows("app.example.com").await;
    rig.shows("*.example.com").await;
    for (host, path, wanted) in [
        ("app.example.com", "/", "whole\n"),
        ("app.example.com", "/api/v1", "part\n"),
        ("app.example.com", "/apis", "whole\n"),
        ("any.example.com", "/api", "any\n"),
    ] {
        assert!(rig.get(host, path).contains(&format!("\r\n\r\n{wanted}")), "{host}{path}: {}", rig.get(host, path));
    }
    assert_eq!(status(&rig.get("www.example.com", "/api")), "308");
    assert!(rig.is_as_told().await);
    assert_eq!(rig.driver.installed(&name()).await.unwrap().unwrap().site, site);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caddy_that_is_away_or_has_no_such_server_is_the_worlds_fault() {
    let web = Backend::named("web").await;
    let away =
        Settings { admin: format!("http://127.0.0.1:{}", free_port()), server: "srv0".to_owned(), http: 1, https: 2 };
    let error = Caddy::open(away).unwrap().install(&name(), &site(&secured(), web.address)).await.unwrap_err();
    assert!(!error.is_of_the_routes() && error.to_string().contains("cannot reach caddy"), "{error}");
    let rig = rig();
    let other = Settings { server: "other".to_owned(), ..settings(&rig.caddy) };
    let error = Caddy::open(other).unwrap().install(&name(), &site(&secured(), web.address)).await.unwrap_err();
    assert!(!error.is_of_the_routes() && error.to_string().contains("no server `other`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_somebody_elses_route_answers_for_stays_theirs() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let before = rig.caddy.config();
    let mut route = secured();
    route.redirect_from = vec!["theirs.example.com".to_owned()];
    let error = rig.driver.install(&name(), &site(&route, web.address)).await.unwrap_err();
    assert!(!error.is_of_the_routes(), "{error}");
    assert_eq!(error.to_string(), "caddy has a server for `theirs.example.com` already, which is not of `test/app`");
    assert_eq!(rig.caddy.config(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_caddy_refuses_is_the_routes_fault_and_nothing_of_it_stays() {
    let (rig, web) = (rig(), Backend::named("web").await);
    rig.lead(&secured(), web.address).await;
    let before = rig.caddy.config();
    let mut bad = secured();
    // No manifest can say it.
    bad.allow_from = BTreeSet::from(["nonsense".to_owned()]);
    bad.tls.policy = reconcile::desired::route::TlsPolicy::Modern;
    let error = rig.driver.install(&name(), &site(&bad, web.address)).await.unwrap_err();
    assert!(error.is_of_the_routes() && error.to_string().contains("nonsense"), "{error}");
    assert_eq!(rig.caddy.config(), before);
    assert_eq!(status(&rig.get("app.example.com", "/")), "200");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_caddy_cannot_read_is_the_worlds_fault() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let mut shown = secured();
    let files = ["chain.pem", "key.pem"].map(|file| rig.caddy.folder.path().join(file));
    let [certificate, key] = files.each_ref().map(|file| file.display().to_string());
    shown.tls.mode = TlsMode::Files { certificate, key: key.clone() };
    let mut site = site(&shown, web.address);
    let [chain, key_file] = files;
    let held = CertificateFiles { chain, key: key_file, fingerprint: "f".to_owned() };
    site.routes.values_mut().for_each(|served| served.certificate = Some(held.clone()));
    let before = rig.caddy.config();
    let error = rig.driver.install(&name(), &site).await.unwrap_err();
    assert!(!error.is_of_the_routes(), "{error}");
    assert!(error.to_string().starts_with("caddy does not take `"), "{error}");
    assert!(error.hint().contains("the user caddy runs as"), "{}", error.hint());
    assert_eq!(rig.caddy.config(), before);
}
