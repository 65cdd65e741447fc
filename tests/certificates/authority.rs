//! Debian's `pebble`, an ACME authority for tests, and the name server it asks.

use super::openssl;
use crate::port::free_port;
use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// An authority that runs until it is dropped.
pub struct Authority {
    folder: PathBuf,
    ports: Ports,
    pebble: Child,
    names: Child,
}

/// What listens where.
#[derive(Clone, Copy)]
struct Ports {
    directory: u16,
    management: u16,
    names: u16,
    names_management: u16,
    /// Where names lead to.
    proxy: u16,
}

impl Authority {
    /// An authority whose certificates are good for so long, and by whose names a proxy is reached.
    pub fn start(folder: &Path, proxy: SocketAddr, validity: Duration) -> Self {
        let folder = folder.join("authority");
        fs::create_dir_all(&folder).unwrap();
        let (key, certificate) = (folder.join("key.pem"), folder.join("ca.pem"));
        let (key_text, certificate_text) = (key.to_str().unwrap(), certificate.to_str().unwrap());
        let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=pebble \
                       -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1 -keyout";
        let mut arguments: Vec<_> = request.split_whitespace().collect();
        arguments.extend([key_text, "-out", certificate_text]);
        openssl(&arguments);
        // Another process may take a port before it is listened on: others are tried then.
        for _ in 0..20 {
            let ports = Ports {
                directory: free_port(),
                management: free_port(),
                names: free_port(),
                names_management: free_port(),
                proxy: proxy.port(),
            };
            let config = serde_json::json!({"pebble": {
                "listenAddress": format!("127.0.0.1:{}", ports.directory),
                "managementListenAddress": format!("127.0.0.1:{}", ports.management),
                "certificate": certificate, "privateKey": key, "httpPort": ports.proxy, "tlsPort": 1,
                "ocspResponderURL": "", "externalAccountBindingRequired": false,
                "certificateValidityPeriod": validity.as_secs(),
                "domainBlocklist": ["blocked.example.com"],
            }});
            fs::write(folder.join("pebble.json"), config.to_string()).unwrap();
            let (pebble, names) = (pebble(&folder, ports), names(&folder, ports));
            let mut authority = Self { folder: folder.clone(), ports, pebble, names };
            if authority.is_up() {
                return authority;
            }
        }
        panic!("no free ports, or no pebble: {}", fs::read_to_string(folder.join("pebble.log")).unwrap_or_default());
    }

    pub fn directory(&self) -> String {
        format!("https://127.0.0.1:{}/dir", self.ports.directory)
    }

    /// Who vouches for the directory itself.
    pub fn root(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// What it says of its work.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("pebble.log")).unwrap()
    }

    /// How many orders it was given.
    pub fn orders(&self) -> usize {
        self.log().lines().filter(|line| line.contains("Added order")).count()
    }

    /// How many accounts it made.
    pub fn accounts(&self) -> usize {
        self.log().lines().filter(|line| line.contains("There are now") && line.contains("accounts in memory")).count()
    }

    pub fn stop(&mut self) {
        self.pebble.kill().unwrap();
        self.pebble.wait().unwrap();
    }

    /// Another takes its place, which knows nobody.
    pub fn start_anew(&mut self) {
        self.stop();
        self.pebble = pebble(&self.folder, self.ports);
        assert!(self.is_up(), "{}", self.log());
    }

    /// Waits until both answer; false where one of them ended.
    fn is_up(&mut self) -> bool {
        let answers = |port: u16| TcpStream::connect(("127.0.0.1", port)).is_ok();
        loop {
            if self.pebble.try_wait().unwrap().is_some() || self.names.try_wait().unwrap().is_some() {
                return false;
            }
            let Ports { directory, management, names_management, .. } = self.ports;
            if answers(directory) && answers(management) && answers(names_management) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        for child in [&mut self.pebble, &mut self.names] {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn pebble(folder: &Path, ports: Ports) -> Child {
    let log = fs::File::create(folder.join("pebble.log")).unwrap();
    Command::new("pebble")
        .args(["-config", folder.join("pebble.json").to_str().unwrap()])
        .args(["-dnsserver", &format!("127.0.0.1:{}", ports.names)])
        .envs([("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "0"), ("PEBBLE_AUTHZREUSE", "0")])
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("pebble is installed: `make tools`")
}

fn names(folder: &Path, ports: Ports) -> Child {
    let log = fs::File::create(folder.join("names.log")).unwrap();
    Command::new("pebble-challtestsrv")
        .args(["-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", ""])
        .args(["-dns01", &format!("127.0.0.1:{}", ports.names)])
        .args(["-management", &format!("127.0.0.1:{}", ports.names_management)])
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("pebble is installed: `make tools`")
}
