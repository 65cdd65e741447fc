//! What a look finds otherwise than the fold left it.

use super::Observed;
use std::{collections::BTreeSet, mem};

/// The names of containers that are not those that were `left`, or not in the stage of life they were left in. With
/// which code a process ended is no surprise: nobody can say before.
#[must_use]
pub fn surprises<'a>(left: &'a Observed, found: &'a Observed) -> BTreeSet<&'a str> {
    let as_left = |name: &String| match (left.containers.get(name), found.containers.get(name)) {
        (Some(before), Some(now)) => {
            before.id == now.id && mem::discriminant(&before.life) == mem::discriminant(&now.life)
        }
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let names = left.containers.keys().chain(found.containers.keys());
    names.filter(|name| !as_left(name)).map(String::as_str).collect()
}
