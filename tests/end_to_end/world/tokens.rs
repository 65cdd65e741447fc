//! A token service, as registries send their users to: it knows one user, and signs what the registry believes.

use super::answering::{Answer, Answering, Asked};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

pub const ISSUER: &str = "the tests";
pub const SERVICE: &str = "the tests' registry";

pub struct Tokens {
    server: Answering,
    folder: TempDir,
}

impl Tokens {
    /// Knows a user by password, and by an identity token.
    pub fn start(user: &str, password: &str, identity_token: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("certificate.pem"));
        run(Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tokens"])
            .args([&"-keyout".into(), &key, &"-out".into(), &certificate]));
        let known = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        let identity_token = identity_token.to_owned();
        let signer = Signer { key, certificate: der(&certificate) };
        let server = Answering::start(move |asked| answer(asked, &known, &identity_token, &signer));
        Self { server, folder }
    }

    pub fn realm(&self) -> String {
        format!("http://{}/token", self.server.address())
    }

    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }
}

fn answer(asked: &Asked, known: &str, identity_token: &str, signer: &Signer) -> Answer {
    let query = asked.path.split_once('?').map_or("", |(_, query)| query);
    let fields = fields(if asked.method == "POST" { &asked.body } else { query });
    let is_known = if asked.method == "POST" {
        fields.get("refresh_token").is_some_and(|token| token == identity_token)
    } else {
        asked.authorization.as_deref() == Some(known)
    };
    if !is_known {
        let told = json!({"errors": [{"code": "UNAUTHORIZED", "message": "incorrect username or password"}]});
        return (401, Vec::new(), told.to_string());
    }
    let token = signer.token(fields.get("scope").map_or("", String::as_str));
    (200, Vec::new(), json!({"token": token, "access_token": token, "expires_in": 600}).to_string())
}

struct Signer {
    key: PathBuf,
    certificate: String,
}

impl Signer {
    /// A JWT that lets its bearer do what was asked for: `repository:team/app:pull,push`.
    fn token(&self, scope: &str) -> String {
        let parts: Vec<&str> = scope.splitn(3, ':').collect();
        let access: Vec<Value> = match parts.as_slice() {
            [kind, name, actions] => {
                vec![json!({"type": kind, "name": name, "actions": actions.split(',').collect::<Vec<_>>()})]
            }
            _ => Vec::new(),
        };
        let now = jiff::Timestamp::now().as_second();
        let head = json!({"typ": "JWT", "alg": "RS256", "x5c": [self.certificate]});
        let body = json!({"iss": ISSUER, "sub": "ci", "aud": SERVICE, "access": access, "jti": "1",
            "iat": now - 60, "nbf": now - 60, "exp": now + 600});
        let signed = format!("{}.{}", part(&head), part(&body));
        let mut openssl = Command::new("openssl")
            .args(["dgst", "-sha256", "-sign"])
            .arg(&self.key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("openssl: `make test` installs it");
        openssl.stdin.take().unwrap().write_all(signed.as_bytes()).unwrap();
        let signature = openssl.wait_with_output().unwrap().stdout;
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A certificate as a JWT carries it: its PEM without the fences.
fn der(certificate: &Path) -> String {
    let pem = fs::read_to_string(certificate).unwrap();
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

fn fields(form: &str) -> BTreeMap<String, String> {
    form.split('&')
        .filter_map(|field| field.split_once('='))
        .map(|(name, value)| (name.to_owned(), plain(value)))
        .collect()
}

fn plain(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let hex = std::str::from_utf8(after.get(..2).unwrap_or_default()).unwrap_or_default();
        match (first, u8::from_str_radix(hex, 16)) {
            (b'%', Ok(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn run(command: &mut Command) {
    let output = command.output().expect("openssl: `make test` installs it");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
