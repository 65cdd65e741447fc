//! An HTTP server on loopback that answers as a story tells it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// What was asked.
pub struct Asked {
    pub method: String,
    /// With its query.
    pub path: String,
    pub authorization: Option<String>,
    pub body: String,
}

/// Status, header lines, body.
pub type Answer = (u16, Vec<String>, String);

pub struct Answering {
    address: SocketAddr,
    over: Arc<AtomicBool>,
}

impl Answering {
    pub fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, over, answer) =
            (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)), Arc::new(answer));
        let ends = Arc::clone(&over);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let answer = Arc::clone(&answer);
                // Whoever hangs up in the middle has had enough.
                thread::spawn(move || stream.and_then(|stream| serve(stream, &*answer)));
            }
        });
        Self { address, over }
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, answer: &dyn Fn(&Asked) -> Answer) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (mut authorization, mut length, mut chunked) = (None, 0, false);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ").map(|(n, v)| (n.to_lowercase(), v.to_owned()))
            else {
                break;
            };
            match name.as_str() {
                "authorization" => authorization = Some(value),
                "content-length" => length = value.parse().unwrap_or(0),
                // Podman sends a form so.
                "transfer-encoding" => chunked = value == "chunked",
                _ => {}
            }
        }
        let body = if chunked { chunks(&mut reader)? } else { exactly(&mut reader, length)? };
        let body = String::from_utf8_lossy(&body).into_owned();
        let head = method == "HEAD";
        let (status, headers, body) = answer(&Asked { method, path, authorization, body });
        let headers = headers.iter().map(|line| format!("{line}\r\n")).collect::<String>();
        write!(
            writer,
            "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{}",
            body.len(),
            if head { "" } else { &body }
        )?;
    }
}

fn exactly(reader: &mut impl Read, length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn chunks(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        bytes.extend(exactly(reader, size)?);
        exactly(reader, 2)?;
        if size == 0 {
            return Ok(bytes);
        }
    }
}
