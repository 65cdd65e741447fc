//! How an authority is asked: over TLS alone, without redirects, with an end, hearing how long it wants to be left alone.

use super::{Settings, TlsError, disk};
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response,
    body::Bytes,
    header::{HeaderMap, RETRY_AFTER},
};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{Certificate, Client, redirect};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// An authority that validates answers at once, and later says how it went.
const LONGEST_ANSWER: Duration = Duration::from_secs(60);
/// No answer of an authority is longer.
const LARGEST_ANSWER: usize = 1024 * 1024;
/// As much of a page that is no answer is told.
const TOLD_CHARACTERS: usize = 300;

/// What an authority was heard to say beside its answers.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<Option<Duration>>>);

impl Heard {
    /// The `Retry-After` of the last refusal.
    pub fn told(&self) -> Option<Duration> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, headers: &HeaderMap) {
        let told = headers.get(RETRY_AFTER).and_then(|value| after(value.to_str().ok()?, Timestamp::now()));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }
}

/// `Retry-After`, in seconds or as a date.
fn after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Duration::try_from(rfc2822::parse(text).ok()?.timestamp().duration_since(now)).ok(),
    }
}

/// Asks an authority.
pub struct Http {
    client: Client,
    heard: Heard,
}

impl Http {
    /// A client that knows the system's authorities and those of the host file.
    pub fn new(settings: &Settings) -> Result<Self, TlsError> {
        // Fails where somebody installed one before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .https_only(true)
            .redirect(redirect::Policy::none())
            .timeout(LONGEST_ANSWER)
            .user_agent(concat!("reconcile/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &settings.ca_file {
            let pem = disk::read(path).map_err(TlsError::disk("read", path))?.unwrap_or_default();
            let roots = Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if roots.is_empty() {
                return Err(TlsError::NoRoots { path: path.clone() });
            }
            builder = builder.tls_certs_merge(roots);
        }
        let client = builder.build().map_err(|source| TlsError::NoClient { source })?;
        Ok(Self { client, heard: Heard::default() })
    }

    pub fn heard(&self) -> Heard {
        self.heard.clone()
    }
}

/// An answer that is no document of the protocol.
#[derive(Debug, thiserror::Error)]
#[error("it answered {status}: {text}")]
struct NoDocument {
    status: u16,
    text: String,
}

impl HttpClient for Http {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let (client, heard) = (self.client.clone(), self.heard.clone());
        Box::pin(async move {
            let other = |error: reqwest::Error| Error::Other(Box::new(error));
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_or_else(|never| match never {}, |body| body.to_bytes());
            // Its own name is told; the protocol's library has one too.
            let mut headers = parts.headers;
            headers.remove(hyper::header::USER_AGENT);
            let url = parts.uri.to_string();
            let mut answer =
                client.request(parts.method.clone(), url).headers(headers).body(body).send().await.map_err(other)?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let mut content = Vec::new();
            while let Some(chunk) = answer.chunk().await.map_err(other)? {
                content.extend_from_slice(&chunk);
                if content.len() > LARGEST_ANSWER {
                    return Err(Error::Str("an end of the answer"));
                }
            }
            if status.is_client_error() || status.is_server_error() {
                heard.refused(&headers);
                let is_problem = serde_json::from_slice::<instant_acme::Problem>(&content).is_ok();
                // Who asks for the directory or a nonce does not look for a problem.
                if !is_problem || parts.method != Method::POST {
                    let text: String = String::from_utf8_lossy(&content).chars().take(TOLD_CHARACTERS).collect();
                    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                    return Err(Error::Other(Box::new(NoDocument { status: status.as_u16(), text })));
                }
            }
            let mut whole = Response::new(Full::new(Bytes::from(content)));
            (*whole.status_mut(), *whole.headers_mut()) = (status, headers);
            Ok(BytesResponse::from(whole))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_says_how_long_it_wants_to_be_left_alone_in_seconds_or_by_date() {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let table = [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 29 Nov 2026 13:00:00 GMT", Some(3_600)),
            ("Sun, 29 Nov 2026 11:00:00 GMT", None),
            ("soon", None),
            ("", None),
            ("-5", None),
        ];
        for (text, seconds) in table {
            assert_eq!(after(text, now), seconds.map(Duration::from_secs), "{text:?}");
        }
    }
}
