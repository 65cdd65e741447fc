//! A tiny HTTP server that answers by a script and keeps what it heard.

use std::{collections::VecDeque, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};

/// What the server does with a request.
#[derive(Clone)]
pub enum Answer {
    /// A status line's end, and headers.
    Says(&'static str),
    /// Reads and never answers.
    Stalls,
    /// Closes the connection.
    Hangs,
}

pub const OK: Answer = Answer::Says("200 OK\r\n");

pub struct Heard {
    /// Request line and headers, in lower case.
    pub head: String,
    pub body: serde_json::Value,
}

pub struct Server {
    pub url: String,
    heard: mpsc::UnboundedReceiver<Heard>,
}

impl Server {
    /// Answers requests in this order, and all others with 200.
    pub async fn answering(script: impl IntoIterator<Item = Answer>) -> Self {
        let mut script: VecDeque<Answer> = script.into_iter().collect();
        Self::deciding(move |_| script.pop_front().unwrap_or(OK)).await
    }

    /// Never answers one notice, and all others with 200.
    pub async fn stalling_over(summary: &'static str) -> Self {
        Self::deciding(move |heard| if heard.body["summary"] == summary { Answer::Stalls } else { OK }).await
    }

    async fn deciding(mut decide: impl FnMut(&Heard) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut stalled = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                let Some(heard) = hear(&mut stream).await else { continue };
                let answer = decide(&heard);
                if let Answer::Says(text) = answer {
                    let text = format!("HTTP/1.1 {text}Content-Length: 0\r\nConnection: close\r\n\r\n");
                    stream.write_all(text.as_bytes()).await.unwrap();
                } else if matches!(answer, Answer::Stalls) {
                    stalled.push(stream);
                }
                if sender.send(heard).is_err() {
                    break;
                }
            }
        });
        Self { url, heard }
    }

    /// The next request, which must come soon.
    pub async fn next(&mut self) -> Heard {
        timeout(Duration::from_secs(10), self.heard.recv()).await.expect("a request").expect("a server")
    }

    /// Summaries of the next notices.
    pub async fn summaries(&mut self, count: usize) -> Vec<String> {
        let mut summaries = Vec::new();
        for _ in 0..count {
            summaries.push(self.next().await.body["summary"].as_str().unwrap().to_owned());
        }
        summaries
    }

    /// True when nothing more was heard.
    pub fn is_quiet(&mut self) -> bool {
        self.heard.try_recv().is_err()
    }
}

async fn hear(stream: &mut BufReader<TcpStream>) -> Option<Heard> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok())?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Heard { head, body: serde_json::from_slice(&body).ok()? })
}
