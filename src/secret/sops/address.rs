//! Addresses of values: the keys that lead to one, joined by dots.

use super::{SopsError, document::Item, walk::Found};
use crate::secret::SecretValue;

/// The addresses of a file's values, those in lists left out.
pub(super) fn all(document: &Item) -> Vec<String> {
    let mut there = Vec::new();
    collect(document, &mut Vec::new(), &mut there);
    there
}

fn collect<'a>(item: &'a Item, path: &mut Vec<&'a str>, there: &mut Vec<String>) {
    match item {
        Item::Leaf(_) => there.push(path.join(".")),
        Item::Map(entries) => {
            for (key, item) in entries {
                path.push(key);
                collect(item, path, there);
                path.pop();
            }
        }
        Item::Null | Item::List(_) => {}
    }
}

/// The one value of an address.
pub(super) fn one(document: &Item, wanted: &str, all_found: &[(String, Found)]) -> Result<SecretValue, SopsError> {
    let key = wanted.to_owned();
    let mut found = all_found.iter().filter(|(address, _)| address == wanted).map(|(_, found)| found);
    match (found.next(), found.next()) {
        (Some(Found::Value(value)), None) => Ok(value.clone()),
        (Some(Found::Clear), None) => Err(SopsError::Clear { key }),
        (Some(Found::Empty), None) => Err(SopsError::Empty { key }),
        (Some(Found::InList), _) => Err(SopsError::InList { key }),
        (Some(_), Some(_)) => Err(SopsError::TwoValues { key }),
        (None, _) => Err(SopsError::Missing { key, there: all(document) }),
    }
}
