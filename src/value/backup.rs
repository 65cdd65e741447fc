//! What is said of backups: whom they are sealed for, where a file lies in a volume, which database is meant.

use super::text::{BadValue, text_form};
use std::{fmt, str::FromStr};

/// The public half of an age key (X25519): `age1…`, whose checksum was looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgeRecipient(String);

/// The letters of Bech32 (BIP 173), each at its value.
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

impl AgeRecipient {
    /// The recipient as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the last six letters are the checksum of the others (BIP 173).
fn is_checked(prefix: &str, data: &str) -> bool {
    let polymod = |checksum: u32, value: u32| {
        let top = checksum >> 25;
        let generators = [0x3b6a_57b2_u32, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
        let mixed = ((checksum & 0x01ff_ffff) << 5) ^ value;
        (0..).zip(generators).fold(mixed, |mixed, (bit, by)| if (top >> bit) & 1 == 1 { mixed ^ by } else { mixed })
    };
    let high = prefix.bytes().map(|byte| u32::from(byte >> 5));
    let low = prefix.bytes().map(|byte| u32::from(byte & 31));
    let letters = data.bytes().map(|byte| BECH32.iter().position(|letter| *letter == byte).map(u32::try_from));
    let letters: Option<Result<Vec<u32>, _>> = letters.collect();
    let Some(Ok(letters)) = letters else { return false };
    high.chain([0]).chain(low).chain(letters).fold(1, polymod) == 1
}

impl FromStr for AgeRecipient {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        // What stands here may be the secret half: it is not repeated.
        if text.to_ascii_uppercase().starts_with("AGE-") {
            let reason = "it is the secret half, which stays where copies are opened; `age-keygen -y` prints this one";
            return Err(BadValue::new("an age recipient", "AGE-…", reason));
        }
        match text.strip_prefix("age1").filter(|data| data.len() == 58) {
            Some(data) if is_checked("age", data) => Ok(Self(text.to_owned())),
            Some(_) => Err(BadValue::new("an age recipient", text, "its letters are mistyped")),
            None => {
                let reason = "write one that `age-keygen` prints: `age1` and 58 letters and digits";
                Err(BadValue::new("an age recipient", text, reason))
            }
        }
    }
}

impl fmt::Display for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(
    AgeRecipient,
    "age-recipient",
    "Age recipient",
    "^age1[02-9ac-hj-np-z]{58}$",
    ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]
);

/// A file or folder in a volume, by its path from the volume's root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VolumePath(String);

impl VolumePath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VolumePath {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: &str| Err(BadValue::new("a path in a volume", text, reason));
        if text.starts_with('/') {
            return bad("write its path from the volume's root, without `/` at its beginning");
        }
        if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return bad("it begins at the volume's root, and has no `.` and `..` in it");
        }
        if text.len() > 1024 || text.chars().any(char::is_control) {
            return bad("write plain names with `/` between them");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for VolumePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(VolumePath, "volume-path", "Path in a volume", "^[^/]", ["app.db"]);

/// A pattern of paths in a volume: `*` is anything within a name, `**` any number of folders, `?` one letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VolumeGlob(String);

impl VolumeGlob {
    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern means this path, or a folder above it.
    #[must_use]
    pub fn means(&self, path: &str) -> bool {
        let pattern: Vec<&str> = self.0.split('/').collect();
        let parts: Vec<&str> = path.split('/').collect();
        (1..=parts.len()).any(|depth| parts.get(..depth).is_some_and(|above| parts_match(&pattern, above)))
    }
}

/// Row by row, as in a distance of words: linear in the product of both lengths, whatever is written.
fn parts_match(pattern: &[&str], path: &[&str]) -> bool {
    let mut row: Vec<bool> = std::iter::once(true).chain(path.iter().map(|_| false)).collect();
    for wanted in pattern {
        let mut next = vec![false; row.len()];
        for (at, reached) in row.iter().enumerate() {
            if *wanted == "**" {
                let here = *reached || at.checked_sub(1).and_then(|before| next.get(before)).copied().unwrap_or(false);
                set(&mut next, at, here);
            } else if *reached && path.get(at).is_some_and(|part| letters_match(wanted, part)) {
                set(&mut next, at + 1, true);
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or(false)
}

fn set(row: &mut [bool], at: usize, value: bool) {
    if let Some(cell) = row.get_mut(at) {
        *cell = value;
    }
}

fn letters_match(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut row: Vec<bool> = std::iter::once(true).chain(text.iter().map(|_| false)).collect();
    for wanted in pattern.chars() {
        let mut next = vec![false; row.len()];
        for (at, reached) in row.iter().enumerate() {
            if wanted == '*' {
                let here = *reached || at.checked_sub(1).and_then(|before| next.get(before)).copied().unwrap_or(false);
                set(&mut next, at, here);
            } else if *reached && text.get(at).is_some_and(|letter| wanted == '?' || wanted == *letter) {
                set(&mut next, at + 1, true);
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or(false)
}

impl FromStr for VolumeGlob {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: &str| Err(BadValue::new("a pattern of paths in a volume", text, reason));
        if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return bad("it begins at the volume's root, without `/`, and has no `.` and `..` in it");
        }
        if text.split('/').any(|part| part.contains("**") && part != "**") {
            return bad("`**` stands alone between two `/`, as in `tmp/**`");
        }
        if text.len() > 1024 || text.chars().any(char::is_control) {
            return bad("write plain names with `/` between them");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for VolumeGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(VolumeGlob, "volume-glob", "Pattern of paths", "^[^/]", ["tmp/**", "**/*.log"]);

/// A database of a server: its name, or `*` for all of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Database {
    /// All of them, with what belongs to none: users and their rights.
    All,
    Named(String),
}

impl FromStr for Database {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        if text == "*" {
            return Ok(Self::All);
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.$".contains(&byte);
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if begins && text.len() <= 63 && text.bytes().all(plain) {
            return Ok(Self::Named(text.to_owned()));
        }
        let reason = "write letters, digits, `_`, `-`, `.` and `$`, or `\"*\"` for all of them";
        Err(BadValue::new("a database", text, reason))
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

text_form!(Database, "database", "Database", r"^(\*|[A-Za-z0-9_][A-Za-z0-9_.$-]{0,62})$", ["app", "*"]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_with_a_wrong_letter_is_told_from_a_right_one() {
        let right = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
        assert_eq!(right.parse::<AgeRecipient>().unwrap().as_str(), right);
        let wrong = right.replace("ql3z", "ql3x");
        let told = wrong.parse::<AgeRecipient>().unwrap_err().to_string();
        assert_eq!(told, format!("`{wrong}` is not an age recipient: its letters are mistyped"));
        for text in ["", "age1", "ssh-ed25519 AAAA", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8b"] {
            text.parse::<AgeRecipient>().expect_err(text);
        }
    }

    #[test]
    fn the_secret_half_of_a_key_is_not_repeated() {
        let secret = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
        let told = secret.parse::<AgeRecipient>().unwrap_err().to_string();
        assert!(!told.contains("GFPYY") && told.contains("the secret half"), "{told}");
    }

    #[test]
    fn a_pattern_means_paths_and_all_below_them() {
        let table = [
            ("tmp", "tmp", true),
            ("tmp", "tmp/a/b", true),
            ("tmp", "a/tmp", false),
            ("tmp/**", "tmp/a", true),
            ("**/*.log", "a.log", true),
            ("**/*.log", "a/b/c.log", true),
            ("**/*.log", "a/b/c.txt", false),
            ("cache/?", "cache/x", true),
            ("cache/?", "cache/xy", false),
            ("a/**/z", "a/z", true),
            ("a/**/z", "a/b/c/z", true),
            ("a*c", "abc", true),
            ("a*c", "a/c", false),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(pattern.parse::<VolumeGlob>().unwrap().means(path), expected, "{pattern} {path}");
        }
        let stars = "*a".repeat(200);
        assert!(!stars.parse::<VolumeGlob>().unwrap().means(&"a".repeat(1000).replace('a', "b")));
    }

    #[test]
    fn paths_stay_in_their_volume() {
        for text in ["/a", "../a", "a/../b", "./a", "a//b", "", "a\nb"] {
            text.parse::<VolumePath>().expect_err(text);
        }
        assert_eq!("data/app.db".parse::<VolumePath>().unwrap().as_str(), "data/app.db");
    }

    #[test]
    fn a_database_is_a_plain_name_or_all_of_them() {
        assert_eq!("*".parse::<Database>().unwrap(), Database::All);
        assert_eq!("app_1".parse::<Database>().unwrap().to_string(), "app_1");
        for text in ["", "-d", "a b", "a;b", "a'b", "**"] {
            text.parse::<Database>().expect_err(text);
        }
    }
}
