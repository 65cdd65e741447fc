//! Which values of a file are sealed: what its `sops` part says of keys.

use super::{SopsError, document::Item};
use regex::Regex;

/// The rule of a file. A key anywhere on the way to a value decides.
#[derive(Debug)]
pub(super) enum Selection {
    All,
    UnencryptedSuffix(String),
    EncryptedSuffix(String),
    UnencryptedRegex(Regex),
    EncryptedRegex(Regex),
}

/// The rules that SOPS has; a file has one of them at most.
const RULES: [&str; 6] = [
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
];

impl Selection {
    pub(super) fn of(metadata: &Item) -> Result<Self, SopsError> {
        let rule = |name: &'static str| match metadata.get(name) {
            Some(Item::Leaf(text)) if !text.is_empty() => Some((name, text.as_str())),
            Some(_) | None => None,
        };
        let mut rules = RULES.into_iter().filter_map(rule);
        let Some((name, text)) = rules.next() else { return Ok(Self::All) };
        if let Some((other, _)) = rules.next() {
            return Err(SopsError::TwoRules { one: name, other });
        }
        let regex = || Regex::new(text).map_err(|_| SopsError::Regex { rule: name });
        match name {
            "unencrypted_suffix" => Ok(Self::UnencryptedSuffix(text.to_owned())),
            "encrypted_suffix" => Ok(Self::EncryptedSuffix(text.to_owned())),
            "unencrypted_regex" => Ok(Self::UnencryptedRegex(regex()?)),
            "encrypted_regex" => Ok(Self::EncryptedRegex(regex()?)),
            // Comments are not read.
            rule => Err(SopsError::Unsupported { what: rule }),
        }
    }

    /// Whether the value that these keys lead to is sealed.
    ///
    /// # Errors
    /// A key that the regular expressions of SOPS and ours may see differently.
    pub(super) fn is_sealed(&self, path: &[&str]) -> Result<bool, SopsError> {
        let matches = |regex: &Regex| {
            if let Some(key) = path.iter().find(|key| !key.is_ascii()) {
                return Err(SopsError::NotAscii { key: (*key).to_owned() });
            }
            Ok(path.iter().any(|key| regex.is_match(key)))
        };
        Ok(match self {
            Self::All => true,
            Self::UnencryptedSuffix(suffix) => !path.iter().any(|key| key.ends_with(suffix.as_str())),
            Self::EncryptedSuffix(suffix) => path.iter().any(|key| key.ends_with(suffix.as_str())),
            Self::UnencryptedRegex(regex) => !matches(regex)?,
            Self::EncryptedRegex(regex) => matches(regex)?,
        })
    }
}
