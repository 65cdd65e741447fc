//! One GET, and the status of its answer. A redirect is an answer.

use crate::{
    desired::service::Scheme,
    http1::{self, tls},
};
use std::{io, net::SocketAddr};
use tokio::net::TcpStream;

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
        let host = self.host.map_or_else(|| address.to_string(), str::to_owned);
        // The body is not wanted.
        let answer = match self.scheme {
            Scheme::Http => http1::get(stream, &host, self.path, 0).await,
            Scheme::Https => http1::get(tls::wrap(stream, self.host, address).await?, &host, self.path, 0).await,
        };
        Ok(Verdict { status: answer?.status, expected: self.expected })
    }
}
