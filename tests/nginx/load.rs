//! Clients that ask on and on while something happens, and count what was not answered.

use reconcile::probe::tls;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
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
        Self::begin(Target { port, host: host.to_owned(), secured: false })
    }

    #[allow(dead_code, reason = "not every test speaks TLS")]
    pub fn over_tls(port: u16, host: &str) -> Self {
        Self::begin(Target { port, host: host.to_owned(), secured: true })
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
    let stream = TcpStream::connect(address).await?;
    if !target.secured {
        return Ok(Box::new(stream));
    }
    Ok(Box::new(tls::wrap(stream, Some(&target.host), address).await?))
}

/// A kept connection that the proxy closed while it was idle is opened again, as every client does; one that is closed
/// within an answer is a lost request.
async fn client(target: Target, method: &'static str, keeps: bool, count: Arc<Count>) {
    let mut kept: Option<Box<dyn Stream>> = None;
    while !count.ended.load(Ordering::SeqCst) {
        let answered = match kept.take() {
            Some(mut stream) => match exchange(&mut *stream, &target.host, method, "/", keeps).await {
                Ok(closes) => {
                    kept = (!closes).then_some(stream);
                    Ok(())
                }
                Err(Broken::Idle) => fresh(&target, method, keeps, &mut kept).await,
                Err(Broken::Lost) => Err(()),
            },
            None => fresh(&target, method, keeps, &mut kept).await,
        };
        let counter = if answered.is_ok() { &count.answered } else { &count.lost };
        counter.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn fresh(target: &Target, method: &str, keeps: bool, kept: &mut Option<Box<dyn Stream>>) -> Result<(), ()> {
    let mut stream = connect(target).await.map_err(drop)?;
    let closes = exchange(&mut *stream, &target.host, method, "/", keeps).await.map_err(drop)?;
    *kept = (keeps && !closes).then_some(stream);
    Ok(())
}

enum Broken {
    /// Closed before anything came back.
    Idle,
    Lost,
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
        let early = if bytes.is_empty() { Broken::Idle } else { Broken::Lost };
        let count = match stream.read(&mut more).await {
            Ok(0) | Err(_) => return Err(early),
            Ok(count) => count,
        };
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
