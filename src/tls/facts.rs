//! What a certificate says, and whether a key is its own.

use jiff::Timestamp;
use rustls::{
    InconsistentKeys,
    crypto::ring::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use x509_parser::{
    certificate::X509Certificate,
    extensions::GeneralName,
    prelude::{ASN1Time, FromDer},
};

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The DNS names it is for, lower case.
    pub names: BTreeSet<String>,
    /// From when it is good.
    pub not_before: Timestamp,
    /// Until when it is good.
    pub not_after: Timestamp,
    /// Who issued it, as `CN=…, O=…`.
    pub issuer: String,
    /// SHA-256 of the certificate itself, in hex: what a server shows can be compared with it.
    pub fingerprint: String,
    /// SHA-256 of all that is shown with it, in hex: another one is another file for the proxy.
    pub digest: String,
}

/// Why a certificate and a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("there is no certificate in it, PEM is expected")]
    NoCertificate,
    #[error("its certificate cannot be read")]
    BadCertificate,
    #[error("there is no private key with it, PEM without a passphrase is expected")]
    NoKey,
    #[error("its private key is of no kind that is known: RSA, ECDSA on P-256 or P-384, Ed25519")]
    BadKey,
    #[error("the private key is of another certificate than the first one of the chain")]
    KeyDiffers,
}

impl Facts {
    /// Reads a chain and the key of its first certificate, both PEM.
    ///
    /// # Errors
    /// One of them is missing or cannot be understood; the key is of another certificate.
    pub fn read(chain: &[u8], key: &[u8]) -> Result<Self, Unfit> {
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(|_| Unfit::BadCertificate)?;
        let facts = Self::of(&chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| Unfit::NoKey)?;
        let key = any_supported_type(&key).map_err(|_| Unfit::BadKey)?;
        match CertifiedKey::new(chain, key).keys_match() {
            Ok(()) => Ok(facts),
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(Unfit::KeyDiffers),
            Err(_) => Err(Unfit::BadCertificate),
        }
    }

    /// What the first certificate of a chain says.
    ///
    /// # Errors
    /// There is none, or it cannot be understood.
    pub fn of(chain: &[CertificateDer<'_>]) -> Result<Self, Unfit> {
        let first = chain.first().ok_or(Unfit::NoCertificate)?;
        let (_, certificate) = X509Certificate::from_der(first).map_err(|_| Unfit::BadCertificate)?;
        let validity = certificate.validity();
        Ok(Self {
            names: names(&certificate)?,
            not_before: moment(validity.not_before)?,
            not_after: moment(validity.not_after)?,
            issuer: certificate.issuer().to_string(),
            fingerprint: hex(&Sha256::digest(first)),
            digest: hex(&chain.iter().fold(Sha256::new(), |digest, one| digest.chain_update(one)).finalize()),
        })
    }

    /// Those of some names that it is not for.
    #[must_use]
    pub fn uncovered(&self, wanted: &BTreeSet<String>) -> BTreeSet<String> {
        wanted.iter().filter(|name| !self.names.iter().any(|own| covers(own, name))).cloned().collect()
    }
}

/// Whether a name in a certificate is good for a host, or for a wildcard that is wanted: `*.` stands for one label.
#[must_use]
pub fn covers(own: &str, host: &str) -> bool {
    let below = |parent: &str| host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent);
    own == host || own.strip_prefix("*.").is_some_and(|parent| !host.starts_with("*.") && below(parent))
}

fn names(certificate: &X509Certificate<'_>) -> Result<BTreeSet<String>, Unfit> {
    let alternatives = certificate.subject_alternative_name().map_err(|_| Unfit::BadCertificate)?;
    let listed = alternatives.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
    let dns = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    };
    Ok(listed.iter().filter_map(dns).collect())
}

fn moment(time: ASN1Time) -> Result<Timestamp, Unfit> {
    Timestamp::from_second(time.timestamp()).map_err(|_| Unfit::BadCertificate)
}

/// Bytes in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
