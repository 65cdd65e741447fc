//! How lives go on in virtual time: deaths and restarts that are due.

use super::world::{Container, Script, World};
use crate::{desired::spec::Restart, observed::Life};
use jiff::Timestamp;
use std::time::Duration;

/// The engine's pause before its first restart of a container; doubled with each, up to a minute.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A moment later.
#[must_use]
pub fn after(moment: Timestamp, wait: Duration) -> Timestamp {
    moment.checked_add(wait).unwrap_or(Timestamp::MAX)
}

impl World {
    /// Lets everything happen that is due until `now`. True when something did.
    pub fn settle(&mut self, now: Timestamp) -> bool {
        let mut happened = false;
        let ids: Vec<String> = self.containers.keys().cloned().collect();
        for id in ids {
            while let Some((due, script)) = self.containers.get(&id).and_then(|container| self.due(container)) {
                if due > now {
                    break;
                }
                if let Some(container) = self.containers.get_mut(&id) {
                    go_on(container, &script, due);
                    happened = true;
                }
            }
        }
        happened
    }

    /// When something happens next by itself.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.containers.values().filter_map(|container| self.due(container)).map(|(due, _)| due).min()
    }

    fn due(&self, container: &Container) -> Option<(Timestamp, Script)> {
        let script = self.script(container);
        let due = match &container.life {
            Life::Running => after(container.started_at?, script.exits?.0),
            Life::Restarting => after(container.finished_at?, pause(container.restarts)),
            Life::Created
            | Life::Paused
            | Life::Stopping
            | Life::Exited(_)
            | Life::Removing
            | Life::Dead
            | Life::Unknown(_) => return None,
        };
        Some((due, self.script(container)))
    }
}

fn pause(restarts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(restarts)).min(LONGEST_PAUSE)
}

/// One death or one restart.
fn go_on(container: &mut Container, script: &Script, due: Timestamp) {
    if container.life == Life::Restarting {
        container.restarts += 1;
        container.life = Life::Running;
        container.started_at = Some(due);
        return;
    }
    let code = script.exits.map_or(0, |(_, code)| code);
    end(container, code, due);
    container.oom = script.oom;
    let again = match container.spec.adjustable.restart {
        Restart::No => false,
        Restart::Always => true,
        Restart::UnlessStopped => !container.stopped_by_hand,
        Restart::OnFailure(most) => code != 0 && (most == 0 || container.restarts < most),
    };
    if again {
        container.life = Life::Restarting;
    }
}

/// Its process is over.
pub fn end(container: &mut Container, code: i64, now: Timestamp) {
    container.life = Life::Exited(code);
    container.exit_code = Some(code);
    container.finished_at = Some(now);
}
