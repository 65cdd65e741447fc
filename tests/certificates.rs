//! Certificates of a real ACME authority, Debian's `pebble`: what is asked of it, what it issues, and what happens when
//! it does not.

#[path = "certificates/advised.rs"]
mod advised;
#[path = "certificates/authority.rs"]
mod authority;
#[path = "certificates/issued.rs"]
mod issued;
#[path = "nginx/port.rs"]
mod port;
#[path = "certificates/proxy.rs"]
mod proxy;
#[path = "certificates/refused.rs"]
mod refused;
#[path = "certificates/stand_in.rs"]
mod stand_in;

use reconcile::tls::{CertificateName, Certificates, Origin, Settings, Wanted};
use std::{net::SocketAddr, path::Path};

/// A certificate of the authority for some names.
pub fn wanted(hosts: &[&str]) -> Wanted {
    let [environment, app, service] = ["production", "shop", "web"];
    let name = CertificateName::of(&environment.parse().unwrap(), &app.parse().unwrap(), &service.parse().unwrap());
    Wanted::new(name, hosts.iter().map(|&host| host.to_owned()).collect(), Origin::Acme).unwrap()
}

/// The certificates in a folder, of the authority at a directory that `root` vouches for.
pub fn certificates(folder: &Path, directory: &str, root: &Path, proxy: SocketAddr) -> Certificates {
    let settings = Settings {
        directory: directory.to_owned(),
        email: Some("ops@example.com".to_owned()),
        ca_file: Some(root.to_owned()),
        preflight: Some(proxy),
    };
    Certificates::open(folder.join("certs"), settings)
}

/// What `openssl` says.
pub fn openssl(arguments: &[&str]) -> String {
    let output = std::process::Command::new("openssl").args(arguments).output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
