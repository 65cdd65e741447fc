//! What Podman needs beyond the call to do what the trait says, and where it has to be kept from harm.

use super::{
    Dialect, Docker,
    ask::{Ask, encoded},
    libpod,
};
use crate::{
    desired::spec::MountSource,
    engine::{Answer, CreateContainer, Detail, Engine, EngineError},
    observed::Life,
};
use jiff::Timestamp;
use std::{path::Path, time::Duration};

/// Stops until one is heard; measured: the second always was.
const STOPS: usize = 10;
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

    /// Podman 4.3 takes a container that is dead between two runs for stopped, and starts it again all the same (25 of 25
    /// stops measured). Made ready to run, without running, it hears the stop and stays down.
    pub(super) async fn stop_for_good(&self, id: &str, grace: Duration) -> Answer<()> {
        for _ in 0..STOPS {
            self.signal_stop(id, grace).await?;
            // Dead and awaiting its next run, it is said to be stopping; once it is over it is said to have exited.
            if self.container(id).await?.is_none_or(|seen| !seen.life.is_up()) {
                return Ok(());
            }
            let doing = format!("make container `{id}` ready");
            let path = libpod(&format!("/containers/{}/init", encoded(id)));
            let answer = self.0.transport.whole(Ask::post(&doing, path, None)).await?;
            // Refused where it runs again by now: that run hears the next stop.
            tracing::debug!(status = %answer.status(), "{doing}");
        }
        let doing = format!("stop container `{id}`");
        Err(EngineError::Refused { doing, status: 409, message: "it is started again and again".to_owned() })
    }

    /// Podman looks at every interface of the host to choose a network's addresses, and fails where one goes meanwhile,
    /// as with any container that ends: nothing is made then, and the next call is as good as the first.
    pub(super) fn is_passing(error: &EngineError) -> bool {
        matches!(error, EngineError::Refused { status: 500, message, .. } if message.contains("no such network interface"))
    }

    /// Podman refuses (500) to inspect a container that goes in that very moment, where it means that there is none.
    pub(super) async fn has_gone(&self, id: &str) -> Answer<bool> {
        if self.0.dialect != Dialect::Podman {
            return Ok(false);
        }
        let path = libpod(&format!("/containers/{}/exists", encoded(id)));
        let answer = self.0.transport.whole(Ask::get("look for a container", path)).await?;
        Ok(answer.status() == hyper::StatusCode::NOT_FOUND)
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
