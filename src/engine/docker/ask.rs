//! What is asked of an engine, and what a refusal says.
//!
//! Paths are ours and begin with `/`; what others named goes through [`encoded`] first.

use crate::engine::{Answer, EngineError};
use hyper::{Method, Response, StatusCode, body::Bytes};
use secrecy::SecretString;
use serde_json::Value;
use std::time::Duration;

/// How long an ordinary answer may take; a busy Podman needs seconds for a list.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What is asked of the engine.
pub struct Ask<'a> {
    /// In words, for errors: `list containers`.
    pub doing: &'a str,
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
    /// `X-Registry-Auth`, of a pull that has credentials.
    pub registry_auth: Option<SecretString>,
    /// None: as long as it takes.
    pub patience: Option<Duration>,
}

impl<'a> Ask<'a> {
    pub fn get(doing: &'a str, path: impl Into<String>) -> Self {
        Self {
            doing,
            method: Method::GET,
            path: path.into(),
            body: None,
            registry_auth: None,
            patience: Some(PATIENCE),
        }
    }

    pub fn post(doing: &'a str, path: impl Into<String>, body: Option<Value>) -> Self {
        Self { doing, method: Method::POST, path: path.into(), body, registry_auth: None, patience: Some(PATIENCE) }
    }
}

/// The body of an answer that is no refusal.
pub fn accepted(doing: &str, answer: Response<Bytes>) -> Answer<Bytes> {
    let status = answer.status();
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        return Ok(answer.into_body());
    }
    let said: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let message =
        said["message"].as_str().map_or_else(|| String::from_utf8_lossy(answer.body()).into_owned(), str::to_owned);
    Err(EngineError::Refused { doing: doing.to_owned(), status: status.as_u16(), message })
}

/// A part of a path or query in percent-encoding.
pub fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:@".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
