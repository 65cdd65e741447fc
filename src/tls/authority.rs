//! The host's own authority: for names that no public one issues for. Who imports its certificate believes them.

use super::{
    TlsError,
    attempts::later,
    disk::{self, Disk},
    facts::hex,
    wanted::{Provenance, Wanted},
};
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use sha2::{Digest, Sha256};
use std::{path::PathBuf, time::Duration};
use time::OffsetDateTime;

const PLACE: &str = "_authority";
const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// An import is for years.
const OWN_LIFE: Duration = Duration::from_secs(3_652 * DAY.as_secs());
/// As that of a public authority's.
const LEAF_LIFE: Duration = Duration::from_secs(90 * DAY.as_secs());
/// Clocks of others may be behind.
const EARLIER: Duration = Duration::from_secs(3_600);

/// The authority's certificate, where it was made.
pub fn certificate(disk: &Disk) -> Option<PathBuf> {
    disk.current(PLACE).map(|(folder, _)| folder.join(CERTIFICATE))
}

/// What certificates of today's authority come from; none where it is not made yet.
pub fn provenance(disk: &Disk) -> Option<Provenance> {
    disk.current(PLACE).map(|(_, name)| Provenance::of("internal", &name))
}

/// A chain and its key for what is wanted, both PEM. The authority is made where there is none, and anew where it would
/// be over before the certificate.
pub fn issue(disk: &Disk, wanted: &Wanted, now: Timestamp) -> Result<(String, String), TlsError> {
    let authority = {
        let _alone = disk.lock()?;
        match open(disk, now)? {
            Some(authority) => authority,
            None => make(disk, now)?,
        }
    };
    let issued = || {
        let key = KeyPair::generate()?;
        let mut leaf = CertificateParams::new(wanted.names().iter().cloned().collect::<Vec<_>>())?;
        leaf.distinguished_name = rcgen::DistinguishedName::new();
        leaf.not_before = date(now) - EARLIER;
        leaf.not_after = date(now) + LEAF_LIFE;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        Ok((leaf.signed_by(&key, &authority)?.pem(), key.serialize_pem()))
    };
    issued().map_err(|source| TlsError::Making { name: wanted.name().to_string(), source })
}

type Authority = Issuer<'static, KeyPair>;

/// The authority that was made; none where there is none that outlasts another certificate.
fn open(disk: &Disk, now: Timestamp) -> Result<Option<Authority>, TlsError> {
    let Some((folder, _)) = disk.current(PLACE) else { return Ok(None) };
    let damaged = |why: String| TlsError::Damaged { path: disk.path(PLACE), why };
    let read = |file: &str| {
        let path = folder.join(file);
        let content = disk::read(&path).map_err(TlsError::disk("read", &path))?;
        content.ok_or_else(|| damaged(format!("`{file}` is gone")))
    };
    let (certificate, key) = (read(CERTIFICATE)?, read(KEY)?);
    let facts = super::Facts::read(&certificate, &key).map_err(|unfit| damaged(unfit.to_string()))?;
    if facts.not_after < later(now, LEAF_LIFE) {
        tracing::warn!(
            "the host's own authority is over at {}: another is made, which is to be imported",
            facts.not_after
        );
        return Ok(None);
    }
    let opened = || {
        let certificate =
            CertificateDer::from_pem_slice(&certificate).map_err(|_| rcgen::Error::CouldNotParseCertificate)?;
        let key = String::from_utf8(key.clone()).map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
        Issuer::from_ca_cert_der(&certificate, KeyPair::from_pem(&key)?)
    };
    opened().map(Some).map_err(|error| damaged(error.to_string()))
}

fn make(disk: &Disk, now: Timestamp) -> Result<Authority, TlsError> {
    let made = || {
        let key = KeyPair::generate()?;
        let short = hex(&Sha256::digest(key.public_key_raw()))[..8].to_owned();
        let mut own = CertificateParams::default();
        own.distinguished_name = rcgen::DistinguishedName::new();
        own.distinguished_name.push(DnType::OrganizationName, "reconcile");
        own.distinguished_name.push(DnType::CommonName, format!("reconcile {short}"));
        own.not_before = date(now) - EARLIER;
        own.not_after = date(now) + OWN_LIFE;
        own.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        own.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = own.self_signed(&key)?.pem();
        Ok((short, certificate, key.serialize_pem(), Issuer::new(own, key)))
    };
    let made = made().map_err(|source| TlsError::Making { name: "the host's own authority".to_owned(), source })?;
    let (short, certificate, key, issuer) = made;
    disk.keep(PLACE, &short, &[(CERTIFICATE, certificate.as_bytes()), (KEY, key.as_bytes())])?;
    Ok(issuer)
}

fn date(time: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(time.as_second()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
