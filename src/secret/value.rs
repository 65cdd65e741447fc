//! A secret's value.

use secrecy::{ExposeSecret, SecretSlice};
use std::fmt;
use subtle::ConstantTimeEq;

/// Bytes that nobody prints, and that are wiped when the last holder is gone.
#[derive(Clone)]
pub struct SecretValue(SecretSlice<u8>);

impl SecretValue {
    /// Takes the bytes over.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }

    /// The bytes themselves: for the effect that writes them, and for their digest.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// As text without the end of its last line, as people write files; none where it is no text.
    #[must_use]
    pub fn line(&self) -> Option<&str> {
        let text = std::str::from_utf8(self.expose()).ok()?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        Some(text.strip_suffix('\r').unwrap_or(text))
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}

impl PartialEq for SecretValue {
    fn eq(&self, other: &Self) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

impl Eq for SecretValue {}
