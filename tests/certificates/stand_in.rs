//! A small authority that answers as a test wants it to: for what `pebble` cannot say.

use rcgen::{BasicConstraints, CertificateParams, CertificateSigningRequestParams, IsCa, Issuer, KeyPair, SanType};
use serde_json::{Value, json};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer, pem::PemObject},
    },
};

/// An answer: a status, headers beside the usual ones, a body.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Answer {
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: vec![("content-type", "application/json".to_owned())], body: body.to_string() }
    }

    /// A problem, by the end of its kind.
    pub fn problem(status: u16, kind: &str, detail: &str) -> Self {
        Self::json(
            status,
            &json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail, "status": status}),
        )
    }

    pub fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }
}

/// What a test wants otherwise, by path and payload; none is the usual answer.
type Otherwise = Box<dyn Fn(&str, &Value) -> Option<Answer> + Send>;

/// The authority.
#[derive(Clone)]
pub struct StandIn {
    address: SocketAddr,
    root: PathBuf,
    issuer: Arc<(Issuer<'static, KeyPair>, String)>,
    otherwise: Arc<Mutex<Otherwise>>,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    issued: Arc<Mutex<String>>,
    /// What it issues for, whatever was ordered.
    pub instead: Arc<Mutex<Option<String>>>,
}

impl StandIn {
    pub async fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let own = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::IpAddress(address.ip())];
        let certificate = params.self_signed(&own).unwrap().pem();
        let root = folder.join("stand-in.pem");
        fs::write(&root, &certificate).unwrap();
        let key = PrivateKeyDer::from_pem_slice(own.serialize_pem().as_bytes()).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let stand_in = Self {
            address,
            root,
            issuer: Arc::new((Issuer::new(params, key), pem)),
            otherwise: Arc::new(Mutex::new(Box::new(|_, _| None))),
            asked: Arc::default(),
            issued: Arc::default(),
            instead: Arc::default(),
        };
        let (served, acceptor) = (stand_in.clone(), TlsAcceptor::from(Arc::new(config)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (served, acceptor) = (served.clone(), acceptor.clone());
                tokio::spawn(async move { served.serve(stream, &acceptor).await });
            }
        });
        stand_in
    }

    pub fn directory(&self) -> String {
        format!("https://{}/directory", self.address)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn answer(&self, otherwise: impl Fn(&str, &Value) -> Option<Answer> + Send + 'static) {
        *self.otherwise.lock().unwrap() = Box::new(otherwise);
    }

    /// What was said to it at a path.
    pub fn asked(&self, path: &str) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(at, _)| at == path).map(|(_, payload)| payload.clone()).collect()
    }

    async fn serve(&self, stream: TcpStream, acceptor: &TlsAcceptor) {
        // Who does not like the certificate goes away.
        let Ok(stream) = acceptor.accept(stream).await else { return };
        let mut stream = BufReader::new(stream);
        loop {
            let (mut request, mut length, mut line) = (String::new(), 0, String::new());
            while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) && !line.trim().is_empty() {
                if request.is_empty() {
                    request.clone_from(&line);
                } else if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let Some(path) = request.split(' ').nth(1) else { return };
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            let payload = payload(&body);
            self.asked.lock().unwrap().push((path.to_owned(), payload.clone()));
            let answer = (self.otherwise.lock().unwrap())(path, &payload);
            let answer = answer.unwrap_or_else(|| self.usual(path, &payload));
            let mut head =
                format!("HTTP/1.1 {} x\r\nreplay-nonce: n\r\ncontent-length: {}\r\n", answer.status, answer.body.len());
            answer.headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
            let body = if request.starts_with("HEAD ") { "" } else { &answer.body };
            if stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.is_err() {
                return;
            }
        }
    }

    /// Believes everything, and issues at once.
    fn usual(&self, path: &str, payload: &Value) -> Answer {
        let at = |place: &str| format!("https://{}{place}", self.address);
        let order = |status: &str| {
            json!({"status": status, "authorizations": [at("/authorization")], "finalize": at("/finalize"),
                "identifiers": [], "certificate": at("/certificate"), "replaces": payload.get("replaces")})
        };
        match path {
            "/directory" => Answer::json(
                200,
                &json!({"newNonce": at("/nonce"), "newAccount": at("/accounts"), "newOrder": at("/orders"),
                    "renewalInfo": at("/renewal")}),
            ),
            "/nonce" => Answer::json(200, &json!({})),
            "/accounts" => Answer::json(201, &json!({"status": "valid"})).with("location", at("/account")),
            "/account" => Answer::json(200, &json!({"status": "valid"})),
            "/orders" => Answer::json(201, &order("ready")).with("location", at("/order")),
            "/order" if self.issued.lock().unwrap().is_empty() => Answer::json(200, &order("ready")),
            "/order" => Answer::json(200, &order("valid")),
            "/authorization" => Answer::json(200, &authorization("valid")),
            "/finalize" => {
                *self.issued.lock().unwrap() = self.issue(payload);
                Answer::json(200, &order("valid"))
            }
            "/certificate" => {
                let body = std::mem::take(&mut *self.issued.lock().unwrap());
                Answer { status: 200, headers: Vec::new(), body }
            }
            other => Answer::problem(404, "malformed", &format!("there is no {other}")),
        }
    }

    fn issue(&self, payload: &Value) -> String {
        let request = base64(payload["csr"].as_str().unwrap());
        let request = CertificateSigningRequestDer::from(request);
        let mut request = CertificateSigningRequestParams::from_der(&request).unwrap();
        let now = time::OffsetDateTime::from_unix_timestamp(jiff::Timestamp::now().as_second()).unwrap();
        request.params.not_before = now - std::time::Duration::from_secs(3_600);
        request.params.not_after = now + std::time::Duration::from_secs(90 * 24 * 3_600);
        request.params.use_authority_key_identifier_extension = true;
        if let Some(instead) = self.instead.lock().unwrap().as_deref() {
            request.params.subject_alt_names = vec![SanType::DnsName(instead.try_into().unwrap())];
        }
        format!("{}{}", request.signed_by(&self.issuer.0).unwrap().pem(), self.issuer.1)
    }
}

/// An authorization in some state.
pub fn authorization(status: &str) -> Value {
    json!({"status": status, "identifier": {"type": "dns", "value": "shop.example.com"}, "challenges": []})
}

fn payload(body: &[u8]) -> Value {
    let Ok(signed) = serde_json::from_slice::<Value>(body) else { return Value::Null };
    serde_json::from_slice(&base64(signed["payload"].as_str().unwrap_or_default())).unwrap_or_default()
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}
