//! The file as SOPS sees it: values as the text that enters the MAC.

use super::SopsError;
use crate::yaml::{self, Node, Value};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use std::{collections::HashSet, fmt};

/// The largest whole number that JSON's readers agree on.
const LARGEST_WHOLE: u64 = 1 << 53;

/// A value of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// It has no text, and SOPS leaves it as it is.
    Null,
    /// A text, sealed or not; a number or `True`, `False` as SOPS writes them.
    Leaf(String),
    List(Vec<Item>),
    /// In the order of the file.
    Map(Vec<(String, Item)>),
}

impl Item {
    /// The value under a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, item)| item),
            Self::Null | Self::Leaf(_) | Self::List(_) => None,
        }
    }
}

/// Reads YAML, or JSON where it begins with a brace.
pub(super) fn read(file: &str, text: &str) -> Result<Item, SopsError> {
    if text.lines().any(|line| line.starts_with("sops_mac=")) {
        return Err(SopsError::OtherFormat { format: "dotenv" });
    }
    if text.lines().any(|line| line.trim_end() == "[sops]") {
        return Err(SopsError::OtherFormat { format: "INI" });
    }
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| SopsError::json(&error));
    }
    let tree = yaml::parse(file, text).map_err(|problems| SopsError::yaml(&problems))?;
    of_yaml(&tree)
}

fn of_yaml(node: &Node) -> Result<Item, SopsError> {
    Ok(match &node.value {
        Value::Null => Item::Null,
        Value::Scalar { text, plain: false } => Item::Leaf(text.clone()),
        Value::Scalar { text, plain: true } => {
            Item::Leaf(plain(text).ok_or_else(|| SopsError::Ambiguous { place: node.place.clone() })?)
        }
        Value::Sequence(items) => Item::List(items.iter().map(of_yaml).collect::<Result<_, _>>()?),
        Value::Mapping(entries) => {
            let entry = |(key, node): &(yaml::Key, Node)| Ok((key.text.clone(), of_yaml(node)?));
            Item::Map(entries.iter().map(entry).collect::<Result<_, _>>()?)
        }
    })
}

/// The text that SOPS makes of an unquoted scalar; none where YAML's readers differ, or it is a time.
fn plain(text: &str) -> Option<String> {
    match text {
        "true" | "True" | "TRUE" => return Some("True".to_owned()),
        "false" | "False" | "FALSE" => return Some("False".to_owned()),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let begins_as_number = unsigned.strip_prefix('.').unwrap_or(unsigned).starts_with(|c: char| c.is_ascii_digit());
    if !begins_as_number {
        let special = matches!(unsigned.to_ascii_lowercase().as_str(), ".inf" | ".nan");
        return (!special).then(|| text.to_owned());
    }
    let whole = unsigned.bytes().all(|byte| byte.is_ascii_digit());
    if whole {
        let canonical = !text.starts_with('+') && (unsigned == "0" || !unsigned.starts_with('0')) && text != "-0";
        return (canonical && text.parse::<i64>().is_ok()).then(|| text.to_owned());
    }
    let is_numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    if unsigned.chars().all(is_numeric)
        && let Ok(number) = text.parse::<f64>()
    {
        let octal = unsigned.len() > 1 && unsigned.starts_with('0') && !unsigned.starts_with("0.");
        return (number.is_finite() && !octal).then(|| number.to_string());
    }
    // `0x1f`, `1_000`, `2026-11-28` are a number or a time to some readers, a text to others.
    let other_number = unsigned.starts_with('0') || unsigned.contains('_');
    let time = unsigned.as_bytes().get(4) == Some(&b'-') && unsigned.bytes().take(4).all(|b| b.is_ascii_digit());
    (!other_number && !time).then(|| text.to_owned())
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

/// Reads JSON, whose usual readers let the last of two equal keys win.
struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Item, E> {
        Ok(Item::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Item, E> {
        Ok(Item::Leaf(if value { "True" } else { "False" }.to_owned()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Item, E> {
        self.visit_u64::<E>(value.unsigned_abs())?;
        Ok(Item::Leaf(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Item, E> {
        if value > LARGEST_WHOLE {
            return Err(E::custom("a number that is too large"));
        }
        Ok(Item::Leaf(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Item, E> {
        Ok(Item::Leaf(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Item, E> {
        Ok(Item::Leaf(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Item, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Item::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        let (mut entries, mut seen) = (Vec::new(), HashSet::new());
        while let Some(key) = map.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom("a key that stands there twice"));
            }
            entries.push((key, map.next_value()?));
        }
        Ok(Item::Map(entries))
    }
}
