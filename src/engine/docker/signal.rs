//! Signals a container and has nothing else come of it.
//!
//! Docker takes every signal for the wish that the container ends: from then on it is not started again, neither when it
//! dies nor after a boot, and one that is paused goes on (measured on 20.10; no option turns it off). So the process is
//! signalled itself where it is seen from here: where this is the engine's machine, and no container of its own.

use super::{Dialect, Docker, ask::encoded};
use crate::engine::{Answer, Engine, EngineError};
use bollard::query_parameters::KillContainerOptionsBuilder;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs;

impl Docker {
    pub(super) async fn signal_container(&self, id: &str, signal: &str) -> Answer<()> {
        let doing = format!("send {signal} to container `{id}`");
        let known = match self.0.dialect {
            Dialect::Docker => self.container(id).await?,
            Dialect::Podman => None,
        };
        match known.map(|detail| (detail.pid, detail.id)) {
            // It may be waiting for its next run, which a signal would take from it.
            Some((None, _)) => {
                return Err(EngineError::Refused { doing, status: 409, message: "it is not running".to_owned() });
            }
            Some((Some(pid), id)) if reaches(pid, &id, signal) => return Ok(()),
            Some((Some(_), _)) | None => {}
        }
        let options = KillContainerOptionsBuilder::default().signal(signal).build();
        self.done(doing, |client| async move { client.kill_container(&encoded(id), Some(options)).await }).await
    }
}

/// Signals a process of this machine, if it is the container's: its control group is named after it. Once it is held, its
/// number is nobody else's.
fn reaches(pid: u32, container: &str, signal: &str) -> bool {
    let signal = match signal {
        "SIGHUP" => Signal::HUP,
        _ => return false,
    };
    let held =
        i32::try_from(pid).ok().and_then(Pid::from_raw).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    let Some(held) = held else { return false };
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    groups.contains(container) && pidfd_send_signal(held, signal).is_ok()
}
