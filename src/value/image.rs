//! References to images: `registry.example.com/team/app:1.4.2@sha256:…`.

use super::{
    registry::{RegistryName, is_registry, names_registry},
    text::{BadValue, text_form},
};
use std::{fmt, str::FromStr};

const KIND: &str = "an image reference";

/// Where an image comes from, as the manifest gives it.
///
/// Grammar: the distribution project's `reference`, with digests of SHA-256 only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageReference {
    registry: Option<String>,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl ImageReference {
    /// The registry's host and port, where one is written; none means Docker Hub.
    #[must_use]
    pub fn registry(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    /// The registry it belongs to; without one it is Docker Hub's.
    #[must_use]
    pub fn registry_name(&self) -> RegistryName {
        // What stands there was read as a registry before.
        self.registry().and_then(|registry| registry.parse().ok()).unwrap_or_else(RegistryName::hub)
    }

    /// The repository within the registry, as it is written.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, where one is written; without tag and digest an engine reads `latest`.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// `sha256:…`, where one is written.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// What an engine is asked for: of a tag and a digest only the digest, as the engines themselves do; without either
    /// `latest`, because without a tag an engine fetches every tag of the repository.
    #[must_use]
    pub fn asked_for(&self) -> String {
        let registry = self.registry.as_ref().map(|registry| format!("{registry}/")).unwrap_or_default();
        format!("{registry}{}{}", self.repository, self.version())
    }

    /// The same with registry and repository in full, so that no engine looks for it elsewhere.
    #[must_use]
    pub fn asked_for_in_full(&self) -> String {
        format!("{}{}", self.full_repository(), self.version())
    }

    fn version(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => format!("@{digest}"),
            (None, Some(tag)) => format!(":{tag}"),
            (None, None) => ":latest".to_owned(),
        }
    }

    /// The same image by a digest of its repository.
    #[must_use]
    pub fn pinned(&self, digest: &str) -> String {
        Self { tag: None, digest: Some(digest.to_owned()), ..self.clone() }.to_string()
    }

    /// Registry and repository in full, as policy compares them: `nginx` is `docker.io/library/nginx`.
    #[must_use]
    pub fn full_repository(&self) -> String {
        match self.registry() {
            Some("docker.io" | "index.docker.io") if !self.repository.contains('/') => {
                format!("docker.io/library/{}", self.repository)
            }
            Some("index.docker.io") => format!("docker.io/{}", self.repository),
            Some(registry) => format!("{registry}/{}", self.repository),
            None if self.repository.contains('/') => format!("docker.io/{}", self.repository),
            None => format!("docker.io/library/{}", self.repository),
        }
    }
}

fn is_component(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = part.bytes().next().is_some_and(plain) && part.bytes().next_back().is_some_and(plain);
    let separators: Vec<&str> = part.split(|c: char| plain_char(c)).filter(|run| !run.is_empty()).collect();
    ends && separators.iter().all(|run| matches!(*run, "." | "_" | "__") || run.bytes().all(|byte| byte == b'-'))
}

fn plain_char(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn is_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && !tag.starts_with(['.', '-'])
        && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

impl FromStr for ImageReference {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: &str| BadValue::new(KIND, text, reason);
        let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
        if let Some(digest) = digest {
            let hex = digest.strip_prefix("sha256:").unwrap_or_default();
            if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
                return Err(bad("a digest is `sha256:` and 64 digits of 0-9 and a-f"));
            }
        }
        let (registry, rest) = match name.split_once('/') {
            Some((first, rest)) if names_registry(first) => (Some(first), rest),
            Some(_) | None => (None, name),
        };
        let (repository, tag) = rest.split_once(':').map_or((rest, None), |(path, tag)| (path, Some(tag)));
        if registry.is_some_and(|registry| !is_registry(registry)) {
            return Err(bad("before the first `/` stands a registry's host name, with `:port` or without"));
        }
        if repository.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(bad("a repository's name has no capital letters"));
        }
        if !repository.split('/').all(is_component) {
            return Err(bad("write `[registry/]name[:tag][@sha256:…]`, as in `nginx:1.27`"));
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(bad(
                "a tag is up to 128 letters, digits, `.`, `_` and `-`, and begins with none of `.` and `-`",
            ));
        }
        let own = |part: Option<&str>| part.map(str::to_owned);
        Ok(Self { registry: own(registry), repository: repository.to_owned(), tag: own(tag), digest: own(digest) })
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(registry) = &self.registry {
            write!(f, "{registry}/")?;
        }
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

text_form!(
    ImageReference,
    "image",
    "Image",
    "^[A-Za-z0-9][A-Za-z0-9._/:-]*(@sha256:[0-9a-f]{64})?$",
    ["nginx:1.27", "registry.example.com/gateway:1.4.2"]
);
