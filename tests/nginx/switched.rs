//! Ten switches under load: no request is lost, kept connections or not, read or written, slow ones and WebSockets too.

use crate::{
    backend::Backend,
    rig::{Rig, rig, route},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[derive(Default)]
struct Count {
    answered: AtomicUsize,
    lost: AtomicUsize,
    ended: AtomicBool,
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_switches_lose_no_request() {
    let rig = rig().await;
    let mut serving = Backend::named("generation").await;
    rig.lead(&route(), serving.address).await;
    let count = Arc::new(Count::default());
    let mut clients = Vec::new();
    for (method, keeps) in [("GET", true), ("POST", true), ("GET", false), ("POST", false)] {
        clients.push(tokio::spawn(client(rig.http, method, keeps, Arc::clone(&count))));
    }
    for _ in 0..10 {
        let slow = tokio::spawn(one(rig.http, "GET", "/slow"));
        let before = count.answered.load(Ordering::SeqCst);
        while count.answered.load(Ordering::SeqCst) < before + 40 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let next = Backend::named("generation").await;
        rig.lead(&route(), next.address).await;
        serving.stop().await;
        serving = next;
        slow.await.unwrap().unwrap();
    }
    count.ended.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    let (answered, lost) = (count.answered.load(Ordering::SeqCst), count.lost.load(Ordering::SeqCst));
    assert_eq!(lost, 0, "of {answered}");
    assert!(answered > 400, "{answered}");
    drop::<Rig>(rig);
}

/// Fifty requests a second, one after the other. A kept connection that the proxy closed while it was idle is opened
/// again, as every client does; one that is closed within an answer is a lost request.
async fn client(port: u16, method: &'static str, keeps: bool, count: Arc<Count>) {
    let mut kept: Option<TcpStream> = None;
    while !count.ended.load(Ordering::SeqCst) {
        let answered = match kept.take() {
            Some(mut stream) => match exchange(&mut stream, method, "/", keeps).await {
                Ok(closes) => {
                    kept = (!closes).then_some(stream);
                    Ok(())
                }
                Err(Broken::Idle) => fresh(port, method, keeps, &mut kept).await,
                Err(Broken::Lost) => Err(()),
            },
            None => fresh(port, method, keeps, &mut kept).await,
        };
        let counter = if answered.is_ok() { &count.answered } else { &count.lost };
        counter.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn fresh(port: u16, method: &str, keeps: bool, kept: &mut Option<TcpStream>) -> Result<(), ()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(drop)?;
    let closes = exchange(&mut stream, method, "/", keeps).await.map_err(drop)?;
    *kept = (keeps && !closes).then_some(stream);
    Ok(())
}

async fn one(port: u16, method: &str, path: &str) -> Result<(), String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(|error| error.to_string())?;
    exchange(&mut stream, method, path, false).await.map(drop).map_err(|_| format!("{method} {path} was lost"))
}

enum Broken {
    /// Closed before anything came back.
    Idle,
    Lost,
}

/// One request and its answer, 200 or lost; whether the connection ends with it.
async fn exchange(stream: &mut TcpStream, method: &str, path: &str, keeps: bool) -> Result<bool, Broken> {
    let connection = if keeps { "keep-alive" } else { "close" };
    let body = if method == "POST" { "Content-Length: 4\r\n\r\nbody" } else { "\r\n" };
    let request = format!("{method} {path} HTTP/1.1\r\nHost: app.example.com\r\nConnection: {connection}\r\n{body}");
    stream.write_all(request.as_bytes()).await.map_err(|_| Broken::Idle)?;
    let mut bytes = Vec::new();
    let mut more = [0; 4096];
    loop {
        let count =
            stream.read(&mut more).await.map_err(|_| if bytes.is_empty() { Broken::Idle } else { Broken::Lost })?;
        if count == 0 {
            return Err(if bytes.is_empty() { Broken::Idle } else { Broken::Lost });
        }
        bytes.extend_from_slice(&more[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, rest)) = text.split_once("\r\n\r\n") else { continue };
        if !head.starts_with("HTTP/1.1 200") {
            return Err(Broken::Lost);
        }
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if rest.len() >= length.unwrap_or(0) {
            return Ok(!keeps || head.contains("connection: close"));
        }
    }
}
