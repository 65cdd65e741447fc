//! The seam to a container engine.
//!
//! Reads are tolerant: an unknown state or a missing field of one container is no error for the host. Writes tell
//! whether the request was accepted; whether it did what it should is seen by looking again, never by a status code
//! or an error's text (Docker and Podman differ in both: research, engine §1).

pub mod docker;
pub mod inside;
pub mod model;
pub mod outflow;
pub mod pull;
pub mod view;

pub use inside::{RanInside, RunInside};
pub use outflow::{FlowInside, Outflow};
pub use pull::{PullFault, PullImage};
pub use view::{Detail, EngineInfo, Event, EventKind, ImageView, NetworkView, Summary, Usage, VolumeView};

use crate::{
    desired::{ContainerSpec, spec::Adjustable},
    secret::SecretValue,
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    time::Duration,
};

/// Why the engine did not do something.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nobody answers at its address.
    #[error("no engine answers at `{address}`")]
    Unreachable { address: String, source: Box<dyn std::error::Error + Send + Sync> },
    /// It answered, and said no.
    #[error("the engine refused to {doing}: {message}")]
    Refused { doing: String, status: u16, message: String },
    /// It did not answer in time.
    #[error("the engine did not {doing} within {seconds} s")]
    Late { doing: String, seconds: u64 },
    /// The image did not come: what the engine says of it, and what that means.
    #[error("the engine says: {message}")]
    NotPulled { fault: PullFault, message: String },
    /// It answered something that is not its own language.
    #[error("the engine's answer to `{doing}` cannot be read")]
    Garbled { doing: String, source: Box<dyn std::error::Error + Send + Sync> },
}

/// The result of asking an engine.
pub type Answer<T> = Result<T, EngineError>;

/// Which containers, networks or volumes a list is about: all labels must match (`None` value: the label is there).
pub type LabelFilter = Vec<(String, Option<String>)>;

/// All that a container is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateContainer {
    /// Its name.
    pub name: String,
    /// The image by id, so that a tag that moves meanwhile changes nothing.
    pub image_id: String,
    /// Its body. Its network is what it is created with: the engine takes one network at creation, others are connected.
    pub spec: ContainerSpec,
    /// Variables with secrets in them, beside those of the body.
    pub secret_env: BTreeMap<String, SecretValue>,
    /// The one network to create it on, where it has any.
    pub network: Option<(String, BTreeSet<String>)>,
    /// The container whose network it shares, by id.
    pub namespace_of: Option<String>,
    /// Labels of ownership, beside those of the body.
    pub labels: BTreeMap<String, String>,
}

/// All that a network is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateNetwork {
    pub name: String,
    pub internal: bool,
    pub driver: Option<String>,
    pub labels: BTreeMap<String, String>,
}

/// A container engine: Docker or Podman behind their socket, or the model in memory.
pub trait Engine: Send + Sync + 'static {
    /// The clock by which the engine's timestamps are read: the host's, or the model's virtual one. Every age (since a
    /// start, until a deadline) is taken from here.
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    /// Who it is, what it can do. Slow on Podman (0.5–2 s): once for a run.
    fn info(&self) -> impl Future<Output = Answer<EngineInfo>> + Send;
    /// Containers, stopped ones included. An empty filter is every container of the host.
    fn containers(&self, labels: &LabelFilter) -> impl Future<Output = Answer<Vec<Summary>>> + Send;
    /// One container; none when it is not there.
    fn container(&self, id: &str) -> impl Future<Output = Answer<Option<Detail>>> + Send;
    /// All images that have a name.
    fn images(&self) -> impl Future<Output = Answer<Vec<ImageView>>> + Send;
    /// One image by reference or id; none when it is not there.
    fn image(&self, reference: &str) -> impl Future<Output = Answer<Option<ImageView>>> + Send;
    /// All networks.
    fn networks(&self) -> impl Future<Output = Answer<Vec<NetworkView>>> + Send;
    /// All volumes.
    fn volumes(&self) -> impl Future<Output = Answer<Vec<VolumeView>>> + Send;
    /// The last lines of a container's output, both streams, oldest first.
    fn last_words(&self, id: &str, lines: usize) -> impl Future<Output = Answer<Vec<String>>> + Send;
    /// The exit code of the last run that ended, also while the next one runs.
    fn last_exit(&self, id: &str) -> impl Future<Output = Answer<Option<i64>>> + Send {
        async move { Ok(self.container(id).await?.and_then(|detail| detail.exit_code)) }
    }
    /// Runs the container's own health check now and tells whether it passed; for engines whose timers need systemd.
    fn run_healthcheck(&self, id: &str) -> impl Future<Output = Answer<bool>> + Send;
    /// Events of containers from now on; the channel closes when the stream is lost.
    fn events(&self) -> impl Future<Output = Answer<tokio::sync::mpsc::Receiver<Event>>> + Send;

    /// Fetches an image; the answer comes when it is here.
    fn pull(&self, image: &PullImage<'_>) -> impl Future<Output = Answer<()>> + Send;
    /// Names an image.
    fn tag(&self, image_id: &str, tag: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Takes a name off an image; the image stays while anything else names or uses it.
    fn untag(&self, tag: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Makes a network; refuses a name that is there already.
    fn create_network(&self, network: &CreateNetwork) -> impl Future<Output = Answer<String>> + Send;
    /// Removes a network by id.
    fn remove_network(&self, id: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Makes a volume, or finds it there.
    fn create_volume(&self, name: &str, labels: &BTreeMap<String, String>) -> impl Future<Output = Answer<()>> + Send;
    /// Removes a volume with all that is in it; refuses one that a container has. Only who made it for a moment calls this.
    fn discard_volume(&self, name: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Makes a container and tells its id.
    fn create(&self, container: &CreateContainer) -> impl Future<Output = Answer<String>> + Send;
    /// Starts a container; one that runs already is fine.
    fn start(&self, id: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Stops a container: its signal, then after `grace` the kill; one that is over already is fine.
    fn stop(&self, id: &str, grace: Duration) -> impl Future<Output = Answer<()>> + Send;
    /// Removes a stopped container with its anonymous volumes left alone.
    fn remove(&self, id: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Gives a container another name.
    fn rename(&self, id: &str, name: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Changes limits and restart policy in place.
    fn adjust(&self, id: &str, to: &Adjustable) -> impl Future<Output = Answer<()>> + Send;
    /// Sends the container's process a signal, by its name: `SIGHUP`.
    fn signal(&self, id: &str, signal: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Runs a program in a running container to its end: its words as they are, no shell between.
    fn run_inside(&self, id: &str, run: &RunInside) -> impl Future<Output = Answer<RanInside>> + Send;
    /// Begins a program in a container and passes on what it writes, to its end.
    fn flow_inside(
        &self,
        id: &str,
        run: FlowInside,
    ) -> impl Future<Output = Answer<tokio::sync::mpsc::Receiver<Outflow>>> + Send;
    /// Makes an image of what is in a tar archive, and nothing else; tells its id.
    fn import(&self, archive: tokio::sync::mpsc::Receiver<Vec<u8>>) -> impl Future<Output = Answer<String>> + Send;
    /// Freezes a running container.
    fn pause(&self, id: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Lets a paused container run on.
    fn unpause(&self, id: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Connects a container to a network under aliases.
    fn connect(&self, id: &str, network: &str, aliases: &BTreeSet<String>) -> impl Future<Output = Answer<()>> + Send;
    /// Disconnects a container from a network.
    fn disconnect(&self, id: &str, network: &str) -> impl Future<Output = Answer<()>> + Send;
    /// Resolves when the container is over, with its exit code.
    fn wait(&self, id: &str) -> impl Future<Output = Answer<i64>> + Send;
}
