//! One driver for Docker and Podman: reads through our own tolerant client, writes through bollard.
//!
//! What is peculiar to an engine stands where it matters, with its reason; the list is research, engine §0–§1.

mod ask;
mod body;
mod connect;
mod events;
mod import;
mod inside;
mod outflow;
mod podman;
mod pull;
mod read;
mod refusal;
mod signal;
mod transport;
mod write;

#[cfg(test)]
mod tests;

use crate::{
    desired::spec::Adjustable,
    engine::{
        Answer, CreateContainer, CreateNetwork, Detail, Engine, EngineError, EngineInfo, Event, FlowInside, ImageView,
        LabelFilter, NetworkView, Outflow, PullImage, RanInside, RunInside, Summary, VolumeView,
        view::{EngineKind, Health},
    },
    observed::Abilities,
};
use ask::{Ask, accepted, encoded};
use connect::{Address, Version};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::sync::mpsc::Receiver;
use transport::Transport;

/// Directives for the log filter, to stand after the user's: below `info`, bollard writes whole requests and answers
/// with the environment in them.
pub const LOG_CAP: &str = "bollard=info,hyper=info,hyper_util=info";

/// How long one health check may run on the engine's side.
const CHECK_PATIENCE: Duration = Duration::from_secs(600);

/// A Docker or Podman engine behind its socket. Cheap to clone.
#[derive(Clone)]
pub struct Docker(Arc<Inner>);

struct Inner {
    address: Address,
    transport: Transport,
    writes: bollard::Docker,
    api: Version,
    dialect: Dialect,
    adjusts: bool,
}

/// Which of the two is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Docker,
    Podman,
}

/// A path of Podman's own API; every Podman from 4.0 on takes this version.
fn libpod(path: &str) -> String {
    format!("/v4.0.0/libpod{path}")
}

impl Docker {
    fn path(&self, path: &str) -> String {
        format!("/v{}{path}", self.0.api)
    }

    fn abilities(&self) -> Abilities {
        Abilities { adjusts: self.0.adjusts }
    }

    async fn ask(&self, doing: &str, path: &str) -> Answer<Option<Value>> {
        self.0.transport.json(Ask::get(doing, self.path(path))).await
    }

    /// A thing that is always there.
    async fn ask_for(&self, doing: &str, path: &str) -> Answer<Value> {
        self.ask_at(doing, self.path(path)).await
    }

    async fn ask_at(&self, doing: &str, path: String) -> Answer<Value> {
        let missing = || EngineError::Garbled { doing: doing.to_owned(), source: "it answers 404".into() };
        self.0.transport.json(Ask::get(doing, path)).await?.ok_or_else(missing)
    }
}

impl Engine for Docker {
    async fn info(&self) -> Answer<EngineInfo> {
        // Not `/version` too: Debian's Podman asks for the package of each of its parts each time, which may take a second.
        let info = self.ask_for("say who it is", "/info").await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(EngineInfo {
            kind: match self.0.dialect {
                Dialect::Docker => EngineKind::Docker,
                Dialect::Podman => EngineKind::Podman,
            },
            version: text(&info["ServerVersion"]),
            api: self.0.api.to_string(),
            host: text(&info["Name"]),
            adjusts: self.0.adjusts,
            runs_healthchecks: self.0.dialect == Dialect::Docker,
        })
    }

    async fn containers(&self, labels: &LabelFilter) -> Answer<Vec<Summary>> {
        let label = |(key, value): &(String, Option<String>)| match value {
            Some(value) => format!("{key}={value}"),
            None => key.clone(),
        };
        let filters = json!({ "label": labels.iter().map(label).collect::<Vec<_>>() });
        let path = format!("/containers/json?all=true&filters={}", encoded(&filters.to_string()));
        let (path, summary) = match self.0.dialect {
            Dialect::Docker => (self.path(&path), read::container::summary as fn(&Value) -> Summary),
            Dialect::Podman => (libpod(&path), read::podman::summary as fn(&Value) -> Summary),
        };
        let said = self.ask_at("list containers", path).await?;
        Ok(said.as_array().into_iter().flatten().map(summary).collect())
    }

    async fn container(&self, id: &str) -> Answer<Option<Detail>> {
        let said = match self.ask("inspect a container", &format!("/containers/{}/json", encoded(id))).await {
            Err(EngineError::Refused { .. }) if self.has_gone(id).await? => None,
            said => said?,
        };
        Ok(said.map(|said| read::container::detail(&said, self.abilities())))
    }

    async fn images(&self) -> Answer<Vec<ImageView>> {
        Ok(read::image::images(&self.ask_for("list images", "/images/json").await?))
    }

    async fn image(&self, reference: &str) -> Answer<Option<ImageView>> {
        let said = self.ask("inspect an image", &format!("/images/{}/json", encoded(reference))).await?;
        Ok(said.map(|said| read::image::image(&said)))
    }

    async fn networks(&self) -> Answer<Vec<NetworkView>> {
        let doing = "list networks";
        Ok(match self.0.dialect {
            Dialect::Docker => read::network::networks(&self.ask_for(doing, "/networks").await?),
            Dialect::Podman => read::podman::networks(&self.ask_at(doing, libpod("/networks/json")).await?),
        })
    }

    async fn volumes(&self) -> Answer<Vec<VolumeView>> {
        Ok(read::network::volumes(&self.ask_for("list volumes", "/volumes").await?))
    }

    async fn last_words(&self, id: &str, lines: usize) -> Answer<Vec<String>> {
        let doing = "tell a container's last words";
        let path = self.path(&format!("/containers/{}/logs?stdout=1&stderr=1&tail={lines}", encoded(id)));
        let body = accepted(doing, self.0.transport.whole(Ask::get(doing, path)).await?)?;
        Ok(read::log::lines(&body, lines))
    }

    async fn last_exit(&self, id: &str) -> Answer<Option<i64>> {
        self.last_exit_of_events(id).await
    }

    async fn run_healthcheck(&self, id: &str) -> Answer<bool> {
        if self.0.dialect == Dialect::Docker {
            return Ok(self.container(id).await?.is_some_and(|container| container.health == Some(Health::Healthy)));
        }
        let doing = "run a container's health check";
        let path = libpod(&format!("/containers/{}/healthcheck", encoded(id)));
        let ask = Ask { patience: Some(CHECK_PATIENCE), ..Ask::get(doing, path) };
        let said = match self.0.transport.json(ask).await {
            // A check that takes too long did not pass: Podman says so as if the question had been wrong.
            Err(EngineError::Refused { message, .. }) if message.contains("exceeded timeout") => return Ok(false),
            said => said?,
        };
        let Some(said) = said else { return Ok(false) };
        // The word is about the run just made, not the one that counts retries.
        Ok(said["Status"] == "healthy")
    }

    async fn events(&self) -> Answer<Receiver<Event>> {
        self.watch_things().await
    }

    async fn pull(&self, image: &PullImage<'_>) -> Answer<()> {
        self.pull_image(image).await
    }

    async fn tag(&self, image_id: &str, tag: &str) -> Answer<()> {
        self.tag_image(image_id, tag).await
    }

    async fn untag(&self, tag: &str) -> Answer<()> {
        self.untag_image(tag).await
    }

    async fn create_network(&self, network: &CreateNetwork) -> Answer<String> {
        self.make_network(network).await
    }

    async fn remove_network(&self, id: &str) -> Answer<()> {
        self.delete_network(id).await
    }

    async fn create_volume(&self, name: &str, labels: &BTreeMap<String, String>) -> Answer<()> {
        self.make_volume(name, labels).await
    }

    async fn discard_volume(&self, name: &str) -> Answer<()> {
        self.drop_volume(name).await
    }

    async fn create(&self, container: &CreateContainer) -> Answer<String> {
        self.make_container(container).await
    }

    async fn start(&self, id: &str) -> Answer<()> {
        self.start_container(id).await
    }

    async fn stop(&self, id: &str, grace: Duration) -> Answer<()> {
        self.stop_container(id, grace).await
    }

    async fn remove(&self, id: &str) -> Answer<()> {
        self.delete_container(id).await
    }

    async fn rename(&self, id: &str, name: &str) -> Answer<()> {
        self.rename_container(id, name).await
    }

    async fn adjust(&self, id: &str, to: &Adjustable) -> Answer<()> {
        self.update_container(id, to).await
    }

    async fn signal(&self, id: &str, signal: &str) -> Answer<()> {
        self.signal_container(id, signal).await
    }

    async fn run_inside(&self, id: &str, run: &RunInside) -> Answer<RanInside> {
        self.run_in_container(id, run).await
    }

    async fn flow_inside(&self, id: &str, run: FlowInside) -> Answer<Receiver<Outflow>> {
        self.begin_flow(id, run).await
    }

    async fn import(&self, archive: Receiver<Vec<u8>>) -> Answer<String> {
        self.import_archive(archive).await
    }

    async fn pause(&self, id: &str) -> Answer<()> {
        self.pause_container(id).await
    }

    async fn unpause(&self, id: &str) -> Answer<()> {
        self.unpause_container(id).await
    }

    async fn connect(&self, id: &str, network: &str, aliases: &BTreeSet<String>) -> Answer<()> {
        self.join_network(id, network, aliases).await
    }

    async fn disconnect(&self, id: &str, network: &str) -> Answer<()> {
        self.leave_network(id, network).await
    }

    async fn wait(&self, id: &str) -> Answer<i64> {
        let doing = "tell when a container is over";
        let path = self.path(&format!("/containers/{}/wait", encoded(id)));
        let ask = Ask { patience: None, ..Ask::post(doing, path, None) };
        let body = accepted(doing, self.0.transport.whole(ask).await?)?;
        let said: Value = serde_json::from_slice(&body)
            .map_err(|source| EngineError::Garbled { doing: doing.to_owned(), source: source.into() })?;
        said["StatusCode"]
            .as_i64()
            .ok_or_else(|| EngineError::Garbled { doing: doing.to_owned(), source: "it names no exit code".into() })
    }
}
