//! A proxy as it answers challenges: with the thumbprint, and without knowing of any order.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// The proxy of a host.
#[derive(Clone)]
pub struct Proxy {
    pub address: SocketAddr,
    thumbprint: Arc<Mutex<Option<String>>>,
    /// How many were answered before it stops to.
    left: Arc<Mutex<usize>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// One that answers nothing yet.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            thumbprint: Arc::default(),
            left: Arc::new(Mutex::new(usize::MAX)),
            asked: Arc::default(),
        };
        let served = proxy.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let served = served.clone();
                tokio::spawn(async move { served.serve(stream).await });
            }
        });
        proxy
    }

    /// From now on it answers for an account.
    pub fn answer_for(&self, thumbprint: &str) {
        *self.thumbprint.lock().unwrap() = Some(thumbprint.to_owned());
    }

    /// After so many answers it answers wrong.
    pub fn fail_after(&self, answers: usize) {
        *self.left.lock().unwrap() = answers;
    }

    /// The hosts it was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn answer(&self, token: &str) -> Option<String> {
        let mut left = self.left.lock().unwrap();
        *left = left.checked_sub(1)?;
        self.thumbprint.lock().unwrap().as_ref().map(|thumbprint| format!("{token}.{thumbprint}"))
    }

    async fn serve(&self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let (mut token, mut host, mut line) = (String::new(), String::new(), String::new());
        while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) && !line.trim().is_empty() {
            if let Some(path) = line.strip_prefix("GET /.well-known/acme-challenge/") {
                token = path.split(' ').next().unwrap().to_owned();
            } else if let Some(name) = line.to_lowercase().strip_prefix("host:") {
                host = name.trim().split(':').next().unwrap().to_owned();
            }
            line.clear();
        }
        self.asked.lock().unwrap().push(host);
        let (status, body) =
            self.answer(&token).map_or(("404 Not Found", "no such page".to_owned()), |body| ("200 OK", body));
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        // Who asked may be gone.
        let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    }
}
