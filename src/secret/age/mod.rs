//! `age` files: one secret each, encrypted whole, binary or armoured (age-encryption.org/v1).
//!
//! Only X25519 keys open them: they need neither a person at the keyboard nor another program. Anyone who knows a
//! recipient can make a valid file, so a file is believed because its commit is, not because it can be opened.

mod error;
mod flow;
mod header;
mod identity;
mod recipient;

pub use error::AgeError;
pub use flow::{Opening, Sealing};
pub use header::{Kind, kinds};
pub use identity::{Identities, IdentityError};
pub use recipient::{BadRecipient, Recipient, seal};

use super::SecretValue;
use ::age::{DecryptError, Decryptor, armor::ArmoredReader};
use secrecy::zeroize::Zeroizing;
use std::io::{self, Read};

#[cfg(test)]
mod tests;

/// How an armoured file begins.
pub const ARMOR: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
/// How a binary file begins.
pub const MAGIC: &str = "age-encryption.org/v1";

/// Whether this is an age file, by how it begins.
#[must_use]
pub fn is_sealed(content: &[u8]) -> bool {
    content.starts_with(MAGIC.as_bytes()) || content.starts_with(ARMOR.as_bytes())
}

/// Decrypts a whole file.
///
/// # Errors
/// It is for others, or of a kind that is not supported; it was changed; it holds nothing.
pub fn open(content: &[u8], identities: &Identities) -> Result<SecretValue, AgeError> {
    let binary = dearmored(content).map_err(|error| AgeError::Damaged { source: DecryptError::Io(error) })?;
    let kinds = kinds(&binary);
    if kinds.contains(&Kind::Passphrase) {
        return Err(AgeError::Passphrase);
    }
    if !kinds.is_empty() && !kinds.contains(&Kind::X25519) {
        return Err(AgeError::NoX25519 { kinds });
    }
    let mut value = Zeroizing::new(Vec::new());
    match decrypt(&binary, identities, &mut value) {
        Ok(_) if value.is_empty() => Err(AgeError::Empty),
        // A copy of exactly its size; the buffer is wiped.
        Ok(_) => Ok(SecretValue::new(value.to_vec())),
        Err(DecryptError::NoMatchingKeys) => Err(AgeError::NotForUs),
        Err(source) => Err(AgeError::Damaged { source }),
    }
}

fn decrypt(binary: &[u8], identities: &Identities, into: &mut Vec<u8>) -> Result<usize, DecryptError> {
    // All of it fits: what was encrypted is longer. A buffer that grows would leave copies behind.
    into.reserve_exact(binary.len());
    let mut reader = Decryptor::new_buffered(binary)?.decrypt(identities.each())?;
    reader.read_to_end(into).map_err(DecryptError::Io)
}

/// The bytes beneath the armour; a binary file is that already.
///
/// # Errors
/// The armour is broken.
pub fn dearmored(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut binary = Vec::new();
    ArmoredReader::new(content).read_to_end(&mut binary)?;
    Ok(binary)
}
