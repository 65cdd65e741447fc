//! SOPS files: several secrets under their keys, each value sealed for itself, and a MAC over all of them.
//!
//! A reader of our own for YAML and JSON with age recipients. A value is `ENC[AES256_GCM,data:,iv:,tag:,type:]`, bound to
//! its place by the keys that lead to it; the MAC is the SHA-512 of all plain values in the order of the file, sealed
//! with the time of the last change (research, trust §1). What is not read is refused by name: what a file says and what
//! we do are never two things.
//!
//! The MAC covers values, not keys, and not how values follow one another; so nothing is given out that was not sealed
//! under the very path that was asked for.

mod address;
mod cipher;
mod document;
mod error;
mod metadata;
mod selection;
mod walk;

pub use error::SopsError;

use super::{SecretValue, age::Identities};
use metadata::Metadata;

#[cfg(test)]
mod tests;

/// Decrypts one value of a file. `file` is its name in errors; `key` the keys that lead to the value, joined by dots.
///
/// # Errors
/// The file is no SOPS file that is supported, is for others, or was changed; it has no such value.
pub fn open(file: &str, text: &str, key: Option<&str>, identities: &Identities) -> Result<SecretValue, SopsError> {
    let mut document = document::read(file, text)?;
    let metadata = Metadata::take(&mut document)?;
    let Some(wanted) = key else {
        return Err(SopsError::NoKeyNamed { there: address::all(&document) });
    };
    let data_key = metadata.data_key(identities)?;
    let found = walk::open(&document, &metadata, &data_key, wanted)?;
    address::one(&document, wanted, found)
}
