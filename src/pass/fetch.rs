//! Fetches what is due before anything else, so that the revision is known by its images.

use super::{attempt::Attempt, converge::Course, converge::Ended, converge::Interruptions, progress::UnderWay, report};
use crate::{
    apply::{StepError, errand},
    desired::PullPolicy,
    engine::Engine,
    observe::Look,
    plan::Step,
    secret::Unsealed,
    show::report::ErrorReport,
};
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

/// What a pass asked registries for, and opened.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// References that were pulled.
    pub done: BTreeSet<String>,
    /// References that were to be refreshed and did not come, with why. What they meant before is here, and is gone on with.
    pub stale: BTreeMap<String, ErrorReport>,
    /// Encrypted files of the commit that were opened.
    pub unsealed: Unsealed,
}

/// What came of asking.
pub enum Fetching {
    /// Nothing was due.
    Nothing,
    /// Something came, or was found not to come: take aim again.
    Something,
    /// Somebody wrote an intent meanwhile.
    Intent,
    /// The tool was asked to end meanwhile.
    Asked,
}

impl<E: Engine> Attempt<'_, '_, E> {
    /// Fetches what is due. A registry may keep it waiting for long, so it is left off when somebody wants something else.
    ///
    /// # Errors
    /// An image that is needed does not come; the engine does not answer.
    pub(super) async fn fetch(&mut self, look: &mut Look) -> Result<Fetching, StepError> {
        if self.aim.course == Course::Halt {
            return Ok(Fetching::Nothing);
        }
        let is_pull = |step: &Step| matches!(step, Step::Pull { .. });
        let due: Vec<Step> = self.aim.plan().steps.into_iter().map(|planned| planned.step).filter(is_pull).collect();
        if due.is_empty() {
            return Ok(Fetching::Nothing);
        }
        let (aim, host, context) = (&self.aim, self.pass.host, self.context(None));
        let errands = due.iter().filter_map(|step| Some((step, errand(step, &aim.observed, &context)?)));
        let pulls = join_all(errands.map(|(step, errand)| async move {
            let told = UnderWay::begin(&aim.desired, step);
            let effect = host.hands.perform(errand).await;
            told.end(&effect);
            (step, effect)
        }));
        let mut interruptions = Interruptions {
            watch: self.intents.as_mut(),
            ledger: &host.ledger,
            known: &aim.ledger,
            ending: self.ending,
        };
        let pulled = tokio::select! {
            pulled = pulls => pulled,
            ended = interruptions.next(&aim.desired) => return Ok(match ended {
                Ended::Intent => Fetching::Intent,
                Ended::Asked | Ended::Done | Ended::Failed { .. } | Ended::Blocked(_) | Ended::Unrecorded(_) => {
                    Fetching::Asked
                }
            }),
        };
        let mut failed = None;
        for (step, effect) in pulled {
            let Step::Pull { reference, .. } = step else { continue };
            match effect {
                Ok(_) => {
                    self.fetched.done.insert(reference.clone());
                    let (environment, app) = (&aim.desired.environment, &aim.desired.app);
                    // Only the time of it would be lost; the pull itself is done.
                    if let Err(error) = host.ledger.pulled(environment, app, reference, aim.observed.now).await {
                        tracing::warn!(%error, "the time of the pull is not recorded");
                    }
                }
                Err(error) if self.only_refreshes(reference) => {
                    self.fetched.stale.insert(reference.clone(), report::step_error(&error));
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        let doing = || "list images".to_owned();
        let images = host.hands.engine.images().await.map_err(|source| StepError::Engine { doing: doing(), source })?;
        look.images = images.into();
        Ok(Fetching::Something)
    }

    /// True for an image that is here and is only asked for anew from time to time: a registry that is away is no reason
    /// to leave an app unrepaired.
    fn only_refreshes(&self, reference: &str) -> bool {
        let policies = self.aim.desired.services.values().filter(|service| service.spec.image == reference);
        let mut periods = policies.map(|service| match service.pull {
            PullPolicy::Every(_) => true,
            PullPolicy::Missing | PullPolicy::Always | PullPolicy::Never => false,
        });
        self.aim.observed.images.contains_key(reference) && periods.all(|periodic| periodic)
    }
}
