//! What opens a registry. No message prints it.

use crate::value::RegistryName;
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};

/// A user's password or token for one registry.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub registry: RegistryName,
    pub username: String,
    pub proof: Proof,
}

/// What shows that a user is who they say.
#[derive(Clone, Debug)]
pub enum Proof {
    Password(SecretString),
    /// An identity token, which a registry's token service takes in place of a password.
    IdentityToken(SecretString),
}

/// What stands in a text where a secret stood.
const HIDDEN: &str = "(hidden)";

impl Credentials {
    fn secret(&self) -> &str {
        match &self.proof {
            Proof::Password(secret) | Proof::IdentityToken(secret) => secret.expose_secret(),
        }
    }

    /// Who is asked for, in people's words.
    #[must_use]
    pub fn holder(&self) -> String {
        match &self.proof {
            Proof::Password(_) => format!("`{}`", self.username),
            Proof::IdentityToken(_) => "whoever holds this identity token".to_owned(),
        }
    }

    /// A text without the secret: a registry may repeat in its answer what it was sent.
    #[must_use]
    pub fn hidden_in(&self, text: &str) -> String {
        let secret = self.secret();
        if secret.is_empty() {
            return text.to_owned();
        }
        let basic = STANDARD.encode(format!("{}:{secret}", self.username));
        text.replace(&basic, HIDDEN).replace(secret, HIDDEN)
    }
}
