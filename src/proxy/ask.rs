//! Asks the proxy as a client of a host would, at the proxy's own door on this machine.

use crate::probe::tls;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, body::Bytes, client::conn::http1::handshake};
use hyper_util::rt::TokioIo;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};

/// The most of a body that is read: what is asked for is a line.
const LONGEST: usize = 4096;

/// Longer than any proxy of this host takes.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is asked, and where.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub door: SocketAddr,
    /// With TLS, for this host's name.
    pub secured: bool,
    pub host: &'a str,
    pub path: &'a str,
}

/// What came.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Its first bytes, where it is short.
    pub body: String,
    /// The certificate that was shown, DER.
    pub certificate: Option<Vec<u8>>,
}

/// Asks once.
///
/// # Errors
/// No connection, no TLS, or no answer within five seconds.
pub async fn ask(question: Question<'_>) -> io::Result<Answer> {
    timeout(PATIENCE, exchange(question)).await.unwrap_or_else(|_| {
        let late = format!("no answer within {} s", PATIENCE.as_secs());
        Err(io::Error::new(io::ErrorKind::TimedOut, late))
    })
}

async fn exchange(question: Question<'_>) -> io::Result<Answer> {
    let stream = TcpStream::connect(question.door).await?;
    if !question.secured {
        return request(stream, question, None).await;
    }
    let stream = tls::wrap(stream, Some(question.host), question.door).await?;
    let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()).map(|leaf| leaf.to_vec());
    request(stream, question, shown).await
}

async fn request(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    question: Question<'_>,
    certificate: Option<Vec<u8>>,
) -> io::Result<Answer> {
    let request = Request::get(question.path)
        .header("host", question.host)
        .header("user-agent", concat!("reconcile/", env!("CARGO_PKG_VERSION")))
        .header("connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(io::Error::other);
    let told = match answer {
        Ok(answer) => {
            let status = answer.status().as_u16();
            let body = if is_short(&answer) {
                let body = Limited::new(answer.into_body(), LONGEST).collect().await.map(|body| body.to_bytes());
                String::from_utf8_lossy(&body.unwrap_or_default()).into_owned()
            } else {
                // A stream without end would never be read.
                String::new()
            };
            Ok(Answer { status, body, certificate })
        }
        Err(error) => Err(error),
    };
    connection.abort();
    told
}

fn is_short<B>(answer: &hyper::Response<B>) -> bool {
    let length = answer.headers().get("content-length").and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    length.is_some_and(|length| length <= LONGEST)
}
