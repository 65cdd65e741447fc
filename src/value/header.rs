//! Headers of answers: names and values that no proxy takes for words of its own.

use super::text::{BadValue, text_form};
use std::{fmt, str::FromStr};

const NAME: &str = "a header's name";
const VALUE: &str = "a header's value";

/// A proxy's configuration has lines, and no server has to read one longer than this.
const LONGEST: usize = 2000;

/// What belongs to one connection, or says where an answer ends and what it is: said twice, one answer is read as two.
const OF_THE_ANSWER: [&str; 18] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "host",
    "keep-alive",
    "location",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
];

/// The name of a header that answers get. Upper and lower case mean the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderName(String);

impl HeaderName {
    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What tells it from other headers.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for HeaderName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: &str| Err(BadValue::new(NAME, text, reason));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if text.is_empty() || text.len() > 64 || !text.bytes().all(plain) {
            return bad("write letters, digits and `-`, as in `X-Frame-Options`");
        }
        let folded = text.to_ascii_lowercase();
        if folded == "strict-transport-security" {
            return bad("`tls.hsts` says it, as in `hsts: {max_age: 31536000}`");
        }
        if OF_THE_ANSWER.contains(&folded.as_str()) {
            return bad("it is the connection's or the answer's own, and no proxy may add another");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(HeaderName, "header-name", "Header", "^[A-Za-z0-9-]{1,64}$", ["X-Frame-Options"]);

/// The value of a header, less what proxies would put something else for: `$name`, `{placeholder}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderValue(String);

impl HeaderValue {
    /// The value as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HeaderValue {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: &str| Err(BadValue::new(VALUE, text, reason));
        if text.trim() != text || text.is_empty() {
            return bad("it has letters, and no space before or after them");
        }
        if text.contains(['$', '{', '}']) {
            return bad("proxies would put something else for `$`, `{` and `}`, and cannot be kept from it");
        }
        if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return bad("write letters, digits and signs of ASCII on one line");
        }
        if text.len() > LONGEST {
            return bad("it has 2000 characters at most");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(
    HeaderValue,
    "header-value",
    "Value of a header",
    r"^[!-#%-z|~]([ -#%-z|~]*[!-#%-z|~])?$",
    ["SAMEORIGIN"],
    (["string", "number", "boolean"])
);
