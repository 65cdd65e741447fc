//! What systemd is told: ready, alive, reloading, stopping. Without it, nobody listens and nothing is said.

use sd_notify::NotifyState;
use std::time::Duration;

/// Says something to the service manager.
fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// The daemon is at work.
pub fn ready(status: &str) {
    say(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The host file is read again.
pub fn reloading() {
    // From systemd 253 on the time is asked for; older ones ignore it.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => say(&[NotifyState::Reloading, now]),
        Err(_) => say(&[NotifyState::Reloading]),
    }
}

/// The steps in hand are being finished.
pub fn stopping() {
    say(&[NotifyState::Stopping, NotifyState::Status("finishing the steps in hand")]);
}

/// The daemon is alive.
pub fn alive() {
    say(&[NotifyState::Watchdog]);
}

/// How often the service manager wants to hear that the daemon is alive: half of what it allows; none where it does
/// not ask.
#[must_use]
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}
