//! Effects on the engine, through bollard.
//!
//! An accepted request is all that is told here; whether it did what it should is seen by looking again.

use super::{
    Dialect, Docker,
    ask::{Ask, accepted, encoded},
    body,
};
use crate::{
    desired::spec::Adjustable,
    engine::{Answer, CreateContainer, CreateNetwork, Engine, EngineError},
    observed::Life,
};
use bollard::{
    errors::Error,
    models::{NetworkConnectRequest, NetworkDisconnectRequest, VolumeCreateRequest},
    query_parameters::{
        CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, RemoveImageOptions, RemoveVolumeOptions,
        RenameContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder, TagImageOptionsBuilder,
    },
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Between a stop's grace and giving up on the answer: the kill and the engine's own cleaning up.
const AFTER_GRACE: Duration = Duration::from_secs(60);
/// Calls until a network is made, where what stands in the way is passing.
const NETWORK_CALLS: usize = 20;

impl Docker {
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
        for _ in 1..NETWORK_CALLS {
            match self.make_network_once(network).await {
                Err(error) if Self::is_passing(&error) => tracing::debug!(%error, "asked again"),
                made => return made,
            }
        }
        self.make_network_once(network).await
    }

    async fn make_network_once(&self, network: &CreateNetwork) -> Answer<String> {
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

    pub(super) async fn drop_volume(&self, name: &str) -> Answer<()> {
        self.done(format!("remove volume `{name}`"), |client| async move {
            client.remove_volume(&encoded(name), None::<RemoveVolumeOptions>).await
        })
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

    pub(super) async fn start_container(&self, id: &str) -> Answer<()> {
        self.done(format!("start container `{id}`"), |client| async move {
            client.start_container(&encoded(id), None::<StartContainerOptions>).await
        })
        .await
    }

    pub(super) async fn stop_container(&self, id: &str, grace: Duration) -> Answer<()> {
        if self.0.dialect == Dialect::Docker {
            return self.signal_stop(id, grace).await;
        }
        let stopped = self.stop_for_good(id, grace).await;
        // Docker lets a paused container run on to hear the signal; Podman refuses.
        if let Err(EngineError::Refused { .. }) = &stopped
            && self.container(id).await?.is_some_and(|seen| seen.life == Life::Paused)
        {
            self.unpause_container(id).await?;
            return self.stop_for_good(id, grace).await;
        }
        stopped
    }

    pub(super) async fn signal_stop(&self, id: &str, grace: Duration) -> Answer<()> {
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

    pub(super) async fn pause_container(&self, id: &str) -> Answer<()> {
        self.done(format!("pause container `{id}`"), |client| async move { client.pause_container(&encoded(id)).await })
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

    pub(super) async fn done<T, F>(&self, doing: String, effect: impl FnOnce(bollard::Docker) -> F) -> Answer<T>
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

    pub(super) fn failed(&self, doing: String, patience: Duration, error: Error) -> EngineError {
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
