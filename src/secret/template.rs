//! Texts with secrets in them, for variables that an app takes no other way.

use super::{SecretError, SecretValue};
use crate::value::{Encoding, SecretName, Template, template::Part};
use secrecy::zeroize::Zeroizing;
use std::collections::BTreeMap;

/// All but letters, digits and `-._~`: what a URL's parts hold unchanged.
const OUTSIDE: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The text with its secrets in place; none where one of them is not known.
///
/// # Errors
/// A secret is no text.
pub fn render(
    template: &Template,
    values: &BTreeMap<SecretName, SecretValue>,
) -> Result<Option<SecretValue>, SecretError> {
    let mut text = Zeroizing::new(String::with_capacity(4096));
    for part in template.parts() {
        match part {
            Part::Text(plain) => text.push_str(plain),
            Part::Secret { name, encoding } => {
                let Some(value) = values.get(name) else { return Ok(None) };
                let line = value.line().filter(|line| !line.contains('\0'));
                let line = line.ok_or_else(|| SecretError::NotText { name: name.clone() })?;
                match encoding {
                    Encoding::Plain => text.push_str(line),
                    Encoding::Url => text.push_str(&Zeroizing::new(url_encoded(line))),
                }
            }
        }
    }
    Ok(Some(SecretValue::new(text.as_bytes().to_vec())))
}

/// A text as it stands in a part of a URL.
#[must_use]
pub fn url_encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, OUTSIDE).to_string()
}
