//! Effects on the engine, through bollard.
//!
//! An accepted request is all that is told here; whether it did what it should is seen by looking again.

use super::{
    Dialect, Docker, body,
    transport::{Ask, accepted, encoded},
};
use crate::{
    desired::spec::{Adjustable, MountSource},
    engine::{Answer, CreateContainer, CreateNetwork, Detail, Engine, EngineError},
    observed::Life,
};
use bollard::{
    errors::Error,
    models::{NetworkConnectRequest, NetworkDisconnectRequest, VolumeCreateRequest},
    query_parameters::{
        CreateContainerOptionsBuilder, CreateImageOptionsBuilder, RemoveContainerOptionsBuilder, RemoveImageOptions,
        RenameContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder, TagImageOptionsBuilder,
    },
};
use futures_util::StreamExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

/// Between a stop's grace and giving up on the answer: the kill and the engine's own cleaning up.
const AFTER_GRACE: Duration = Duration::from_secs(60);
/// A pull that says nothing for so long is over.
const PULL_SILENCE: Duration = Duration::from_secs(300);
/// Podman starts a crashed container again within so long; measured: half a second, more on a busy machine.
const RESTARTS_WITHIN: Duration = Duration::from_secs(5);
/// A restarted container that has stood for so long is no longer crashing.
const CRASH_LOOP: jiff::SignedDuration = jiff::SignedDuration::from_secs(10);

impl Docker {
    pub(super) async fn pull_image(&self, reference: &str, platform: Option<&str>) -> Answer<()> {
        let doing = format!("pull `{reference}`");
        let mut options = CreateImageOptionsBuilder::default().from_image(reference);
        // Without tag and digest the engine would fetch every tag of the repository.
        let last = reference.rsplit('/').next().unwrap_or(reference);
        if !last.contains([':', '@']) {
            options = options.tag("latest");
        }
        if let Some(platform) = platform {
            options = options.platform(platform);
        }
        let client = self.0.writes.clone().with_timeout(PULL_SILENCE);
        let mut progress = std::pin::pin!(client.create_image(Some(options.build()), None, None));
        loop {
            match tokio::time::timeout(PULL_SILENCE, progress.next()).await {
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => return Err(self.failed(doing, PULL_SILENCE, error)),
                Ok(None) => break,
                Err(_) => return Err(EngineError::Late { doing, seconds: PULL_SILENCE.as_secs() }),
            }
        }
        match self.image(reference).await? {
            Some(_) => Ok(()),
            None => {
                Err(EngineError::Refused { doing, status: 200, message: "it is not here after the pull".to_owned() })
            }
        }
    }

    pub(super) async fn tag_image(&self, image_id: &str, tag: &str) -> Answer<()> {
        let (repository, name) = match tag.rsplit_once(':') {
            Some((repository, name)) if !name.contains('/') => (repository, name),
            Some(_) | None => (tag, "latest"),
        };
        let options = TagImageOptionsBuilder::default().repo(repository).tag(name).build();
        self.done(format!("tag image `{tag}`"), |client| async move {
            client.tag_image(&encoded(image_id), Some(options)).await
        })
        .await
    }

    pub(super) async fn untag_image(&self, tag: &str) -> Answer<()> {
        self.done(format!("untag image `{tag}`"), |client| async move {
            client.remove_image(&encoded(tag), None::<RemoveImageOptions>, None).await.map(drop)
        })
        .await
    }

    /// bollard's request has no `CheckDuplicate`, without which Docker 20.10 makes a second network of the same name.
    pub(super) async fn make_network(&self, network: &CreateNetwork) -> Answer<String> {
        let doing = format!("create network `{}`", network.name);
        let body = json!({
            "Name": network.name,
            "CheckDuplicate": true,
            "Driver": network.driver.as_deref().unwrap_or("bridge"),
            "Internal": network.internal,
            "Labels": network.labels,
        });
        let answer = self.0.transport.whole(Ask::post(&doing, self.path("/networks/create"), Some(body))).await?;
        let answer: Value = serde_json::from_slice(&accepted(&doing, answer)?)
            .map_err(|source| EngineError::Garbled { doing: doing.clone(), source: source.into() })?;
        match answer["Id"].as_str() {
            Some(id) => Ok(id.to_owned()),
            None => Err(EngineError::Garbled { doing, source: "it names no id".into() }),
        }
    }

    /// By its name on Podman: asked by id, 4.3 does not see who is on the network and removes it under a running
    /// container (its check compares names).
    pub(super) async fn delete_network(&self, id: &str) -> Answer<()> {
        let named = match self.0.dialect {
            Dialect::Docker => None,
            Dialect::Podman => self.networks().await?.into_iter().find(|network| network.id == id),
        };
        let network = named.map_or_else(|| id.to_owned(), |network| network.name);
        self.done(format!("remove network `{network}`"), |client| async move {
            client.remove_network(&encoded(&network)).await
        })
        .await
    }

    pub(super) async fn make_volume(&self, name: &str, labels: &BTreeMap<String, String>) -> Answer<()> {
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(labels.clone().into_iter().collect()),
            ..Default::default()
        };
        self.done(
            format!("create volume `{name}`"),
            |client| async move { client.create_volume(request).await.map(drop) },
        )
        .await
    }

    pub(super) async fn make_container(&self, container: &CreateContainer) -> Answer<String> {
        let doing = format!("create container `{}`", container.name);
        if let Some(path) = self.path_podman_would_make(container).await? {
            let message = format!("host path `{path}` does not exist");
            return Err(EngineError::Refused { doing, status: 400, message });
        }
        let mut options = CreateContainerOptionsBuilder::default().name(&container.name);
        if let Some(platform) = &container.spec.platform {
            options = options.platform(platform);
        }
        let (options, body) = (options.build(), body::create(container)?);
        self.done(doing, |client| async move { client.create_container(Some(options), body).await.map(|made| made.id) })
            .await
    }

    /// Podman makes a missing host path itself, as a mount too; Docker refuses. Only told where the engine's files are
    /// seen from here (not from inside a container, nor for another host): its image's folder is there.
    async fn path_podman_would_make<'a>(&self, container: &'a CreateContainer) -> Answer<Option<&'a String>> {
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

    pub(super) async fn start_container(&self, id: &str) -> Answer<()> {
        self.done(format!("start container `{id}`"), |client| async move {
            client.start_container(&encoded(id), None::<StartContainerOptions>).await
        })
        .await
    }

    pub(super) async fn stop_container(&self, id: &str, grace: Duration) -> Answer<()> {
        let stopped = self.signal_stop(id, grace).await;
        // Docker lets a paused container run on to hear the signal; Podman refuses.
        if let (Err(EngineError::Refused { .. }), Dialect::Podman) = (&stopped, self.0.dialect)
            && self.container(id).await?.is_some_and(|seen| seen.life == Life::Paused)
        {
            self.unpause_container(id).await?;
            return self.signal_stop(id, grace).await;
        }
        stopped?;
        match self.0.dialect {
            Dialect::Docker => Ok(()),
            Dialect::Podman => self.stop_crashing(id, grace).await,
        }
    }

    /// Podman takes a stop between two runs of a crashing container for done, and starts it again: it is stopped in a
    /// run, or seen quiet.
    async fn stop_crashing(&self, id: &str, grace: Duration) -> Answer<()> {
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

    async fn signal_stop(&self, id: &str, grace: Duration) -> Answer<()> {
        // Rounded up: half a second of grace is no kill at once.
        let seconds = i32::try_from(grace.as_secs() + u64::from(grace.subsec_nanos() > 0)).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::default().t(seconds).build();
        self.slowly(format!("stop container `{id}`"), grace.saturating_add(AFTER_GRACE), |client| async move {
            client.stop_container(&encoded(id), Some(options)).await
        })
        .await
    }

    pub(super) async fn delete_container(&self, id: &str) -> Answer<()> {
        let options = RemoveContainerOptionsBuilder::default().v(false).force(false).build();
        self.done(format!("remove container `{id}`"), |client| async move {
            client.remove_container(&encoded(id), Some(options)).await
        })
        .await
    }

    pub(super) async fn rename_container(&self, id: &str, name: &str) -> Answer<()> {
        let options = RenameContainerOptionsBuilder::default().name(name).build();
        self.done(format!("rename container `{id}` to `{name}`"), |client| async move {
            client.rename_container(&encoded(id), options).await
        })
        .await
    }

    pub(super) async fn update_container(&self, id: &str, to: &Adjustable) -> Answer<()> {
        let body = body::update(to);
        self.done(format!("change the limits of container `{id}`"), |client| async move {
            client.update_container(&encoded(id), body).await
        })
        .await
    }

    pub(super) async fn unpause_container(&self, id: &str) -> Answer<()> {
        self.done(
            format!("unpause container `{id}`"),
            |client| async move { client.unpause_container(&encoded(id)).await },
        )
        .await
    }

    pub(super) async fn join_network(&self, id: &str, network: &str, aliases: &BTreeSet<String>) -> Answer<()> {
        self.networks_may_change(id, "connect").await?;
        let request =
            NetworkConnectRequest { container: id.to_owned(), endpoint_config: Some(body::endpoint(aliases)) };
        self.done(format!("connect container `{id}` to network `{network}`"), |client| async move {
            client.connect_network(&encoded(network), request).await
        })
        .await
    }

    pub(super) async fn leave_network(&self, id: &str, network: &str) -> Answer<()> {
        self.networks_may_change(id, "disconnect").await?;
        let request = NetworkDisconnectRequest { container: id.to_owned(), force: Some(false) };
        self.done(format!("disconnect container `{id}` from network `{network}`"), |client| async move {
            client.disconnect_network(&encoded(network), request).await
        })
        .await
    }

    /// A container whose networks change while it is paused, or between a crash and the next, cannot be inspected on
    /// Podman 4.3 any more, and with it Podman's Docker-like lists fail for the whole host.
    async fn networks_may_change(&self, id: &str, verb: &str) -> Answer<()> {
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

    async fn done<T, F>(&self, doing: String, effect: impl FnOnce(bollard::Docker) -> F) -> Answer<T>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let patience = self.0.writes.timeout();
        self.slowly(doing, patience, effect).await
    }

    async fn slowly<T, F>(
        &self,
        doing: String,
        patience: Duration,
        effect: impl FnOnce(bollard::Docker) -> F,
    ) -> Answer<T>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let client = self.0.writes.clone().with_timeout(patience);
        effect(client).await.map_err(|error| self.failed(doing, patience, error))
    }

    fn failed(&self, doing: String, patience: Duration, error: Error) -> EngineError {
        match error {
            Error::DockerResponseServerError { status_code, message } => {
                EngineError::Refused { doing, status: status_code, message }
            }
            Error::DockerStreamError { error } => EngineError::Refused { doing, status: 200, message: error },
            Error::RequestTimeoutError => EngineError::Late { doing, seconds: patience.as_secs() },
            Error::JsonDataError { .. } | Error::JsonSerdeError { .. } => {
                EngineError::Garbled { doing, source: error.into() }
            }
            // bollard's other kinds are the socket's: whatever it adds, the answer did not come.
            other => EngineError::Unreachable { address: self.0.address.to_string(), source: other.into() },
        }
    }
}
