//! Clients that ask on and on while something happens, and count what was not answered.

use reconcile::http1::tls;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Where and for which host is asked.
#[derive(Clone)]
struct Target {
    port: u16,
    host: String,
    secured: bool,
    /// A handshake that is broken off is begun again, before anything was asked.
    patient: bool,
}

#[derive(Default)]
struct Count {
    answered: AtomicUsize,
    lost: AtomicUsize,
    ended: AtomicBool,
}

/// Requests under way: read and written, over kept connections and new ones, each some fifty times a second.
pub struct Clients {
    target: Target,
    count: Arc<Count>,
    tasks: Vec<JoinHandle<()>>,
}

impl Clients {
    #[allow(dead_code, reason = "not every test speaks plain HTTP")]
    pub fn of(port: u16, host: &str) -> Self {
        Self::begin(Target { port, host: host.to_owned(), secured: false, patient: false })
    }

    #[allow(dead_code, reason = "not every test speaks TLS, or without patience")]
    pub fn over_tls(port: u16, host: &str) -> Self {
        Self::begin(Target { port, host: host.to_owned(), secured: true, patient: false })
    }

    /// Over TLS, beginning a handshake again that is broken off.
    #[allow(dead_code, reason = "one proxy breaks them off")]
    pub fn over_tls_with_patience(port: u16, host: &str) -> Self {
        Self::begin(Target { port, host: host.to_owned(), secured: true, patient: true })
    }

    fn begin(target: Target) -> Self {
        let count = Arc::new(Count::default());
        let kinds = [("GET", true), ("POST", true), ("GET", false), ("POST", false)];
        let tasks =
            kinds.map(|(method, keeps)| tokio::spawn(client(target.clone(), method, keeps, Arc::clone(&count))));
        Self { target, count, tasks: tasks.into() }
    }

    /// Waits until so many more were answered.
    pub async fn more(&self, answers: usize) {
        let before = self.count.answered.load(Ordering::SeqCst);
        while self.count.answered.load(Ordering::SeqCst) < before + answers {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// A request that takes three seconds, begun now.
    #[allow(dead_code, reason = "not every test has slow requests")]
    pub fn slow(&self) -> JoinHandle<bool> {
        let target = self.target.clone();
        tokio::spawn(async move {
            let Ok(mut stream) = connect(&target).await else { return false };
            exchange(&mut *stream, &target.host, "GET", "/slow", false).await.is_ok()
        })
    }

    /// How many were answered, and how many were lost.
    pub async fn end(self) -> (usize, usize) {
        self.count.ended.store(true, Ordering::SeqCst);
        for task in self.tasks {
            task.await.unwrap();
        }
        (self.count.answered.load(Ordering::SeqCst), self.count.lost.load(Ordering::SeqCst))
    }
}

async fn connect(target: &Target) -> std::io::Result<Box<dyn Stream>> {
    let address = SocketAddr::from(([127, 0, 0, 1], target.port));
    let mut tries = if target.patient { 3 } else { 1 };
    loop {
        let stream = TcpStream::connect(address).await?;
        if !target.secured {
            return Ok(Box::new(stream));
        }
        tries -= 1;
        match tls::wrap(stream, Some(&target.host), address).await {
            Err(error) if tries > 0 => eprintln!("a handshake was broken off: {error}"),
            shaken => return Ok(Box::new(shaken?)),
        }
    }
}

/// A kept connection that the proxy closed while it was idle is opened again, as every client does; one that is closed
/// within an answer is a lost request.
async fn client(target: Target, method: &'static str, keeps: bool, count: Arc<Count>) {
    let mut kept: Option<Box<dyn Stream>> = None;
    let began = Instant::now();
    while !count.ended.load(Ordering::SeqCst) {
        let answered = match kept.take() {
            Some(mut stream) => match exchange(&mut *stream, &target.host, method, "/", keeps).await {
                Ok(closes) => {
                    kept = (!closes).then_some(stream);
                    Ok(())
                }
                Err(Broken::Idle) => fresh(&target, method, keeps, &mut kept).await,
                Err(Broken::Lost(why)) => Err(format!("on a kept connection: {why}")),
            },
            None => fresh(&target, method, keeps, &mut kept).await,
        };
        let counter = match answered {
            Ok(()) => &count.answered,
            Err(why) => {
                eprintln!("{:?}: {method} was lost: {why}", began.elapsed());
                &count.lost
            }
        };
        counter.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn fresh(target: &Target, method: &str, keeps: bool, kept: &mut Option<Box<dyn Stream>>) -> Result<(), String> {
    let mut stream = connect(target).await.map_err(|error| format!("no connection: {error}"))?;
    let exchanged = exchange(&mut *stream, &target.host, method, "/", keeps).await;
    let closes = exchanged.map_err(|broken| match broken {
        Broken::Idle => "the connection was closed before anything came".to_owned(),
        Broken::Lost(why) => why,
    })?;
    *kept = (keeps && !closes).then_some(stream);
    Ok(())
}

enum Broken {
    /// Closed before anything came back.
    Idle,
    /// What came instead of an answer.
    Lost(String),
}

/// One request and its answer, 200 or lost; whether the connection ends with it.
async fn exchange(stream: &mut dyn Stream, host: &str, method: &str, path: &str, keeps: bool) -> Result<bool, Broken> {
    let connection = if keeps { "keep-alive" } else { "close" };
    let body = if method == "POST" { "Content-Length: 4\r\n\r\nbody" } else { "\r\n" };
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: {connection}\r\n{body}");
    stream.write_all(request.as_bytes()).await.map_err(|_| Broken::Idle)?;
    let mut bytes = Vec::new();
    let mut more = [0; 4096];
    loop {
        let early = if bytes.is_empty() {
            Broken::Idle
        } else {
            Broken::Lost("the connection was closed within it".to_owned())
        };
        let count = match stream.read(&mut more).await {
            Ok(0) | Err(_) => return Err(early),
            Ok(count) => count,
        };
        bytes.extend_from_slice(&more[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, rest)) = text.split_once("\r\n\r\n") else { continue };
        if !head.starts_with("HTTP/1.1 200") {
            return Err(Broken::Lost(head.lines().next().unwrap_or_default().to_owned()));
        }
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if rest.len() >= length.unwrap_or(0) {
            return Ok(!keeps || head.contains("connection: close"));
        }
    }
}
