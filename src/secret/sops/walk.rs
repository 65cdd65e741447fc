//! Opens every value in the order of the file, and believes none before the MAC agrees with all.

use super::{
    SopsError,
    cipher::{self, DataKey, Fault, Kind, Opened},
    document::Item,
    metadata::Metadata,
};
use crate::secret::SecretValue;
use sha2::{Digest, Sha512};
use std::fmt::Write;
use subtle::ConstantTimeEq;

/// What stands under some keys.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Value(SecretValue),
    /// It is not sealed, so it is no secret.
    Clear,
    /// Of a list, in which values have no place of their own.
    InList,
    /// SOPS leaves it as it is, so nothing proves that it belongs here.
    Empty,
}

struct Walk<'a> {
    metadata: &'a Metadata,
    data_key: &'a DataKey,
    hash: Sha512,
    found: Vec<(String, Found)>,
}

/// Opens the file and gives all that stands in it with its address, which several may have.
pub(super) fn open(
    document: &Item,
    metadata: &Metadata,
    data_key: &DataKey,
) -> Result<Vec<(String, Found)>, SopsError> {
    let mut walk = Walk { metadata, data_key, hash: Sha512::new(), found: Vec::new() };
    walk.item(document, &mut Vec::new(), false)?;
    let Walk { hash, found, .. } = walk;
    let mac = data_key.open(&metadata.mac, &metadata.last_modified).map_err(|_| SopsError::MacDamaged)?;
    let mut seen = String::new();
    for byte in hash.finalize() {
        // Writing to a text cannot fail.
        let _ = write!(seen, "{byte:02X}");
    }
    if !bool::from(seen.as_bytes().ct_eq(&mac.plain)) {
        return Err(SopsError::Mac);
    }
    Ok(found)
}

impl<'a> Walk<'a> {
    fn item(&mut self, item: &'a Item, path: &mut Vec<&'a str>, in_list: bool) -> Result<(), SopsError> {
        match item {
            Item::Null => self.found.push((path.join("."), if in_list { Found::InList } else { Found::Empty })),
            Item::Leaf(text) => self.leaf(text, path, in_list)?,
            Item::List(items) => {
                for item in items {
                    self.item(item, path, true)?;
                }
            }
            Item::Map(entries) => {
                for (key, item) in entries {
                    // `a:b` would be bound to the same place as `b` in `a`.
                    if key.contains(':') {
                        return Err(SopsError::Colon { key: key.clone() });
                    }
                    path.push(key);
                    self.item(item, path, in_list)?;
                    path.pop();
                }
            }
        }
        Ok(())
    }

    fn leaf(&mut self, text: &str, path: &[&str], in_list: bool) -> Result<(), SopsError> {
        let address = path.join(".");
        let sealed = self.metadata.selection.is_sealed(path)?;
        // An empty text is not sealed: there is nothing to hide, and nothing that enters the MAC.
        if text.is_empty() || !sealed {
            if cipher::is_sealed(text) {
                return Err(SopsError::Unselected { key: address });
            }
            self.hash.update(text);
            let found = match (in_list, sealed) {
                (true, _) => Found::InList,
                (false, true) => Found::Empty,
                (false, false) => Found::Clear,
            };
            self.found.push((address, found));
            return Ok(());
        }
        if !cipher::is_sealed(text) {
            return Err(SopsError::NotSealed { key: address });
        }
        let beside = path.iter().fold(String::new(), |beside, key| beside + key + ":");
        let opened = self.data_key.open(text, &beside).map_err(|fault| match fault {
            Fault::Comment => SopsError::Comment { key: address.clone() },
            Fault::Form => SopsError::Form { key: address.clone() },
            Fault::Seal => SopsError::Seal { key: address.clone() },
        })?;
        self.hash.update(&*opened.plain);
        self.found.push((address, if in_list { Found::InList } else { Found::Value(value(opened)) }));
        Ok(())
    }
}

/// The value as people wrote it.
fn value(mut opened: Opened) -> SecretValue {
    let written = match opened.kind {
        Kind::Truth => opened.plain.to_ascii_lowercase(),
        Kind::Text | Kind::Other => std::mem::take(&mut *opened.plain),
    };
    SecretValue::new(written)
}
