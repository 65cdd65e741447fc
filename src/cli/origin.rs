//! Where a run reads its manifests: a repository in place, or the mirror of one elsewhere.

use super::{
    Complaint,
    session::{Session, source},
};
use crate::{
    source::{Access, Commit, Patience, Remote, Repository, SourceError},
    value::{Location, RemoteLocation},
};
use std::path::PathBuf;

impl Session {
    /// The repository with the commit to read, as it is now: one elsewhere is asked, and fetched if it moved.
    ///
    /// # Errors
    /// As those of `source`.
    pub fn head(&self) -> Result<(Repository, Commit), Complaint> {
        self.commit_at(self.settings.reference.as_deref()).map_err(source)
    }

    /// As [`Session::head`], with the error as it is: whether the branch is gone or the repository away.
    ///
    /// # Errors
    /// As those of `source`.
    pub fn look(&self) -> Result<(Repository, Commit), SourceError> {
        self.commit_at(self.settings.reference.as_deref())
    }

    /// What a reference names, as it is now.
    ///
    /// # Errors
    /// As those of `source`.
    pub fn commit_at(&self, reference: Option<&str>) -> Result<(Repository, Commit), SourceError> {
        let found = match self.remote() {
            Some(remote) => remote.fetch(reference)?,
            None => {
                let repository = self.in_place()?;
                let commit = repository.commit(reference)?;
                (repository, commit)
            }
        };
        if reference == self.settings.reference.as_deref() {
            *self.seen() = true;
        }
        Ok(found)
    }

    /// For a look, and for what must work when the repository is away: what this run has seen already, or what is there
    /// now, or with a warning what was fetched the last time.
    ///
    /// # Errors
    /// As those of `source`, where nothing was fetched before.
    pub fn known_head(&self) -> Result<(Repository, Commit), Complaint> {
        let reference = self.settings.reference.as_deref();
        let Some(remote) = self.remote() else { return self.head() };
        if *self.seen() {
            return remote.last(reference).map_err(source);
        }
        self.look().or_else(|error| {
            let Some((repository, commit)) = remote.last(reference).ok().filter(|_| error.is_elsewhere()) else {
                return Err(source(error));
            };
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            tracing::warn!("{error}{cause}; what was fetched before stands in for it: {}", commit.revision());
            *self.seen() = true;
            Ok((repository, commit))
        })
    }

    /// The repository again, without asking anybody.
    pub(super) fn reopened(&self) -> Result<Repository, SourceError> {
        match self.remote() {
            Some(remote) => remote.reopened(),
            None => self.in_place(),
        }
    }

    fn in_place(&self) -> Result<Repository, SourceError> {
        match &self.settings.location {
            Location::Local(path) => Repository::at(path),
            Location::Remote(remote) => Err(SourceError::NotHere { location: remote.to_string() }),
        }
    }

    /// The repository elsewhere; none where it is on this machine.
    #[must_use]
    pub fn remote(&self) -> Option<Remote> {
        let Location::Remote(location) = &self.settings.location else { return None };
        Some(Remote::new(location.clone(), self.access(location), &self.settings.state_dir))
    }

    fn access(&self, location: &RemoteLocation) -> Access {
        let configured = &self.host.settings.source;
        let path = |path: &Option<crate::value::AbsolutePath>| path.as_ref().map(|path| PathBuf::from(path.as_str()));
        // A token is shown to the host that it was written for, not to another that a flag names.
        let meant = match configured.url.as_ref().and_then(|url| url.parse().ok()) {
            Some(Location::Remote(meant)) => meant.is_at_the_host_of(location),
            Some(Location::Local(_)) => false,
            None => true,
        };
        Access {
            ssh_key: path(&configured.ssh.key),
            known_hosts: path(&configured.ssh.known_hosts),
            token_file: path(&configured.token_file).filter(|_| meant),
            patience: Patience::default(),
        }
    }
}
