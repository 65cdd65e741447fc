//! A registry of a story's own: Debian's docker-registry on loopback, with a user, or behind a token service.

use super::{Engine, tokens, tokens::Tokens, wait::until};
use crate::port::free_port;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use std::{
    fs::{self, File},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

pub const USER: &str = "ci";
/// In base64 of either alphabet it is another text: `?>~` is what tells the two apart.
pub const PASSWORD: &str = "s3cret-canary?>~?>~";

/// Ends at once when it is told to.
const SLEEPS: &str = r#"["sh", "-c", "trap 'exit 0' TERM; sleep 36000 & wait"]"#;

pub struct Registry {
    folder: TempDir,
    port: u16,
    server: Option<Child>,
}

impl Registry {
    /// One that knows its user by a file of htpasswd.
    pub fn with_user() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new("htpasswd").args(["-Bbn", USER, PASSWORD]).output();
        let output = output.expect("htpasswd: `make test` installs it");
        fs::write(folder.path().join("htpasswd"), output.stdout).unwrap();
        let auth = format!("htpasswd: {{realm: tests, path: {}}}", folder.path().join("htpasswd").display());
        Self::begin(folder, &auth)
    }

    /// One that sends everybody to a token service.
    pub fn behind(tokens: &Tokens) -> Self {
        let auth = format!(
            "token: {{realm: \"{}\", service: \"{}\", issuer: \"{}\", rootcertbundle: {}}}",
            tokens.realm(),
            tokens::SERVICE,
            tokens::ISSUER,
            tokens.certificate().display()
        );
        Self::begin(tempfile::tempdir().unwrap(), &auth)
    }

    fn begin(folder: TempDir, auth: &str) -> Self {
        // Free now; should somebody be faster, the registry does not come up and the story says so.
        let port = free_port();
        let settings = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"127.0.0.1:{port}\"}}\nauth: {{{auth}}}\n",
            folder.path().join("store").display()
        );
        fs::write(folder.path().join("settings.yml"), settings).unwrap();
        let mut registry = Self { folder, port, server: None };
        registry.start();
        registry
    }

    /// Starts it, and waits until it listens.
    pub fn start(&mut self) {
        let log = File::create(self.folder.path().join("log")).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(self.folder.path().join("settings.yml"));
        let server = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        self.server = Some(server.expect("docker-registry: `make test` installs it"));
        until("the registry listens", 60, || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// An image's name here.
    pub fn name(&self, image: &str) -> String {
        format!("{}/team/{image}", self.address())
    }

    /// Writes a login file as `docker login` does, into a folder.
    pub fn login(&self, folder: &Path, password: &str) {
        let auth = STANDARD.encode(format!("{USER}:{password}"));
        self.login_entry(folder, &json!({"auth": auth}));
    }

    pub fn login_entry(&self, folder: &Path, entry: &serde_json::Value) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("config.json"), json!({"auths": {self.address(): entry}}).to_string()).unwrap();
    }

    /// Makes an image that says a word and puts it here; tells its digest. The Docker that all stories share makes it, and
    /// keeps nothing of it.
    pub fn push(&self, image: &str, word: &str) -> String {
        let (name, folder) = (self.name(image), tempfile::tempdir().unwrap());
        // The label makes it another image than that of any other story that says the same.
        let lines = format!("FROM bb:1\nLABEL {}\nENV WORD={word}\nCMD {SLEEPS}\n", self.label());
        fs::write(folder.path().join("Dockerfile"), lines).unwrap();
        let docker = Engine::Docker;
        docker.ask(&["build", "-q", "-t", &name, folder.path().to_str().unwrap()]);
        let logins: PathBuf = folder.path().join("logins");
        self.login(&logins, PASSWORD);
        let mut push = Command::new("docker");
        push.arg("--config").arg(&logins).args(["--host", &docker.address(), "push", "-q", &name]);
        let output = push.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let digests = docker.ask(&["inspect", "--format", "{{join .RepoDigests \" \"}}", &name]);
        let digest = digests.split(['@', ' ']).find(|part| part.starts_with("sha256:")).expect("a digest").to_owned();
        docker.ask(&["rmi", "-f", &name]);
        digest
    }
}

impl Registry {
    fn label(&self) -> String {
        format!("reconcile.test.registry={}", self.folder.path().display())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop();
        // What was pulled from here onto the Docker that all stories share; a Podman of the story's own goes as a whole.
        let filter = format!("label={}", self.label());
        let images = Engine::Docker.try_ask(&["images", "-q", "--no-trunc", "--filter", &filter]);
        for id in String::from_utf8_lossy(&images.stdout).lines() {
            Engine::Docker.try_ask(&["rmi", "-f", id]);
        }
    }
}
