use super::{
    Attempts, CertificateName, Certificates, Facts, Fault, Held, Origin, Pair, Settings, Standing, Wanted, Window,
};
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, KeyPair, SanType};
use std::collections::BTreeSet;
use tempfile::TempDir;

mod deciding;
mod given;
mod internal;
mod laws;
mod preflights;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The day of every test that needs one.
fn today() -> Timestamp {
    "2026-11-29T12:00:00Z".parse().unwrap()
}

fn name(service: &str) -> CertificateName {
    CertificateName::of(&"production".parse().unwrap(), &"shop".parse().unwrap(), &service.parse().unwrap())
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn wanted(hosts: &[&str], origin: Origin) -> Wanted {
    Wanted::new(name("web"), names(hosts), origin).unwrap()
}

/// Certificates in a folder of their own, and an authority that nobody reaches.
fn certificates() -> (TempDir, Certificates) {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Certificates::open(folder.path().join("certs"), settings());
    (folder, certificates)
}

fn settings() -> Settings {
    Settings {
        directory: "https://127.0.0.1:1/directory".to_owned(),
        email: None,
        ca_file: None,
        preflight: Some(([127, 0, 0, 1], 1).into()),
    }
}

/// A certificate that vouches for itself, and its key.
fn self_signed(hosts: &[&str], from: Timestamp, until: Timestamp) -> (String, KeyPair) {
    let date = |time: Timestamp| time::OffsetDateTime::from_unix_timestamp(time.as_second()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.subject_alt_names = hosts.iter().map(|&host| SanType::DnsName(host.try_into().unwrap())).collect();
    (params.not_before, params.not_after) = (date(from), date(until));
    (params.self_signed(&key).unwrap().pem(), key)
}

/// A pair as a look would find it.
fn held(hosts: &[&str], from: Timestamp, until: Timestamp) -> Held {
    let (chain, key) = self_signed(hosts, from, until);
    let facts = Facts::read(chain.as_bytes(), key.serialize_pem().as_bytes()).unwrap();
    Held::Pair(Pair { facts, chain: "/chain.pem".into(), key: "/key.pem".into(), of_this_authority: true })
}
