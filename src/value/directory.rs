//! Where an authority for certificates is asked.

use super::text::{BadValue, text_form};
use std::{fmt, str::FromStr};

/// The directory of an ACME authority: its URL, or `staging` for the one of Let's Encrypt that nobody believes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AcmeDirectory {
    /// Let's Encrypt.
    #[default]
    Production,
    /// Let's Encrypt's place for trying: its limits are wide, its certificates are believed by nobody.
    Staging,
    /// Another authority's.
    Url(String),
}

impl AcmeDirectory {
    /// The URL that is asked.
    #[must_use]
    pub fn url(&self) -> &str {
        match self {
            Self::Production => "https://acme-v02.api.letsencrypt.org/directory",
            Self::Staging => "https://acme-staging-v02.api.letsencrypt.org/directory",
            Self::Url(url) => url,
        }
    }
}

impl FromStr for AcmeDirectory {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let url = || text.parse::<super::WebUrl>().ok().filter(|_| text.starts_with("https://"));
        match text {
            "production" => Ok(Self::Production),
            "staging" => Ok(Self::Staging),
            text if url().is_some() => Ok(Self::Url(text.to_owned())),
            text => Err(BadValue::new(
                "the directory of an ACME authority",
                text,
                "write `production` or `staging` for those of Let's Encrypt, or a URL that begins with `https://`",
            )),
        }
    }
}

impl fmt::Display for AcmeDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Production => f.write_str("production"),
            Self::Staging => f.write_str("staging"),
            Self::Url(url) => f.write_str(url),
        }
    }
}

text_form!(
    AcmeDirectory,
    "acme-directory",
    "ACME directory",
    r"^(production|staging|https://[A-Za-z0-9_.\[\]:-]+([/?][!-\x22$-~]*)?)$",
    ["staging", "https://ca.example.com/acme/directory"]
);

#[cfg(test)]
mod tests {
    use super::AcmeDirectory;

    #[test]
    fn a_directory_is_one_of_lets_encrypt_or_a_url_over_tls() {
        for (text, url) in [
            ("production", "https://acme-v02.api.letsencrypt.org/directory"),
            ("staging", "https://acme-staging-v02.api.letsencrypt.org/directory"),
            ("https://ca.example.com:9000/acme/acme/directory", "https://ca.example.com:9000/acme/acme/directory"),
        ] {
            let directory: AcmeDirectory = text.parse().unwrap();
            assert_eq!((directory.url(), directory.to_string().as_str()), (url, text));
        }
        for text in
            ["", "stagin", "Staging", "http://ca.example.com/", "https://", "https://user:pw@ca.example.com/", "ca"]
        {
            text.parse::<AcmeDirectory>().expect_err(text);
        }
    }
}
