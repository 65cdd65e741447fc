//! A pull as the engine hears it, and what is made of its answers.

use super::*;
use crate::{
    engine::{PullFault, PullImage, docker::pull::registry_auth},
    registry::{Credentials, credentials::Proof},
    value::RegistryName,
};
use base64::{Engine as _, alphabet, engine::general_purpose::URL_SAFE};
use proptest::prelude::*;
use secrecy::ExposeSecret;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

fn credentials(username: &str, password: &str) -> Credentials {
    let registry = "registry.example.com".parse().unwrap();
    Credentials { registry, username: username.to_owned(), proof: Proof::Password(password.into()) }
}

proptest! {
    #[test]
    fn the_header_is_json_in_the_alphabet_of_urls(username in "\\PC{1,20}", password in any::<String>()) {
        let header = registry_auth(&credentials(&username, &password));
        let header = header.expose_secret();
        let url_safe = alphabet::URL_SAFE.as_str();
        prop_assert!(header.trim_end_matches('=').chars().all(|c| url_safe.contains(c)), "{header}");
        let said: Value = serde_json::from_slice(&URL_SAFE.decode(header).unwrap()).unwrap();
        prop_assert_eq!(&said, &json!({
            "username": username, "password": password, "serveraddress": "registry.example.com"
        }));
    }
}

#[test]
fn docker_hub_has_the_address_that_dockers_own_command_sends() {
    let token = Credentials {
        registry: RegistryName::hub(),
        username: "ann".to_owned(),
        proof: Proof::IdentityToken("tok".into()),
    };
    let header = URL_SAFE.decode(registry_auth(&token).expose_secret()).unwrap();
    let said: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(said, json!({"identitytoken": "tok", "serveraddress": "https://index.docker.io/v1/"}));
}

/// An engine that answers a pull with this body, has an image afterwards or not, and the heads of the requests it heard.
async fn engine_that_says(status: u16, body: &'static str, here: bool) -> (Docker, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let hears = Arc::clone(&heard);
    tokio::spawn(async move {
        loop {
            let mut socket = BufReader::new(listener.accept().await.unwrap().0);
            let hears = Arc::clone(&hears);
            tokio::spawn(async move {
                loop {
                    let mut head = String::new();
                    while !head.ends_with("\r\n\r\n") {
                        if socket.read_line(&mut head).await.unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    let (status, body) = match head.split(' ').nth(1).unwrap() {
                        path if path.contains("/images/create") && body == "silence" => std::future::pending().await,
                        path if path.contains("/images/create") => (status, body),
                        path if path.contains("/images/") && here => (200, r#"{"Id": "sha256:1"}"#),
                        path if path.contains("/images/") => (404, "{}"),
                        _ => (200, "OK"),
                    };
                    hears.lock().unwrap().push(head);
                    let head =
                        format!("HTTP/1.1 {status} x\r\nApi-Version: 1.41\r\nContent-Length: {}\r\n\r\n", body.len());
                    socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
                }
            });
        }
    });
    (Docker::connect(&format!("tcp://{address}")).await.unwrap(), heard)
}

fn image(reference: &str) -> PullImage<'_> {
    PullImage { reference, platform: None, credentials: None }
}

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[tokio::test]
async fn credentials_go_with_the_pull_and_with_nothing_else() {
    let (engine, heard) = engine_that_says(200, "{\"status\":\"Pulling\"}\n", true).await;
    let known = credentials("ci", "s3cret?>~");
    let wanted = PullImage { credentials: Some(&known), platform: Some("linux/amd64"), ..image("team/app:1") };
    engine.pull(&wanted).await.unwrap();
    let heard = heard.lock().unwrap();
    let with: Vec<&String> = heard.iter().filter(|head| head.to_lowercase().contains("x-registry-auth")).collect();
    assert_eq!(with.len(), 1, "{heard:?}");
    let path = "POST /v1.41/images/create?fromImage=docker.io/team/app:1&platform=linux/amd64 ";
    assert!(with[0].starts_with(path), "{}", with[0]);
    assert!(with[0].contains(registry_auth(&known).expose_secret()), "{}", with[0]);
}

#[tokio::test]
async fn an_engine_is_asked_for_the_digest_where_there_is_one_and_for_one_tag_else() {
    let tagged = format!("127.0.0.1:5000/team/app:1@{DIGEST}");
    let table = [
        ("app", "fromImage=app:latest ".to_owned()),
        ("127.0.0.1:5000/team/app", "fromImage=127.0.0.1:5000/team/app:latest ".to_owned()),
        (&tagged, format!("fromImage=127.0.0.1:5000/team/app@{DIGEST} ")),
    ];
    for (reference, asked) in table {
        let (engine, heard) = engine_that_says(200, "", true).await;
        engine.pull(&image(reference)).await.unwrap();
        let heard = heard.lock().unwrap();
        assert!(heard.iter().any(|head| head.contains(&asked)), "{heard:?}");
        assert!(!heard.iter().any(|head| head.to_lowercase().contains("x-registry-auth")), "{heard:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_heard_in_the_status_and_in_the_stream() {
    let unknown = r#"{"message":"manifest for app:1 not found: manifest unknown: manifest unknown"}"#;
    let in_stream = "{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\"manifest unknown\"},\"error\":\"manifest unknown\"}";
    let only_error = "{\"error\":\"manifest unknown\"}\n";
    for (status, body) in [(404, unknown), (200, in_stream), (200, only_error)] {
        for here in [false, true] {
            let (engine, _) = engine_that_says(status, body, here).await;
            let told = engine.pull(&image("app:1")).await.unwrap_err();
            assert!(matches!(told, EngineError::NotPulled { fault: PullFault::Unknown, .. }), "{told:?}");
        }
    }
}

#[tokio::test]
async fn what_is_there_decides_where_the_words_do_not() {
    let (engine, _) = engine_that_says(200, "{\"status\":\"Download complete\"}\n", false).await;
    let told = engine.pull(&image("app:1")).await.unwrap_err();
    assert_eq!(told.to_string(), "the engine says: it is not here after the pull");
    // Somebody else fetched it meanwhile, and a digest means one image for ever.
    let (engine, _) = engine_that_says(500, r#"{"message":"toomanyrequests: later"}"#, true).await;
    engine.pull(&image(&format!("app@{DIGEST}"))).await.unwrap();
}

#[tokio::test]
async fn a_registry_that_repeats_what_it_was_sent_gives_nothing_away() {
    let (engine, _) = engine_that_says(500, r#"{"message":"unauthorized: `s3cret?>~` is wrong"}"#, false).await;
    let known = credentials("ci", "s3cret?>~");
    let told = engine.pull(&PullImage { credentials: Some(&known), ..image("app:1") }).await.unwrap_err();
    assert_eq!(told.to_string(), "the engine says: unauthorized: `(hidden)` is wrong");
}

#[tokio::test]
async fn a_pull_that_makes_no_progress_is_over() {
    let (engine, _) = engine_that_says(200, "silence", false).await;
    tokio::time::pause();
    let told = engine.pull(&image("app:1")).await.unwrap_err();
    assert!(matches!(told, EngineError::NotPulled { fault: PullFault::Stalled, .. }), "{told:?}");
    assert_eq!(told.to_string(), "the engine says: no progress for 300 s");
}
