//! Posts over HTTP, without redirects: a token goes where the host file says and nowhere else.

use super::target::Fault;
use crate::cause;
use reqwest::{
    Client, StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
    redirect,
};
use std::time::Duration;

/// What is said when it is made, is thrown away when there is nothing more to send.
#[derive(Debug, Default)]
pub struct Http {
    client: Option<Client>,
}

impl Http {
    /// Lets go of everything, until there is something to send again.
    pub fn rest(&mut self) {
        self.client = None;
    }

    fn client(&mut self) -> Result<&Client, Fault> {
        if self.client.is_none() {
            // Fails where somebody installed one before, which is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let client = Client::builder()
                .redirect(redirect::Policy::none())
                .user_agent(concat!("reconcile/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(|error| Fault::passing(chain(error)))?;
            self.client = Some(client);
        }
        self.client.as_ref().ok_or_else(|| Fault::passing("no client"))
    }

    /// Posts JSON.
    pub async fn post(
        &mut self,
        url: &str,
        headers: Vec<(&'static str, HeaderValue)>,
        body: &serde_json::Value,
    ) -> Result<(), Fault> {
        let headers: HeaderMap =
            headers.into_iter().map(|(name, value)| (HeaderName::from_static(name), value)).collect();
        let answer = self.client()?.post(url).headers(headers).json(body).send().await;
        let answer = answer.map_err(|error| Fault::passing(chain(error)))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let why = format!("it answered {}", status.as_u16());
        if is_passing(status) {
            let after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            return Err(Fault::Passing { why, after: after.map(Duration::from_secs) });
        }
        Err(Fault::Final { why })
    }
}

/// Whether the same may be answered otherwise later.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::REQUEST_TIMEOUT
        || status == StatusCode::TOO_EARLY
        || status == StatusCode::TOO_MANY_REQUESTS
}

/// An error with its causes, and without the URL, which may be a secret.
fn chain(error: reqwest::Error) -> String {
    cause::whole(&error.without_url())
}
