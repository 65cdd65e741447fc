//! Asks a container from outside whether it does its work: an HTTP answer, or a connection that is accepted.
//!
//! No tool in the image is needed. Where the host cannot reach the container, the socket is made inside the
//! container's own network (`namespace`).

mod http;
mod namespace;
mod reach;

#[cfg(test)]
mod tests;

use crate::{
    blame::Blame,
    desired::{Probe, ProbeKind},
};
use namespace::Shut;
use std::{io, net::IpAddr, time::Duration};
use tokio::time::{Instant, timeout_at};

/// Where a container can be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Its addresses on its networks, or those of the container whose network it shares.
    pub addresses: Vec<IpAddr>,
    /// Its first process on the host; with it the container's own network can be entered.
    pub pid: Option<u32>,
    /// It is on the host's own network.
    pub host_network: bool,
}

/// Why a probe did not pass, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ProbeFailure {
    /// It answered with a status outside the range.
    #[error("{asked} answered {status}, expected {}-{}", .expected.0, .expected.1)]
    Status { asked: String, status: u16, expected: (u16, u16) },
    /// Nothing came in time.
    #[error("{asked} got no answer within {}", text_of(.within))]
    Late { asked: String, within: Duration },
    /// No connection, or none that was of use. The cause is in the line: it is all there is to say.
    #[error("{asked}: {cause}")]
    Broken { asked: String, cause: String },
    /// It cannot be asked from here, whatever it does: neither from the host nor from inside its network.
    #[error("{asked}: {cause}")]
    OutOfReach { asked: String, cause: String },
    /// The container has neither address nor process.
    #[error("it has no address to ask at: it does not run")]
    Nowhere,
    /// The check is the engine's to run.
    #[error("the check is the engine's own")]
    EnginesOwn,
}

impl ProbeFailure {
    /// Whose fault it is: the container's, unless nobody can tell from here.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::OutOfReach { .. } => Blame::World,
            Self::Status { .. } | Self::Late { .. } | Self::Broken { .. } | Self::Nowhere | Self::EnginesOwn => {
                Blame::Revision
            }
        }
    }
}

fn text_of(duration: &Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}

/// Asks once, within the probe's timeout: connection, TLS and answer together.
///
/// # Errors
/// One line on what was asked and what came of it.
pub async fn ask(probe: &Probe, target: &Target) -> Result<(), ProbeFailure> {
    let deadline = Instant::now() + probe.timeout;
    let (port, question) = match &probe.kind {
        ProbeKind::Http { path, port, scheme, host, status } => {
            (*port, Some(http::Question { scheme: *scheme, host: host.as_deref(), path, expected: *status }))
        }
        ProbeKind::Tcp { port } => (*port, None),
        ProbeKind::Engine => return Err(ProbeFailure::EnginesOwn),
    };
    let asked_at = |address| match &question {
        Some(question) => question.text(address),
        None => format!("connecting to {address}"),
    };
    let mut last = ProbeFailure::Nowhere;
    // A container on two networks may listen on one of them: the first address that gives what is wanted is enough.
    for place in reach::places(target, port) {
        let asked = asked_at(place.address());
        let attempt = async {
            let stream = place.connect(deadline).await?;
            match &question {
                Some(question) => question.put(stream, place.address()).await.map(Some),
                None => Ok(None),
            }
        };
        last = match timeout_at(deadline, attempt).await {
            Err(_) => return Err(ProbeFailure::Late { asked, within: probe.timeout }),
            Ok(Ok(None)) => return Ok(()),
            Ok(Ok(Some(answer))) if answer.passes() => return Ok(()),
            Ok(Ok(Some(http::Verdict { status, expected }))) => ProbeFailure::Status { asked, status, expected },
            Ok(Err(error)) if Shut::is_why(&error) => ProbeFailure::OutOfReach { asked, cause: error.to_string() },
            Ok(Err(error)) => ProbeFailure::Broken { asked, cause: cause_of(&error) },
        };
    }
    Err(last)
}

/// The innermost cause: the outer ones name the library.
fn cause_of(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    match error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
        // `Connection refused (os error 111)`: the number says nothing more.
        Some(code) => io::Error::from_raw_os_error(code).kind().to_string(),
        None => error.to_string(),
    }
}
