//! The way to the server: one request a connection, and a test says which of them meet with what.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// The first line of a request.
pub struct Request {
    pub method: String,
    target: String,
}

impl Request {
    pub fn has(&self, text: &str) -> bool {
        self.target.contains(text)
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// The connection is cut when so many bytes of the request's body came.
    Cut(usize),
    /// It is answered with this status, and goes no further.
    Answer(u16),
    /// It is answered with this status and this code of S3's.
    Tell(u16, &'static str),
    /// Nobody answers, until who asked has gone.
    Silence,
    /// The answer is cut after so many bytes.
    CutAnswer(usize),
}

type Wanted = fn(&Request) -> bool;

#[derive(Default)]
struct Plan {
    wanted: Option<Wanted>,
    fate: Option<Fate>,
    once: bool,
    /// After the first that is wanted nothing passes.
    dies: bool,
    is_dead: bool,
    broken: usize,
}

pub struct Proxy {
    pub port: u16,
    plan: Arc<Mutex<Plan>>,
}

impl Proxy {
    pub fn begin(to: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let plan = Arc::new(Mutex::new(Plan::default()));
        let shared = Arc::clone(&plan);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let plan = Arc::clone(&shared);
                // A connection that breaks is the test's, whose client tells.
                thread::spawn(move || drop(pass(connection, to, &plan)));
            }
        });
        Self { port, plan }
    }

    fn set(&self, plan: Plan) {
        *self.plan.lock().unwrap() = plan;
    }

    /// Each wanted request meets this fate.
    pub fn breaks(&self, wanted: Wanted, fate: Fate) {
        self.set(Plan { wanted: Some(wanted), fate: Some(fate), ..Plan::default() });
    }

    /// The first wanted request does.
    pub fn breaks_once(&self, wanted: Wanted, fate: Fate) {
        self.set(Plan { wanted: Some(wanted), fate: Some(fate), once: true, ..Plan::default() });
    }

    /// From the first wanted request on all connections are cut.
    pub fn dies(&self, wanted: Wanted) {
        self.set(Plan { wanted: Some(wanted), dies: true, ..Plan::default() });
    }

    pub fn heals(&self) {
        self.set(Plan::default());
    }

    /// How many requests met their fate.
    pub fn broken(&self) -> usize {
        self.plan.lock().unwrap().broken
    }
}

fn pass(mut client: TcpStream, to: u16, plan: &Mutex<Plan>) -> std::io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if client.read(&mut byte)? == 0 {
            return Ok(());
        }
        head.extend(byte);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let mut words = text.split_whitespace();
    let request = Request { method: words.next().unwrap().to_owned(), target: words.next().unwrap().to_owned() };
    let length =
        text.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned));
    let mut left: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    let fate = {
        let mut plan = plan.lock().unwrap();
        let is_meant = plan.wanted.is_some_and(|wanted| wanted(&request)) && !(plan.once && plan.broken > 0);
        plan.broken += usize::from(is_meant);
        plan.is_dead |= plan.dies && is_meant;
        match plan.is_dead {
            true => Some(Fate::Cut(0)),
            false => plan.fate.filter(|_| is_meant),
        }
    };
    if let Some(Fate::Silence) = fate {
        // Until who asked goes away.
        while client.read(&mut byte)? > 0 {}
        return Ok(());
    }
    let answer = match fate {
        Some(Fate::Answer(403)) => Some((403, "AccessDenied")),
        Some(Fate::Answer(status)) => Some((status, "SlowDown")),
        Some(Fate::Tell(status, code)) => Some((status, code)),
        Some(Fate::Silence | Fate::Cut(_) | Fate::CutAnswer(_)) | None => None,
    };
    if let Some((status, code)) = answer {
        read_off(&mut client, &mut left, usize::MAX, |_| Ok(()))?;
        let body = format!("<Error><Code>{code}</Code><Message>not now</Message></Error>");
        return write!(
            client,
            "HTTP/1.1 {status} Told\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
    }
    if let Some(Fate::Silence) = fate {
        read_off(&mut client, &mut left, usize::MAX, |_| Ok(()))?;
        return client.read(&mut byte).map(drop);
    }
    if let Some(Fate::Cut(after)) = fate {
        read_off(&mut client, &mut left, after, |_| Ok(()))?;
        return client.shutdown(Shutdown::Both);
    }
    let mut server = TcpStream::connect(("127.0.0.1", to))?;
    server.write_all(text.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes())?;
    read_off(&mut client, &mut left, usize::MAX, |bytes| server.write_all(bytes))?;
    let most = match fate {
        Some(Fate::CutAnswer(after)) => after,
        Some(Fate::Cut(_) | Fate::Answer(_) | Fate::Tell(..) | Fate::Silence) | None => usize::MAX,
    };
    let (mut passed, mut buffer) = (0_usize, [0; 65536]);
    loop {
        let read = server.read(&mut buffer)?;
        if read == 0 || passed >= most {
            return client.shutdown(Shutdown::Both);
        }
        let now = read.min(most - passed);
        client.write_all(&buffer[..now])?;
        passed += now;
    }
}

/// Takes a body off the connection, this much of it at most.
fn read_off(
    client: &mut TcpStream,
    left: &mut usize,
    most: usize,
    mut into: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let (mut taken, mut buffer) = (0, [0; 65536]);
    while *left > 0 && taken < most {
        let wanted = buffer.len().min(*left);
        let read = client.read(&mut buffer[..wanted])?;
        if read == 0 {
            return Ok(());
        }
        into(&buffer[..read])?;
        *left -= read;
        taken += read;
    }
    Ok(())
}
