//! Makes and starts containers, and judges a refusal by what is there now: only what the world has no part in is the
//! revision's fault.

use super::perform::{Hands, StepError, failed};
use crate::{
    desired::label,
    engine::{CreateContainer, Engine, EngineError},
    observed::{Effect, Failure, Life},
};
use std::path::PathBuf;

impl<E: Engine> Hands<E> {
    /// A refusal is heard twice before it is the revision's fault: an engine out of order refuses too.
    pub(super) async fn create(&self, wanted: &CreateContainer, shown: &[PathBuf]) -> Result<Effect, StepError> {
        match self.create_once(wanted, shown).await? {
            Effect::Failed(_) => self.create_once(wanted, shown).await,
            made @ (Effect::Made { .. } | Effect::Done | Effect::Ready | Effect::Ended | Effect::Pulled(_)) => Ok(made),
        }
    }

    async fn create_once(&self, wanted: &CreateContainer, shown: &[PathBuf]) -> Result<Effect, StepError> {
        let source = match self.engine.create(wanted).await {
            Ok(id) => return Ok(Effect::Made { id }),
            Err(source @ EngineError::Refused { .. }) => source,
            Err(source) => {
                return Err(StepError::Engine { doing: format!("create container `{}`", wanted.name), source });
            }
        };
        let doing = format!("create container `{}`", wanted.name);
        match self.engine.container(&wanted.name).await.map_err(failed(doing.clone()))? {
            Some(there)
                if there.labels.get(label::SPEC) == wanted.labels.get(label::SPEC)
                    && there.image_id == wanted.image_id =>
            {
                Ok(Effect::Made { id: there.id })
            }
            Some(_) => Err(StepError::Taken {
                what: format!("the name `{}` is taken by another container", wanted.name),
                hint: format!("rename or remove it (`docker rename {} …`)", wanted.name),
            }),
            None if self.engine.image(&wanted.image_id).await.map_err(failed(doing.clone()))?.is_none() => {
                Err(StepError::Surprise { what: format!("image `{}` was taken away", wanted.spec.image) })
            }
            None if self.networks_are_there(wanted).await.map_err(failed(doing.clone()))? => {
                if let Some(why) = unseen(shown, &wanted.name, &source) {
                    return Err(why);
                }
                Ok(Effect::Failed(Failure {
                    summary: format!("`{}` cannot be made: {source}", wanted.name),
                    ..Failure::default()
                }))
            }
            None => Err(StepError::Surprise { what: "a network was taken away".to_owned() }),
        }
    }

    async fn networks_are_there(&self, wanted: &CreateContainer) -> Result<bool, EngineError> {
        let Some((name, _)) = &wanted.network else { return Ok(true) };
        Ok(self.engine.networks().await?.iter().any(|network| network.name == *name))
    }

    /// As with `create`, a refusal is heard twice.
    pub(super) async fn start(&self, id: &str, name: &str, shown: &[PathBuf]) -> Result<Effect, StepError> {
        match self.start_once(id, name, shown).await? {
            Effect::Failed(_) => self.start_once(id, name, shown).await,
            begun @ (Effect::Done | Effect::Ready | Effect::Ended | Effect::Pulled(_) | Effect::Made { .. }) => {
                Ok(begun)
            }
        }
    }

    async fn start_once(&self, id: &str, name: &str, shown: &[PathBuf]) -> Result<Effect, StepError> {
        // An engine may begin it all the same, with an empty folder of its own making.
        if let Some(gone) = gone(shown, name) {
            return Err(gone);
        }
        self.begun.note(id);
        let source = match self.engine.start(id).await {
            Ok(()) => return Ok(Effect::Done),
            Err(source @ EngineError::Refused { .. }) => source,
            Err(source) => return Err(StepError::Engine { doing: format!("start `{name}`"), source }),
        };
        let doing = format!("start `{name}`");
        let Some(detail) = self.engine.container(id).await.map_err(failed(doing.clone()))? else {
            return Err(StepError::Surprise { what: format!("container `{name}` was taken away") });
        };
        if detail.life == Life::Running {
            return Ok(Effect::Done);
        }
        if let Some(why) = unseen(shown, name, &source) {
            return Err(why);
        }
        if let Some(taken) =
            super::preflight::taken_port(&*self.engine, &detail.body.ports, id).await.map_err(failed(doing.clone()))?
        {
            return Err(taken);
        }
        let networks = self.engine.networks().await.map_err(failed(doing))?;
        if let Some(gone) = detail.endpoints.keys().find(|name| networks.iter().all(|there| there.name != **name)) {
            return Err(StepError::Surprise { what: format!("network `{gone}` was taken away under `{name}`") });
        }
        Ok(Effect::Failed(self.prover().failure(&detail, format!("`{name}` cannot be started: {source}")).await))
    }
}

/// What was delivered for a container and is not there any more: it is looked at again.
fn gone(shown: &[PathBuf], name: &str) -> Option<StepError> {
    let gone = shown.iter().find(|file| !file.is_file())?;
    Some(StepError::Surprise { what: format!("`{}` was taken away under `{name}`", gone.display()) })
}

/// Why an engine does not find what was delivered for a container: it was taken away meanwhile, or the engine sees other
/// files than this process. A refusal that names one of our own paths is about no revision.
fn unseen(shown: &[PathBuf], name: &str, refusal: &EngineError) -> Option<StepError> {
    if let Some(gone) = gone(shown, name) {
        return Some(gone);
    }
    let said = refusal.to_string();
    let folder = shown.iter().filter_map(|file| file.parent()).find(|it| said.contains(&it.display().to_string()))?;
    Some(StepError::Taken {
        what: format!("the engine does not see what was delivered for `{name}`: {refusal}"),
        hint: format!(
            "name the engine of this machine (`--engine`), or show it `{}` under the same path",
            folder.display()
        ),
    })
}
