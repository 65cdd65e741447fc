//! Where copies go in a store of objects.

use super::text::{BadValue, text_form};
use std::{fmt, str::FromStr};

/// A bucket of S3, as its owner named it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(String);

impl BucketName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BucketName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let is_sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
        let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let ends = is_end(text.bytes().next()) && is_end(text.bytes().last());
        if (3..=63).contains(&text.len()) && text.bytes().all(is_sign) && ends && !text.contains("..") {
            Ok(Self(text.to_owned()))
        } else {
            let reason = "write 3 to 63 of a-z, 0-9, `-` and `.`, a letter or digit at both ends";
            Err(BadValue::new("a bucket's name", text, reason))
        }
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(BucketName, "bucket-name", "Bucket", "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", ["example-backups"]);

/// Where in a bucket: names with `/` between them, none at either end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPrefix(String);

impl KeyPrefix {
    /// The prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyPrefix {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let is_name = |name: &str| !matches!(name, "" | "." | "..") && name.bytes().all(is_sign);
        if text.len() <= 200 && text.split('/').all(is_name) {
            Ok(Self(text.to_owned()))
        } else {
            let reason = "write names of letters, digits, `.`, `-` and `_` with `/` between them, none at either end";
            Err(BadValue::new("a prefix of keys", text, reason))
        }
    }
}

impl fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(KeyPrefix, "key-prefix", "Prefix", "^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$", ["hosts/web1"]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_named_as_their_owners_may() {
        for text in ["abc", "example-backups", "a.b-c", "123"] {
            assert_eq!(text.parse::<BucketName>().unwrap().as_str(), text);
        }
        for text in ["", "ab", "-abc", "abc.", "a..b", "Abc", "a_b", "a/b", &"a".repeat(64)] {
            text.parse::<BucketName>().expect_err(text);
        }
    }

    #[test]
    fn a_prefix_leads_nowhere_else() {
        for text in ["hosts", "hosts/web1", "a.b/C_d/e-f"] {
            assert_eq!(text.parse::<KeyPrefix>().unwrap().as_str(), text);
        }
        for text in ["", "/a", "a/", "a//b", "../a", "a/./b", "a b", "a%2fb", "ä"] {
            text.parse::<KeyPrefix>().expect_err(text);
        }
    }
}
