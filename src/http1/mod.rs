//! One GET over a connection that is there, for those who ask whether somebody answers: probes and routes.

pub mod tls;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, body::Bytes, client::conn::http1::handshake};
use hyper_util::rt::TokioIo;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Its body; empty where it is longer than what was to be read, or does not say how long it is.
    pub body: String,
}

/// Asks once, and reads a body of at most so many bytes. A redirect is an answer.
///
/// # Errors
/// Nothing came that is HTTP.
pub async fn get(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    host: &str,
    path: &str,
    longest: usize,
) -> io::Result<Answer> {
    let request = Request::get(path)
        .header("host", host)
        .header("user-agent", concat!("reconcile/", env!("CARGO_PKG_VERSION")))
        .header("connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let connection = tokio::spawn(connection);
    let answer = match sender.send_request(request).await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            let body = if is_short(&answer, longest) {
                let body = Limited::new(answer.into_body(), longest).collect().await.map(|body| body.to_bytes());
                String::from_utf8_lossy(&body.unwrap_or_default()).into_owned()
            } else {
                // A stream without end would never be read.
                String::new()
            };
            Ok(Answer { status, body })
        }
        Err(error) => Err(io::Error::other(error)),
    };
    connection.abort();
    answer
}

fn is_short<B>(answer: &hyper::Response<B>, longest: usize) -> bool {
    let length = answer.headers().get("content-length").and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    length.is_some_and(|length| length <= longest)
}
