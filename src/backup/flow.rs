//! Bytes on their way from a source: the seam between who asks containers and who writes copies.

use super::limit;
use std::io::{self, Write};
use tokio::sync::mpsc::{Receiver, Sender};

/// What a source gives.
#[derive(Debug)]
pub enum Piece {
    /// Some more of it.
    Bytes(Vec<u8>),
    /// It is whole. A source that is not heard to say so broke off, however cleanly.
    Whole,
    /// It failed, and why; what it gave before is worth nothing.
    Failed(String),
}

/// A source's pieces, in order. Few are in hand at once: who writes slower than a source gives slows it down.
pub type Flow = Receiver<Piece>;

/// How many pieces may be in hand.
pub const IN_HAND: usize = 16;

/// Hands on what is written; where nobody takes it any more it is an error.
pub(super) struct Handing(pub Sender<Vec<u8>>);

impl Write for Handing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let handed = limit::wait(self.0.send(bytes.to_vec())).map_err(io::Error::other)?;
        handed.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
