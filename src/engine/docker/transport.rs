//! HTTP/1.1 over the engine's socket, for reads: tolerant of all that a closed type would refuse.
//!
//! Connections are kept and used again; reads that do not wait for each other take one each. Every exchange has a
//! deadline.

use super::{
    ask::{Ask, accepted},
    connect::Address,
};
use crate::engine::{Answer, EngineError};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1::{SendRequest, handshake},
    header::HeaderValue,
};
use hyper_util::rt::TokioIo;
use secrecy::ExposeSecret;
use serde_json::Value;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::timeout,
};

type Fault = Box<dyn std::error::Error + Send + Sync>;
type Sender = SendRequest<Full<Bytes>>;

/// Idle connections kept; more are closed after use.
const KEPT: usize = 16;
/// The longest answer read, in bytes: a list of 1,000 containers has 2 MB.
const LONGEST: usize = 64 << 20;

/// An engine's socket and the connections to it that are free.
#[derive(Clone)]
pub struct Transport {
    address: Address,
    free: Arc<Mutex<Vec<Sender>>>,
}

impl Transport {
    pub fn new(address: Address) -> Self {
        Self { address, free: Arc::default() }
    }

    /// The JSON at a path; none when the engine says there is no such thing.
    pub async fn json(&self, ask: Ask<'_>) -> Answer<Option<Value>> {
        let doing = ask.doing.to_owned();
        let answer = self.whole(ask).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let body = accepted(&doing, answer)?;
        serde_json::from_slice(&body).map(Some).map_err(|source| EngineError::Garbled { doing, source: source.into() })
    }

    /// The whole answer, whatever its status.
    pub async fn whole(&self, ask: Ask<'_>) -> Answer<Response<Bytes>> {
        let (doing, patience) = (ask.doing.to_owned(), ask.patience);
        let exchange = async {
            let (answer, sender) = self.send(ask).await?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, LONGEST).collect().await?.to_bytes();
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            if free.len() < KEPT {
                free.push(sender);
            }
            Ok(Response::from_parts(head, body))
        };
        self.within(&doing, patience, exchange).await
    }

    /// An answer whose body has no end; its connection is not used again. `patience` is for the head alone.
    pub async fn stream(&self, ask: Ask<'_>) -> Answer<Response<Incoming>> {
        let (doing, patience) = (ask.doing.to_owned(), ask.patience);
        self.within(&doing, patience, async { Ok(self.send(ask).await?.0) }).await
    }

    async fn within<T>(
        &self,
        doing: &str,
        patience: Option<Duration>,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Answer<T> {
        let done = match patience {
            None => work.await,
            Some(limit) => timeout(limit, work)
                .await
                .map_err(|_| EngineError::Late { doing: doing.to_owned(), seconds: limit.as_secs() })?,
        };
        done.map_err(|source| EngineError::Unreachable { address: self.address.to_string(), source })
    }

    async fn send(&self, ask: Ask<'_>) -> Result<(Response<Incoming>, Sender), Fault> {
        let body = ask.body.map_or_else(Bytes::new, |body| body.to_string().into());
        let mut request = Request::builder()
            .method(ask.method)
            .uri(ask.path)
            .header("host", "engine")
            .header("content-type", "application/json")
            .body(Full::new(body))?;
        if let Some(secret) = ask.registry_auth {
            let mut value = HeaderValue::from_str(secret.expose_secret())?;
            // So that nothing prints it that prints a request.
            value.set_sensitive(true);
            request.headers_mut().insert("x-registry-auth", value);
        }
        // A free connection may have been closed by the engine meanwhile; the request comes back unsent then.
        while let Some(mut sender) = self.take_free() {
            match sender.try_send_request(request).await {
                Ok(answer) => return Ok((answer, sender)),
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(failed.into_error().into()),
                },
            }
        }
        let mut sender = match &self.address {
            Address::Unix(path) => open(UnixStream::connect(path).await?).await?,
            Address::Tcp(host) => open(TcpStream::connect(host).await?).await?,
        };
        Ok((sender.send_request(request).await?, sender))
    }

    fn take_free(&self) -> Option<Sender> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| free.pop()).find(SendRequest::is_ready)
    }
}

async fn open(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Sender, Fault> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}
