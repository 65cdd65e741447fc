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
use document::Item;
use metadata::Metadata;
use walk::Found;

#[cfg(test)]
mod tests;

/// A file that was opened: its values, once for whoever asks for how many of them.
#[derive(Debug)]
pub struct OpenFile {
    document: Item,
    found: Vec<(String, Found)>,
}

/// Decrypts a file. `file` is its name in errors.
///
/// # Errors
/// The file is no SOPS file that is supported, is for others, or was changed.
pub fn open(file: &str, text: &str, identities: &Identities) -> Result<OpenFile, SopsError> {
    let mut document = document::read(file, text)?;
    let metadata = Metadata::take(&mut document)?;
    let data_key = metadata.data_key(identities)?;
    let found = walk::open(&document, &metadata, &data_key)?;
    Ok(OpenFile { document, found })
}

impl OpenFile {
    /// One value: `key` is the keys that lead to it, joined by dots.
    ///
    /// # Errors
    /// The file has no such value.
    pub fn value(&self, key: Option<&str>) -> Result<SecretValue, SopsError> {
        match key {
            Some(wanted) => address::one(&self.document, wanted, &self.found),
            None => Err(SopsError::NoKeyNamed { there: address::all(&self.document) }),
        }
    }
}
