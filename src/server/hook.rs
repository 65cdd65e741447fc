//! The webhook: whoever knows the secret may say "look now", not too often, and nothing else.

use super::{
    delivery::{Bucket, Seen},
    signature,
};
use crate::{
    host::secret_file::{self, SecretFileError},
    value::AbsolutePath,
};
use hyper::HeaderMap;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::sync::Notify;

/// A shorter secret is guessed.
const SHORTEST: usize = 16;

/// What takes webhooks.
#[derive(Debug)]
pub struct Hook {
    secret: SecretString,
    nudge: Arc<Notify>,
    memory: Mutex<(Seen, Bucket)>,
}

/// Why there is no webhook.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    #[error("the secret of webhooks is not known")]
    Secret(#[from] SecretFileError),
    #[error("the secret of webhooks is shorter than {SHORTEST} characters")]
    Short,
}

impl HookError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Secret(error) => error.hint(),
            Self::Short => Some("make a longer one: `openssl rand -hex 32`".to_owned()),
        }
    }
}

/// How a delivery is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Nudged,
    Repeated,
    Refused,
    TooMany,
}

impl Hook {
    /// A webhook that says "look" by way of `nudge`.
    ///
    /// # Errors
    /// The secret is too short.
    pub fn new(secret: SecretString, nudge: Arc<Notify>) -> Result<Self, HookError> {
        if secret.expose_secret().chars().count() < SHORTEST {
            return Err(HookError::Short);
        }
        let memory = Mutex::new((Seen::default(), Bucket::full(Instant::now())));
        Ok(Self { secret, nudge, memory })
    }

    /// The same with the secret from its file.
    ///
    /// # Errors
    /// The file says no secret, or too short a one.
    pub fn read(secret_file: &AbsolutePath, nudge: Arc<Notify>) -> Result<Self, HookError> {
        Self::new(secret_file::read(secret_file)?, nudge)
    }

    /// Hears a delivery.
    pub(super) fn hear(&self, headers: &HeaderMap, body: &[u8], now: Timestamp, instant: Instant) -> Verdict {
        let Some(marks) = signature::judge(self.secret.expose_secret(), headers, body, now) else {
            return Verdict::Refused;
        };
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, bucket) = &mut *memory;
        if seen.knows(&marks) {
            return Verdict::Repeated;
        }
        // Not remembered: who is told to come again must be heard then.
        if !bucket.take(instant) {
            return Verdict::TooMany;
        }
        seen.remember(marks);
        self.nudge.notify_one();
        Verdict::Nudged
    }
}
