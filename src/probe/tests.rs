//! Probes against real listeners, and against containers that only their own network reaches.

use super::*;
use crate::{
    desired::{ContainerSpec, service::Scheme, spec::Network},
    engine::{CreateContainer, Engine, docker::Docker},
};
use std::{collections::BTreeMap, process::Command, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{TlsAcceptor, rustls};

fn probe(kind: ProbeKind) -> Probe {
    let second = Duration::from_secs(1);
    Probe { kind, interval: second, timeout: second, retries: 3, start_period: second, start_interval: second }
}

fn http(path: &str, port: u16, scheme: Scheme) -> Probe {
    probe(ProbeKind::Http { path: path.to_owned(), port, scheme, host: None, status: (200, 399) })
}

fn here() -> Target {
    Target { addresses: vec![[127, 0, 0, 1].into()], ..Target::default() }
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Reads one request and answers it; gives the request back.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, status: &str) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.unwrap());
    }
    stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    String::from_utf8(request).unwrap()
}

/// What a probe says to a server that answers with this status, and what the server saw.
async fn asked(status: &'static str) -> (Result<(), ProbeFailure>, String, u16) {
    let (listener, port) = listener().await;
    let server = tokio::spawn(async move { answer(listener.accept().await.unwrap().0, status).await });
    let result = ask(&http("/healthz?deep=1", port, Scheme::Http), &here()).await;
    (result, server.await.unwrap(), port)
}

#[tokio::test]
async fn a_status_in_the_range_passes() {
    let (result, request, port) = asked("204 No Content").await;
    result.unwrap();
    assert!(request.starts_with("GET /healthz?deep=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: 127.0.0.1:{port}\r\n")), "{request}");
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    asked("302 Found").await.0.unwrap();
}

#[tokio::test]
async fn a_status_outside_the_range_is_told_with_what_was_expected() {
    let (result, _, port) = asked("503 Service Unavailable").await;
    assert_eq!(
        result.unwrap_err().to_string(),
        format!("GET http://127.0.0.1:{port}/healthz?deep=1 answered 503, expected 200-399"),
    );
}

#[tokio::test]
async fn silence_ends_with_the_timeout() {
    let (listener, port) = listener().await;
    let quick = Probe { timeout: Duration::from_millis(150), ..http("/", port, Scheme::Http) };
    let failure = ask(&quick, &here()).await.unwrap_err();
    assert_eq!(failure.to_string(), format!("GET http://127.0.0.1:{port}/ got no answer within 150 ms"));
    drop(listener);
}

#[tokio::test]
async fn a_closed_port_is_refused_in_one_line() {
    let (listener, port) = listener().await;
    drop(listener);
    let failure = ask(&probe(ProbeKind::Tcp { port }), &here()).await.unwrap_err();
    assert_eq!(failure.to_string(), format!("connecting to 127.0.0.1:{port}: connection refused"));
}

#[tokio::test]
async fn an_accepted_connection_passes() {
    let (_listener, port) = listener().await;
    ask(&probe(ProbeKind::Tcp { port }), &here()).await.unwrap();
}

#[tokio::test]
async fn the_second_address_is_asked_when_the_first_refuses() {
    let (_listener, port) = listener().await;
    let target = Target { addresses: vec![[127, 0, 0, 9].into(), [127, 0, 0, 1].into()], ..Target::default() };
    ask(&probe(ProbeKind::Tcp { port }), &target).await.unwrap();
}

#[tokio::test]
async fn a_container_that_does_not_run_is_nowhere() {
    let failure = ask(&probe(ProbeKind::Tcp { port: 1 }), &Target::default()).await.unwrap_err();
    assert!(matches!(failure, ProbeFailure::Nowhere));
}

#[tokio::test]
async fn what_cannot_be_asked_from_here_is_nobody_s_fault() {
    // No process has so high a number: the kernel's most is 2^22.
    let target = Target { addresses: Vec::new(), pid: Some(u32::MAX), host_network: false };
    let failure = ask(&probe(ProbeKind::Tcp { port: 80 }), &target).await.unwrap_err();
    assert_eq!(failure.blame(), Blame::World);
    assert!(failure.to_string().contains("no process 4294967295 is seen here"), "{failure}");
}

#[tokio::test]
async fn https_takes_a_certificate_nobody_signed() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let (key, certificate, pkcs8) = (file("key.pem"), file("cert.der"), file("key.der"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"])
        .args(["-subj", "/CN=elsewhere.example", "-outform", "DER", "-keyout"])
        .args([&key, std::path::Path::new("-out"), &certificate])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let converted = Command::new("openssl")
        .args(["pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-in"])
        .args([&key, std::path::Path::new("-out"), &pkcs8])
        .output()
        .unwrap();
    assert!(converted.status.success(), "{converted:?}");
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![std::fs::read(&certificate).unwrap().into()],
            rustls::pki_types::PrivatePkcs8KeyDer::from(std::fs::read(&pkcs8).unwrap()).into(),
        )
        .unwrap();
    let (listener, port) = listener().await;
    let server = tokio::spawn(async move {
        let stream = listener.accept().await.unwrap().0;
        answer(TlsAcceptor::from(Arc::new(config)).accept(stream).await.unwrap(), "200 OK").await
    });
    ask(&http("/", port, Scheme::Https), &here()).await.unwrap();
    server.await.unwrap();
}

/// Asks a container without any network, which serves its own root folder on port 8080 of its own loopback.
async fn is_asked_inside_its_own_network(engine: Docker, name: &str) {
    let labels = BTreeMap::from([("reconcile.test".to_owned(), name.to_owned())]);
    let earlier = engine.container(name).await.unwrap();
    if let Some(earlier) = earlier {
        engine.stop(&earlier.id, Duration::ZERO).await.unwrap();
        engine.remove(&earlier.id).await.unwrap();
    }
    let spec = ContainerSpec {
        command: Some(["httpd", "-f", "-p", "8080", "-h", "/bin"].map(str::to_owned).to_vec()),
        network: Network::None,
        ..ContainerSpec::default()
    };
    let image_id = engine.image("bb:1").await.unwrap().expect("image bb:1 on the engine").id;
    let container = CreateContainer {
        name: name.to_owned(),
        image_id,
        spec,
        network: None,
        secret_env: BTreeMap::new(),
        namespace_of: None,
        labels,
    };
    let id = engine.create(&container).await.unwrap();
    engine.start(&id).await.unwrap();
    let detail = engine.container(&id).await.unwrap().unwrap();
    let addresses = detail.endpoints.values().filter_map(|endpoint| endpoint.address).collect();
    let target = Target { addresses, pid: detail.pid, host_network: false };
    // The server inside needs a moment to listen.
    let served = Probe { timeout: Duration::from_secs(5), ..http("/busybox", 8080, Scheme::Http) };
    let until = std::time::Instant::now() + Duration::from_secs(10);
    while let Err(failure) = ask(&served, &target).await {
        assert!(std::time::Instant::now() < until, "{failure}");
        tokio::task::yield_now().await;
    }
    let failure = ask(&http("/missing", 8080, Scheme::Http), &target).await.unwrap_err();
    assert_eq!(failure.to_string(), "GET http://127.0.0.1:8080/missing answered 404, expected 200-399");
    let failure = ask(&probe(ProbeKind::Tcp { port: 8081 }), &target).await.unwrap_err();
    assert_eq!(failure.to_string(), "connecting to 127.0.0.1:8081: connection refused");
    engine.stop(&id, Duration::ZERO).await.unwrap();
    engine.remove(&id).await.unwrap();
}

async fn engine(variable: &str, default: &str) -> Docker {
    Docker::connect(&std::env::var(variable).unwrap_or_else(|_| default.to_owned())).await.unwrap()
}

#[tokio::test]
async fn a_docker_container_without_network_is_asked_inside() {
    let engine = engine("RECONCILE_TEST_DOCKER", "unix:///var/run/docker.sock").await;
    is_asked_inside_its_own_network(engine, "rec-probe-none-d").await;
}

#[tokio::test]
async fn a_podman_container_without_network_is_asked_inside() {
    let engine = engine("RECONCILE_TEST_PODMAN", "unix:///run/podman/podman.sock").await;
    is_asked_inside_its_own_network(engine, "rec-probe-none-p").await;
}
