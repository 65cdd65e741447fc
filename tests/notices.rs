//! Notices over TLS: only to whom an authority of this system vouches for.
//!
//! The authorities are the process's own matter, so each case runs in a process of its own: this test again.

use reconcile::{
    host::{self, Event},
    notice::{CommitState, Counts, News, Notices, Pace, Tidings},
};
use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::mpsc,
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

const CHILD: &str = "RECONCILE_TEST_NOTIFY";
const LONG: Duration = Duration::from_secs(20);

/// An authority, and a server that it vouches for, as files in a folder of its own.
struct Authority(PathBuf);

impl Authority {
    fn made(folder: PathBuf) -> Self {
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
        let openssl = |words: &str| {
            let made = Command::new("openssl").current_dir(&folder).args(words.split(' ')).output().unwrap();
            assert!(made.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&made.stderr));
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        openssl(&format!("req -x509 {key} -keyout ca.key -out ca.crt -subj /CN=authority -days 2"));
        openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"));
        openssl(
            "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt",
        );
        Self(folder)
    }

    fn acceptor(&self) -> TlsAcceptor {
        let chain = CertificateDer::pem_file_iter(self.0.join("server.crt")).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(self.0.join("server.key")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

#[derive(Clone, Copy, Debug)]
enum Speaks {
    Http,
    Mail,
    /// Mail that becomes TLS when it is asked to.
    PlainMail,
}

/// Serves one connection after the other, and tells each line that was heard under TLS.
async fn server(speaks: Speaks, acceptor: TlsAcceptor) -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, lines) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if matches!(speaks, Speaks::PlainMail) && mail(&mut stream, None).await.is_none() {
                continue;
            }
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            match speaks {
                Speaks::Http => http(&mut stream, &heard).await,
                Speaks::Mail => {
                    stream.write_all(b"220 localhost\r\n").await.unwrap();
                    mail(&mut stream, Some(&heard)).await;
                }
                Speaks::PlainMail => {
                    mail(&mut stream, Some(&heard)).await;
                }
            }
        }
    });
    (port, lines)
}

async fn http(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), heard: &mpsc::UnboundedSender<String>) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await.unwrap_or(0) > 0 {}
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.unwrap();
    let _ = heard.send(String::from_utf8(body).unwrap());
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await.unwrap();
    let _ = stream.shutdown().await;
}

/// Speaks mail until the end, or until TLS is to begin, which only those who tell nobody offer; then some.
async fn mail(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    heard: Option<&mpsc::UnboundedSender<String>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    if heard.is_none() {
        stream.write_all(b"220 localhost\r\n").await.ok()?;
    }
    let mut in_data = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        let word = line.split([' ', ':']).next().unwrap_or_default();
        let answer = match (in_data, word) {
            (true, ".") => "250 kept",
            (true, _) => "",
            (false, "EHLO") if heard.is_none() => "250-localhost\r\n250 STARTTLS",
            (false, "STARTTLS") => "220 go on",
            (false, "DATA") => "354 go on",
            (false, "QUIT") => "221 bye",
            (false, _) => "250 yes",
        };
        in_data = if in_data { word != "." } else { word == "DATA" };
        if !answer.is_empty() {
            stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        }
        if word == "STARTTLS" && !in_data {
            return Some(());
        }
        if let Some(heard) = heard {
            let _ = heard.send(line);
        }
    }
}

/// What the process of one case does: it tells once, and says what became of it.
async fn tell_once(notify: &str) -> Counts {
    let targets = host::read("h.yaml", notify).unwrap().settings.notify;
    let notices = Notices::begin(&targets, "alpha", Pace { tries: 1, try_for: LONG, ..Pace::default() });
    let lost = Tidings::source_lost("a test", jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(lost.event, Event::SourceLost);
    notices.tell(News::Tidings(Box::new(lost)));
    let told = async {
        while notices.counts() == Counts::default() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, told).await.expect("a notice is sent or given up");
    notices.counts()
}

/// The same in a process that trusts one authority and no other.
fn told_by_a_process_that_trusts(authority: &Path, notify: &str) -> String {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "tls_is_spoken_only_with_whom_an_authority_vouches_for", "--nocapture"])
        .env(CHILD, notify)
        .env("SSL_CERT_FILE", authority)
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said.lines().find_map(|line| line.split_once("told: ")).map(|(_, told)| told.to_owned()).unwrap_or(said)
}

/// Everything that is logged, at the lowest level, libraries included.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_secret_of_a_target_is_logged_whatever_goes_wrong() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).init();
    let folder = tempfile::tempdir().unwrap();
    let secret = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    };
    // Nobody listens at one port, and at the other nobody says anything sensible.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let babbler = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let babble = babbler.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in babbler.incoming().flatten() {
            let _ = std::io::Write::write_all(&mut stream, b"999 hello\r\n\r\n");
        }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let at = "from: a@example.com, to: [b@example.com]";
    for port in [nobody, babble] {
        let url_file = secret("url", &format!("http://127.0.0.1:{port}/canary?canary\n"));
        let (password, token) = (secret("password", "canary\n"), secret("token", "canary\n"));
        let notify = format!(
            "\
notify:
  - webhook: {{url_file: {url_file}}}
  - webhook: {{url: \"http://127.0.0.1:{port}/canary\"}}
  - webhook: {{url: \"https://127.0.0.1:{port}/canary\"}}
  - email: {{server: localhost, port: {port}, tls: \"off\", username: a, password_file: {password}, {at}}}
  - email: {{server: localhost, port: {port}, tls: tls, username: a, password_file: {password}, {at}}}
  - commit_status: {{forge: gitlab, api: \"http://127.0.0.1:{port}\", repository: a/b, token_file: {token}}}
"
        );
        let targets = host::read("h.yaml", &notify).unwrap().settings.notify;
        runtime.block_on(async {
            let notices = Notices::begin(&targets, "alpha", Pace { tries: 1, try_for: LONG, ..Pace::default() });
            notices.tell(News::Tidings(Box::new(Tidings::source_lost("a test", jiff::Timestamp::UNIX_EPOCH))));
            notices.tell(News::Commit(CommitState::pending(&"production".parse().unwrap(), "0123")));
            let told = async {
                while notices.counts().failed < 6 {
                    tokio::task::yield_now().await;
                }
            };
            timeout(LONG, told).await.unwrap_or_else(|_| panic!("{:?}", notices.counts()));
        });
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("a notice was not delivered").count(), 12, "{log}");
    assert!(!log.contains("canary") && !log.contains("Y2FuYXJ5"), "{log}");
}

#[test]
fn tls_is_spoken_only_with_whom_an_authority_vouches_for() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    if let Ok(notify) = env::var(CHILD) {
        let counts = runtime.block_on(tell_once(&notify));
        println!("told: {} sent, {} failed", counts.sent, counts.failed);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::made(folder.path().join("ours"));
    let other = Authority::made(folder.path().join("other"));
    let webhook = |port| format!("notify: [{{webhook: {{url: \"https://localhost:{port}/hook\"}}}}]");
    let mail = |port, tls| {
        let fields = "from: a@example.com, to: [b@example.com]";
        format!("notify: [{{email: {{server: localhost, port: {port}, tls: {tls}, {fields}}}}}]")
    };
    for speaks in [Speaks::Http, Speaks::Mail, Speaks::PlainMail] {
        let (port, mut lines) = runtime.block_on(server(speaks, ours.acceptor()));
        let notify = match speaks {
            Speaks::Http => webhook(port),
            Speaks::Mail => mail(port, "tls"),
            Speaks::PlainMail => mail(port, "starttls"),
        };
        let told = told_by_a_process_that_trusts(&other.0.join("ca.crt"), &notify);
        assert_eq!(told, "0 sent, 1 failed", "{speaks:?}");
        assert!(lines.try_recv().is_err(), "{speaks:?}: something was said to a stranger");
        let told = told_by_a_process_that_trusts(&ours.0.join("ca.crt"), &notify);
        assert_eq!(told, "1 sent, 0 failed", "{speaks:?}");
        let heard: Vec<String> = std::iter::from_fn(|| lines.try_recv().ok()).collect();
        assert!(heard.concat().contains("the repository does not answer: a test"), "{speaks:?}: {heard:?}");
    }
}
