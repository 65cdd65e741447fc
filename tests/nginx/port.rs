//! A port for a test's own server.

use std::net::TcpListener;

/// A port that is free now, below those from which outgoing connections take theirs: they would have it before a proxy.
pub fn free_port() -> u16 {
    let free = |port: &u16| TcpListener::bind(("0.0.0.0", *port)).is_ok();
    std::iter::repeat_with(|| fastrand::u16(20_000..32_000)).find(free).unwrap()
}
