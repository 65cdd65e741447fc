//! A service behind the proxy, in this process: it says who it is, and what it was told of the request.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A service that can be stopped as a container is: it takes no new connections and ends those that are idle.
pub struct Backend {
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    pub open: Arc<AtomicUsize>,
}

impl Backend {
    /// One that answers with its name.
    pub async fn named(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let open = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&open);
        tokio::spawn(async move {
            let mut ending = stopped.clone();
            loop {
                tokio::select! {
                    Ok((stream, _)) = listener.accept() => {
                        counted.fetch_add(1, Ordering::SeqCst);
                        let (stopped, counted) = (stopped.clone(), Arc::clone(&counted));
                        tokio::spawn(async move {
                            let _ = converse(stream, name, stopped).await;
                            counted.fetch_sub(1, Ordering::SeqCst);
                        });
                    }
                    _ = ending.wait_for(|ended| *ended) => return,
                }
            }
        });
        Self { address, stop, open }
    }

    /// SIGTERM, and the grace to answer what is under way.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        while self.open.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn converse(mut stream: TcpStream, name: &str, mut stopped: watch::Receiver<bool>) -> std::io::Result<()> {
    loop {
        let request = tokio::select! {
            request = read(&mut stream) => request?,
            _ = stopped.wait_for(|ended| *ended) => return Ok(()),
        };
        let Some((head, body)) = request else { return Ok(()) };
        let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
        if head.to_lowercase().contains("\nupgrade: websocket") {
            stream
                .write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
                .await?;
            return echo(stream).await;
        }
        if path.starts_with("/slow") {
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        let told = format!("{name}\n{head}\n{}", String::from_utf8_lossy(&body));
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nX-Frame-Options: SAMEORIGIN\r\n\
             Strict-Transport-Security: max-age=1\r\n\r\n{told}",
            told.len()
        );
        stream.write_all(answer.as_bytes()).await?;
    }
}

async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let mut bytes = [0; 1024];
    loop {
        match stream.read(&mut bytes).await? {
            0 => return Ok(()),
            count => stream.write_all(&bytes[..count]).await?,
        }
    }
}

/// One request; none at the end of the connection.
async fn read(stream: &mut TcpStream) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let mut more = [0; 4096];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut more).await? {
            0 => return Ok(None),
            count => bytes.extend_from_slice(&more[..count]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = bytes.split_off(end + 4);
    while body.len() < length.unwrap_or(0) {
        match stream.read(&mut more).await? {
            0 => return Ok(None),
            count => body.extend_from_slice(&more[..count]),
        }
    }
    Ok(Some((head, body)))
}
