//! A real listener on loopback, and clients that speak plain text to it.

use crate::server::{
    Board, Hook,
    listen::{Limits, serve_within},
    serve,
};
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
    task::JoinHandle,
};

const SECRET: &str = "a secret of sixteen or more";

struct Served {
    address: SocketAddr,
    board: Arc<Board>,
    nudge: Arc<Notify>,
    ending: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Short ones, for tests that wait for them.
const SHORT: Limits = Limits {
    connections: 64,
    head: Duration::from_millis(300),
    whole: Duration::from_secs(3),
    last: Duration::from_millis(200),
};

async fn served_within(limits: Limits) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (board, nudge) = (Board::new(Duration::from_secs(60)), Arc::new(Notify::new()));
    let hook = Hook::new(SECRET.into(), Arc::clone(&nudge)).unwrap();
    let (ending, is_ending) = watch::channel(false);
    let task = tokio::spawn(serve_within(limits, listener, Arc::clone(&board), Some(hook), is_ending));
    Served { address, board, nudge, ending, task }
}

async fn served(patience: Duration, with_hook: bool) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (board, nudge) = (Board::new(patience), Arc::new(Notify::new()));
    let hook = with_hook.then(|| Hook::new(SECRET.into(), Arc::clone(&nudge)).unwrap());
    let (ending, is_ending) = watch::channel(false);
    let task = tokio::spawn(serve(listener, Arc::clone(&board), hook, is_ending));
    Served { address, board, nudge, ending, task }
}

impl Served {
    /// What comes back for some bytes.
    async fn says(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_ref()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    async fn get(&self, path: &str) -> String {
        self.says(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")).await
    }

    async fn posts(&self, headers: &str, body: &[u8]) -> String {
        let head = format!("POST /webhook HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        self.says([head.as_bytes(), body].concat()).await
    }
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn health_follows_the_heartbeat() {
    let (begin, patience) = (Instant::now(), Duration::from_secs(2));
    let served = served(patience, false).await;
    assert_eq!(status(&served.get("/healthz").await), "200");
    while status(&served.get("/healthz").await) == "200" {
        assert!(begin.elapsed() < Duration::from_secs(60), "a silent loop stays healthy");
    }
    assert!(begin.elapsed() >= patience, "it was given up too early");
    served.board.beat();
    assert_eq!(status(&served.get("/healthz").await), "200");
}

#[tokio::test]
async fn readiness_names_what_is_awaited() {
    let served = served(Duration::from_secs(60), false).await;
    let answer = served.get("/readyz").await;
    assert_eq!(status(&answer), "503");
    assert!(answer.contains("the repository has not answered yet\nthe engine has not answered yet\n"), "{answer}");
    served.board.source_answered();
    served.board.engine(false);
    assert!(served.get("/readyz").await.contains("the engine has not answered yet"));
    served.board.engine(true);
    let answer = served.get("/readyz").await;
    assert!(answer.ends_with("\r\n\r\nthe first pass of every environment is not over\n"), "{answer}");
    served.board.passed();
    assert_eq!(status(&served.get("/readyz").await), "200");
    // An engine that goes away later is told by metrics; the daemon itself is as ready as it was.
    served.board.engine(false);
    assert_eq!(status(&served.get("/readyz").await), "200");
    assert!(served.get("/metrics").await.contains("\nreconcile_engine_up 0\n"));
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let served = served(Duration::from_secs(60), false).await;
    for path in ["/", "/metrics/", "/healthz/x", "/webhook", "//metrics", "/debug/pprof"] {
        assert_eq!(status(&served.get(path).await), "404", "{path}");
    }
    let answer = served.says("POST /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n").await;
    assert!(status(&answer) == "405" && answer.contains("allow: GET, HEAD\r\n"), "{answer}");
    let answer = served.says("HEAD /metrics HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(status(&answer) == "200" && answer.ends_with("\r\n\r\n"), "{answer}");
    let answer = served.get("/healthz?x=1").await;
    assert!(answer.contains("x-content-type-options: nosniff\r\n") && answer.contains("cache-control: no-store\r\n"));
    // Without a secret there is no webhook at all.
    assert_eq!(status(&served.posts("", b"{}").await), "404");
}

#[tokio::test]
async fn a_webhook_that_knows_the_secret_nudges() {
    let served = served(Duration::from_secs(60), true).await;
    let token = format!("X-Gitlab-Token: {SECRET}\r\nIdempotency-Key: 1\r\n");
    let refused = served.posts("X-Gitlab-Token: wrong\r\n", b"{}").await;
    assert!(status(&refused) == "401" && refused.ends_with("\r\n\r\nunauthorized\n"), "{refused}");
    assert_eq!(status(&served.posts(&token, b"{}").await), "202");
    tokio::time::timeout(Duration::from_secs(5), served.nudge.notified()).await.expect("a nudge");
    assert_eq!(status(&served.posts(&token, b"{}").await), "200");
    assert_eq!(status(&served.get("/webhook").await), "405");
    let metrics = served.get("/metrics").await;
    for line in [r#"answer="accepted"} 1"#, r#"answer="repeated"} 1"#, r#"answer="refused"} 1"#] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_read_to_its_end_and_refused() {
    let served = served(Duration::from_secs(60), true).await;
    let token = format!("X-Gitlab-Token: {SECRET}\r\n");
    assert_eq!(status(&served.posts(&token, &vec![b'x'; 1024 * 1024]).await), "202");
    assert_eq!(status(&served.posts(&token, &vec![b'x'; 1024 * 1024 + 1]).await), "413");
}

#[tokio::test]
async fn a_body_that_is_none_is_not_counted_as_a_webhook() {
    let served = served(Duration::from_secs(60), true).await;
    let head = "POST /webhook HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n";
    assert_eq!(status(&served.says(format!("{head}\r\nzz\r\n")).await), "400");
    assert!(!served.get("/metrics").await.contains(r#"reconcile_webhook_deliveries_total{answer="too_large"} 1"#));
    // In chunks it may come all the same.
    let token = format!("X-Gitlab-Token: {SECRET}\r\n");
    assert_eq!(status(&served.says(format!("{head}{token}\r\n2\r\n{{}}\r\n0\r\n\r\n")).await), "202");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let served = served(Duration::from_secs(60), false).await;
    let answer = served.says(format!("GET /healthz HTTP/1.1\r\nX: {}", "x".repeat(20_000))).await;
    assert_eq!(status(&answer), "431", "{answer}");
}

/// How long the server keeps a connection on which these bytes were sent, and nothing is read.
async fn kept(served: &Served, bytes: &[u8]) -> Duration {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let begin = Instant::now();
    let mut rest = Vec::new();
    // Cut or closed: both are the end.
    let _ = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await.expect("an end");
    begin.elapsed()
}

#[tokio::test]
async fn clients_that_are_too_slow_are_cut() {
    let served = served_within(SHORT).await;
    let head = b"POST /webhook HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n{";
    let cases = [
        (&b""[..], SHORT.head / 2..SHORT.whole / 2),
        (b"GET /hea", SHORT.head / 2..SHORT.whole / 2),
        (head, SHORT.whole / 2..SHORT.whole * 3),
    ];
    for (bytes, expected) in cases {
        let kept = kept(&served, bytes).await;
        assert!(expected.contains(&kept), "{:?}: {kept:?}", String::from_utf8_lossy(bytes));
    }
    // One byte now and then does not keep a connection either.
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(head).await.unwrap();
    let begin = Instant::now();
    while stream.write_all(b"x").await.is_ok() {
        assert!(begin.elapsed() < Duration::from_secs(10), "a drip keeps a connection");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(begin.elapsed() >= SHORT.whole / 2);
}

#[tokio::test]
async fn clients_that_say_nothing_do_not_keep_others_out() {
    let served = served_within(Limits { connections: 4, ..SHORT }).await;
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.push(TcpStream::connect(served.address).await.unwrap());
    }
    let begin = Instant::now();
    assert_eq!(status(&served.get("/healthz").await), "200");
    assert!(begin.elapsed() >= SHORT.head / 2, "more than four were served at once");
}

#[tokio::test]
async fn the_end_does_not_wait_for_those_who_say_nothing() {
    let served = served(Duration::from_secs(60), true).await;
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    // Asked after it: the silent one is being served by now.
    assert_eq!(status(&served.get("/healthz").await), "200");
    let begin = Instant::now();
    served.ending.send(true).unwrap();
    served.task.await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(2), "the end took {:?}", begin.elapsed());
    assert!(TcpStream::connect(served.address).await.is_err(), "somebody still listens");
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn the_end_waits_only_so_long_for_those_who_are_answered() {
    let served = served_within(Limits { whole: Duration::from_secs(600), ..SHORT }).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head = "POST /webhook HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.read_exact(&mut [0; 25]).await.unwrap();
    let begin = Instant::now();
    served.ending.send(true).unwrap();
    served.task.await.unwrap();
    let took = begin.elapsed();
    assert!(took >= SHORT.last / 2 && took < Duration::from_secs(5), "the end took {took:?}");
}

#[tokio::test]
async fn a_daemon_that_is_gone_ends_its_server() {
    let served = served(Duration::from_secs(60), false).await;
    drop(served.ending);
    tokio::time::timeout(Duration::from_secs(5), served.task).await.expect("an end").unwrap();
}

#[tokio::test]
async fn what_was_asked_before_the_end_is_answered() {
    let served = served(Duration::from_secs(60), true).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head = format!(
        "POST /webhook HTTP/1.1\r\nHost: h\r\nX-Gitlab-Token: {SECRET}\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut begin = [0; 25];
    stream.read_exact(&mut begin).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 100 Continue\r\n\r\n");
    served.ending.send(true).unwrap();
    stream.write_all(b"{}").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(status(&answer), "202", "{answer}");
    served.task.await.unwrap();
}
