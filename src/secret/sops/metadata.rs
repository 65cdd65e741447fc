//! The `sops` part of a file: who can open it, and what proves that it is whole.

use super::{
    SopsError,
    cipher::{DataKey, KEY},
    document::Item,
    selection::Selection,
};
use crate::secret::{
    SecretValue,
    age::{self, AgeError, Identities},
};

/// What else holds data keys. They are called over the network or run a program, which nothing here does.
const SERVICES: [&str; 6] = ["pgp", "kms", "gcp_kms", "azure_kv", "hc_vault", "hckms"];

/// What is understood beside these and the rules of `selection`.
const UNDERSTOOD: [&str; 13] = [
    "age",
    "lastmodified",
    "mac",
    "version",
    "key_groups",
    "shamir_threshold",
    "mac_only_encrypted",
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
];

#[derive(Debug)]
pub(super) struct Metadata {
    /// The data key, once for each recipient.
    wrapped: Vec<Wrapped>,
    pub(super) last_modified: String,
    pub(super) mac: String,
    pub(super) selection: Selection,
}

#[derive(Debug)]
struct Wrapped {
    recipient: String,
    sealed: String,
}

impl Metadata {
    /// Takes the part out of the document.
    pub(super) fn take(document: &mut Item) -> Result<Self, SopsError> {
        let Item::Map(entries) = document else { return Err(SopsError::NoMetadata) };
        let at = entries.iter().position(|(key, _)| key == "sops").ok_or(SopsError::NoMetadata)?;
        let (_, part) = entries.remove(at);
        let Item::Map(fields) = &part else { return Err(SopsError::NoMetadata) };
        if let Some((name, _)) = fields.iter().find(|(name, _)| !is_understood(name)) {
            return Err(SopsError::Unknown { name: name.clone() });
        }
        refuse_unsupported(&part)?;
        let text = |name: &'static str| match part.get(name) {
            Some(Item::Leaf(text)) if !text.is_empty() => Ok(text.clone()),
            Some(_) | None => Err(SopsError::Incomplete { what: name }),
        };
        let (last_modified, mac) = (text("lastmodified")?, text("mac")?);
        Ok(Self { wrapped: wrapped(&part)?, last_modified, mac, selection: Selection::of(&part)? })
    }

    /// The key of the values, by the first recipient that one of the identities is.
    pub(super) fn data_key(&self, identities: &Identities) -> Result<DataKey, SopsError> {
        let ours: Vec<String> = identities.recipients().map(|recipient| recipient.to_string()).collect();
        let named: Vec<&Wrapped> = self.wrapped.iter().filter(|one| ours.contains(&one.recipient)).collect();
        if named.is_empty() {
            let recipients = self.wrapped.iter().map(|one| one.recipient.clone()).collect();
            return Err(SopsError::NotForUs { recipients });
        }
        let mut refused = None;
        for one in named {
            match age::open(one.sealed.as_bytes(), identities) {
                Ok(key) => return of_bytes(&key),
                Err(error) => refused = Some((one.recipient.clone(), error)),
            }
        }
        let (recipient, source) = refused.unwrap_or((String::new(), AgeError::NotForUs));
        Err(SopsError::DataKey { recipient, source })
    }
}

fn of_bytes(key: &SecretValue) -> Result<DataKey, SopsError> {
    let bytes: &[u8; KEY] = key.expose().try_into().map_err(|_| SopsError::DataKeyLength)?;
    Ok(DataKey::new(bytes))
}

fn is_understood(name: &str) -> bool {
    UNDERSTOOD.contains(&name) || SERVICES.contains(&name)
}

fn is_written(item: Option<&Item>) -> bool {
    match item {
        Some(Item::List(items)) => !items.is_empty(),
        Some(Item::Map(entries)) => !entries.is_empty(),
        Some(Item::Leaf(text)) => !text.is_empty(),
        Some(Item::Null) | None => false,
    }
}

fn refuse_unsupported(part: &Item) -> Result<(), SopsError> {
    let says = |name: &str, harmless: &[&str]| match part.get(name) {
        Some(Item::Leaf(text)) => !harmless.contains(&text.as_str()),
        other => is_written(other),
    };
    if is_written(part.get("key_groups")) {
        return Err(SopsError::Unsupported { what: "key_groups" });
    }
    // With one group of keys there is nothing to put together.
    if says("shamir_threshold", &["", "0", "1"]) {
        return Err(SopsError::Unsupported { what: "shamir_threshold" });
    }
    if says("mac_only_encrypted", &["", "False"]) {
        return Err(SopsError::Unsupported { what: "mac_only_encrypted" });
    }
    Ok(())
}

fn wrapped(part: &Item) -> Result<Vec<Wrapped>, SopsError> {
    let none = || {
        let services: Vec<&'static str> = SERVICES.into_iter().filter(|name| is_written(part.get(name))).collect();
        SopsError::NoAge { services }
    };
    let Some(Item::List(list)) = part.get("age").filter(|age| is_written(Some(age))) else { return Err(none()) };
    let one = |item: &Item| match (item.get("recipient"), item.get("enc")) {
        (Some(Item::Leaf(recipient)), Some(Item::Leaf(sealed))) => {
            Ok(Wrapped { recipient: recipient.clone(), sealed: sealed.clone() })
        }
        _ => Err(SopsError::Incomplete { what: "age" }),
    };
    list.iter().map(one).collect()
}
