//! Asks the proxy as a client of a host would, at the proxy's own door on this machine.

use crate::http1::{self, tls};
use std::{io, net::SocketAddr, time::Duration};
use tokio::{net::TcpStream, time::timeout};

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

async fn exchange(Question { door, secured, host, path }: Question<'_>) -> io::Result<Answer> {
    let stream = TcpStream::connect(door).await?;
    let (answer, certificate) = if secured {
        let stream = tls::wrap(stream, Some(host), door).await?;
        let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()).map(|leaf| leaf.to_vec());
        (http1::get(stream, host, path, LONGEST).await?, shown)
    } else {
        (http1::get(stream, host, path, LONGEST).await?, None)
    };
    Ok(Answer { status: answer.status, body: answer.body, certificate })
}
