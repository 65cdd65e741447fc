//! One GET, and the status of its answer. A redirect is an answer.

use super::tls;
use crate::desired::service::Scheme;
use http_body_util::Empty;
use hyper::{Request, body::Bytes, client::conn::http1::handshake};
use hyper_util::rt::TokioIo;
use std::{io, net::SocketAddr};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

/// What is asked.
pub struct Question<'a> {
    pub scheme: Scheme,
    pub host: Option<&'a str>,
    pub path: &'a str,
    pub expected: (u16, u16),
}

/// What came.
pub struct Verdict {
    pub status: u16,
    pub expected: (u16, u16),
}

impl Verdict {
    pub fn passes(&self) -> bool {
        (self.expected.0..=self.expected.1).contains(&self.status)
    }
}

impl Question<'_> {
    /// `GET http://172.18.0.2:8080/healthz`
    pub fn text(&self, address: SocketAddr) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        format!("GET {scheme}://{address}{}", self.path)
    }

    pub async fn put(&self, stream: TcpStream, address: SocketAddr) -> io::Result<Verdict> {
        let status = match self.scheme {
            Scheme::Http => self.exchange(stream, address).await,
            Scheme::Https => self.exchange(tls::wrap(stream, self.host, address).await?, address).await,
        };
        Ok(Verdict { status: status?, expected: self.expected })
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        address: SocketAddr,
    ) -> io::Result<u16> {
        let request = Request::get(self.path)
            .header("host", self.host.map_or_else(|| address.to_string(), str::to_owned))
            .header("user-agent", concat!("reconcile/", env!("CARGO_PKG_VERSION")))
            .header("connection", "close")
            .body(Empty::<Bytes>::new())
            .map_err(io::Error::other)?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(io::Error::other);
        // The body is not wanted; a stream without end would keep the connection open.
        connection.abort();
        Ok(answer?.status().as_u16())
    }
}
