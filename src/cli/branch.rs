//! The branch of this run, as the daemon follows it: asked, judged, read.

use super::{
    Complaint,
    accept::{AcceptError, Occasion},
    converge,
    session::{Session, source},
};
use crate::{
    pass::Head,
    record::Ledger,
    source::{Commit, Repository, SourceError},
    value::{EnvironmentName, Location},
    watch::{Away, Branch, Halt, Tip},
};
use std::{path::PathBuf, sync::Arc};
use tokio::{runtime::Handle, task::spawn_blocking};

/// A session's branch.
#[derive(Clone)]
pub struct SessionBranch {
    session: Arc<Session>,
    ledger: Ledger,
    environments: Vec<EnvironmentName>,
}

impl SessionBranch {
    pub fn new(session: Arc<Session>, ledger: Ledger, environments: Vec<EnvironmentName>) -> Self {
        Self { session, ledger, environments }
    }

    /// Blocks: libgit2 does.
    fn read(&self, known: Option<&str>) -> Result<Option<Tip>, Away> {
        match self.session.look() {
            Ok((_, commit)) if Some(commit.id.as_str()) == known => Ok(None),
            Ok((repository, commit)) => self.judged(&repository, &commit).map(Some),
            // The daemon began when the branch was gone already: what was accepted last is kept up.
            Err(error) if error.is_absent_branch() && known.is_none() => self.without(error).map(Some),
            Err(error) => Err(away(source(error))),
        }
    }

    /// What a commit says of the environments that may follow it.
    fn judged(&self, repository: &Repository, commit: &Commit) -> Result<Tip, Away> {
        let manifests = self.session.manifests(repository, commit).map_err(away)?;
        let mut rendered = manifests.render();
        let heads = self.environments.iter().map(|environment| {
            let accepted = self.session.accept(&self.ledger, environment, commit, Occasion::Watch);
            let followed = match Handle::current().block_on(accepted) {
                Ok(()) => {
                    let rendered = rendered.remove(environment).unwrap_or_default();
                    Ok(Arc::new(converge::head(commit, rendered)))
                }
                Err(error @ (AcceptError::Distrust(_) | AcceptError::Signers { .. })) => {
                    Err(self.halt(environment, error.hint(), Complaint::from(error)))
                }
                Err(error @ (AcceptError::Source(_) | AcceptError::Record(_))) => {
                    return Err(away(error.complaint(environment)));
                }
            };
            Ok((environment.clone(), followed))
        });
        Ok(Tip { commit: Some(commit.id.clone()), environments: heads.collect::<Result<_, _>>()? })
    }

    /// A branch that is not there, of which something was accepted before.
    fn without(&self, error: SourceError) -> Result<Tip, Away> {
        let gone = away(source(error));
        let halts = self.environments.iter().map(|environment| {
            let stays = self.accepted(environment);
            (environment.clone(), Err(Halt { reason: gone.reason.clone(), hint: gone.hint.clone(), stays }))
        });
        let tip = Tip { commit: None, environments: halts.collect() };
        if tip.environments.values().any(|halt| halt.as_ref().is_err_and(|halt| halt.stays.is_some())) {
            return Ok(tip);
        }
        Err(gone)
    }

    fn halt(&self, environment: &EnvironmentName, hint: Option<String>, complaint: Complaint) -> Halt {
        let (reason, _) = complaint.in_a_line();
        Halt { reason, hint, stays: self.accepted(environment) }
    }

    /// What the commit says that was accepted last, where it is still there.
    fn accepted(&self, environment: &EnvironmentName) -> Option<Arc<Head>> {
        let followed = self.session.followed(environment);
        let accepted = Handle::current().block_on(self.ledger.accepted(&followed)).ok()??;
        let repository = self.session.reopened().ok()?;
        let commit = repository.commit(Some(&accepted.commit)).ok()?;
        let commit = Commit { reference: followed.reference, ..commit };
        let mut rendered = self.session.manifests(&repository, &commit).ok()?.render();
        Some(Arc::new(converge::head(&commit, rendered.remove(environment).unwrap_or_default())))
    }
}

impl Branch for SessionBranch {
    async fn ask(&self, known: Option<&str>) -> Result<Option<Tip>, Away> {
        let (this, known) = (self.clone(), known.map(str::to_owned));
        spawn_blocking(move || this.read(known.as_deref())).await.map_err(|error| away(error.into()))?
    }

    async fn folders(&self) -> Vec<(PathBuf, bool)> {
        let this = self.clone();
        let folders = spawn_blocking(move || match this.session.settings.location {
            // Whoever is asked over the network tells by a webhook, or not at all.
            Location::Remote(_) => None,
            Location::Local(_) => Some(this.session.reopened().ok()?.references()),
        });
        let folders = folders.await.ok().flatten().unwrap_or_default();
        folders.into_iter().map(|watched| (watched.folder, watched.deep)).collect()
    }
}

fn away(complaint: Complaint) -> Away {
    let (reason, hint) = complaint.in_a_line();
    Away { reason, hint }
}
