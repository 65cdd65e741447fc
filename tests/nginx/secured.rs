//! What is offered over TLS, looked at from outside.

use crate::{
    backend::Backend,
    client::{curl, header, status},
    load::Clients,
    rig::{Rig, name, rig, route, site},
};
use reconcile::{
    desired::{
        Route,
        route::{Hsts, TlsMode, TlsPolicy},
    },
    proxy::{CertificateFiles, Driver},
};
use std::{
    fs,
    io::Write,
    net::SocketAddr,
    process::{Command, Stdio},
};

fn certificate(rig: &Rig, name: &str) -> CertificateFiles {
    let at = |file: &str| rig.nginx.folder.path().join(format!("{name}-{file}"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=app.example.com", "-addext", "subjectAltName=DNS:app.example.com"])
        .arg("-keyout")
        .arg(at("key.pem"))
        .arg("-out")
        .arg(at("chain.pem"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let fingerprint = openssl(&["x509", "-noout", "-fingerprint", "-in", &at("chain.pem").display().to_string()], "");
    CertificateFiles { chain: at("chain.pem"), key: at("key.pem"), fingerprint }
}

async fn lead(rig: &Rig, route: &Route, to: SocketAddr) {
    show(rig, route, to, certificate(rig, "first")).await;
}

async fn show(rig: &Rig, route: &Route, to: SocketAddr, certificate: CertificateFiles) {
    let mut site = site(route, to);
    site.routes.values_mut().for_each(|served| served.certificate = Some(certificate.clone()));
    rig.driver.install(&name(), &site).await.unwrap();
}

/// What `openssl` prints when it is given some text.
fn openssl(arguments: &[&str], text: &str) -> String {
    let mut child =
        Command::new("openssl").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

/// The fingerprint of the certificate that is shown.
fn shown(rig: &Rig) -> String {
    let door = format!("127.0.0.1:{}", rig.https);
    let said = openssl(&["s_client", "-connect", &door, "-servername", "app.example.com"], "");
    openssl(&["x509", "-noout", "-fingerprint"], &said)
}

fn secured() -> Route {
    let mut route = route();
    route.tls.mode = TlsMode::Internal;
    route.tls.redirect = true;
    route.tls.hsts = Some(Hsts { max_age: 31_536_000, subdomains: false, preload: false });
    route
}

/// Whether a handshake with these words comes about.
fn shakes_hands(rig: &Rig, words: &[&str]) -> bool {
    let output = Command::new("openssl")
        .args(["s_client", "-connect", &format!("127.0.0.1:{}", rig.https), "-servername", "app.example.com", "-brief"])
        .args(words)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    output.status.success()
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_requests_are_redirected_and_secured_ones_carry_hsts_once() {
    let (rig, web) = (rig().await, Backend::named("web").await);
    lead(&rig, &secured(), web.address).await;
    let plain = curl("http", "app.example.com", rig.http, "/a?b", &[]);
    assert_eq!(status(&plain), "301");
    assert_eq!(header(&plain, "location"), [format!("https://app.example.com:{}/a?b", rig.https)]);
    assert_eq!(header(&plain, "strict-transport-security"), [""; 0]);
    let answer = curl("https", "app.example.com", rig.https, "/", &["--http1.1"]);
    assert!(answer.contains("web\nGET") && answer.contains("X-Forwarded-Proto: https"), "{answer}");
    assert_eq!(header(&answer, "strict-transport-security"), ["max-age=31536000"]);
    let second = curl("https", "app.example.com", rig.https, "/", &["--http2"]);
    assert!(second.starts_with("HTTP/2 200"), "{second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn old_versions_and_weak_ciphers_are_not_offered() {
    let (rig, web) = (rig().await, Backend::named("web").await);
    lead(&rig, &secured(), web.address).await;
    assert!(shakes_hands(&rig, &["-tls1_3"]) && shakes_hands(&rig, &["-tls1_2"]));
    // The client is willing: it is the server that is not.
    let weak = "DEFAULT@SECLEVEL=0";
    assert!(!shakes_hands(&rig, &["-tls1_1", "-cipher", weak]) && !shakes_hands(&rig, &["-tls1", "-cipher", weak]));
    assert!(!shakes_hands(&rig, &["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"]));
    let mut modern = secured();
    modern.tls.policy = TlsPolicy::Modern;
    lead(&rig, &modern, web.address).await;
    assert!(shakes_hands(&rig, &["-tls1_3"]) && !shakes_hands(&rig, &["-tls1_2"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_shown_and_no_request_is_lost() {
    let (rig, web) = (rig().await, Backend::named("web").await);
    let first = certificate(&rig, "first");
    show(&rig, &secured(), web.address, first.clone()).await;
    assert_eq!(shown(&rig), first.fingerprint);
    let clients = Clients::over_tls(rig.https, "app.example.com");
    clients.more(40).await;
    let second = certificate(&rig, "second");
    show(&rig, &secured(), web.address, second.clone()).await;
    assert_eq!(shown(&rig), second.fingerprint);
    clients.more(40).await;
    // Whoever renews files of the host puts others at the same place.
    let third = certificate(&rig, "third");
    fs::rename(&third.chain, &second.chain).unwrap();
    fs::rename(&third.key, &second.key).unwrap();
    assert_eq!(shown(&rig), second.fingerprint, "nothing was told yet");
    show(&rig, &secured(), web.address, CertificateFiles { fingerprint: third.fingerprint.clone(), ..second }).await;
    assert_eq!(shown(&rig), third.fingerprint);
    clients.more(40).await;
    let (answered, lost) = clients.end().await;
    assert_eq!(lost, 0, "of {answered}");
}
