//! SIGINT and SIGTERM: the step in hand is finished, the next one is not begun.

use super::results;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// Becomes true at the first signal; the second ends the process at once, as a crash would: the next pass goes on from
/// what it finds.
///
/// # Errors
/// The system does not let us wait for signals.
pub fn listen() -> std::io::Result<watch::Receiver<bool>> {
    begin(|| results::tell("stopping: the step in hand is finished first; once more stops at once\n"))
}

/// The same for copies, of which nothing half-made is worth anything.
///
/// # Errors
/// As `listen`.
pub fn listen_to_copies() -> std::io::Result<watch::Receiver<bool>> {
    begin(|| {
        results::tell("stopping: the copy in hand is given up, and hooks `after` are run; once more stops at once\n")
    })
}

/// The same for a daemon, which tells it in its log.
///
/// # Errors
/// As `listen`.
pub fn listen_in_silence() -> std::io::Result<watch::Receiver<bool>> {
    begin(|| {})
}

fn begin(tell: impl FnOnce() + Send + 'static) -> std::io::Result<watch::Receiver<bool>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        either(&mut terminate, &mut interrupt).await;
        tell();
        sender.send_replace(true);
        either(&mut terminate, &mut interrupt).await;
        std::process::exit(1);
    });
    Ok(receiver)
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
