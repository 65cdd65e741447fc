//! The joint of trust: before a commit is applied it is judged, and the ledger remembers that it was accepted.

use super::{Complaint, session::Session};
use crate::{
    host::VerifyMode,
    record::{Accepted, Followed, Ledger, RecordError},
    secret::RepositoryFiles,
    source::{
        Commit, SourceError,
        trust::{self, BadSigners, Distrust, Mode, Rules, Signers},
    },
    value::{EnvironmentName, Location},
};
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// Who wants to apply a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// `watch`, which nobody looks at: the branch only goes forward.
    Watch,
    /// A person. A repository on this machine may be amended by them; one elsewhere only goes forward.
    Once,
}

/// Why a commit is not applied.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// It is not believed.
    #[error(transparent)]
    Distrust(#[from] Distrust),
    /// The repository, or the file of those who may sign, cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The file of those who may sign is not understood.
    #[error("`{}` says who may sign, and cannot be used", .path.display())]
    Signers { path: PathBuf, source: BadSigners },
    /// What was accepted before cannot be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl AcceptError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Distrust(error) => error.hint(),
            Self::Source(error) => error.hint(),
            Self::Signers { .. } => {
                Some("write a line for each who may sign: `ann@example.com ssh-ed25519 AAAA…`".to_owned())
            }
            Self::Record(error) => error.hint(),
        }
    }

    /// True when the branch went back behind what was accepted: somebody has to say that it is meant.
    #[must_use]
    pub fn is_rewind(&self) -> bool {
        matches!(self, Self::Distrust(Distrust::Rewound { .. }))
    }

    /// As the user is told it.
    #[must_use]
    pub fn complaint(self, environment: &EnvironmentName) -> Complaint {
        let hint = self.hint();
        Complaint::about(format!("`{environment}` stays as it is"), self).with_hint(hint)
    }
}

impl Session {
    /// Judges a commit that is to be applied to an environment, and records that it was accepted.
    ///
    /// # Errors
    /// It is not believed, or that cannot be found out; then nothing is recorded.
    pub async fn accept(
        &self,
        ledger: &Ledger,
        environment: &EnvironmentName,
        commit: &Commit,
        occasion: Occasion,
    ) -> Result<(), AcceptError> {
        self.trusts(ledger, environment, commit, occasion).await?;
        let accepted = Accepted { commit: commit.id.clone(), at: Timestamp::now(), by: None };
        Ok(ledger.accept(&self.followed(environment), accepted).await?)
    }

    /// As [`Session::accept`], for a look: nothing is recorded.
    ///
    /// # Errors
    /// As there.
    pub async fn trusts(
        &self,
        ledger: &Ledger,
        environment: &EnvironmentName,
        commit: &Commit,
        occasion: Occasion,
    ) -> Result<(), AcceptError> {
        let rules = self.rules(occasion)?;
        if rules.mode == Mode::Off && !rules.forward_only {
            return Ok(());
        }
        let accepted = ledger.accepted(&self.followed(environment)).await?;
        let repository = self.reopened()?;
        Ok(trust::judge(&repository, commit, accepted.as_ref().map(|accepted| accepted.commit.as_str()), &rules)?)
    }

    /// The files beside the manifests of the commit that was accepted last, without asking anybody: what nobody accepted
    /// has no say in what is delivered, however well it is encrypted. None where nothing was accepted yet.
    pub async fn accepted_files(&self, ledger: &Ledger, environment: &EnvironmentName) -> Option<RepositoryFiles> {
        let accepted = ledger.accepted(&self.followed(environment)).await.ok()??;
        let commit = self.reopened().ok()?.commit(Some(&accepted.commit)).ok()?;
        Some(self.files_of(&commit))
    }

    /// As [`Session::accepted_files`], or those of a commit that would be accepted.
    pub async fn trusted_files(
        &self,
        ledger: &Ledger,
        environment: &EnvironmentName,
        commit: &Commit,
    ) -> RepositoryFiles {
        match self.accepted_files(ledger, environment).await {
            Some(files) => files,
            None => match self.trusts(ledger, environment, commit, Occasion::Once).await {
                Ok(()) => self.files_of(commit),
                Err(_) => RepositoryFiles::default(),
            },
        }
    }

    /// Under what the ledger remembers the branch of an environment.
    #[must_use]
    pub fn followed(&self, environment: &EnvironmentName) -> Followed {
        let source = match &self.settings.location {
            Location::Local(path) => path.canonicalize().unwrap_or_else(|_| path.clone()).display().to_string(),
            Location::Remote(remote) => remote.to_string(),
        };
        let reference = self.settings.reference.as_deref().unwrap_or("HEAD");
        let reference = reference.strip_prefix("refs/heads/").unwrap_or(reference).to_owned();
        Followed { source, reference, environment: environment.clone() }
    }

    fn rules(&self, occasion: Occasion) -> Result<Rules, AcceptError> {
        let verify = &self.host.settings.source.verify;
        let mode = match verify.mode {
            VerifyMode::Off => Mode::Off,
            VerifyMode::Head => Mode::Head,
            VerifyMode::Strict => Mode::Strict,
        };
        let signers = match verify.allowed_signers.as_ref().filter(|_| mode != Mode::Off) {
            None => Signers::default(),
            Some(path) => signers(Path::new(path.as_str()))?,
        };
        let forward_only = occasion == Occasion::Watch || self.remote().is_some();
        Ok(Rules { mode, signers, forward_only })
    }
}

fn signers(path: &Path) -> Result<Signers, AcceptError> {
    let text = crate::source::read_trusted("the file of allowed signers", path).map_err(SourceError::from)?;
    Signers::read(&text).map_err(|source| AcceptError::Signers { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_move<T: Send>(_: &T) {}

    /// A daemon judges in tasks: whoever breaks this learns it here.
    #[allow(dead_code)]
    fn a_judgement_may_move_between_threads(
        session: &Session,
        ledger: &Ledger,
        environment: &EnvironmentName,
        commit: &Commit,
    ) {
        may_move(&session.accept(ledger, environment, commit, Occasion::Watch));
    }
}
