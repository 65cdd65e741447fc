//! The ways to a container's port, in the order they are tried.

use super::{Target, namespace};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};

/// The host's own way is given up after this where there is another: a container's bridge answers within
/// milliseconds, a rootless one never.
const HOST_WAY: Duration = Duration::from_millis(500);

/// A way to the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// From the host; then, where it cannot be reached from there, from inside.
    Host(SocketAddr, Option<u32>),
    /// From inside the network of this process alone.
    Inside(SocketAddr, u32),
}

/// All ways to the port; none when there is neither address nor process.
pub fn places(target: &Target, port: u16) -> Vec<Place> {
    let loopback = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    if target.host_network {
        return vec![Place::Host(loopback, None)];
    }
    match (target.addresses.as_slice(), target.pid) {
        ([], None) => Vec::new(),
        ([], Some(pid)) => vec![Place::Inside(loopback, pid)],
        (addresses, pid) => addresses.iter().map(|address| Place::Host(SocketAddr::new(*address, port), pid)).collect(),
    }
}

impl Place {
    /// Where the connection goes.
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Host(address, _) | Self::Inside(address, _) => *address,
        }
    }

    /// Connects, whichever way works.
    pub async fn connect(&self, deadline: Instant) -> io::Result<TcpStream> {
        match *self {
            Self::Inside(address, pid) => namespace::connect(pid, address, deadline).await,
            Self::Host(address, None) => TcpStream::connect(address).await,
            Self::Host(address, Some(pid)) => {
                let soon = deadline.min(Instant::now() + HOST_WAY);
                match timeout_at(soon, TcpStream::connect(address)).await {
                    Ok(Ok(stream)) => Ok(stream),
                    // Somebody is there and says no: inside, the same would say the same.
                    Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Err(error),
                    Ok(Err(_)) | Err(_) => namespace::connect(pid, address, deadline).await,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_follows_from_what_is_known_of_the_container() {
        let address = IpAddr::from([172, 18, 0, 2]);
        let at = |address| SocketAddr::new(address, 80);
        let loopback = at(IpAddr::from([127, 0, 0, 1]));
        let ways = |addresses: &[IpAddr], pid, host_network| {
            places(&Target { addresses: addresses.to_vec(), pid, host_network }, 80)
        };
        assert_eq!(ways(&[address], Some(7), false), [Place::Host(at(address), Some(7))]);
        assert_eq!(ways(&[], Some(7), false), [Place::Inside(loopback, 7)]);
        assert_eq!(ways(&[], Some(7), true), [Place::Host(loopback, None)]);
        assert_eq!(ways(&[], None, false), []);
    }
}
