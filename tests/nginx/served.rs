//! What a client sees of a route.

use crate::{
    backend::Backend,
    client::{curl, header, status},
    rig::{Rig, name, rig, rig_with, route, site},
};
use reconcile::{
    desired::route::{Period, RateLimit, TlsMode},
    proxy::{Driver, Site},
};
use std::fs;

fn get(rig: &Rig, path: &str, more: &[&str]) -> String {
    curl("http", "app.example.com", rig.http, path, more)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_reaches_the_service_with_who_asked_for_what() {
    let (rig, web) = (rig().await, Backend::named("web").await);
    rig.lead(&route(), web.address).await;
    let answer = get(&rig, "/a?b=c", &["-H", "X-Forwarded-For: 6.6.6.6", "-H", "X-Forwarded-Proto: https"]);
    assert_eq!(status(&answer), "200");
    for said in [
        "web\n",
        "GET /a?b=c HTTP/1.1",
        "Host: app.example.com",
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Proto: http\r",
    ] {
        assert!(answer.contains(said), "{said} is not in {answer}");
    }
    assert!(!answer.contains("6.6.6.6"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_nobodys_is_answered_by_nobody() {
    let (rig, web) = (rig().await, Backend::named("web").await);
    rig.lead(&route(), web.address).await;
    assert_eq!(status(&curl("http", "other.example.com", rig.http, "/", &[])), "404");
    let mut wild = route();
    wild.hosts = vec!["*.example.com".to_owned()];
    rig.lead(&wild, web.address).await;
    assert_eq!(status(&curl("http", "any.example.com", rig.http, "/", &[])), "200");
    assert_eq!(status(&curl("http", "a.b.example.com", rig.http, "/", &[])), "404");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_is_met_whole_and_cut_off_where_that_is_asked_for() {
    let (rig, web) = (rig().await, Backend::named("web").await);
    let mut api = route();
    api.path = "/api".to_owned();
    rig.lead(&api, web.address).await;
    assert!(get(&rig, "/api/v1", &[]).contains("GET /api/v1 HTTP"));
    assert!(get(&rig, "/api", &[]).contains("GET /api HTTP"));
    assert_eq!(status(&get(&rig, "/apis", &[])), "404");
    api.strip_path = true;
    rig.lead(&api, web.address).await;
    assert!(get(&rig, "/api/v1", &[]).contains("GET /v1 HTTP"));
    assert!(get(&rig, "/api", &[]).contains("GET / HTTP"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_services_of_an_app_share_a_host() {
    let (rig, web, api) = (rig().await, Backend::named("web").await, Backend::named("api").await);
    let mut below = route();
    below.path = "/api".to_owned();
    let mut both = site(&route(), web.address);
    both.routes.extend(site(&below, api.address).routes.into_values().map(|served| ("api".parse().unwrap(), served)));
    rig.driver.install(&name(), &both).await.unwrap();
    assert!(get(&rig, "/api/x", &[]).contains("api\nGET"));
    assert!(get(&rig, "/x", &[]).contains("web\nGET"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_often_is_told_so_and_an_exempt_path_is_never_counted() {
    let (rig, web) = (rig().await, Backend::named("web").await);
    let mut limited = route();
    limited.rate_limit =
        Some(RateLimit { requests: 1, per: Period::Minute, burst: 2, exempt: ["/health".to_owned()].into() });
    rig.lead(&limited, web.address).await;
    let statuses: Vec<String> = (0..6).map(|_| status(&get(&rig, "/", &[])).to_owned()).collect();
    assert_eq!(statuses, ["200", "200", "200", "429", "429", "429"]);
    for _ in 0..6 {
        assert_eq!(status(&get(&rig, "/health", &[])), "200");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_is_on_every_answer_once() {
    let (rig, web) = (rig().await, Backend::named("web").await);
    let mut hardened = route();
    hardened.headers =
        [("X-Frame-Options", "DENY"), ("Content-Security-Policy", "default-src 'self'; img-src \"*\" \\")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    hardened.max_body = 10;
    rig.lead(&hardened, web.address).await;
    let big = "x".repeat(100);
    for (more, expected) in [(&[][..], "200"), (&["--data", &big][..], "413")] {
        let answer = get(&rig, "/", more);
        assert_eq!(status(&answer), expected);
        assert_eq!(header(&answer, "x-frame-options"), ["DENY"], "{answer}");
        assert_eq!(header(&answer, "content-security-policy"), ["default-src 'self'; img-src \"*\" \\"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_networks_that_are_allowed_may_ask() {
    let (rig, web) = (rig().await, Backend::named("web").await);
    let mut inner = route();
    inner.allow_from = ["10.0.0.0/8".to_owned()].into();
    rig.lead(&inner, web.address).await;
    assert_eq!(status(&get(&rig, "/", &[])), "403");
    inner.allow_from = ["127.0.0.0/8".to_owned()].into();
    rig.lead(&inner, web.address).await;
    assert_eq!(status(&get(&rig, "/", &[])), "200");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_in_front_is_believed_where_the_host_says_so() {
    let trusting = rig_with(|settings| settings.trusted_proxies = vec!["127.0.0.0/8".to_owned()]).await;
    let web = Backend::named("web").await;
    trusting.lead(&route(), web.address).await;
    let answer = get(&trusting, "/", &["-H", "X-Forwarded-For: 198.51.100.7"]);
    assert!(answer.contains("X-Forwarded-For: 198.51.100.7"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_name_redirects_and_a_challenge_is_answered_for_the_hosts_account() {
    let (rig, web) = (rig().await, Backend::named("web").await);
    let mut main = route();
    main.redirect_from = vec!["www.example.com".to_owned()];
    main.tls.mode = TlsMode::Acme;
    rig.lead(&main, web.address).await;
    let answer = curl("http", "www.example.com", rig.http, "/a?b", &[]);
    assert_eq!(status(&answer), "308");
    let https = rig.https;
    assert_eq!(header(&answer, "location"), [format!("https://app.example.com:{https}/a?b")]);
    for host in ["app.example.com", "www.example.com"] {
        let answer = curl("http", host, rig.http, "/.well-known/acme-challenge/token_1-A", &[]);
        assert!(answer.ends_with("\r\n\r\ntoken_1-A.THUMB"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_installed_is_read_back_and_a_hand_in_it_is_seen() {
    let (rig, web) = (rig().await, Backend::named("web").await);
    assert_eq!(rig.driver.installed(&name()).await.unwrap(), None);
    rig.lead(&route(), web.address).await;
    let there = rig.driver.installed(&name()).await.unwrap().unwrap();
    assert_eq!((there.site, there.altered, there.served), (site(&route(), web.address), false, true));
    let text = fs::read_to_string(rig.file()).unwrap();
    fs::write(rig.file(), text.replace("client_max_body_size 10485760", "client_max_body_size 0")).unwrap();
    let there = rig.driver.installed(&name()).await.unwrap().unwrap();
    assert!(there.altered);
    rig.lead(&route(), web.address).await;
    assert_eq!(fs::read_to_string(rig.file()).unwrap(), text);
    rig.driver.install(&name(), &Site::default()).await.unwrap();
    assert!(!rig.file().exists());
    assert!(std::net::TcpStream::connect(("127.0.0.1", rig.http)).is_err(), "nobody listens for nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_becomes_a_web_socket_is_passed_on() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (rig, web) = (rig().await, Backend::named("web").await);
    rig.lead(&route(), web.address).await;
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", rig.http)).await.unwrap();
    stream
        .write_all(b"GET /ws HTTP/1.1\r\nHost: app.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        .await
        .unwrap();
    let mut head = vec![0; 12];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head, b"HTTP/1.1 101");
    // It lives on when requests go elsewhere.
    let other = Backend::named("other").await;
    rig.lead(&route(), other.address).await;
    stream.write_all(b"hello").await.unwrap();
    let mut rest = Vec::new();
    while !rest.ends_with(b"hello") {
        let mut more = [0; 256];
        let count = stream.read(&mut more).await.unwrap();
        assert!(count > 0, "the connection ended");
        rest.extend_from_slice(&more[..count]);
    }
}
