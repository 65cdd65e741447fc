//! Somebody who is told what happens: a server that takes every notice.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What was heard so far, oldest first.
#[derive(Clone, Default)]
pub struct Sink(Arc<Mutex<Vec<Value>>>);

impl Sink {
    /// Begins to listen, in a thread that does not know of virtual time; and the host file's words that name it.
    pub fn begin() -> (Self, String) {
        let (sink, listener) = (Self::default(), TcpListener::bind("127.0.0.1:0").unwrap());
        let words = format!("notify: [{{webhook: {{url: \"http://{}/\"}}}}]\n", listener.local_addr().unwrap());
        let heard = sink.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                heard.hear(stream.unwrap());
            }
        });
        (sink, words)
    }

    fn hear(&self, mut stream: TcpStream) {
        let mut from = BufReader::new(stream.try_clone().unwrap());
        let (mut length, mut line) = (0, String::new());
        while from.read_line(&mut line).unwrap() > 0 && line != "\r\n" {
            if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        from.read_exact(&mut body).unwrap();
        self.0.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    }

    /// Each as its event and its summary, in their order.
    pub fn heard(&self) -> Vec<(String, String)> {
        let text = |notice: &Value, key: &str| notice[key].as_str().unwrap().to_owned();
        self.0.lock().unwrap().iter().map(|notice| (text(notice, "event"), text(notice, "summary"))).collect()
    }

    /// The events alone.
    pub fn events(&self) -> Vec<String> {
        self.heard().into_iter().map(|(event, _)| event).collect()
    }
}
