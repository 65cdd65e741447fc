//! A connection made inside another process's network.
//!
//! A socket belongs to the network it was made in, wherever it is used later. Entering a network binds the thread, so
//! a thread of its own enters, connects, hands the socket over and ends.

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::{fs::File, io, net::SocketAddr, os::fd::AsFd, thread};
use tokio::{net::TcpStream, sync::oneshot, time::Instant};

/// The network is shut to us, whatever the container does in it: this process is not root on the host, or sees other
/// processes than the host's.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Shut(String);

impl Shut {
    fn error(why: String) -> io::Error {
        io::Error::other(Self(why))
    }

    /// True where this is why there is no connection.
    pub fn is_why(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}

/// Connects to `address` inside the network of process `pid`. Needs the right to enter it (root).
pub async fn connect(pid: u32, address: SocketAddr, deadline: Instant) -> io::Result<TcpStream> {
    let (sender, receiver) = oneshot::channel();
    // A receiver that gave up meanwhile needs no answer.
    thread::Builder::new()
        .name(format!("probe in {pid}"))
        .spawn(move || drop(sender.send(inside(pid, address, deadline))))?;
    let stream = receiver.await.map_err(io::Error::other)??;
    TcpStream::from_std(stream)
}

fn inside(pid: u32, address: SocketAddr, deadline: Instant) -> io::Result<std::net::TcpStream> {
    let network = File::open(format!("/proc/{pid}/ns/net")).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Shut::error(format!("no process {pid} is seen here")),
        _ => Shut::error(format!("the container's network cannot be opened: {}", error.kind())),
    })?;
    move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))
        .map_err(|error| Shut::error(format!("the container's network cannot be entered: {}", error.kind())))?;
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let stream = std::net::TcpStream::connect_timeout(&address, left)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}
