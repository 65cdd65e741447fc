//! What is said of files that a container finds: where, and for whom.

use super::text::{BadValue, text_form};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The name of a file below `/run/secrets`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

impl FileName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FileName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        let begins = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        if text.as_bytes().first().is_some_and(begins) && text.len() <= 128 && text.bytes().all(plain) {
            return Ok(Self(text.to_owned()));
        }
        let reason = match text.strip_prefix("/run/secrets/").filter(|name| name.parse::<Self>().is_ok()) {
            Some(name) => format!("secrets are all below `/run/secrets`: write `{name}`"),
            None => {
                "secrets are all below `/run/secrets`: write a name of letters, digits, `_`, `.` and `-`".to_owned()
            }
        };
        Err(BadValue::new("the name of a file", text, reason))
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(FileName, "file-name", "File name", "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", ["db_password"]);

/// Who may do what with a file: three octal digits, `0400`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileMode(u32);

impl FileMode {
    /// Everybody may read it: what a container's own user can.
    pub const READABLE: Self = Self(0o444);

    /// Its bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl Default for FileMode {
    fn default() -> Self {
        Self::READABLE
    }
}

impl FromStr for FileMode {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let digits = text.strip_prefix("0o").or_else(|| text.strip_prefix('0')).unwrap_or(text);
        match u32::from_str_radix(digits, 8) {
            Ok(bits) if digits.len() == 3 && bits <= 0o777 => Ok(Self(bits)),
            Ok(_) | Err(_) => Err(BadValue::new("a file's mode", text, "write octal digits, as in `\"0400\"`")),
        }
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

text_form!(FileMode, "file-mode", "Mode", "^(0o?)?[0-7]{3}$", ["0400"], (["string", "integer"]));

/// A file of the repository, by its path from the root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryPath(String);

impl RepositoryPath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RepositoryPath {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: &str| Err(BadValue::new("a file of the repository", text, reason));
        if text.starts_with('/') {
            return bad("write its path from the repository's root, as in `files/app.ini`");
        }
        if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return bad("its path begins at the repository's root, and has no `.` and `..` in it");
        }
        if text.len() > 1024 || text.chars().any(|c| c.is_control() || c == '\\') {
            return bad("write plain names with `/` between them");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RepositoryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(RepositoryPath, "repository-path", "File of the repository", "^[^/]", ["files/app.ini"]);

/// What happens when a secret's value changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum OnChange {
    /// A new container takes the place of the one that has the old value.
    #[default]
    Restart,
    /// The file is replaced, and the process gets SIGHUP.
    Signal,
    /// The file is replaced.
    None,
}
