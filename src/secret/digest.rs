//! Keyed digests: that a value changed is told without the value, and nobody without the host's key can guess it.

use super::{SecretValue, key_file};
use crate::value::{AppName, EnvironmentName, SecretName, ServiceName};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;
use std::{fmt, sync::LazyLock};

/// What every message begins with: digests of another kind are none of these.
const DOMAIN: &str = "reconcile/secret/v1";
/// 128 bits of the digest are kept.
const KEPT: usize = 16;
/// Bytes of a key.
pub const KEY_LENGTH: usize = 32;

/// The host's own key.
#[derive(Clone, Debug)]
pub struct HostKey(SecretSlice<u8>);

impl HostKey {
    /// Takes the bytes of a key over.
    #[must_use]
    pub fn new(bytes: [u8; KEY_LENGTH]) -> Self {
        Self(bytes.to_vec().into())
    }

    /// Tells one key from another, and nothing of it.
    #[must_use]
    pub fn id(&self) -> String {
        hex(&self.mac(&[b"reconcile/host-key/v1"]), 4)
    }

    /// The digest of a value as one service has it: the same value elsewhere has another.
    #[must_use]
    pub fn digest(&self, place: &Place<'_>, name: &SecretName, value: &SecretValue) -> String {
        let Place { environment, app, service } = place;
        let parts: [&[u8]; 6] = [
            DOMAIN.as_bytes(),
            environment.as_str().as_bytes(),
            app.as_str().as_bytes(),
            service.as_str().as_bytes(),
            name.as_str().as_bytes(),
            value.expose(),
        ];
        hex(&self.mac(&parts), KEPT)
    }

    /// The parts with a zero byte between each two; names have none, and the value comes last.
    fn mac(&self, parts: &[&[u8]]) -> Vec<u8> {
        // HMAC takes a key of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()) else { return Vec::new() };
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                mac.update(&[0]);
            }
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }
}

/// Tells one value from another while this process lasts, and nothing of either: its key is drawn at the first use and
/// written nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of a value; none where the system gives no key.
    #[must_use]
    pub fn of(value: &SecretValue) -> Option<Self> {
        static KEY: LazyLock<Option<HostKey>> = LazyLock::new(|| key_file::passing().ok());
        let mac = KEY.as_ref()?.mac(&[b"reconcile/fingerprint/v1", value.expose()]);
        Some(Self(hex(&mac, KEPT)))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

/// Who has a secret.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub environment: &'a EnvironmentName,
    pub app: &'a AppName,
    pub service: &'a ServiceName,
}

fn hex(bytes: &[u8], kept: usize) -> String {
    bytes.iter().take(kept).map(|byte| format!("{byte:02x}")).collect()
}
