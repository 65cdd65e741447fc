//! Plain HTTP: where TLS ends elsewhere, nowhere, or is not insisted on.

use crate::{
    backend::Backend,
    client::{header, status},
    rig::{rig, secured},
    route::{plain, site},
};
use reconcile::{desired::route::TlsMode, proxy::Site};

#[tokio::test(flavor = "multi_thread")]
async fn a_route_without_tls_is_served_in_plain_and_takes_its_server_with_it() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let before = rig.caddy.config();
    let mut off = plain();
    off.redirect_from = vec!["www.example.com".to_owned()];
    rig.install(&site(&off, web.address)).await;
    let answer = rig.plain("app.example.com", "/a?b");
    assert!(answer.contains("web\nGET /a?b HTTP/1.1") && answer.contains("X-Forwarded-Proto: http\r"), "{answer}");
    assert_eq!(header(&answer, "strict-transport-security"), ["max-age=1"], "what the service says is its own");
    let other = rig.plain("www.example.com", "/a");
    assert_eq!((status(&other), header(&other, "location")), ("308", vec!["http://app.example.com/a"]));
    // Caddy redirects for others as before.
    assert_eq!(status(&rig.plain("theirs.example.com", "/")), "308");
    assert!(rig.is_as_told().await);
    rig.install(&Site::default()).await;
    assert_eq!(rig.caddy.config(), before);
    assert_eq!(status(&rig.plain("theirs.example.com", "/")), "308");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_in_front_ends_tls_and_the_service_knows() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let mut upstream = secured();
    upstream.tls.mode = TlsMode::Upstream;
    upstream.tls.redirect = false;
    upstream.redirect_from = vec!["www.example.com".to_owned()];
    rig.install(&site(&upstream, web.address)).await;
    let answer = rig.plain("app.example.com", "/");
    assert!(answer.contains("X-Forwarded-Proto: https\r"), "{answer}");
    assert_eq!(header(&answer, "strict-transport-security"), ["max-age=31536000"]);
    assert_eq!(header(&rig.plain("www.example.com", "/"), "location"), ["https://app.example.com/"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_to_be_redirected_is_served_at_both_doors() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let mut both = secured();
    both.tls.redirect = false;
    both.tls.hsts = None;
    rig.lead(&both, web.address).await;
    assert!(rig.get("app.example.com", "/").contains("X-Forwarded-Proto: https\r"));
    assert!(rig.plain("app.example.com", "/").contains("X-Forwarded-Proto: http\r"));
    // And redirected again when it is.
    rig.lead(&secured(), web.address).await;
    assert_eq!(status(&rig.plain("app.example.com", "/")), "308");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_others_that_has_the_port_is_used() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let server = format!(
        r#"{{"listen": [":{}"], "routes": [{{"handle": [{{"handler": "static_response", "body": "rest"}}]}}]}}"#,
        rig.caddy.http
    );
    rig.caddy.tell("PUT", "/config/apps/http/servers/old", &server);
    let before = rig.caddy.config();
    rig.install(&site(&plain(), web.address)).await;
    assert!(rig.plain("app.example.com", "/").contains("web\nGET"));
    assert!(rig.plain("other.example.com", "/").ends_with("rest"));
    rig.install(&Site::default()).await;
    assert_eq!(rig.caddy.config(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_for_both_schemes_redirects_what_is_to_be_redirected() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let listen = format!(r#"[":{}", ":{}"]"#, rig.caddy.https, rig.caddy.http);
    rig.caddy.tell("PATCH", "/config/apps/http/servers/srv0/listen", &listen);
    rig.lead(&secured(), web.address).await;
    let answer = rig.plain("app.example.com", "/a?b");
    assert_eq!((status(&answer), header(&answer, "location")), ("308", vec!["https://app.example.com/a?b"]));
    let mut both = secured();
    both.tls.redirect = false;
    rig.lead(&both, web.address).await;
    assert_eq!(status(&rig.plain("app.example.com", "/")), "200");
    rig.lead(&plain(), web.address).await;
    assert_eq!(status(&rig.plain("app.example.com", "/")), "200");
    assert!(rig.is_as_told().await);
}
