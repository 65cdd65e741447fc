//! Performs an errand, and sees whether it did what it should. What an engine answers to a refused request differs
//! from engine to engine, so a refusal is judged by looking at what is there now (research, engine §1).

use super::{
    begun::Begun, deliver, errand::Errand, gateway::Gateway, nudges::Nudges, prove::Prover, pull::NotPulled,
    slots::Slots,
};
use crate::{
    backup::{BackupError, Depot},
    blame::Blame,
    engine::{Detail, Engine, EngineError, EngineInfo},
    observed::{Effect, Failure, Life},
    proxy::ProxyError,
    registry::Keyring,
    tls::TlsError,
};
use std::sync::Arc;
use tokio::sync::watch;

/// Why an errand came to nothing, where the revision is not at fault. (Where it is, the effect is `Failed`.)
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The engine did not do it.
    #[error("cannot {doing}")]
    Engine { doing: String, source: EngineError },
    /// An image did not come.
    #[error(transparent)]
    NotPulled(#[from] NotPulled),
    /// What the step was about has changed meanwhile: look again.
    #[error("{what}")]
    Surprise { what: String },
    /// Something on the host stands in the way.
    #[error("{what}")]
    Taken { what: String, hint: String },
    /// The proxy does not serve it.
    #[error(transparent)]
    Proxy(ProxyError),
    /// There is no certificate, not even one of the host's own.
    #[error("there is no certificate")]
    Certificate(#[source] TlsError),
    /// There is no copy to go back to, so nothing is begun.
    #[error("there is no verified copy of {items}, and without one nothing is changed")]
    NoCopy { items: String, source: BackupError },
    /// The host's file system did not do it.
    #[error("cannot {doing}")]
    Files { doing: String, source: std::io::Error },
    /// The host's policy does not allow it, as things are by now.
    #[error("{what}")]
    Denied { what: String, hint: Option<String> },
}

impl StepError {
    /// Nothing here is the revision's fault.
    #[must_use]
    pub fn blame(&self) -> Blame {
        Blame::World
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Taken { hint, .. } => Some(hint.clone()),
            Self::Denied { hint, .. } => hint.clone(),
            Self::NotPulled(why) => Some(why.hint()),
            Self::Proxy(error) => Some(error.hint()),
            Self::Certificate(error) => error.hint(),
            Self::NoCopy { source, .. } => {
                let way_out = "`backup: {before_deploy: never}` on the branch rolls out without a copy";
                Some(source.hint().map_or_else(|| way_out.to_owned(), |hint| format!("{hint}\n{way_out}")))
            }
            Self::Files { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                Some("only root can give files to another user: leave `uid` and `gid` out, or run as root".to_owned())
            }
            Self::Engine { .. } | Self::Surprise { .. } | Self::Files { .. } => None,
        }
    }
}

/// What a process hears when its secrets have changed: by custom, to read its settings again.
const CHANGED: &str = "SIGHUP";

/// What is done to a container that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Stop,
    Remove,
    Rename,
    Adjust,
    Unpause,
    Signal,
    Connect,
    Disconnect,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Remove => "remove",
            Self::Rename => "rename",
            Self::Adjust => "adjust the limits of",
            Self::Unpause => "unpause",
            Self::Signal => "signal",
            Self::Connect => "connect",
            Self::Disconnect => "disconnect",
        }
    }

    fn is_done_with_what_is_gone(self) -> bool {
        match self {
            Self::Stop | Self::Remove => true,
            Self::Rename | Self::Adjust | Self::Unpause | Self::Signal | Self::Connect | Self::Disconnect => false,
        }
    }
}

/// Whoever performs errands.
#[derive(Debug)]
pub struct Hands<E> {
    pub engine: Arc<E>,
    pub info: EngineInfo,
    pub slots: Slots,
    pub nudges: Nudges,
    /// When which container was started.
    pub begun: Begun,
    /// The host's proxy, where the tool drives one.
    pub gateway: Option<Gateway>,
    /// What opens registries: a pull says what is fetched, and never with which password.
    pub keyring: Arc<Keyring>,
    /// Where copies of data lie, and what is noted of them.
    pub depot: Arc<Depot>,
}

impl<E> Clone for Hands<E> {
    fn clone(&self) -> Self {
        Self {
            engine: Arc::clone(&self.engine),
            info: self.info.clone(),
            slots: self.slots.clone(),
            nudges: self.nudges.clone(),
            begun: self.begun.clone(),
            gateway: self.gateway.clone(),
            keyring: Arc::clone(&self.keyring),
            depot: Arc::clone(&self.depot),
        }
    }
}

impl<E: Engine> Hands<E> {
    /// Which engine in which version: what was learned of containers counts for this one only.
    #[must_use]
    pub fn engine_version(&self) -> String {
        format!("{:?} {}", self.info.kind, self.info.version).to_lowercase()
    }

    pub(super) fn prover(&self) -> Prover<'_, E> {
        Prover { engine: &*self.engine, info: &self.info, nudges: &self.nudges, begun: &self.begun }
    }

    /// Performs one errand.
    ///
    /// # Errors
    /// The world's: the engine is away, something is in the way, or the thing is gone.
    pub async fn perform(&self, errand: Errand) -> Result<Effect, StepError> {
        self.perform_until(errand, None).await
    }

    /// As [`Hands::perform`]; what may take very long is given up in good order when `given_up` turns true.
    ///
    /// # Errors
    /// As [`Hands::perform`].
    pub async fn perform_until(
        &self,
        errand: Errand,
        given_up: Option<watch::Receiver<bool>>,
    ) -> Result<Effect, StepError> {
        // Waiting takes no slot: only calls do.
        match errand {
            Errand::Await { id, name, service } => return self.prover().ready(&id, &name, &service).await,
            Errand::AwaitExit { id, name, role, timeout } => {
                return self.prover().ended_well(&id, &name, &role, timeout).await;
            }
            Errand::Start { id, name, shown } => {
                let _slot = self.slots.start().await;
                return self.start(&id, &name, &shown).await;
            }
            Errand::CopyFirst(copies) => {
                return copies.run(&self.engine, &self.depot, given_up).await;
            }
            // A registry that stalls keeps nobody but those who pull.
            Errand::Pull { reference, platform } => {
                let _slot = self.slots.pull().await;
                return self.pull(&reference, platform.as_deref()).await;
            }
            Errand::CreateNetwork(_)
            | Errand::RemoveNetwork { .. }
            | Errand::CreateVolume { .. }
            | Errand::Create { .. }
            | Errand::Stop { .. }
            | Errand::Remove { .. }
            | Errand::Rename { .. }
            | Errand::Adjust { .. }
            | Errand::Unpause { .. }
            | Errand::Connect { .. }
            | Errand::Disconnect { .. }
            | Errand::Tag { .. }
            | Errand::Untag { .. }
            | Errand::Signal { .. } => {}
            Errand::Deliver(delivery) => {
                let doing = format!("write `{}`", delivery.folder.display());
                let at = self.engine.now();
                return on_disk(doing, move || deliver::write(&delivery, at)).await;
            }
            Errand::Gateway(errand) => {
                return match &self.gateway {
                    Some(gateway) => gateway.perform(&self.prover(), errand).await,
                    None => Err(StepError::Taken {
                        what: "this host has no proxy".to_owned(),
                        hint: "name its driver in the host file (`proxy`)".to_owned(),
                    }),
                };
            }
            Errand::Withdraw { folder } => {
                let doing = format!("remove `{}`", folder.display());
                return on_disk(doing, move || deliver::withdraw(&folder)).await;
            }
        }
        let _slot = self.slots.call().await;
        let engine = &*self.engine;
        match errand {
            Errand::Await { .. }
            | Errand::AwaitExit { .. }
            | Errand::Start { .. }
            | Errand::Pull { .. }
            | Errand::CopyFirst(_)
            | Errand::Deliver(_)
            | Errand::Gateway(_)
            | Errand::Withdraw { .. } => Ok(Effect::Done),
            Errand::Signal { id, folders } => {
                let asked = engine.signal(&id, CHANGED).await;
                // One that does not run reads what there is when it begins.
                let told = self.judge(asked, &id, Verb::Signal, |detail| detail.life != Life::Running).await?;
                let doing = "remember that a container was told of its secrets".to_owned();
                on_disk(doing, move || folders.iter().try_for_each(|folder| deliver::told(folder))).await?;
                Ok(told)
            }
            Errand::CreateNetwork(network) => match engine.create_network(&network).await {
                Ok(id) => Ok(Effect::Made { id }),
                Err(source) => self.network_made(&network.name, &network.labels, source).await,
            },
            Errand::RemoveNetwork { id } => match engine.remove_network(&id).await {
                Ok(()) => Ok(Effect::Done),
                Err(source) => self.network_gone(&id, source).await,
            },
            Errand::CreateVolume { name, labels } => engine
                .create_volume(&name, &labels)
                .await
                .map(|()| Effect::Done)
                .map_err(failed(format!("create volume `{name}`"))),
            Errand::Create { container, shown } => self.create(&container, &shown).await,
            Errand::Stop { id, grace } => {
                let asked = engine.stop(&id, grace).await;
                self.judge(asked, &id, Verb::Stop, |detail| !detail.life.is_up()).await
            }
            Errand::Remove { id } => {
                let asked = engine.remove(&id).await;
                self.judge(asked, &id, Verb::Remove, |_| false).await
            }
            Errand::Rename { id, to } => {
                let asked = engine.rename(&id, &to).await;
                self.judge(asked, &id, Verb::Rename, |detail| detail.name == to).await
            }
            Errand::Adjust { id, to } => {
                let asked = engine.adjust(&id, &to).await;
                self.judge(asked, &id, Verb::Adjust, |detail| detail.adjustable.as_ref() == Some(&to)).await
            }
            Errand::Unpause { id } => {
                let asked = engine.unpause(&id).await;
                self.judge(asked, &id, Verb::Unpause, |detail| detail.life == Life::Running).await
            }
            Errand::Connect { id, network, aliases } => {
                let asked = engine.connect(&id, &network, &aliases).await;
                self.judge(asked, &id, Verb::Connect, |detail| detail.endpoints.contains_key(&network)).await
            }
            Errand::Disconnect { id, network } => {
                let asked = engine.disconnect(&id, &network).await;
                self.judge(asked, &id, Verb::Disconnect, |detail| !detail.endpoints.contains_key(&network)).await
            }
            Errand::Tag { image_id, tag } => {
                engine.tag(&image_id, &tag).await.map(|()| Effect::Done).map_err(failed(format!("name image `{tag}`")))
            }
            Errand::Untag { tag } => match engine.untag(&tag).await {
                Ok(()) => Ok(Effect::Done),
                Err(source) => match engine.image(&tag).await {
                    Ok(None) => Ok(Effect::Done),
                    Ok(Some(_)) | Err(_) => {
                        Err(StepError::Engine { doing: format!("give image name `{tag}` back"), source })
                    }
                },
            },
        }
    }

    /// A refused request is fine when what it should have done is so.
    async fn judge(
        &self,
        asked: Result<(), EngineError>,
        id: &str,
        verb: Verb,
        so: impl Fn(&Detail) -> bool,
    ) -> Result<Effect, StepError> {
        let Err(source) = asked else { return Ok(Effect::Done) };
        match self.engine.container(id).await {
            Ok(None) if verb.is_done_with_what_is_gone() => Ok(Effect::Done),
            Ok(None) => Err(StepError::Surprise { what: format!("container `{id}` was taken away") }),
            Ok(Some(detail)) if so(&detail) => Ok(Effect::Done),
            // Only what was down is to be removed: another stop is the plan's to say.
            Ok(Some(detail)) if verb == Verb::Remove && detail.life.is_up() => {
                Err(StepError::Surprise { what: format!("container `{}` came up again", detail.name) })
            }
            Ok(Some(detail)) => {
                Err(StepError::Engine { doing: format!("{} container `{}`", verb.word(), detail.name), source })
            }
            Err(_) => Err(StepError::Engine { doing: format!("{} container `{id}`", verb.word()), source }),
        }
    }

    async fn network_made(
        &self,
        name: &str,
        labels: &std::collections::BTreeMap<String, String>,
        source: EngineError,
    ) -> Result<Effect, StepError> {
        let doing = format!("create network `{name}`");
        let networks = self.engine.networks().await.map_err(failed(doing.clone()))?;
        match networks.into_iter().find(|network| network.name == name && network.labels == *labels) {
            Some(network) => Ok(Effect::Made { id: network.id }),
            None => Err(StepError::Engine { doing, source }),
        }
    }

    /// A network that others are on cannot be removed, and is no reason to stop.
    async fn network_gone(&self, id: &str, source: EngineError) -> Result<Effect, StepError> {
        let networks = self.engine.networks().await.map_err(failed(format!("remove network `{id}`")))?;
        if networks.iter().any(|network| network.id == id) {
            return Ok(Effect::Failed(Failure { summary: source.to_string(), ..Failure::default() }));
        }
        Ok(Effect::Done)
    }
}

/// Does something to files on a thread of its own.
async fn on_disk(
    doing: String,
    effect: impl FnOnce() -> std::io::Result<()> + Send + 'static,
) -> Result<Effect, StepError> {
    let done = tokio::task::spawn_blocking(effect).await.unwrap_or_else(|broken| Err(std::io::Error::other(broken)));
    done.map(|()| Effect::Done).map_err(|source| StepError::Files { doing, source })
}

pub(super) fn failed(doing: String) -> impl FnOnce(EngineError) -> StepError {
    |source| StepError::Engine { doing, source }
}
