//! Clients that ask on and on while something happens, and count what was not answered.

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Between two requests of one client: eight of them ask two hundred times a second where the machine keeps up.
const PACE: Duration = Duration::from_millis(40);

/// How many requests that take three seconds are under way at any time.
const SLOW: usize = 2;

/// Requests under way.
pub struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
    began: Instant,
}

#[derive(Default)]
struct Shared {
    answered: AtomicUsize,
    slowly: AtomicUsize,
    lost: AtomicUsize,
    ended: AtomicBool,
}

/// What came of a load.
#[derive(Debug)]
pub struct Count {
    /// How many were answered, those that took three seconds among them.
    pub answered: usize,
    /// How many of them took three seconds.
    pub slowly: usize,
    pub lost: usize,
}

impl Load {
    /// Clients that read and clients that write, over connections that are kept and that are not, and some that wait for
    /// answers of three seconds.
    pub fn on(port: u16, host: &str) -> Self {
        Self::begin(port, host, None)
    }

    /// The same over TLS: the certificate is one of an authority, and for the host.
    pub fn over_tls(port: u16, host: &str, authority: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Self::begin(port, host, Some(Arc::new(config)))
    }

    fn begin(port: u16, host: &str, tls: Option<Arc<ClientConfig>>) -> Self {
        let shared = Arc::new(Shared::default());
        let client = |method: &'static str, path: &'static str, keeps: bool| {
            let client = Client { port, host: host.to_owned(), tls: tls.clone(), method, path, keeps };
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || client.ask_on_and_on(&shared))
        };
        let quick = [true, true, false, false]
            .map(|keeps| [client("GET", "/index.html", keeps), client("POST", "/cgi-bin/word", keeps)]);
        let slow = (0..SLOW).map(|_| client("GET", "/cgi-bin/slow", false));
        let clients = quick.into_iter().flatten().chain(slow).collect();
        Self { shared, clients, began: Instant::now() }
    }

    /// What came of it.
    pub fn end(self) -> Count {
        let Self { shared, clients, began } = self;
        shared.ended.store(true, Ordering::SeqCst);
        let lasted = began.elapsed();
        clients.into_iter().for_each(|client| client.join().unwrap());
        let of = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        let answered = of(&shared.answered);
        let a_second = (answered as f64 / lasted.as_secs_f64()) as usize;
        let count = Count { answered, slowly: of(&shared.slowly), lost: of(&shared.lost) };
        println!("{count:?}, {a_second} a second");
        count
    }

    /// No request was lost, and of each kind there were some.
    #[track_caller]
    pub fn lost_nothing(self) {
        let count = self.end();
        assert_eq!(count.lost, 0, "{count:?}");
        assert!(count.answered > 100 && count.slowly >= SLOW, "{count:?}");
    }
}

struct Client {
    port: u16,
    host: String,
    tls: Option<Arc<ClientConfig>>,
    method: &'static str,
    path: &'static str,
    keeps: bool,
}

/// A connection, over TLS or not.
trait Connection: Read + Write {}
impl<T: Read + Write> Connection for T {}
type Stream = BufReader<Box<dyn Connection>>;

/// Why a request was not answered.
enum Broken {
    /// The connection was closed before anything came back.
    Idle(String),
    Lost(String),
}

/// What broke, and how.
fn lost(what: &str) -> impl Fn(std::io::Error) -> Broken {
    move |error| Broken::Lost(format!("{what}: {error}"))
}

impl Client {
    fn ask_on_and_on(&self, shared: &Shared) {
        let mut kept = None;
        while !shared.ended.load(Ordering::SeqCst) {
            let began = Instant::now();
            let answered = match kept.take() {
                // One that the proxy closed while it was idle is opened again, as every client does.
                Some(stream) => match self.ask(stream) {
                    Err(Broken::Idle(_)) => self.ask_anew(),
                    answered => answered,
                },
                None => self.ask_anew(),
            };
            match answered {
                Ok(stream) => {
                    kept = stream;
                    shared.answered.fetch_add(1, Ordering::SeqCst);
                    shared.slowly.fetch_add(usize::from(self.path.ends_with("slow")), Ordering::SeqCst);
                }
                Err(Broken::Idle(why) | Broken::Lost(why)) => {
                    let Self { method, path, keeps, .. } = self;
                    eprintln!("{method} {path}, kept: {keeps}, lost after {:?}: {why}", began.elapsed());
                    shared.lost.fetch_add(1, Ordering::SeqCst);
                }
            }
            std::thread::sleep(PACE.saturating_sub(began.elapsed()));
        }
    }

    fn connect(&self) -> Result<TcpStream, Broken> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(lost("connecting"))?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).map_err(lost("connected"))?;
        Ok(stream)
    }

    /// A connection on which a request may be sent.
    fn open(&self) -> Result<Stream, Broken> {
        let mut stream = self.connect()?;
        let Some(config) = &self.tls else { return Ok(BufReader::new(Box::new(stream))) };
        let name = ServerName::try_from(self.host.clone()).unwrap();
        let mut session = ClientConnection::new(Arc::clone(config), name).unwrap();
        session.complete_io(&mut stream).map_err(lost("handshake"))?;
        Ok(BufReader::new(Box::new(StreamOwned::new(session, stream))))
    }

    fn ask_anew(&self) -> Result<Option<Stream>, Broken> {
        self.ask(self.open()?)
    }

    /// One request and its answer; the connection, where it is kept.
    fn ask(&self, mut stream: Stream) -> Result<Option<Stream>, Broken> {
        let Self { host, method, path, keeps, .. } = self;
        let connection = if *keeps { "keep-alive" } else { "close" };
        let body = if *method == "POST" { "Content-Length: 4\r\n\r\nbody" } else { "\r\n" };
        let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: {connection}\r\n{body}");
        let idle = |error| Broken::Idle(format!("before the answer: {error}"));
        stream.get_mut().write_all(request.as_bytes()).map_err(idle)?;
        if stream.fill_buf().map_err(idle)?.is_empty() {
            return Err(Broken::Idle("closed before the answer".to_owned()));
        }
        let head = head(&mut stream)?;
        if head.split(' ').nth(1) != Some("200") {
            return Err(Broken::Lost(head));
        }
        let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        match (value("content-length:"), value("transfer-encoding:")) {
            (Some(length), _) => {
                let mut body = vec![0; length.parse().map_err(|_| Broken::Lost(head.clone()))?];
                stream.read_exact(&mut body).map_err(lost("in the body"))?;
            }
            (None, Some(_)) => chunks(&mut stream)?,
            (None, None) => {
                stream.read_to_end(&mut Vec::new()).map_err(lost("in the body"))?;
                return Ok(None);
            }
        }
        Ok((*keeps && value("connection:") != Some("close")).then_some(stream))
    }
}

/// The first lines of an answer, in lower case.
fn head(stream: &mut Stream) -> Result<String, Broken> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        match stream.read_line(&mut head) {
            Ok(0) => return Err(Broken::Lost(format!("closed after `{head}`"))),
            Ok(_) => {}
            Err(error) => return Err(lost("in the head")(error)),
        }
    }
    Ok(head.to_lowercase())
}

/// A body in chunks, to its end: one that breaks off is lost.
fn chunks(stream: &mut Stream) -> Result<(), Broken> {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).map_err(lost("in a chunk"))?;
        let length =
            usize::from_str_radix(line.trim(), 16).map_err(|_| Broken::Lost(format!("a chunk of `{line}`")))?;
        let mut chunk = vec![0; length + 2];
        stream.read_exact(&mut chunk).map_err(lost("in a chunk"))?;
        if length == 0 {
            return Ok(());
        }
    }
}
