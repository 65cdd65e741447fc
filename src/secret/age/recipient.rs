//! Whom a file is encrypted for, and how.

use age::{
    EncryptError, Encryptor,
    armor::{ArmoredWriter, Format},
    x25519,
};
use std::{fmt, io::Write, str::FromStr};

/// The public half of an X25519 identity: `age1…`.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient(x25519::Recipient);

/// What stands where a recipient should. What it says is not shown: it may be the secret half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRecipient {
    #[error("an identity, the secret half of a key: it stays on its host (`age-keygen -y` prints its recipient)")]
    Identity,
    #[error("an SSH key, which is not supported as a recipient")]
    Ssh,
    #[error("a post-quantum recipient, which is not supported")]
    PostQuantum,
    #[error("a recipient of an age plugin: no plugin is run here")]
    Plugin,
    #[error("no recipient: it begins with `age1` and has 62 letters and digits")]
    Unknown,
}

impl Recipient {
    pub(super) fn of(recipient: x25519::Recipient) -> Self {
        Self(recipient)
    }

    /// The recipients of a file, one a line; empty lines and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// The number of the first line that is none, and what it is.
    pub fn parse_lines(text: &str) -> Result<Vec<Self>, (usize, BadRecipient)> {
        let lines = (1..).zip(text.lines().map(str::trim));
        let written = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        written.map(|(number, line)| line.parse().map_err(|bad| (number, bad))).collect()
    }
}

impl FromStr for Recipient {
    type Err = BadRecipient;

    fn from_str(text: &str) -> Result<Self, BadRecipient> {
        text.parse().map(Self).map_err(|_| match text {
            _ if text.starts_with("AGE-SECRET-KEY-") || text.starts_with("AGE-PLUGIN-") => BadRecipient::Identity,
            _ if text.starts_with("ssh-") => BadRecipient::Ssh,
            _ if text.starts_with("age1pq1") || text.starts_with("age1tagpq1") => BadRecipient::PostQuantum,
            // The part before the last `1` names the plugin.
            _ if text.strip_prefix("age1").is_some_and(|rest| rest.contains('1')) => BadRecipient::Plugin,
            _ => BadRecipient::Unknown,
        })
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Recipient {
    pub(super) const fn key(&self) -> &dyn age::Recipient {
        &self.0
    }
}

/// Encrypts a value, as an armoured file.
///
/// # Errors
/// There is no recipient.
pub fn seal(value: &[u8], recipients: &[Recipient]) -> Result<String, EncryptError> {
    let each = recipients.iter().map(|recipient| &recipient.0 as &dyn age::Recipient);
    let mut sealed = Vec::new();
    let armor = ArmoredWriter::wrap_output(&mut sealed, Format::AsciiArmor)?;
    let mut writer = Encryptor::with_recipients(each)?.wrap_output(armor)?;
    writer.write_all(value)?;
    writer.finish()?.finish()?;
    // Armour is ASCII.
    Ok(String::from_utf8_lossy(&sealed).into_owned())
}
