//! Registries by the host they are asked at: `registry.example.com:5000`.

use super::text::{BadValue, text_form};
use std::{fmt, str::FromStr};

/// What Docker Hub is called in image references.
const HUB: &str = "docker.io";
/// Its other name, under which engines keep its login.
const INDEX: &str = "index.docker.io";

/// The host of a registry, with its port where one is written. Docker Hub has one name here, `docker.io`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryName(String);

impl RegistryName {
    /// Docker Hub, which references without a registry mean.
    #[must_use]
    pub fn hub() -> Self {
        Self(HUB.to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The host and the port before the first `/` of an image reference, where they are of that form.
pub(super) fn is_registry(part: &str) -> bool {
    let (host, port) = part.split_once(':').map_or((part, None), |(host, port)| (host, Some(port)));
    let label = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.split('.').all(label)
        && port.is_none_or(|port| (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether the first part of a reference names a registry: without a point, a port or `localhost` it is a folder of Docker Hub.
pub(super) fn names_registry(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost"
}

impl FromStr for RegistryName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: &str| BadValue::new("a registry", text, reason);
        if text.contains("://") || text.contains('/') {
            return Err(bad("write its host alone, without `https://` and path, as in `registry.example.com:5000`"));
        }
        if !is_registry(text) {
            return Err(bad("write its host, with `:port` or without, as in `registry.example.com:5000`"));
        }
        if !names_registry(text) {
            return Err(bad("a registry's host has a point or a port; Docker Hub is `docker.io`"));
        }
        let name = text.to_ascii_lowercase();
        Ok(Self(if name == INDEX { HUB.to_owned() } else { name }))
    }
}

impl fmt::Display for RegistryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(
    RegistryName,
    "registry",
    "Registry",
    "^(localhost|[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\
     (\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?|:[0-9]{1,5}|\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?:[0-9]{1,5}))$",
    ["registry.example.com", "docker.io"]
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::ImageReference;

    #[test]
    fn a_registry_is_a_host_and_docker_hub_has_one_name() {
        for (text, name) in [
            ("registry.example.com", "registry.example.com"),
            ("Registry.Example.com:5000", "registry.example.com:5000"),
            ("localhost", "localhost"),
            ("localhost:5000", "localhost:5000"),
            ("127.0.0.1:5000", "127.0.0.1:5000"),
            ("docker.io", "docker.io"),
            ("index.docker.io", "docker.io"),
        ] {
            assert_eq!(text.parse::<RegistryName>().map(|registry| registry.to_string()), Ok(name.to_owned()));
        }
    }

    #[test]
    fn what_is_no_host_of_a_registry_is_told_with_what_to_write() {
        let table = [
            ("https://index.docker.io/v1/", "write its host alone"),
            ("registry.example.com/team", "write its host alone"),
            ("dockerhub", "a registry's host has a point or a port; Docker Hub is `docker.io`"),
            ("registry.example.com:", "write its host, with `:port` or without"),
            ("", "write its host, with `:port` or without"),
        ];
        for (text, reason) in table {
            let told = text.parse::<RegistryName>().unwrap_err().to_string();
            assert!(told.contains(reason), "{told}");
        }
    }

    #[test]
    fn a_reference_belongs_to_the_registry_before_its_first_part() {
        let table = [
            ("nginx:1.27", "docker.io"),
            ("team/app", "docker.io"),
            ("docker.io/team/app", "docker.io"),
            ("index.docker.io/team/app", "docker.io"),
            ("localhost/app:1", "localhost"),
            ("localhost:5000/app", "localhost:5000"),
            ("127.0.0.1:5000/team/app:1", "127.0.0.1:5000"),
            ("Registry.example.com/app", "registry.example.com"),
        ];
        for (reference, registry) in table {
            assert_eq!(reference.parse::<ImageReference>().unwrap().registry_name().as_str(), registry, "{reference}");
        }
    }
}
