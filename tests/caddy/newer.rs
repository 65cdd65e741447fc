//! What newer releases do otherwise, and what no release does at will: a stand-in of the admin interface that says its ETag
//! before the body, and whose configuration somebody else keeps changing.

use crate::{
    rig::name,
    route::{plain, site},
};
use reconcile::proxy::{
    Driver, ProxyError,
    caddy::{Caddy, Settings},
};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// How often it was asked for a change, and how often somebody else was faster.
struct StandIn {
    asked: AtomicU32,
    faster: u32,
}

async fn stand_in(faster: u32) -> (Caddy, Arc<StandIn>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let admin = format!("http://{}", listener.local_addr().unwrap());
    let state = Arc::new(StandIn { asked: AtomicU32::new(0), faster });
    let shared = Arc::clone(&state);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, Arc::clone(&shared)));
        }
    });
    let settings = Settings { admin, server: "srv0".to_owned(), http: 80, https: 443 };
    (Caddy::open(settings).unwrap(), state)
}

async fn answer(stream: TcpStream, state: Arc<StandIn>) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let head = head.to_lowercase();
    let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let mut body = vec![0; value("content-length:").and_then(|length| length.parse().ok()).unwrap_or(0)];
    stream.read_exact(&mut body).await.unwrap();
    // Each change by somebody else makes another of it.
    let asked = state.asked.load(Ordering::SeqCst);
    let said = if head.starts_with("get /config/apps ") {
        let apps = json!({"http": {"servers": {"srv0": {"listen": [":443"], "routes": []}}}}).to_string();
        format!("HTTP/1.1 200 OK\r\nETag: \"apps {asked}\"\r\nContent-Length: {}\r\n\r\n{apps}", apps.len())
    } else {
        assert_eq!(value("if-match:"), Some(format!("\"apps {asked}\"").as_str()), "{head}");
        state.asked.fetch_add(1, Ordering::SeqCst);
        let status = if asked < state.faster { "412 Precondition Failed" } else { "200 OK" };
        format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")
    };
    stream.write_all(said.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn what_somebody_else_changed_meanwhile_is_looked_at_again() {
    let (caddy, state) = stand_in(3).await;
    caddy.install(&name(), &site(&plain(), "127.0.0.1:9".parse().unwrap())).await.unwrap();
    assert_eq!(state.asked.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn who_is_never_let_through_gives_up_and_says_so() {
    let (caddy, state) = stand_in(u32::MAX).await;
    let error = caddy.install(&name(), &site(&plain(), "127.0.0.1:9".parse().unwrap())).await.unwrap_err();
    assert!(matches!(&error, ProxyError::Broken { said, .. } if said.contains("somebody else")), "{error}");
    assert_eq!(state.asked.load(Ordering::SeqCst), 10);
}
