//! Fetches images. Past bollard, which writes credentials in base64 of the wrong alphabet: with a `?` or `>` in a password
//! Docker asks as nobody, and Podman refuses.

use super::{
    Docker,
    ask::{Ask, encoded},
    refusal,
};
use crate::{
    engine::{Answer, Engine, EngineError, PullFault, PullImage},
    registry::{Credentials, credentials::Proof},
    value::{ImageReference, RegistryName},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use http_body_util::BodyExt;
use hyper::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// A pull that makes no progress for so long is over. Podman tries for two minutes by itself where a registry says that it
/// is asked too often, and says nothing meanwhile.
pub const PULL_SILENCE: Duration = Duration::from_secs(300);
/// The longest line of progress; more is no engine's.
const LONGEST_LINE: usize = 1 << 20;

/// How a pull ended by the engine's own words.
enum Ended {
    Quietly,
    Refused(String),
}

impl Docker {
    pub(super) async fn pull_image(&self, wanted: &PullImage<'_>) -> Answer<()> {
        let asked_for = asked_for(wanted);
        let ended = match self.fetch(&asked_for, wanted).await {
            Err(EngineError::Late { seconds, .. }) => {
                let message = format!("no progress for {seconds} s");
                return Err(EngineError::NotPulled { fault: PullFault::Stalled, message });
            }
            ended => ended?,
        };
        let here = self.image(&asked_for).await?.is_some();
        let message = match ended {
            Ended::Quietly if here => return Ok(()),
            // A digest means one image for ever; a tag that is here may be what it meant before.
            Ended::Refused(_) if here && asked_for.contains('@') => return Ok(()),
            Ended::Quietly => "it is not here after the pull".to_owned(),
            Ended::Refused(message) => message,
        };
        let message = wanted.credentials.map_or(message.clone(), |known| known.hidden_in(&message));
        Err(EngineError::NotPulled { fault: refusal::fault(&message, wanted.reference), message })
    }

    async fn fetch(&self, asked_for: &str, wanted: &PullImage<'_>) -> Answer<Ended> {
        let doing = format!("pull `{asked_for}`");
        let platform = wanted.platform.map(|platform| format!("&platform={}", encoded(platform))).unwrap_or_default();
        let path = self.path(&format!("/images/create?fromImage={}{platform}", encoded(asked_for)));
        let ask = Ask {
            registry_auth: wanted.credentials.map(registry_auth),
            patience: Some(PULL_SILENCE),
            ..Ask::post(&doing, path, None)
        };
        let answer = self.0.transport.stream(ask).await?;
        let status = answer.status();
        let mut said = Progress::default();
        let mut body = answer.into_body();
        loop {
            match timeout(PULL_SILENCE, body.frame()).await {
                Err(_) => return Err(EngineError::Late { doing, seconds: PULL_SILENCE.as_secs() }),
                Ok(None) => break,
                Ok(Some(Err(source))) => {
                    return Err(EngineError::Unreachable {
                        address: self.0.address.to_string(),
                        source: source.into(),
                    });
                }
                Ok(Some(Ok(frame))) => said.take(frame.data_ref().map_or(&[][..], |data| data)),
            }
        }
        Ok(said.end(status))
    }
}

/// Without a registry Podman may look in several, which are none of the credentials' business.
fn asked_for(wanted: &PullImage<'_>) -> String {
    let image = wanted.reference.parse::<ImageReference>();
    image.map_or_else(
        |_| wanted.reference.to_owned(),
        |image| if wanted.credentials.is_some() { image.asked_for_in_full() } else { image.asked_for() },
    )
}

/// The value of `X-Registry-Auth`: JSON in base64 of the alphabet for URLs.
pub fn registry_auth(credentials: &Credentials) -> SecretString {
    // The word that Docker's own command sends for its hub.
    let address = if credentials.registry == RegistryName::hub() {
        "https://index.docker.io/v1/"
    } else {
        credentials.registry.as_str()
    };
    let said = match &credentials.proof {
        Proof::Password(password) => json!({
            "username": credentials.username, "password": password.expose_secret(), "serveraddress": address,
        }),
        // A user name beside a token makes an engine try it as a password.
        Proof::IdentityToken(token) => json!({ "identitytoken": token.expose_secret(), "serveraddress": address }),
    };
    URL_SAFE.encode(said.to_string()).into()
}

/// What the engine tells of a pull: a line of JSON for each step of it, or one that says why not.
#[derive(Default)]
struct Progress {
    line: Vec<u8>,
    refusal: Option<String>,
}

impl Progress {
    fn take(&mut self, data: &[u8]) {
        for byte in data {
            if *byte == b'\n' {
                self.end_line();
            } else if self.line.len() < LONGEST_LINE {
                self.line.push(*byte);
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let said: Value = serde_json::from_slice(&line).unwrap_or_default();
        let words = [&said["errorDetail"]["message"], &said["error"], &said["message"]];
        let refusal = words.into_iter().filter_map(Value::as_str).find(|words| !words.is_empty());
        self.refusal = self.refusal.take().or_else(|| refusal.map(str::to_owned));
    }

    fn end(mut self, status: StatusCode) -> Ended {
        self.end_line();
        match self.refusal {
            Some(message) => Ended::Refused(message),
            None if status.is_success() => Ended::Quietly,
            None => Ended::Refused(status.to_string()),
        }
    }
}
