//! The seam to containers: who makes copies says what is to be run, and gets what it writes.

use super::{BackupError, Flow, driver::Taking};
use crate::desired::backup::Hook;
use futures_util::future::BoxFuture;
use std::time::Duration;
use tokio::sync::{mpsc::Receiver, oneshot};

/// The containers of one app, and those that are made beside its volumes.
pub trait Sources: Send + Sync {
    /// Puts away what a run that was killed left behind.
    fn sweep(&self) -> BoxFuture<'_, Result<(), BackupError>>;

    /// Begins what gives data, and passes it on.
    fn take<'a>(&'a self, taking: &'a Taking) -> BoxFuture<'a, Result<Flow, BackupError>>;

    /// As [`Sources::take`], of a volume whose users are held still until it is read; they go on before the flow says that it
    /// is whole, and whatever becomes of who reads it.
    fn take_still<'a>(
        &'a self,
        taking: &'a Taking,
        still: Still,
    ) -> BoxFuture<'a, Result<(Flow, Released), BackupError>>;

    /// Begins what reads data, or just does something; the verdict comes when it is over.
    fn give<'a>(
        &'a self,
        taking: &'a Taking,
        data: Option<Receiver<Vec<u8>>>,
    ) -> BoxFuture<'a, Result<Verdict, BackupError>>;

    /// The running containers that have a volume.
    ///
    /// # Errors
    /// One of them is somebody else's.
    fn users<'a>(&'a self, volume: &'a str) -> BoxFuture<'a, Result<Vec<User>, BackupError>>;

    /// Stops one of them, and waits until it is over.
    fn stop<'a>(&'a self, user: &'a User) -> BoxFuture<'a, Result<(), BackupError>>;

    /// Starts it again.
    fn start<'a>(&'a self, user: &'a User) -> BoxFuture<'a, Result<(), BackupError>>;

    /// Runs a hook to its end.
    fn hook<'a>(&'a self, hook: &'a Hook) -> BoxFuture<'a, Result<(), BackupError>>;
}

/// How the users of a volume are held still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Still {
    Pause,
    Stop,
}

impl Still {
    /// The word of the manifest.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Stop => "stop",
        }
    }
}

/// A container that has a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: String,
    pub name: String,
    /// How long it may take to end by itself.
    pub grace: Duration,
}

/// Tells when those who were held still go on, and whether all of them do.
pub type Released = oneshot::Receiver<Result<(), BackupError>>;

/// What is right, or what is wrong; a channel that closes broke off.
pub type Verdict = oneshot::Receiver<Result<(), String>>;
