//! A real sshd on a free port of loopback, with keys and settings of its own; ended by its id.

use crate::{
    bare::{Bare, key, public},
    port::free_port,
};
use reconcile::{
    source::{Access, Commit, Patience, Remote, Repository, SourceError},
    value::Location,
};
use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

pub struct Sshd {
    folder: TempDir,
    pub bare: Bare,
    pub port: u16,
    process: Child,
}

impl Sshd {
    /// With an Ed25519 host key that is pinned, and a user key that is let in.
    pub fn start() -> Self {
        Self::with("")
    }

    /// As `start`, with more lines of sshd's configuration.
    pub fn with(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path();
        let bare = Bare::in_folder(place);
        key(&place.join("host"), "ed25519");
        key(&place.join("user"), "ed25519");
        fs::copy(place.join("user.pub"), place.join("authorized_keys")).unwrap();
        fs::write(place.join("gitconfig"), "").unwrap();
        let (port, process) = launch(place, lines);
        let sshd = Self { folder, bare, port, process };
        sshd.pin(&public(&sshd.path("host")));
        sshd
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn url(&self) -> String {
        format!("ssh://{}@127.0.0.1:{}{}", user(), self.port, self.bare.path().display())
    }

    /// The name in `known_hosts`.
    pub fn host(&self) -> String {
        format!("[127.0.0.1]:{}", self.port)
    }

    /// Pins a key and no other.
    pub fn pin(&self, key: &str) {
        self.known_hosts(&format!("{} {key}\n", self.host()));
    }

    pub fn known_hosts(&self, text: &str) {
        fs::write(self.path("known_hosts"), text).unwrap();
    }

    /// What git on the server is configured with.
    pub fn git_config(&self, text: &str) {
        fs::write(self.path("gitconfig"), text).unwrap();
    }

    pub fn access(&self) -> Access {
        Access {
            ssh_key: Some(self.path("user")),
            known_hosts: Some(self.path("known_hosts")),
            token_file: None,
            patience: Patience {
                answer: Duration::from_secs(20),
                silence: Duration::from_secs(20),
                whole: Duration::from_secs(60),
                ..Patience::default()
            },
        }
    }

    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    pub fn remote(&self) -> Remote {
        remote(&self.url(), self.access(), &self.state())
    }

    pub fn fetch(&self, reference: Option<&str>) -> Result<(Repository, Commit), SourceError> {
        self.remote().fetch(reference)
    }

    /// The id that a fetch gives.
    #[track_caller]
    pub fn id(&self, reference: Option<&str>) -> String {
        self.fetch(reference).unwrap_or_else(|error| panic!("{}", said(&error))).1.id
    }

    /// What a fetch fails with.
    #[track_caller]
    pub fn refusal(&self) -> SourceError {
        self.fetch(Some("main")).err().expect("the fetch is refused")
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn remote(url: &str, access: Access, state: &Path) -> Remote {
    match url.parse().unwrap() {
        Location::Remote(location) => Remote::new(location, access, state),
        Location::Local(path) => panic!("{} is no remote", path.display()),
    }
}

/// An error with its causes and its hint.
pub fn said(error: &SourceError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    format!("{text}\n{}", error.hint().unwrap_or_default())
}

pub fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn launch(place: &Path, lines: &str) -> (u16, Child) {
    let sshd = "/usr/sbin/sshd";
    assert!(Path::new(sshd).exists(), "there is no {sshd}: run the tests with `make test`");
    // Where sshd puts itself before somebody has logged in.
    let _ = fs::create_dir_all("/run/sshd");
    for _ in 0..5 {
        let port = free_port();
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {0}/host\nAuthorizedKeysFile {0}/authorized_keys\nPidFile none\n\
             UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n\
             StrictModes no\nSetEnv PATH={1} GIT_CONFIG_GLOBAL={0}/gitconfig\n{lines}",
            place.display(),
            std::env::var("PATH").unwrap()
        );
        fs::write(place.join("sshd_config"), config).unwrap();
        let log = fs::File::create(place.join("sshd.log")).unwrap();
        let mut command = Command::new(sshd);
        command.args(["-D", "-e", "-f"]).arg(place.join("sshd_config")).stdin(Stdio::null()).stdout(Stdio::null());
        let mut process = command.stderr(log).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while process.try_wait().unwrap().is_none() {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return (port, process);
            }
            assert!(Instant::now() < deadline, "sshd does not answer");
            thread::sleep(Duration::from_millis(20));
        }
        // Somebody else may have taken the port meanwhile.
    }
    panic!("sshd does not start: {}", fs::read_to_string(place.join("sshd.log")).unwrap());
}
