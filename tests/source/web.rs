//! A git server over HTTPS with a certificate of a test's own authority: `git http-backend` behind TLS.

use crate::bare::Bare;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::pem::PemObject};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};
use tempfile::TempDir;

/// Paths that were asked for, with what was said to be who asks.
type Asked = Arc<Mutex<Vec<(String, Option<String>)>>>;

pub struct Web {
    folder: TempDir,
    pub bare: Bare,
    pub port: u16,
    pub asked: Asked,
}

impl Web {
    /// A server that lets in who shows `user:token`.
    pub fn start(allowed: &str) -> Self {
        Self::with_names(allowed, "IP:127.0.0.1,DNS:localhost")
    }

    /// As `start`, with a certificate for these names.
    pub fn with_names(allowed: &str, names: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bare = Bare::in_folder(folder.path());
        certify(folder.path(), names);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certificate = rustls::pki_types::CertificateDer::from_pem_file(folder.path().join("server.crt")).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::from_pem_file(folder.path().join("server.key")).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let site = Arc::new(Site {
            root: folder.path().to_owned(),
            port,
            allowed: format!("Basic {}", STANDARD.encode(allowed)),
            asked: Arc::clone(&asked),
            config: Arc::new(config),
        });
        thread::spawn(move || {
            for stream in listener.incoming() {
                let site = Arc::clone(&site);
                thread::spawn(move || site.serve(stream.unwrap()));
            }
        });
        Self { folder, bare, port, asked }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}/m.git", self.port)
    }
}

/// An authority and a certificate of it.
fn certify(folder: &Path, names: &str) {
    let openssl = |words: &str| {
        let made = Command::new("openssl").current_dir(folder).args(words.split(' ')).output().unwrap();
        assert!(made.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&made.stderr));
    };
    let ec = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    openssl(&format!("req -x509 {ec} -keyout ca.key -out ca.crt -subj /CN=test-authority"));
    fs::write(folder.join("names"), format!("subjectAltName={names}\nbasicConstraints=CA:FALSE\n")).unwrap();
    openssl(&format!("req {ec} -keyout server.key -out server.csr -subj /CN=test-server"));
    openssl("x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt");
}

struct Site {
    root: PathBuf,
    port: u16,
    allowed: String,
    asked: Asked,
    config: Arc<ServerConfig>,
}

struct Request {
    method: String,
    path: String,
    query: String,
    heads: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Site {
    /// One request a connection; whoever hangs up is no fault.
    fn serve(&self, stream: TcpStream) {
        let Ok(connection) = ServerConnection::new(Arc::clone(&self.config)) else { return };
        let mut stream = BufReader::new(StreamOwned::new(connection, stream));
        let Ok(request) = read(&mut stream) else { return };
        let who = request.heads.get("authorization").cloned();
        self.asked.lock().unwrap().push((request.path.clone(), who.clone()));
        let answer = if let Some(rest) = request.path.strip_prefix("/moved") {
            let place = format!("https://localhost:{}{rest}?{}", self.port, request.query);
            format!("HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: {place}\r\nContent-Length: 0\r\n")
                .into_bytes()
        } else if who.as_deref() == Some(self.allowed.as_str()) {
            self.backend(&request)
        } else {
            b"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\n".to_vec()
        };
        let end = if answer.windows(4).any(|four| four == b"\r\n\r\n") { "" } else { "\r\n" };
        let stream = stream.get_mut();
        let _ = stream.write_all(&answer).and_then(|()| stream.write_all(end.as_bytes()));
        stream.conn.send_close_notify();
        let _ = stream.flush();
    }

    fn backend(&self, request: &Request) -> Vec<u8> {
        let head = |name: &str| request.heads.get(name).cloned().unwrap_or_default();
        let mut child = Command::new("git")
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("REQUEST_METHOD", &request.method)
            .env("PATH_INFO", &request.path)
            .env("QUERY_STRING", &request.query)
            .env("CONTENT_TYPE", head("content-type"))
            .env("HTTP_CONTENT_ENCODING", head("content-encoding"))
            .env("HTTP_GIT_PROTOCOL", head("git-protocol"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let body = request.body.clone();
        let writer = thread::spawn(move || stdin.write_all(&body));
        let said = child.wait_with_output().unwrap().stdout;
        let _ = writer.join();
        let split = said.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer of CGI");
        let heads = String::from_utf8_lossy(&said[..split]).into_owned();
        let status = heads.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
        let length = said.len() - split - 4;
        let mut answer =
            format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{heads}\r\n\r\n")
                .into_bytes();
        answer.extend_from_slice(&said[split + 4..]);
        answer
    }
}

fn read(stream: &mut impl BufRead) -> std::io::Result<Request> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut heads = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        heads.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = Vec::new();
    if let Some(length) = heads.get("content-length") {
        stream.take(length.parse().unwrap()).read_to_end(&mut body)?;
    } else if heads.get("transfer-encoding").is_some_and(|encoding| encoding == "chunked") {
        loop {
            let mut size = String::new();
            stream.read_line(&mut size)?;
            let size = u64::from_str_radix(size.trim(), 16).unwrap_or(0);
            let mut chunk = Vec::new();
            stream.by_ref().take(size + 2).read_to_end(&mut chunk)?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..chunk.len() - 2]);
        }
    }
    Ok(Request { method, path: path.to_owned(), query: query.to_owned(), heads, body })
}
