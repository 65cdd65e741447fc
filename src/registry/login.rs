//! The file that `docker login` and `podman login` write: which entry opens which image.
//!
//! Formats: Docker's `config.json` and containers/image's `auth.json`, where a key may go on with a path.

use super::credentials::{Credentials, Proof};
use crate::value::{ImageReference, RegistryName};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A login file, as far as it matters here.
#[derive(Debug, Default, Deserialize)]
pub struct LoginFile {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    /// A helper for single registries.
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    /// A helper for all that have no other.
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Entry {
    auth: Option<SecretString>,
    username: Option<String>,
    password: Option<SecretString>,
    #[serde(rename = "identitytoken")]
    identity_token: Option<SecretString>,
}

/// What a login file says of an image.
#[derive(Debug)]
pub enum Login {
    /// Nothing.
    None,
    Known(Credentials),
    /// A credential helper keeps it.
    Helper {
        name: String,
        setting: &'static str,
    },
    /// Its entry cannot be read.
    Garbled,
}

/// A file that is no login file: its text may hold secrets, so only the place is told.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column} is not as `docker login` writes it")]
pub struct BadLoginFile {
    line: usize,
    column: usize,
}

impl LoginFile {
    /// Reads the text of a login file.
    ///
    /// # Errors
    /// It is no JSON, or of another form.
    pub fn read(text: &str) -> Result<Self, BadLoginFile> {
        serde_json::from_str(text).map_err(|error| BadLoginFile { line: error.line(), column: error.column() })
    }

    /// What it says of an image: the entry with the longest path that the image lies below, as Podman reads it.
    #[must_use]
    pub fn of(&self, image: &ImageReference) -> Login {
        let registry = image.registry_name();
        if let Some(name) = longest(&self.helpers, image) {
            return Login::Helper { name: name.clone(), setting: "credHelpers" };
        }
        match longest(&self.auths, image).and_then(|entry| entry.credentials(registry)) {
            Some(Ok(credentials)) => Login::Known(credentials),
            Some(Err(Unreadable)) => Login::Garbled,
            // With a store, `docker login` leaves an empty entry, or none.
            None => self.store.clone().map_or(Login::None, |name| Login::Helper { name, setting: "credsStore" }),
        }
    }
}

struct Unreadable;

impl Entry {
    /// None where there is nothing in it.
    fn credentials(&self, registry: RegistryName) -> Option<Result<Credentials, Unreadable>> {
        let filled = |secret: &&SecretString| !secret.expose_secret().is_empty();
        let (username, password) = match (self.auth.as_ref().filter(filled), &self.username, &self.password) {
            (Some(auth), _, _) => match parted(auth) {
                Some((username, password)) => (username, Some(password)),
                None => return Some(Err(Unreadable)),
            },
            (None, Some(username), password) => (username.clone(), password.clone()),
            (None, None, _) => (String::new(), None),
        };
        let token = self.identity_token.as_ref().filter(filled).cloned();
        let password = password.filter(|password| !password.expose_secret().is_empty());
        let proof = token.map(Proof::IdentityToken).or_else(|| password.map(Proof::Password))?;
        Some(Ok(Credentials { registry, username, proof }))
    }
}

/// `user:password` in base64, padded with zeros by old versions.
fn parted(auth: &SecretString) -> Option<(String, SecretString)> {
    let text = String::from_utf8(STANDARD.decode(auth.expose_secret()).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    (!username.is_empty()).then(|| (username.to_owned(), password.trim_matches('\0').into()))
}

fn longest<'a, T>(entries: &'a BTreeMap<String, T>, image: &ImageReference) -> Option<&'a T> {
    let (registry, repository) = (image.registry_name(), image.full_repository());
    let path = repository.split_once('/').map_or("", |(_, path)| path);
    let matching = entries.iter().filter_map(|(key, entry)| {
        let (host, below) = host_and_path(key)?;
        let covers = below.is_empty() || path == below || path.starts_with(&format!("{below}/"));
        (host == registry && covers).then_some((below.len(), entry))
    });
    matching.max_by_key(|(length, _)| *length).map(|(_, entry)| entry)
}

/// The registry of a key, and the path below it: `https://index.docker.io/v1/` is Docker's for the whole of its hub, and
/// what follows the host of any other URL says nothing.
fn host_and_path(key: &str) -> Option<(RegistryName, &str)> {
    let (is_url, rest) = match key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")) {
        Some(rest) => (true, rest),
        None => (false, key),
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.trim_end_matches('/');
    let is_version = matches!(path, "v1" | "v2");
    Some((host.parse().ok()?, if is_url || is_version { "" } else { path }))
}
