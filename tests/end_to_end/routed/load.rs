//! Clients that ask on and on while something happens, and count what was not answered.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// Requests under way.
pub struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    answered: AtomicUsize,
    lost: AtomicUsize,
    ended: AtomicBool,
}

impl Load {
    /// Two clients read and two write, each some fifty times a second.
    pub fn on(port: u16, host: &str) -> Self {
        let shared = Arc::new(Shared::default());
        let client = |method: &'static str| {
            let (shared, host) = (Arc::clone(&shared), host.to_owned());
            std::thread::spawn(move || {
                while !shared.ended.load(Ordering::SeqCst) {
                    let counter = if is_answered(port, &host, method) { &shared.answered } else { &shared.lost };
                    counter.fetch_add(1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(20));
                }
            })
        };
        let clients = ["GET", "GET", "POST", "POST"].map(client).into();
        Self { shared, clients }
    }

    /// How many were answered, and how many were not.
    pub fn end(self) -> (usize, usize) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.clients.into_iter().for_each(|client| client.join().unwrap());
        (self.shared.answered.load(Ordering::SeqCst), self.shared.lost.load(Ordering::SeqCst))
    }
}

/// True for an answer of the service: whatever it says, it is not the proxy that says it.
fn is_answered(port: u16, host: &str, method: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let body = if method == "POST" { "Content-Length: 4\r\n\r\nbody" } else { "\r\n" };
        write!(stream, "{method} /index.html HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{body}")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let said = ask().unwrap_or_default();
    let status = said.split(' ').nth(1).unwrap_or_default();
    // busybox does not take what is posted, and says so.
    status == if method == "GET" { "200" } else { "501" }
}
