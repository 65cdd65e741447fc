//! Caddy's admin interface: what its apps are configured with, and changes of it, each under the condition that nobody
//! else changed anything meanwhile.

use super::Settings;
use crate::proxy::ProxyError;
use http_body_util::BodyExt;
use reqwest::{Body, Client, Method, StatusCode};
use serde_json::Value;
use std::{io, time::Duration};
use tokio::time::sleep;

/// Longer than Caddy takes to provision what it is told.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where its apps are.
const APPS: &str = "/config/apps";

/// How often a look is tried whose connection was cut or reset: the interface is opened anew with each change.
const LOOKS: u32 = 5;

/// Between two of them.
const AGAIN: Duration = Duration::from_millis(20);

/// Status, body, and by what it is known again.
type Answer = (StatusCode, Vec<u8>, Option<String>);

/// What there is, and by what it is known again.
#[derive(Debug)]
pub struct Seen {
    pub apps: Value,
    etag: Option<String>,
}

/// What came of a change.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    Done,
    /// Somebody else changed something, or nobody knows what became of it: look again.
    Changed,
    /// It does not take it, in its own words; what was there still is.
    Refused(String),
}

/// The admin interface.
#[derive(Debug)]
pub struct Admin {
    address: String,
    client: Client,
}

impl Admin {
    /// Nothing is asked of it yet.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn open(settings: &Settings) -> Result<Self, ProxyError> {
        // Only the first call in a process does anything.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Of this machine, and of no proxy for the web.
        // With each change it opens its interface anew, and lets connections of before go.
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(PATIENCE).build();
        let address = settings.admin.clone();
        Ok(Self { client: client.map_err(|source| away(&settings.admin, source))?, address })
    }

    /// What its apps are configured with.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn look(&self) -> Result<Seen, ProxyError> {
        for _ in 1..LOOKS {
            match self.ask(Method::GET, APPS, None, None).await {
                Err(error) if !error.is_timeout() => sleep(AGAIN).await,
                answer => return self.seen(answer),
            }
        }
        self.seen(self.ask(Method::GET, APPS, None, None).await)
    }

    fn seen(&self, answer: reqwest::Result<Answer>) -> Result<Seen, ProxyError> {
        let (_, said, etag) = answer.map_err(|source| away(&self.address, source))?;
        Ok(Seen { apps: serde_json::from_slice(&said).unwrap_or_default(), etag })
    }

    /// Puts something in the place of a part of what was seen.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn change(&self, seen: &Seen, path: &[String], value: &Value) -> Result<Told, ProxyError> {
        let path = [APPS.to_owned()].iter().chain(path).cloned().collect::<Vec<_>>().join("/");
        let (status, said, _) = match self.ask(Method::PATCH, &path, Some(value), seen.etag.as_deref()).await {
            // It was cut off by somebody else's change: another look tells whether it was heard.
            Err(error) if !error.is_timeout() => return Ok(Told::Changed),
            answer => answer.map_err(|source| away(&self.address, source))?,
        };
        if status.is_success() {
            return Ok(Told::Done);
        }
        if status == StatusCode::PRECONDITION_FAILED {
            return Ok(Told::Changed);
        }
        let error: Value = serde_json::from_slice(&said).unwrap_or_default();
        let said = error["error"].as_str().map_or_else(|| String::from_utf8_lossy(&said).into_owned(), str::to_owned);
        Ok(Told::Refused(said.trim().to_owned()))
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        seen: Option<&str>,
    ) -> reqwest::Result<Answer> {
        let mut request = self.client.request(method, format!("{}{path}", self.address));
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(seen) = seen {
            request = request.header("If-Match", seen);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let headed = answer.headers().get("etag").cloned();
        // 2.6 says it after the body, later ones before it.
        let body = hyper::Response::<Body>::from(answer).into_body().collect().await?;
        let trailed = body.trailers().and_then(|trailers| trailers.get("etag").cloned());
        let etag = headed.or(trailed).and_then(|etag| etag.to_str().ok().map(str::to_owned));
        Ok((status, body.to_bytes().to_vec(), etag))
    }
}

fn away(address: &str, source: reqwest::Error) -> ProxyError {
    ProxyError::Files { doing: format!("reach caddy at `{address}`"), source: io::Error::other(source) }
}
