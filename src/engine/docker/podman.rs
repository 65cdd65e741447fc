//! What Podman needs beyond the call to do what the trait says, and where it has to be kept from harm.

use super::{Dialect, Docker, ask::encoded};
use crate::{
    desired::spec::MountSource,
    engine::{Answer, CreateContainer, Detail, Engine, EngineError},
    observed::Life,
};
use jiff::Timestamp;
use std::{path::Path, time::Duration};

/// Podman starts a crashed container again within so long; measured: half a second, more on a busy machine.
const RESTARTS_WITHIN: Duration = Duration::from_secs(5);
/// A restarted container that has stood for so long is no longer crashing.
const CRASH_LOOP: jiff::SignedDuration = jiff::SignedDuration::from_secs(10);

impl Docker {
    /// Podman makes a missing host path itself, as a mount too; Docker refuses. Only told where the engine's files are
    /// seen from here (not from inside a container, nor for another host): its image's folder is there.
    pub(super) async fn path_podman_would_make<'a>(
        &self,
        container: &'a CreateContainer,
    ) -> Answer<Option<&'a String>> {
        if self.0.dialect != Dialect::Podman {
            return Ok(None);
        }
        let missing = container.spec.mounts.iter().find_map(|mount| match &mount.source {
            MountSource::Bind(path) if !Path::new(path).exists() => Some(path),
            MountSource::Bind(_) | MountSource::Volume(_) => None,
        });
        if missing.is_none() {
            return Ok(None);
        }
        let image = self.ask("inspect an image", &format!("/images/{}/json", encoded(&container.image_id))).await?;
        let folder = image.as_ref().and_then(|image| image["GraphDriver"]["Data"]["UpperDir"].as_str());
        Ok(missing.filter(|_| folder.is_some_and(|folder| Path::new(folder).exists())))
    }

    /// Podman takes a stop between two runs of a crashing container for done, and starts it again: it is stopped in a
    /// run, or seen quiet.
    pub(super) async fn stop_crashing(&self, id: &str, grace: Duration) -> Answer<()> {
        let mut quiet_since = tokio::time::Instant::now();
        let mut last_start = None;
        while let Some(seen) = self.container(id).await?.filter(|seen| self.crashes(seen)) {
            if last_start.is_some_and(|start| start != seen.started_at) {
                self.signal_stop(id, grace).await?;
                quiet_since = tokio::time::Instant::now();
            }
            last_start = Some(seen.started_at);
            if quiet_since.elapsed() > RESTARTS_WITHIN {
                break;
            }
            tokio::time::sleep(RESTARTS_WITHIN / 50).await;
        }
        Ok(())
    }

    /// It was started again by the engine, and something happened to it lately.
    fn crashes(&self, seen: &Detail) -> bool {
        let lately = |time: Option<Timestamp>| time.is_some_and(|time| self.now().duration_since(time) < CRASH_LOOP);
        seen.restarts > 0 && (lately(seen.started_at) || lately(seen.finished_at))
    }

    /// A container whose networks change while it is paused, or between a crash and the next, cannot be inspected on
    /// Podman 4.3 any more, and with it Podman's Docker-like lists fail for the whole host.
    pub(super) async fn networks_may_change(&self, id: &str, verb: &str) -> Answer<()> {
        if self.0.dialect == Dialect::Docker {
            return Ok(());
        }
        let Some(seen) = self.container(id).await? else { return Ok(()) };
        let why = match seen.life {
            Life::Paused => "it is paused: unpause it first",
            Life::Restarting | Life::Stopping | Life::Removing => "it is on its way to another state",
            _ if self.crashes(&seen) => "it crashes over and over",
            Life::Created | Life::Running | Life::Exited(_) | Life::Dead | Life::Unknown(_) => return Ok(()),
        };
        let doing = format!("{verb} container `{id}`");
        Err(EngineError::Refused { doing, status: 409, message: why.to_owned() })
    }
}
