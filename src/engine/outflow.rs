//! A program in a container whose output is data, of any length.

use super::EngineError;
use tokio::sync::mpsc::Receiver;

/// What is run.
#[derive(Debug)]
pub struct FlowInside {
    /// The program and its arguments; no shell between.
    pub command: Vec<String>,
    /// Who runs it there; none is the container's own user.
    pub user: Option<String>,
    /// What it reads, until the channel closes; none is nothing.
    pub input: Option<Receiver<Vec<u8>>>,
}

/// What comes of it, in order; the last is `Ended` or `Lost`. A channel that closes without either broke off.
#[derive(Debug)]
pub enum Outflow {
    /// Some of what it wrote to its standard output.
    Bytes(Vec<u8>),
    /// It is over; its exit code, and the end of what it wrote to its standard error.
    Ended { code: i64, said: String },
    /// The engine was lost on the way.
    Lost(EngineError),
}

/// How many pieces may be in hand: who takes them slowly slows the program down.
pub const IN_HAND: usize = 16;
