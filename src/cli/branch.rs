//! The branch of this run, as the daemon follows it.

use super::{Complaint, converge, session::Session};
use crate::{
    pass::Head,
    record::Ledger,
    source::Repository,
    value::EnvironmentName,
    watch::{Away, Branch, Halt, Tip},
};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// A session's branch.
pub struct SessionBranch {
    session: Arc<Session>,
    ledger: Ledger,
    environments: Vec<EnvironmentName>,
}

impl SessionBranch {
    pub fn new(session: Arc<Session>, ledger: Ledger, environments: Vec<EnvironmentName>) -> Self {
        Self { session, ledger, environments }
    }
}

impl Branch for SessionBranch {
    async fn ask(&self, known: Option<&str>) -> Result<Option<Tip>, Away> {
        let (session, known) = (Arc::clone(&self.session), known.map(str::to_owned));
        let environments = self.environments.clone();
        let read = tokio::task::spawn_blocking(move || read(&session, known.as_deref(), &environments));
        let read = read.await.map_err(|error| away(error.into()))??;
        let Some((commit, heads)) = read else { return Ok(None) };
        let environments = heads.into_iter().map(|(name, head)| (name, Ok::<_, Halt>(Arc::new(head)))).collect();
        Ok(Some(Tip { commit, environments }))
    }

    async fn folders(&self) -> Vec<(PathBuf, bool)> {
        let source = self.session.settings.source.clone();
        let folders = tokio::task::spawn_blocking(move || {
            let repository = Repository::open(&source).ok()?;
            Some(repository.references().into_iter().map(|watched| (watched.folder, watched.deep)).collect())
        });
        folders.await.ok().flatten().unwrap_or_default()
    }
}

fn away(complaint: Complaint) -> Away {
    let (reason, hint) = complaint.in_a_line();
    Away { reason, hint }
}

/// What was read: the commit, and what it says of each environment.
type Heads = (String, BTreeMap<EnvironmentName, Head>);

fn read(session: &Session, known: Option<&str>, environments: &[EnvironmentName]) -> Result<Option<Heads>, Away> {
    let (repository, commit) = session.head().map_err(away)?;
    if Some(commit.id.as_str()) == known {
        return Ok(None);
    }
    let manifests = session.manifests(&repository, &commit).map_err(away)?;
    let mut rendered = manifests.render();
    let heads = environments.iter().map(|environment| {
        let rendered = rendered.remove(environment).unwrap_or_default();
        (environment.clone(), converge::head(&commit, rendered))
    });
    Ok(Some((commit.id.clone(), heads.collect())))
}
