//! Gathers the values that one app needs for one pass.

use super::{
    HostKey, Overdue, RepositoryFiles, Roots, SecretError, SecretValue, Unsealed, digest::Place, host_dir, key_file,
    unsealing::Unsealing,
};
use crate::{
    desired::SecretSource,
    value::{AppName, EnvironmentName, SecretName, ServiceName},
};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// Where this host's secrets are.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// Values, by environment, app and name.
    pub directory: PathBuf,
    /// The key of digests.
    pub key_file: PathBuf,
    /// Age identities that open encrypted files.
    pub identity: Option<PathBuf>,
    /// Where they are delivered.
    pub roots: Roots,
    /// Which apps' secrets are waited for longer than they should take.
    pub overdue: Overdue,
}

/// The values of an app, for one pass. It is neither printed nor stored.
#[derive(Debug, Default)]
pub struct Gathered {
    pub values: BTreeMap<SecretName, SecretValue>,
    /// Those that are not known, and why.
    pub missing: Vec<SecretError>,
    key: Option<HostKey>,
}

impl Secrets {
    /// Reads what an app needs. `may_write`: a host key is made where there is none. It may take as long as a disk hangs.
    #[must_use]
    pub fn gather(
        &self,
        (environment, app): (&EnvironmentName, &AppName),
        sources: &BTreeMap<SecretName, SecretSource>,
        (files, unsealed): (&RepositoryFiles, &Unsealed),
        may_write: bool,
    ) -> Gathered {
        let mut gathered = Gathered::default();
        if sources.is_empty() {
            return gathered;
        }
        match self.key(may_write) {
            Ok(key) => gathered.key = Some(key),
            Err(error) => gathered.missing.push(error),
        }
        let mut unsealing = Unsealing::new(files, self.identity.as_deref(), unsealed);
        for (name, source) in sources {
            match self.read((environment, app), name, source, &mut unsealing) {
                Ok(value) => drop(gathered.values.insert(name.clone(), value)),
                Err(error) => gathered.missing.push(error),
            }
        }
        gathered
    }

    /// Reads one secret of an app.
    ///
    /// # Errors
    /// It is not there, cannot be read, or does not open.
    pub fn value(
        &self,
        (environment, app): (&EnvironmentName, &AppName),
        name: &SecretName,
        source: &SecretSource,
        files: &RepositoryFiles,
    ) -> Result<SecretValue, SecretError> {
        let unsealed = Unsealed::default();
        let mut unsealing = Unsealing::new(files, self.identity.as_deref(), &unsealed);
        self.read((environment, app), name, source, &mut unsealing)
    }

    fn read(
        &self,
        (environment, app): (&EnvironmentName, &AppName),
        name: &SecretName,
        source: &SecretSource,
        unsealing: &mut Unsealing<'_>,
    ) -> Result<SecretValue, SecretError> {
        match source {
            SecretSource::Host => {
                let path = host_dir::path(&self.directory, environment, app, name);
                host_dir::read(&self.directory, &path, name)
            }
            SecretSource::File { path, key } => unsealing.value(name, path, key.as_deref()),
        }
    }

    fn key(&self, may_write: bool) -> Result<HostKey, SecretError> {
        if may_write {
            return key_file::read_or_make(&self.key_file);
        }
        match key_file::read(&self.key_file)? {
            Some(key) => Ok(key),
            None => key_file::passing(),
        }
    }
}

impl Gathered {
    /// What is known of an app whose secrets did not come in time.
    #[must_use]
    pub fn overdue(waited: Duration) -> Self {
        Self { missing: vec![SecretError::Overdue { waited }], ..Self::default() }
    }

    /// What tells the host key from another; none where no secret is used.
    #[must_use]
    pub fn key_id(&self) -> Option<String> {
        self.key.as_ref().map(HostKey::id)
    }

    /// The digest of bytes as a service's secret; none without a key.
    #[must_use]
    pub fn digest_of(&self, place: &Place<'_>, name: &SecretName, value: &SecretValue) -> Option<String> {
        self.key.as_ref().map(|key| key.digest(place, name, value))
    }

    /// The digest of a secret as a service has it; none where it is not known.
    #[must_use]
    pub fn digest(
        &self,
        (environment, app): (&EnvironmentName, &AppName),
        service: &ServiceName,
        name: &SecretName,
    ) -> Option<String> {
        self.digest_of(&Place { environment, app, service }, name, self.values.get(name)?)
    }
}
