//! What is offered over TLS, looked at from outside.

use crate::{
    backend::Backend,
    rig::{Rig, rig, secured},
    route::site,
};
use reconcile::{
    desired::{
        Route,
        route::{TlsMode, TlsPolicy},
    },
    proxy::{CertificateFiles, Site},
};
use std::{
    net::SocketAddr,
    process::{Command, Stdio},
};

fn openssl(words: &[&str]) -> (bool, String) {
    let output = Command::new("openssl").args(words).stdin(Stdio::null()).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Files of somebody else's, issued by a name.
fn files(rig: &Rig, issuer: &str) -> CertificateFiles {
    let at = |file: &str| rig.caddy.folder.path().join(file);
    let (chain, key) = (at("chain.pem"), at("key.pem"));
    let (shown, subject) = ((chain.to_str().unwrap(), key.to_str().unwrap()), format!("/CN={issuer}"));
    let kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    let names = ["-subj", &subject, "-addext", "subjectAltName=DNS:app.example.com,DNS:*.app.example.com"];
    let words = [&["req", "-x509"][..], &kind, &names, &["-keyout", shown.1, "-out", shown.0]].concat();
    assert!(openssl(&words).0);
    // The tool knows it by the certificate itself; here another word will do.
    CertificateFiles { chain, key, fingerprint: issuer.to_owned() }
}

fn issuer(rig: &Rig, host: &str) -> String {
    let door = format!("127.0.0.1:{}", rig.caddy.https);
    let said = openssl(&["s_client", "-connect", &door, "-servername", host]).1;
    said.lines().find(|line| line.starts_with("issuer=")).unwrap_or_default().to_owned()
}

fn shakes_hands(rig: &Rig, host: &str, version: &str) -> bool {
    let door = format!("127.0.0.1:{}", rig.caddy.https);
    openssl(&["s_client", "-connect", &door, "-servername", host, "-brief", version]).0
}

fn given(route: &Route, to: SocketAddr, files: CertificateFiles) -> Site {
    let mut site = site(route, to);
    site.routes.values_mut().for_each(|served| served.certificate = Some(files.clone()));
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_the_host_are_shown_and_others_in_their_place_as_soon_as_it_is_told() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let before = rig.caddy.config();
    let mut route = secured();
    route.hosts = vec!["app.example.com".to_owned(), "*.app.example.com".to_owned()];
    route.tls.mode = TlsMode::Files { certificate: "told".to_owned(), key: "elsewhere".to_owned() };
    let site = given(&route, web.address, files(&rig, "first"));
    rig.install(&site).await;
    assert_eq!(issuer(&rig, "app.example.com"), "issuer=CN = first");
    assert_eq!(issuer(&rig, "any.app.example.com"), "issuer=CN = first");
    assert!(rig.get("app.example.com", "/").contains("web\nGET"));
    // Others have theirs.
    assert!(issuer(&rig, "theirs.example.com").contains("Caddy Local Authority"));
    let site = given(&route, web.address, files(&rig, "second"));
    rig.install(&site).await;
    assert_eq!(issuer(&rig, "app.example.com"), "issuer=CN = second");
    assert!(rig.is_as_told().await);
    rig.install(&Site::default()).await;
    assert_eq!(rig.caddy.config(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_modern_host_speaks_tls_1_3_alone_and_others_as_before() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let mut modern = secured();
    modern.tls.policy = TlsPolicy::Modern;
    rig.lead(&modern, web.address).await;
    assert!(shakes_hands(&rig, "app.example.com", "-tls1_3"));
    assert!(!shakes_hands(&rig, "app.example.com", "-tls1_2"));
    assert!(shakes_hands(&rig, "theirs.example.com", "-tls1_2"));
    rig.lead(&secured(), web.address).await;
    assert!(shakes_hands(&rig, "app.example.com", "-tls1_2"));
    assert!(!shakes_hands(&rig, "app.example.com", "-tls1_1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_share_a_host_share_its_certificate() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let mut api = secured();
    api.path = "/api".to_owned();
    let mut both = site(&secured(), web.address);
    both.routes.extend(site(&api, web.address).routes.into_values().map(|served| ("api".parse().unwrap(), served)));
    rig.install(&both).await;
    rig.shows("app.example.com").await;
    assert!(rig.get("app.example.com", "/api").contains("web\nGET /api"));
    assert!(rig.is_as_told().await);
}
